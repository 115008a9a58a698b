//! What a process has because it is a supervisor: its children, and how often it restarted them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heights_core::Rows;
use tokio::time::Instant;

use super::{Process, ProcessId};
use crate::hub::Shape;

pub(super) struct Reign {
    shape: Shape,
    nursery: Mutex<Rows<ProcessId, Process>>,
    restarts: Mutex<Restarts>,
}

impl Reign {
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, nursery: Mutex::default(), restarts: Mutex::default() }
    }

    /// Returns how children are treated, and how many restarts count right now.
    pub(super) fn shape(&self) -> Shape {
        let restarts_used = lock(&self.restarts).within(self.shape.intensity.period);
        Shape { restarts_used, ..self.shape }
    }

    pub(super) fn note_restarts(&self, total: u64) {
        lock(&self.restarts).note(total, self.shape.intensity.period);
    }

    pub(super) fn adopt(&self, child: Process) {
        lock(&self.nursery).insert(child.pid(), child);
    }

    pub(super) fn disown(&self, child: ProcessId) {
        lock(&self.nursery).remove(child);
    }

    pub(super) fn children(&self) -> Vec<Process> {
        lock(&self.nursery).values().cloned().collect()
    }
}

/// When the latest restarts happened.
#[derive(Default)]
struct Restarts {
    total: u64,
    latest: VecDeque<Instant>,
}

impl Restarts {
    /// Takes in the running total; what is new happened now.
    fn note(&mut self, total: u64, period: Duration) {
        while self.latest.front().is_some_and(|at| at.elapsed() > period) {
            self.latest.pop_front();
        }
        for _ in self.total..total {
            self.latest.push_back(Instant::now());
        }
        self.total = total;
    }

    fn within(&self, period: Duration) -> usize {
        self.latest.iter().filter(|at| at.elapsed() <= period).count()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
