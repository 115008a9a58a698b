//! How much happens at once: the queues of the configuration, and the ports that jobs may listen on.

mod adoption;
mod ports;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use ci_domain::ids::{AttemptId, JobId};
use ci_domain::may_run::Disk;
use heights::Regulator;
use heights::regulator::{Discipline, Hold, Key, Limits, Permit, QueueView, Rate, Refused};

use crate::origin::{JobKind, Party};
use crate::queues::adoption::Adoption;
use crate::queues::ports::{FIRST_PORT, PortSlot, Ports};

pub(crate) use crate::queues::ports::SHELL_PORTS;

/// The queue that every job goes through.
pub const JOBS: &str = "jobs";
/// Of those, the ones that run at night, where the configuration makes it.
const NIGHTLY: &str = "jobs.nightly";
/// Reads from a forge.
pub const FORGE_READ: &str = "github.read";
/// Writes to a forge.
pub const FORGE_WRITE: &str = "github.write";
/// Git in the mirrors.
pub const GIT: &str = "git";
/// Of that, fetches.
pub const GIT_FETCH: &str = "git.fetch";
/// Of that, merges with their plans.
pub const GIT_MERGE: &str = "git.merge";

/// The limits of one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueLimits {
    /// How many at once.
    pub concurrency: Option<u32>,
    /// How many in each period.
    pub rate: Option<(u32, Duration)>,
    /// How many of those at once after a quiet spell.
    pub burst: Option<u32>,
}

/// All queues of a node.
#[derive(Clone)]
pub struct Queues {
    regulators: Arc<RwLock<BTreeMap<String, Regulator>>>,
    ports: Arc<Ports>,
    adoption: Arc<Adoption>,
    /// Keeps new jobs from starting while the disk is below its reserve.
    full: Arc<Mutex<Option<Hold>>>,
}

/// A job's permit with its ports; both are free again when it is dropped.
pub(crate) struct JobPermit {
    _permit: Option<Permit>,
    ports: Option<PortSlot>,
}

impl Queues {
    /// Makes the queues. A dotted name nests in the queue of what is before its last dot, if there is
    /// one. Nothing is granted in [`JOBS`] before the attempts of `to_adopt` have been adopted.
    #[must_use]
    pub fn new(limits: &BTreeMap<String, QueueLimits>, to_adopt: BTreeSet<AttemptId>) -> Self {
        let mut all = limits.clone();
        for name in [JOBS, FORGE_READ, FORGE_WRITE, GIT, GIT_FETCH, GIT_MERGE] {
            all.entry(name.to_owned()).or_default();
        }
        let mut regulators: BTreeMap<String, Regulator> = BTreeMap::new();
        // A parent's name is a prefix of its children's, so it comes before them.
        for (name, limits) in &all {
            let queue = nested(name, *limits, &regulators);
            regulators.insert(name.clone(), queue);
        }
        let adoption = Adoption::new(to_adopt, &regulators[JOBS]);
        Self {
            regulators: Arc::new(RwLock::new(regulators)),
            ports: Arc::default(),
            adoption: Arc::new(adoption),
            full: Arc::default(),
        }
    }

