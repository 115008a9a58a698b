//! The graphs of a pipeline: which component depends on which, which job needs which.

use std::collections::BTreeSet;

use crate::graph::{Flaw, Graph};
use crate::ids::{ComponentName, JobId, JobName};
use crate::pipeline::{Component, Job, Needs, Pipeline};

impl Pipeline {
    /// The graph of components and what they depend on.
    ///
    /// # Errors
    /// A dependency on a component that there is not, or a cycle.
    pub fn component_graph(&self) -> Result<Graph<ComponentName>, Vec<Flaw<ComponentName>>> {
        let edges = self.components.values();
        Graph::new(edges.map(|each| (each.name.clone(), each.depends_on.clone())).collect())
    }

    /// The graph of all jobs, of whatever kind of build, and what they need.
    ///
    /// # Errors
    /// A need on a job that there is not, or a cycle.
    pub fn job_graph(&self) -> Result<Graph<JobId>, Vec<Flaw<JobId>>> {
        let edges =
            self.jobs().map(|(component, job)| (component.job_id(job), component.needs(job)));
        Graph::new(edges.collect())
    }

    /// Every job with its component, in the order of their names.
    pub fn jobs(&self) -> impl Iterator<Item = (&Component, &Job)> {
        self.components.values().flat_map(|each| each.jobs.values().map(move |job| (each, job)))
    }
}

impl Component {
    /// The full name of one of its jobs.
    #[must_use]
    pub fn job_id(&self, job: &Job) -> JobId {
        JobId { component: self.name.clone(), job: job.name.clone() }
    }

    /// What `job`, one of its jobs, needs: what it says, else the component's `compile` if there is one.
    #[must_use]
    pub fn needs(&self, job: &Job) -> BTreeSet<JobId> {
        match &job.needs {
            Needs::These(needs) => needs.clone(),
            Needs::Default if job.name.is_compile() => BTreeSet::new(),
            Needs::Default => {
                let compile = self.jobs.keys().find(|name: &&JobName| name.is_compile());
                let id = |job: &JobName| JobId { component: self.name.clone(), job: job.clone() };
                compile.map(id).into_iter().collect()
            }
        }
    }
}
