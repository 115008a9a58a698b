//! The pipelines of recent merges: every job of a build asks for the same one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use ci_domain::ids::CommitSha;
use ci_domain::pipeline::Pipeline;

/// Pipelines that are kept; each holds at most 200 components.
const KEPT: usize = 64;

/// The pipelines that were read last.
#[derive(Clone, Debug, Default)]
pub(crate) struct PipelineCache(Arc<Mutex<VecDeque<Kept>>>);

/// A merge and its pipeline.
type Kept = (CommitSha, Arc<Pipeline>);

impl PipelineCache {
    /// The pipeline of `merge`, if it was read lately.
    pub(super) fn get(&self, merge: &CommitSha) -> Option<Arc<Pipeline>> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = cache.iter().find(|(commit, _)| commit == merge);
        found.map(|(_, pipeline)| Arc::clone(pipeline))
    }

    /// Keeps the pipeline of `merge`.
    pub(super) fn put(&self, merge: &CommitSha, pipeline: Pipeline) -> Arc<Pipeline> {
        let pipeline = Arc::new(pipeline);
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.retain(|(commit, _)| commit != merge);
        cache.push_back((merge.clone(), Arc::clone(&pipeline)));
        if cache.len() > KEPT {
            cache.pop_front();
        }
        pipeline
    }
}
