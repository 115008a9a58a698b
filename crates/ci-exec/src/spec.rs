//! What a runner is told to do.

mod container;
mod isolation;
mod wire;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ci_domain::ids::AttemptId;
use ci_domain::step::Sequence;

use crate::cgroup::Bounds;
use crate::kept::KeepLimits;

pub(crate) use wire::WireSpec;

pub use container::{Build, Container, Engine, EngineKind, Image, ImageSource, Limits};
pub use isolation::{Isolation, Namespaces, Network};

/// One attempt at a job: what to run, where, and within which limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSpec {
    /// Names the attempt. Commands see it as `CI_ATTEMPT`, which is also how what they leave behind
    /// is found after the runner was killed; so it is set whatever `env` says.
    pub attempt: AttemptId,
    /// The root of the work tree.
    pub workspace: PathBuf,
    /// Where commands start: the component's folder, an absolute path.
    pub working_dir: PathBuf,
    /// What keeps the commands from the rest of the machine.
    pub isolation: Isolation,
    /// What the job may use as a whole, where the machine can bound it.
    pub bounds: Option<Bounds>,
    /// The whole environment of the commands; nothing else reaches them.
    pub env: BTreeMap<String, String>,
    /// What to run.
    pub steps: Sequence,
    /// How long the job may take in all.
    pub timeout: Duration,
    /// How long commands that are told to end may take before they are killed.
    pub grace: Duration,
    /// How many bytes of each log are kept; of a longer one the head and the tail.
    pub log_limit: u64,
    /// How much of the files that commands leave is kept.
    pub keep_limits: KeepLimits,
    /// How long the runner goes on while nobody follows it.
    pub orphan_limit: Duration,
}

/// A stored spec that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Not JSON of the right shape.
    #[error("read the spec")]
    Json(#[from] serde_json::Error),
    /// Written by a later program.
    #[error("read version {found} of the spec, this program knows {known}")]
    Version {
        /// What the file says.
        found: u32,
        /// The newest that can be read.
        known: u32,
    },
    /// The right shape with an impossible value.
    #[error("read the spec: {0} is invalid")]
    Value(&'static str),
}

impl RunSpec {
    /// The variable that marks every process of the attempt.
    pub(crate) const MARKER: &str = "CI_ATTEMPT";

    /// The marker as it stands in an environment, `NAME=value`.
    pub(crate) fn marker(&self) -> String {
        Self::marker_of(&self.attempt)
    }

    /// The marker of an attempt.
    pub(crate) fn marker_of(attempt: &AttemptId) -> String {
        format!("{}={attempt}", Self::MARKER)
    }
}
