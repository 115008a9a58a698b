//! What is asked for, and what comes of it.

use std::time::Duration;

use super::QueueId;
use crate::queue::Key;

/// Says who asks and for how long; by default nobody in particular, for as long as it takes.
///
/// ```
/// use std::time::Duration;
/// use heights_core::Request;
///
/// let request = Request { key: Some("shop".into()), max_wait: Some(Duration::from_secs(5)) };
/// assert_ne!(request, Request::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// On whose behalf.
    pub key: Option<Key>,
    /// How long to wait at most; `None` is for ever.
    pub max_wait: Option<Duration>,
}

/// Stands for a permit that was given; [`Admission::release`](super::Admission::release) takes it back.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a grant that is lost is held for ever"]
pub struct Grant {
    pub(super) queue: QueueId,
    pub(super) slot: usize,
}

/// Ends a wait.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision<T> {
    /// The waiter has its permit.
    Admit(Grant, T),
    /// The waiter gets none.
    Refuse(RefusalKind, T),
}

/// Says why a waiter gets no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// Its patience ended.
    Expired,
    /// It waited longer than the target of a queue that stands still.
    Shed,
    /// Too many wait.
    Full,
}
