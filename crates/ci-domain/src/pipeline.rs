//! What the component files of one tree say: components, their jobs, and what they depend on.

mod image;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ids::{ComponentName, JobId, JobName};
use crate::step::Sequence;

pub use image::{Image, InvalidImage};

/// Every component of one tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pipeline {
    /// The components by name.
    pub components: BTreeMap<ComponentName, Component>,
}

/// A folder with a `ci.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its name, which is also the path of its folder.
    pub name: ComponentName,
    /// Components whose change also tests this one.
    pub depends_on: BTreeSet<ComponentName>,
    /// The paths that belong to it; `None` means its own folder less nested components.
    pub inputs: Option<Vec<String>>,
    /// Variables set for all its commands.
    pub env: BTreeMap<String, String>,
    /// Where its commands run, if they run in a container.
    pub image: Option<Image>,
    /// Its jobs by name.
    pub jobs: BTreeMap<JobName, Job>,
}

/// A job of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name within the component.
    pub name: JobName,
    /// What must have passed before it runs.
    pub needs: Needs,
    /// What else it waits for.
    pub when: When,
    /// The kinds of build it is part of.
    pub on: BTreeSet<On>,
    /// How long it may take in all; the node's default where there is none.
    pub timeout: Option<Duration>,
    /// What it runs.
    pub steps: Sequence,
}

/// What must have passed before a job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The component's `compile` job, if there is one and this is not it.
    Default,
    /// Just these; a bare job name in the file was one of the same component.
    These(BTreeSet<JobId>),
}

/// What a job waits for besides its needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nothing.
    Always,
    /// The approval of the pull request.
    Approved,
}

/// The kinds of build that a job can be part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum On {
    /// Builds of pull requests.
    Pull,
    /// Builds of branches.
    Branch,
    /// Nights: at most once a day for each tip of a branch.
    Nightly,
}

impl Pipeline {
    /// Looks a job up.
    #[must_use]
    pub fn job(&self, id: &JobId) -> Option<&Job> {
        self.components.get(&id.component)?.jobs.get(&id.job)
    }
}
