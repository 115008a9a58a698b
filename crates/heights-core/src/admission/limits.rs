//! What a queue is limited by.

use std::time::Duration;

use crate::Rate;
use crate::queue::Discipline;

/// Limits one queue; without any it only counts.
///
/// ```
/// use std::time::Duration;
/// use heights_core::{Limits, Rate};
///
/// let rate = Some(Rate::new(10, Duration::from_secs(1)).burst(3));
/// let limits = Limits { concurrency: Some(4), rate, max_len: Some(100), ..Limits::default() };
/// assert_eq!(limits.max_wait, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many may hold a permit at once; zero admits nobody.
    pub concurrency: Option<u32>,
    /// How often a permit is given.
    pub rate: Option<Rate>,
    /// How long a waiter may wait unless it says otherwise.
    pub max_wait: Option<Duration>,
    /// How many may wait; zero lets only those in who need not wait.
    pub max_len: Option<usize>,
    /// Who of those who wait is served next.
    pub discipline: Discipline,
}
