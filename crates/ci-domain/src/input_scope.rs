//! What the outcome of a job depends on, as a text to be digested.

use std::collections::BTreeSet;

use crate::claims::Claims;
use crate::definition_text::{Text, write_job};
use crate::graph::{Flaw, Graph};
use crate::ids::{ComponentName, JobId};
use crate::paths::PathPatterns;
use crate::pipeline::Pipeline;

/// The inputs of the jobs of one tree.
#[derive(Clone, Debug)]
pub struct InputScopes<'a> {
    pipeline: &'a Pipeline,
    graph: Graph<ComponentName>,
    claims: Claims,
    ignore: PathPatterns,
}

/// The paths that a component and all that it depends on declare.
#[derive(Clone, Debug)]
pub struct InputScope<'a> {
    scopes: &'a InputScopes<'a>,
    /// The component and all that it depends on.
    pub components: BTreeSet<ComponentName>,
}

/// Why the inputs of a tree cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownInputs {
    /// A component's `inputs` or the policy's `ignore` cannot be matched.
    #[error("match paths: {0}")]
    Pattern(String),
    /// The dependencies have no order.
    #[error("order components")]
    Dependencies(Vec<Flaw<ComponentName>>),
}

impl<'a> InputScopes<'a> {
    /// Reads what the components of `pipeline` declare; `ignore` is the policy's.
    ///
    /// # Errors
    /// A pipeline that would not have passed its own check, or an invalid pattern.
    pub fn new(pipeline: &'a Pipeline, ignore: &[String]) -> Result<Self, UnknownInputs> {
        let ignore = PathPatterns::new("", ignore);
        let ignore = ignore.map_err(|error| UnknownInputs::Pattern(error.to_string()))?;
        let claims = Claims::new(pipeline).map_err(|error| {
            UnknownInputs::Pattern(format!("{}: {}", error.component, error.source))
        })?;
        let graph = pipeline.component_graph().map_err(UnknownInputs::Dependencies)?;
        Ok(Self { pipeline, graph, claims, ignore })
    }

    /// What the jobs of `component` depend on.
    #[must_use]
    pub fn scope(&'a self, component: &ComponentName) -> InputScope<'a> {
        let mut components = self.graph.all_dependencies(component);
        components.insert(component.clone());
        InputScope { scopes: self, components }
    }

    /// All that the outcome of `job` depends on, in one canonical text for the caller to digest:
    /// its definition, environment and image, and each declared path with its object name.
    ///
    /// `listing` is the whole merged tree, paths with object names, in any order.
    #[must_use]
    pub fn digest_input(&self, job: &JobId, listing: &[(String, String)]) -> Option<String> {
        let component = self.pipeline.components.get(&job.component)?;
        let definition = component.jobs.get(&job.job)?;
        let mut text = Text::new("heights inputs 1");
        text.field("job", &job.to_string());
        text.map("env", &component.env);
        if let Some(image) = &component.image {
            text.field("image", &image.to_string());
        }
        write_job(&mut text, definition);
        let scope = self.scope(&job.component);
        let mut files: Vec<_> = listing.iter().filter(|(path, _)| scope.claims(path)).collect();
        files.sort();
        for (path, object) in files {
            text.field("path", path);
            text.field("object", object);
        }
        Some(text.into_string())
    }
}

impl InputScope<'_> {
    /// Whether `path` is one of the inputs.
    #[must_use]
    pub fn claims(&self, path: &str) -> bool {
        let InputScopes { claims, ignore, .. } = self.scopes;
        self.components.iter().any(|component| claims.declares(component, path, ignore))
    }
}

#[cfg(test)]
mod tests;
