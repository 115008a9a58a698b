//! The one thread that writes: it commits what has gathered, and answers all of it.
//!
//! ```text
//! take the group ─► plan ─► apply (readers wait) ─► flush and sync (readers go on) ─► answer
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use super::lock::DirLock;
use super::plan::Plan;
use super::queue::{Queue, Request};
use super::store::{Store, panic_message};
use crate::{Done, Fault, Seq, Stats, WriteError};

type Answer = Result<Seq, WriteError>;
/// Takes the first fault of the engine.
pub(super) type OnFatal = Box<dyn FnOnce(&Fault) + Send>;

/// What the ledger's handle and its committing thread share.
pub(super) struct Core {
    store: Store,
    /// Held to write while a batch is applied, so that readers see whole batches.
    view: RwLock<()>,
    pub(super) queue: Queue,
    fault: OnceLock<Fault>,
    on_fatal: Mutex<Option<OnFatal>>,
    counters: Counters,
    /// Last, so that the folder is locked until the store is closed.
    _lock: DirLock,
}

#[derive(Default)]
struct Counters {
    changes: AtomicU64,
    refused: AtomicU64,
    commits: AtomicU64,
    largest_commit: AtomicU64,
}

impl Core {
    pub(super) fn new(store: Store, lock: DirLock, on_fatal: Option<OnFatal>) -> Self {
        Self {
            store,
            view: RwLock::new(()),
            queue: Queue::default(),
            fault: OnceLock::new(),
            on_fatal: Mutex::new(on_fatal),
            counters: Counters::default(),
            _lock: lock,
        }
    }

    /// Commits group after group until the queue is closed.
    pub(super) fn run(&self) {
        let groups = || {
            while let Some(group) = self.queue.next_group() {
                self.commit_and_answer(group);
            }
        };
        // A panic here is a bug, but writers must not wait for ever because of it: from then on all are refused.
        while let Err(panic) = catch_unwind(AssertUnwindSafe(groups)) {
            let cause = format!("panicked: {}", panic_message(&*panic));
            self.fail(&Fault { during: "commit", cause });
        }
    }

    /// Looks into the store while no batch is half applied.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        let _reading = self.view.read().unwrap_or_else(PoisonError::into_inner);
        look(&self.store)
    }

    /// Remembers the first fault, after which nothing more is written, and tells the node once.
    pub(super) fn fail(&self, fault: &Fault) {
        if self.fault.set(fault.clone()).is_err() {
            return;
        }
        tracing::error!(%fault, "the ledger failed and takes no more writes");
        let on_fatal = self.on_fatal.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(on_fatal) = on_fatal {
            on_fatal(fault);
        }
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            changes: self.counters.changes.load(Relaxed),
            refused: self.counters.refused.load(Relaxed),
            commits: self.counters.commits.load(Relaxed),
            largest_commit: self.counters.largest_commit.load(Relaxed),
            queued: self.queue.len() as u64,
            // The size is for people; where the system does not tell it, zero does no harm.
            disk_bytes: self.store.disk_bytes().unwrap_or_default(),
            failed: self.fault.get().is_some(),
        }
    }

    fn commit_and_answer(&self, group: Vec<Request>) {
        for (done, answer) in self.commit(group) {
            self.count(&answer);
            hand_over(done, answer);
        }
    }

    fn commit(&self, group: Vec<Request>) -> Vec<(Done, Answer)> {
        let mut plan = Plan::new(&self.store);
        let mut answers: Vec<(Done, Answer)> = Vec::with_capacity(group.len());
        for Request { change, done } in group {
            let answer = match self.fault.get() {
                Some(fault) => Err(WriteError::Io(fault.clone())),
                None => plan.add(&change),
            };
            if let Err(WriteError::Io(fault)) = &answer {
                self.fail(fault);
            }
            answers.push((done, answer));
        }
        if let Err(fault) = self.write(plan, &answers) {
            self.fail(&fault);
            for (_, answer) in answers.iter_mut().filter(|(_, answer)| answer.is_ok()) {
                *answer = Err(WriteError::Io(fault.clone()));
            }
        }
        answers
    }

    /// Makes the plan durable, unless the engine failed while it was made.
    fn write(&self, plan: Plan<'_>, answers: &[(Done, Answer)]) -> Result<(), Fault> {
        if let Some(fault) = self.fault.get() {
            return Err(fault.clone());
        }
        let Some(batch) = plan.into_batch() else { return Ok(()) };
        {
            let _writing = self.view.write().unwrap_or_else(PoisonError::into_inner);
            self.store.apply(batch)?;
        }
        self.store.sync()?;
        let changes = answers.iter().filter(|(_, answer)| answer.is_ok()).count() as u64;
        self.counters.commits.fetch_add(1, Relaxed);
        self.counters.largest_commit.fetch_max(changes, Relaxed);
        Ok(())
    }

    fn count(&self, answer: &Answer) {
        let counter = match answer {
            Ok(_) => &self.counters.changes,
            Err(_) => &self.counters.refused,
        };
        counter.fetch_add(1, Relaxed);
    }
}

/// Answers one writer. A callback that panics must not stop the answers to the others.
fn hand_over(done: Done, answer: Answer) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| done(answer))) {
        let message = panic_message(&*panic);
        tracing::error!(message, "a callback of the ledger panicked");
    }
}
