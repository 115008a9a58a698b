//! Collects what a queue is limited by.

use std::sync::Arc;
use std::time::Duration;

use heights_core::{Discipline, Limits, Rate};

use super::Regulator;

/// Collects the limits of a [`Regulator`].
///
/// ```
/// use std::time::Duration;
/// use heights::regulator::{Discipline, Regulator};
///
/// const SECOND: Duration = Duration::from_secs(1);
///
/// let api = Regulator::builder("api")
///     .concurrency(8)
///     .rate(100, SECOND)
///     .burst(10)
///     .max_wait(5 * SECOND)
///     .max_len(500)
///     .discipline(Discipline::Fair)
///     .build();
/// let writes = Regulator::builder("api.writes").rate(10, SECOND).parent(&api).build();
/// assert!(writes.try_acquire().is_some());
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct RegulatorBuilder {
    name: Arc<str>,
    limits: Limits,
    burst: Option<u32>,
    parent: Option<Regulator>,
}

impl RegulatorBuilder {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self { name, limits: Limits::default(), burst: None, parent: None }
    }

    /// Lets at most this many permits be held at once; zero admits nothing.
    pub fn concurrency(mut self, permits: u32) -> Self {
        self.limits.concurrency = Some(permits);
        self
    }

    /// Lets at most this many permits out in every window as long as the period.
    pub fn rate(mut self, permits: u32, period: Duration) -> Self {
        self.limits.rate = Some(Rate::new(permits, period));
        self
    }

    /// Lets the rate give this many permits at once after a quiet spell.
    pub fn burst(mut self, permits: u32) -> Self {
        self.burst = Some(permits);
        self
    }

    /// Refuses those who have waited this long.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.limits.max_wait = Some(max_wait);
        self
    }

    /// Lets at most this many wait and refuses those who come then; zero refuses all who would have
    /// to wait. Where the newest is served first, the oldest has to go instead.
    pub fn max_len(mut self, waiters: usize) -> Self {
        self.limits.max_len = Some(waiters);
        self
    }

    /// Says who of those who wait is served next.
    pub fn discipline(mut self, discipline: Discipline) -> Self {
        self.limits.discipline = discipline;
        self
    }

    /// Sets all limits at once, instead of those set so far.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Nests the queue: its permits are permits of `parent` too.
    pub fn parent(mut self, parent: &Regulator) -> Self {
        self.parent = Some(parent.clone());
        self
    }

    /// Makes the queue.
    pub fn build(self) -> Regulator {
        let rate = self.limits.rate.map(|rate| self.burst.map_or(rate, |burst| rate.burst(burst)));
        Regulator::new(self.name, Limits { rate, ..self.limits }, self.parent)
    }
}