    /// The queue called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Regulator> {
        self.regulators().get(name).cloned()
    }

    /// Every queue with its state, by name.
    #[must_use]
    pub fn views(&self) -> Vec<(String, QueueView)> {
        self.regulators().iter().map(|(name, queue)| (name.clone(), queue.info())).collect()
    }

    /// Takes new limits: makes the queues that there are not yet and answers with them, and leaves those
    /// without limits that are not named any more. Who waits in a queue goes on waiting there.
    pub(crate) fn reconfigure(&self, limits: &BTreeMap<String, QueueLimits>) -> Vec<Regulator> {
        let mut regulators = self.regulators.write().unwrap_or_else(PoisonError::into_inner);
        for (name, queue) in regulators.iter() {
            queue.reconfigure(limits.get(name).copied().unwrap_or_default().as_limits(name));
        }
        let mut new = Vec::new();
        for (name, limits) in limits {
            if !regulators.contains_key(name) {
                let queue = nested(name, *limits, &regulators);
                regulators.insert(name.clone(), queue.clone());
                new.push(queue);
            }
        }
        new
    }

    /// Whether free space is below the reserve, so that nothing new is admitted.
    #[must_use]
    pub fn is_disk_low(&self) -> bool {
        self.full.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Admits no new jobs while the disk is low; those that run go on.
    pub(crate) fn note_disk(&self, disk: Disk) {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        match disk {
            Disk::Low if full.is_none() => *full = Some(self.required(JOBS).hold()),
            Disk::Low => {}
            Disk::Ok => *full = None,
        }
    }

    /// Every queue.
    pub(crate) fn all(&self) -> Vec<Regulator> {
        self.regulators().values().cloned().collect()
    }

    pub(crate) fn required(&self, name: &str) -> Regulator {
        self.get(name).expect("the built-in queues are always there, and none is ever removed")
    }

    fn regulators(&self) -> RwLockReadGuard<'_, BTreeMap<String, Regulator>> {
        self.regulators.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue that a job goes through: its own, `jobs.<job>`, or that of all jobs of its kind.
    pub(crate) fn name_for(&self, job: &JobId, kind: JobKind) -> String {
        let own = format!("{JOBS}.{}", job.job);
        let names: &[&str] = match kind {
            JobKind::OnPush => &[&own],
            JobKind::Nightly => &[&own, NIGHTLY],
        };
        let regulators = self.regulators();
        let found = names.iter().find(|name| regulators.contains_key(**name));
        found.map_or(JOBS, |name| *name).to_owned()
    }

    /// How many go first at most of those who wait in a queue, before one of `party` who has waited so long;
    /// `None` where nobody like that waits. Who comes later on behalf of others may still go first, one of
    /// each in a turn.
    pub(crate) fn ahead(&self, queue: &str, party: &Party, waited: Duration) -> Option<usize> {
        let own_key = key(party);
        let (mut others, mut parts) = (BTreeMap::new(), BTreeMap::new());
        let mut own = Vec::new();
        for claim in self.get(queue)?.waiters().into_iter().filter(|claim| &*claim.queue == queue) {
            match claim.key {
                Some(key) if key == own_key => own.push(claim.age),
                Some(key) if key.as_str() == own_key.as_str() => count(&mut parts, key),
                Some(key) => count(&mut others, Key::from(key.as_str())),
                None => {}
            }
        }
        // The clocks of the two are not the same: it is the one that has waited nearly as long.
        let distance = |age: &Duration| age.abs_diff(waited);
        let (before, _) = own.iter().enumerate().min_by_key(|(_, age)| distance(age))?;
        let of_author = before + in_turns(&parts, before + 1);
        Some(of_author + in_turns(&others, of_author + 1))
    }

    /// Waits for a job's permit, in turn with the jobs of other parties: whoever proposes a thousand jobs
    /// keeps nobody waiting for more than one of them at a time, and whoever has many pull requests none of
    /// those.
    pub(crate) async fn acquire_job(
        &self,
        (job, kind): (&JobId, JobKind),
        party: Party,
    ) -> Result<JobPermit, Refused> {
        let permit = self.required(&self.name_for(job, kind)).acquire_as(key(&party)).await?;
        Ok(JobPermit { _permit: Some(permit), ports: Some(Ports::claim(&self.ports)) })
    }

    /// Takes a permit for a job that runs already.
    pub(crate) fn adopt_job(
        &self,
        (job, kind): (&JobId, JobKind),
        attempt: &AttemptId,
        port_base: Option<u16>,
    ) -> JobPermit {
        let permit = self.required(&self.name_for(job, kind)).adopt();
        self.adopted(attempt);
        let ports = port_base.map(|base| Ports::claim_again(&self.ports, base));
        JobPermit { _permit: Some(permit), ports }
    }

    /// Takes note that the runner of an attempt is followed, or needs no following any more.
    pub(crate) fn adopted(&self, attempt: &AttemptId) {
        self.adoption.done(attempt);
    }

    /// Ends the time of adoption, whoever has not come.
    pub(crate) fn end_adoption(&self) {
        self.adoption.end();
    }
}

impl std::fmt::Debug for Queues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queues").finish_non_exhaustive()
    }
}

impl QueueLimits {
    /// The limits of the queue called `name`: those who wait for jobs take turns.
    fn as_limits(self, name: &str) -> Limits {
        let is_of_jobs = name == JOBS || name.starts_with("jobs.");
        let discipline = if is_of_jobs { Discipline::Fair } else { Discipline::Fifo };
        let rate = self.rate.map(|(permits, period)| {
            Rate::new(permits, period).burst(self.burst.unwrap_or(permits))
        });
        Limits { concurrency: self.concurrency, rate, discipline, ..Limits::default() }
    }
}

impl JobPermit {
    /// The permit of a job that has ended.
    pub(crate) fn none() -> Self {
        Self { _permit: None, ports: None }
    }

    /// The first of the job's ports.
    pub(crate) fn port_base(&self) -> u16 {
        self.ports.as_ref().map_or(FIRST_PORT, |slot| slot.base)
    }
}

/// Under which key a party waits.
fn key(party: &Party) -> Key {
    let key = Key::from(party.who.as_str());
    match &party.what {
        Some(what) => key.part(what.as_str()),
        None => key,
    }
}

fn count(waiting: &mut BTreeMap<Key, usize>, key: Key) {
    *waiting.entry(key).or_default() += 1;
}

/// How many of those who wait are served in so many turns.
fn in_turns(waiting: &BTreeMap<Key, usize>, turns: usize) -> usize {
    waiting.values().map(|count| (*count).min(turns)).sum()
}

/// A queue that nests in the one of what is before the last dot of its name, if that is there.
fn nested(name: &str, limits: QueueLimits, all: &BTreeMap<String, Regulator>) -> Regulator {
    let builder = Regulator::builder(name).limits(limits.as_limits(name));
    match name.rsplit_once('.').and_then(|(parent, _)| all.get(parent)) {
        Some(parent) => builder.parent(parent).build(),
        None => builder.build(),
    }
}

#[cfg(test)]
mod tests;
