//! How much happens at once: the queues of the configuration, and the ports that jobs may listen on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use ci_domain::ids::{AttemptId, JobId};
use ci_domain::may_run::Disk;
use heights::Regulator;
use heights::regulator::{Discipline, Hold, Limits, Permit, QueueView, Rate, Refused};

use crate::origin::JobKind;

/// Ports that each running job has for itself.
const PORTS_PER_JOB: u16 = 20;
/// The first port of the first job; below it are well-known services, above the last the kernel's
/// ephemeral ports (32768 and up on Linux).
const FIRST_PORT: u16 = 20_000;
/// How many jobs have ports of their own at once; later ones share those of the first.
const PORT_SLOTS: u16 = 600;

/// The first port of people's shells, after those of all jobs.
pub(crate) const SHELL_PORTS: u16 = FIRST_PORT + PORT_SLOTS * PORTS_PER_JOB;

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
        let hold = (!to_adopt.is_empty()).then(|| regulators[JOBS].hold());
        let adoption = Adoption(Mutex::new(AdoptionState { waiting: to_adopt, hold }));
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
    pub(crate) fn ahead(&self, queue: &str, party: &str, waited: Duration) -> Option<usize> {
        let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
        let mut own = Vec::new();
        for claim in self.get(queue)?.waiters().into_iter().filter(|claim| &*claim.queue == queue) {
            match claim.key.as_ref().map(ToString::to_string).unwrap_or_default() {
                key if key == party => own.push(claim.age),
                key => *waiting.entry(key).or_default() += 1,
            }
        }
        // The clocks of the two are not the same: it is the one that has waited nearly as long.
        let distance = |age: &Duration| age.abs_diff(waited);
        let (before, _) = own.iter().enumerate().min_by_key(|(_, age)| distance(age))?;
        let turns: usize = waiting.values().map(|count| (*count).min(before + 1)).sum();
        Some(before + turns)
    }

    /// Waits for a job's permit, in turn with the jobs of other parties: whoever proposes a thousand jobs
    /// keeps nobody waiting for more than one of them at a time.
    pub(crate) async fn acquire_job(
        &self,
        (job, kind): (&JobId, JobKind),
        party: String,
    ) -> Result<JobPermit, Refused> {
        let permit = self.required(&self.name_for(job, kind)).acquire_as(party).await?;
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

/// A queue that nests in the one of what is before the last dot of its name, if that is there.
fn nested(name: &str, limits: QueueLimits, all: &BTreeMap<String, Regulator>) -> Regulator {
    let builder = Regulator::builder(name).limits(limits.as_limits(name));
    match name.rsplit_once('.').and_then(|(parent, _)| all.get(parent)) {
        Some(parent) => builder.parent(parent).build(),
        None => builder.build(),
    }
}

/// The attempts whose runners were at work when the node started.
struct Adoption(Mutex<AdoptionState>);

struct AdoptionState {
    waiting: BTreeSet<AttemptId>,
    hold: Option<Hold>,
}

impl Adoption {
    fn done(&self, attempt: &AttemptId) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.remove(attempt);
        if state.waiting.is_empty() {
            state.hold = None;
        }
    }

    fn end(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.clear();
        state.hold = None;
    }
}

/// Which blocks of ports are taken.
#[derive(Default)]
struct Ports(Mutex<BTreeSet<u16>>);

/// A block of ports, free again when it is dropped.
struct PortSlot {
    ports: Arc<Ports>,
    base: u16,
}

impl Ports {
    fn claim(ports: &Arc<Self>) -> PortSlot {
        let bases = (0..PORT_SLOTS).map(|slot| FIRST_PORT + slot * PORTS_PER_JOB);
        let mut taken = ports.0.lock().unwrap_or_else(PoisonError::into_inner);
        let base = bases.into_iter().find(|base| !taken.contains(base)).unwrap_or(FIRST_PORT);
        taken.insert(base);
        drop(taken);
        PortSlot { ports: Arc::clone(ports), base }
    }

    fn claim_again(ports: &Arc<Self>, base: u16) -> PortSlot {
        ports.0.lock().unwrap_or_else(PoisonError::into_inner).insert(base);
        PortSlot { ports: Arc::clone(ports), base }
    }
}

