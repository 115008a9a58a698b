//! What answering costs, and that it costs no more than it may.
//!
//! The thread's own processor clock is the meter, so whatever a client makes it do is in the bill.
//! What was not spent is saved up for a moment in which someone looks closely; then each answer
//! waits until it is paid for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::refusal::Refusal;
use crate::view::millis;
use crate::wire::Cost;

/// How much processor time is saved up at most.
const SAVED: Duration = Duration::from_secs(1);

/// How long an answer waits to be paid for before it is refused.
const PATIENCE: Duration = Duration::from_secs(3);

/// The shortest time that is worth waiting for.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// The longest that nobody is let in.
const LONGEST_BREATH: Duration = Duration::from_secs(1);

/// How many answers wait at most.
const WAITING: usize = 32;

/// How many of the latest figures the shown cost is an average of: at ten in a second, five seconds.
const FIGURES: usize = 50;

/// The account of the inspector's thread.
#[derive(Debug)]
pub(crate) struct Meter {
    /// What may be spent, in millionths of the time that passes.
    budget_ppm: u32,
    clients_max: usize,
    account: Mutex<Account>,
    waiting: AtomicUsize,
    delayed: AtomicU64,
    refused: AtomicU64,
    clients: AtomicUsize,
}

#[derive(Debug, Default)]
struct Account {
    /// When it was settled last, and what had been spent by then.
    settled: Option<(Instant, Duration)>,
    /// What may be spent now, in microseconds; debts are negative.
    credit_us: i64,
    figures: VecDeque<(Instant, Duration)>,
}

impl Meter {
    pub(crate) fn new(budget_ppm: u32, clients_max: usize) -> Self {
        let account = Account { credit_us: micros(SAVED), ..Account::default() };
        Self {
            budget_ppm,
            clients_max,
            account: Mutex::new(account),
            waiting: AtomicUsize::new(0),
            delayed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            clients: AtomicUsize::new(0),
        }
    }

    /// Waits until one more answer is within the budget.
    pub(crate) async fn afford(&self) -> Result<(), Refusal> {
        let mut debt = self.debt(Instant::now(), spent());
        if debt.is_zero() {
            return Ok(());
        }
        let queue = Queued::enter(&self.waiting);
        let deadline = Instant::now() + PATIENCE;
        let full = queue.before >= WAITING;
        self.delayed.fetch_add(1, Ordering::Relaxed);
        while full || !debt.is_zero() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return Err(Refusal::busy(format!(
                    "looking inside costs more than it may: try again in {} ms",
                    millis(debt)
                )));
            }
            // Who is refused has waited, too: refusing costs something, and invites to ask again.
            let pause = if full { left } else { debt.min(left) };
            tokio::time::sleep(pause.max(SHORTEST_PAUSE)).await;
            debt = self.debt(Instant::now(), spent());
        }
        Ok(())
    }

    /// Waits for a while if more was spent than there was: letting somebody in costs something.
    pub(crate) async fn breathe(&self) {
        let debt = self.debt(Instant::now(), spent());
        if !debt.is_zero() {
            tokio::time::sleep(debt.min(LONGEST_BREATH)).await;
        }
    }

    /// Settles the account, and notes a figure for the average.
    pub(crate) fn note(&self) {
        let (now, spent) = (Instant::now(), spent());
        self.debt(now, spent);
        let mut account = self.account();
        if account.figures.len() == FIGURES {
            account.figures.pop_front();
        }
        account.figures.push_back((now, spent));
    }

    /// Counts a client that has come.
    pub(crate) fn client(&self) -> Client<'_> {
        Client { count: Queued::enter(&self.clients), max: self.clients_max }
    }

    pub(crate) fn read(&self) -> Cost {
        Cost {
            cpu_ppm: self.account().average_ppm(),
            budget_ppm: self.budget_ppm,
            clients: self.clients.load(Ordering::Relaxed),
            clients_max: self.clients_max,
            delayed: self.delayed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Settles the account; returns how long it takes until what was spent is paid for.
    fn debt(&self, now: Instant, spent: Duration) -> Duration {
        let mut account = self.account();
        if let Some((before, spent_before)) = account.settled.replace((now, spent)) {
            let earned = self.share(now - before);
            let credit = account.credit_us + earned - micros(spent.saturating_sub(spent_before));
            account.credit_us = credit.min(micros(SAVED));
        }
        let owed = u64::try_from(-account.credit_us).unwrap_or(0);
        Duration::from_micros(owed.saturating_mul(1_000_000) / u64::from(self.budget_ppm.max(1)))
    }

    fn share(&self, time: Duration) -> i64 {
        let earned = time.as_micros() * u128::from(self.budget_ppm) / 1_000_000;
        i64::try_from(earned).unwrap_or(i64::MAX)
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn average_ppm(&self) -> u32 {
        let ends = self.figures.front().zip(self.figures.back());
        let Some(((start, before), (end, after))) = ends else { return 0 };
        let (time, spent) = ((*end - *start).as_micros(), (*after - *before).as_micros());
        let share = (spent * 1_000_000).checked_div(time).unwrap_or(0);
        u32::try_from(share).unwrap_or(u32::MAX)
    }
}

/// One of those that are counted, for as long as it is there.
#[derive(Debug)]
pub(crate) struct Queued<'a> {
    count: &'a AtomicUsize,
    /// How many there were before it.
    before: usize,
}

impl<'a> Queued<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        Self { count, before: count.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A client that has come, whether there is room for it or not.
#[derive(Debug)]
pub(crate) struct Client<'a> {
    count: Queued<'a>,
    max: usize,
}

impl Client<'_> {
    /// Tells whether there were as many before as there may be.
    pub(crate) const fn is_too_many(&self) -> bool {
        self.count.before >= self.max
    }

    /// Tells whether there is not even room to tell it so.
    pub(crate) const fn is_far_too_many(&self) -> bool {
        self.count.before >= 2 * self.max
    }
}

/// Returns the processor time of the thread that asks.
pub(crate) fn spent() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(used.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(used.tv_nsec).unwrap_or(0))
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_up_is_spent_first_and_then_each_answer_is_paid_for() {
        let (meter, start) = (Meter::new(50_000, 8), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(meter.debt(start, Duration::ZERO), Duration::ZERO);
        // All that was saved is spent, and a little more: 50 ms of work take a second to earn.
        let spent = SAVED + Duration::from_millis(50);
        assert_eq!(meter.debt(start, spent), second);
        assert_eq!(meter.debt(start + second / 2, spent), second / 2);
        assert_eq!(meter.debt(start + second, spent), Duration::ZERO);
        // However long nobody asks, no more than so much is saved.
        assert_eq!(meter.debt(start + second * 10_000, spent), Duration::ZERO);
        assert_eq!(meter.account().credit_us, micros(SAVED));
    }

    #[test]
    fn no_more_clients_are_let_in_than_may_be() {
        let meter = Meter::new(50_000, 1);
        let (one, two, three) = (meter.client(), meter.client(), meter.client());
        let many =
            [&one, &two, &three].map(|client| (client.is_too_many(), client.is_far_too_many()));
        assert_eq!(many, [(false, false), (true, false), (true, true)]);
        drop((one, two, three));
        assert!(!meter.client().is_too_many());
        assert_eq!(meter.read().clients, 0);
    }
}
