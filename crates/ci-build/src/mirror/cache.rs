//! The pipelines of recent merges: every job of a build asks for the same one. Most merges have the pipeline and
//! the jobs of others, and share them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use ci_domain::ids::CommitSha;
use ci_domain::outline::Jobs;
use ci_domain::pipeline::Pipeline;

/// Pipelines that are kept; each holds at most 200 components.
const KEPT: usize = 64;
/// Shapes of jobs that are kept: that of a change which affects none, and of those like the last ones.
const KEPT_JOBS: usize = 16;

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
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = cache.iter().rev().find(|(_, kept)| **kept == pipeline);
        let pipeline = same.map_or_else(|| Arc::new(pipeline), |(_, kept)| Arc::clone(kept));
        cache.retain(|(commit, _)| commit != merge);
        cache.push_back((merge.clone(), Arc::clone(&pipeline)));
        if cache.len() > KEPT {
            cache.pop_front();
        }
        pipeline
    }
}

/// The jobs that merges had last.
#[derive(Clone, Debug, Default)]
pub(super) struct JobsCache(Arc<Mutex<VecDeque<Arc<Jobs>>>>);

impl JobsCache {
    /// The same jobs, shared with the merges that have them.
    pub(super) fn share(&self, jobs: Arc<Jobs>) -> Arc<Jobs> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = cache.iter().position(|kept| *kept == jobs);
        let jobs = place.and_then(|place| cache.remove(place)).unwrap_or(jobs);
        cache.push_back(Arc::clone(&jobs));
        if cache.len() > KEPT_JOBS {
            cache.pop_front();
        }
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_with_the_same_pipeline_and_jobs_share_them() {
        let (pipelines, jobs) = (PipelineCache::default(), JobsCache::default());
        let merge = |number: usize| CommitSha::new(format!("{number:040}")).unwrap();
        let put = |number| pipelines.put(&merge(number), Pipeline::default());
        assert!(Arc::ptr_eq(&put(1), &put(2)));
        let first = jobs.share(Arc::default());
        assert!(Arc::ptr_eq(&first, &jobs.share(Arc::default())));
        for number in 3..100 {
            put(number);
        }
        assert!(pipelines.get(&merge(1)).is_none() && pipelines.get(&merge(99)).is_some());
    }
}
