//! Who waits in which queue, and who is served.

use std::collections::BTreeMap;

use ci_build::{JobPhase, JobStatus, JobView};
use ci_domain::ids::RepoName;
use ci_domain::subject::escaped;
use futures_util::{StreamExt, stream};

use super::AT_ONCE;
use crate::moment::duration_ms;
use crate::site::Site;

/// One queue.
pub(crate) struct Line {
    /// Its name.
    pub(crate) name: String,
    /// How many at once, where that is limited.
    pub(crate) limit: Option<u32>,
    /// Whether it is held up as a whole.
    pub(crate) on_hold: bool,
    /// How many permits it has given since the node started.
    pub(crate) granted: u64,
    /// Who is served, those of queues inside it too; the oldest first.
    pub(crate) held: Vec<Claim>,
    /// Who waits, likewise.
    pub(crate) waiting: Vec<Claim>,
    /// The jobs that wait in it, with the page of each, how many go first, and since when.
    pub(crate) jobs: Vec<WaitingJob>,
}

/// A permit that is held or wanted.
pub(crate) struct Claim {
    /// The queue inside it that was asked.
    pub(crate) queue: String,
    /// On whose behalf.
    pub(crate) party: String,
    /// For how long.
    pub(crate) age_ms: u64,
}

/// A job that waits in a queue.
pub(crate) struct WaitingJob {
    pub(crate) job: String,
    pub(crate) page: String,
    pub(crate) ahead: Option<usize>,
    pub(crate) since_ms: u64,
}

/// Every queue, by name.
pub(crate) async fn lines(site: &Site) -> Vec<Line> {
    let mut jobs = waiting_jobs(site).await;
    let queues = site.node().queues();
    let line = |(name, view): (String, heights::regulator::QueueView)| {
        let regulator = queues.get(&name);
        let claims =
            |claims: Vec<heights::regulator::Claim>| claims.into_iter().map(claim).collect();
        Line {
            limit: view.limits.concurrency,
            on_hold: view.on_hold,
            granted: view.granted,
            held: claims(regulator.as_ref().map(|queue| queue.holders()).unwrap_or_default()),
            waiting: claims(regulator.as_ref().map(|queue| queue.waiters()).unwrap_or_default()),
            jobs: jobs.remove(&name).unwrap_or_default(),
            name,
        }
    };
    queues.views().into_iter().map(line).collect()
}

fn claim(claim: heights::regulator::Claim) -> Claim {
    Claim {
        queue: claim.queue.to_string(),
        party: claim.key.map(|key| key.to_string()).unwrap_or_default(),
        age_ms: duration_ms(claim.age),
    }
}

/// The jobs that wait, by queue, those that wait longest first. What does not answer has none to show.
async fn waiting_jobs(site: &Site) -> BTreeMap<String, Vec<WaitingJob>> {
    let mut waiting: BTreeMap<String, Vec<WaitingJob>> = BTreeMap::new();
    for repo in site.node().repos() {
        for (page, jobs) in under_way(site, &repo).await {
            for job in jobs {
                if let JobStatus::UnderWay(_, JobPhase::Waiting { queue, since, ahead, .. }) =
                    job.status
                {
                    let job = job.job.to_string();
                    let one = WaitingJob { job, page: page.clone(), ahead, since_ms: since.0 };
                    waiting.entry(queue).or_default().push(one);
                }
            }
        }
    }
    for jobs in waiting.values_mut() {
        jobs.sort_by_key(|job| job.since_ms);
    }
    waiting
}

/// What is built of a repository, each with its page and its jobs.
async fn under_way(site: &Site, repo: &RepoName) -> Vec<(String, Vec<JobView>)> {
    let Ok(watched) = site.watcher(repo).await else { return Vec::new() };
    let pulls = stream::iter(watched.open.iter().copied()).map(async |number| {
        let view = site.pull(repo, number).await.ok()?;
        view.build.map(|_| (format!("/{repo}/pull/{number}"), view.jobs.clone()))
    });
    let mut all: Vec<(String, Vec<JobView>)> =
        pulls.buffered(AT_ONCE).filter_map(std::future::ready).collect().await;
    for name in &watched.branches {
        let Ok(view) = site.branch(repo, name).await else { continue };
        if let Some(view) = view.as_ref().as_ref().filter(|view| view.build.is_some()) {
            let nights = view.nightly.iter().map(|night| &night.job);
            let jobs = view.jobs.iter().chain(nights).cloned().collect();
            all.push((format!("/{repo}/branch/{}", escaped(name)), jobs));
        }
    }
    all
}