impl Drop for PortSlot {
    fn drop(&mut self) {
        self.ports.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_told_how_many_go_first_at_most() {
        let limit = QueueLimits { concurrency: Some(0), ..QueueLimits::default() };
        let queues = Queues::new(&BTreeMap::from([(JOBS.to_owned(), limit)]), BTreeSet::new());
        let id = job("a:test");
        let mut waiting = Vec::new();
        for party in ["@greedy", "@greedy", "@ada", "@greedy", "@ada", "@linus"] {
            let permit = queues.acquire_job((&id, JobKind::OnPush), party.to_owned());
            let mut permit = Box::pin(permit);
            assert!(futures_util::poll!(permit.as_mut()).is_pending());
            waiting.push(permit);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let ahead = |party: &str, seconds| queues.ahead(JOBS, party, Duration::from_secs(seconds));
        assert_eq!([ahead("@ada", 4), ahead("@ada", 2)], [Some(2), Some(1 + 2 + 1)]);
        assert_eq!([ahead("@linus", 1), ahead("@greedy", 6)], [Some(2), Some(2)]);
        assert_eq!([ahead("@greedy", 3), ahead("@nobody", 1)], [Some(2 + 2 + 1), None]);
    }

    async fn acquire(queues: &Queues, job: &JobId, kind: JobKind) -> Result<JobPermit, Refused> {
        queues.acquire_job((job, kind), "@ada".to_owned()).await
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_wants_much_keeps_nobody_waiting_for_more_than_a_turn() {
        let limit = QueueLimits { concurrency: Some(1), ..QueueLimits::default() };
        let queues = Queues::new(&BTreeMap::from([(JOBS.to_owned(), limit)]), BTreeSet::new());
        let id = job("a:test");
        let running = acquire(&queues, &id, JobKind::OnPush).await.unwrap();
        let parties = std::iter::repeat_n("@greedy", 1000).chain(["@ada", "@linus", "@ada"]);
        let served = std::sync::Mutex::new(Vec::new());
        let wait = async |party: &str| {
            let permit = queues.acquire_job((&id, JobKind::OnPush), party.to_owned()).await;
            served.lock().unwrap().push(party.to_owned());
            drop(permit.unwrap());
        };
        let all = futures_util::future::join_all(parties.map(wait));
        let release = async {
            tokio::task::yield_now().await;
            drop(running);
        };
        tokio::join!(all, release);
        let served = served.into_inner().unwrap();
        assert_eq!(served[..5], ["@greedy", "@ada", "@linus", "@greedy", "@ada"]);
        assert_eq!(served.len(), 1003);
    }

    fn job(text: &str) -> JobId {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn jobs_nest_in_their_queue_and_have_ports_of_their_own() {
        let limit = |n| QueueLimits { concurrency: Some(n), ..QueueLimits::default() };
        let limits =
            BTreeMap::from([(JOBS.to_owned(), limit(3)), ("jobs.compile".to_owned(), limit(1))]);
        let queues = Queues::new(&limits, BTreeSet::new());
        let compile = acquire(&queues, &job("a:compile"), JobKind::OnPush).await.unwrap();
        let test = acquire(&queues, &job("a:test"), JobKind::OnPush).await.unwrap();
        assert_ne!(compile.port_base(), test.port_base());
        assert_eq!(queues.get(JOBS).unwrap().info().held, 2);
        assert_eq!(queues.get("jobs.compile").unwrap().info().held, 1);
        drop(compile);
        assert_eq!(queues.get(JOBS).unwrap().info().held, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn new_limits_make_new_queues_and_lift_those_of_old_ones() {
        let limit = |n| QueueLimits { concurrency: Some(n), ..QueueLimits::default() };
        let name = str::to_owned;
        let queues = Queues::new(&BTreeMap::from([(name("jobs.a"), limit(1))]), BTreeSet::new());
        let held = acquire(&queues, &job("x:b"), JobKind::OnPush).await.unwrap();
        let news = queues.reconfigure(&BTreeMap::from([(name("jobs.b"), limit(2))]));
        assert_eq!(news.iter().map(Regulator::name).collect::<Vec<_>>(), ["jobs.b"]);
        let _later = acquire(&queues, &job("x:b"), JobKind::OnPush).await.unwrap();
        assert_eq!(queues.required("jobs.b").info().held, 1);
        assert_eq!(queues.required("jobs.a").info().limits.concurrency, None);
        assert_eq!(queues.required(JOBS).info().held, 2);
        drop(held);
        assert_eq!(queues.required(JOBS).info().held, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nightly_jobs_have_a_queue_unless_the_job_has_one() {
        let limit = |n| QueueLimits { concurrency: Some(n), ..QueueLimits::default() };
        let limits =
            BTreeMap::from([(NIGHTLY.to_owned(), limit(1)), ("jobs.soak".to_owned(), limit(2))]);
        let queues = Queues::new(&limits, BTreeSet::new());
        let nightly = |name: &str| queues.name_for(&job(name), JobKind::Nightly);
        assert_eq!((nightly("a:soak"), nightly("a:fuzz")), ("jobs.soak".into(), NIGHTLY.into()));
        assert_eq!(queues.name_for(&job("a:fuzz"), JobKind::OnPush), JOBS);
        let _first = acquire(&queues, &job("a:fuzz"), JobKind::Nightly).await.unwrap();
        let (id, wait) = (job("b:fuzz"), std::time::Duration::from_secs(1));
        let second = tokio::time::timeout(wait, acquire(&queues, &id, JobKind::Nightly));
        assert!(second.await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn no_job_starts_while_the_disk_is_low() {
        let queues = Queues::new(&BTreeMap::new(), BTreeSet::new());
        let wait = std::time::Duration::from_secs(1);
        queues.note_disk(Disk::Low);
        queues.note_disk(Disk::Low);
        let id = job("a:test");
        assert!(queues.is_disk_low());
        assert!(tokio::time::timeout(wait, acquire(&queues, &id, JobKind::OnPush)).await.is_err());
        queues.note_disk(Disk::Ok);
        assert!(!queues.is_disk_low());
        assert!(tokio::time::timeout(wait, acquire(&queues, &id, JobKind::OnPush)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_granted_before_adoption_has_ended() {
        let attempt: AttemptId = "x-1".parse().unwrap();
        let queues = Queues::new(&BTreeMap::new(), BTreeSet::from([attempt.clone()]));
        let wait = std::time::Duration::from_secs(1);
        let new = job("a:test");
        assert!(tokio::time::timeout(wait, acquire(&queues, &new, JobKind::OnPush)).await.is_err());
        let _adopted = queues.adopt_job((&job("b:test"), JobKind::OnPush), &attempt, None);
        assert!(tokio::time::timeout(wait, acquire(&queues, &new, JobKind::OnPush)).await.is_ok());
    }
}
