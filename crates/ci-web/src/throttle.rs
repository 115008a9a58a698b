//! How often somebody may ask, and be wrong about who they are.
//!
//! Each has a bucket that holds as many requests as come at once, and fills up at the rate that is allowed.
//! Tokens are 32 random bytes and are guessed by nobody; that failures are bounded keeps them from being a
//! load, and the record of them readable. So who shows a token that is valid is never kept waiting for the
//! failures of others at their address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::problem::Problem;

/// More buckets than a node has users; above it those that are full go.
const MOST: usize = 10_000;

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So often,
    pub count: u32,
    /// in so much time.
    pub per: Duration,
}

/// How often everybody may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one token or person.
    pub requests: Limit,
    /// What one address shows that is no token.
    pub failed_logins: Limit,
}

/// Who is counted, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    /// Requests with this token.
    Token(String),
    /// Requests of the person of this number.
    Person(u64),
    /// Failures at this address.
    Failures(IpAddr),
}

/// What everybody has left.
pub(crate) struct Throttle {
    limits: Limits,
    buckets: Mutex<HashMap<Counted, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// What was left then, in parts of a request.
    left: f64,
    at: Instant,
}

impl Throttle {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, buckets: Mutex::default() }
    }

    /// Counts one; an error says when there may be another.
    pub(crate) fn count(&self, counted: Counted) -> Result<(), Problem> {
        let limit = match counted {
            Counted::Failures(_) => self.limits.failed_logins,
            Counted::Token(_) | Counted::Person(_) => self.limits.requests,
        };
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            let limits = self.limits;
            buckets.retain(|counted, bucket| {
                bucket.left_at(now, limits.of(counted)) < limits.of(counted).most()
            });
        }
        let full = Bucket { left: limit.most(), at: now };
        let bucket = buckets.entry(counted).or_insert(full);
        let left = bucket.left_at(now, limit);
        if left < 1.0 {
            let wait = limit.per.as_secs_f64() / limit.most() * (1.0 - left);
            return Err(Problem::too_many(Duration::from_secs_f64(wait)));
        }
        *bucket = Bucket { left: left - 1.0, at: now };
        Ok(())
    }
}

impl Limits {
    fn of(&self, counted: &Counted) -> Limit {
        match counted {
            Counted::Failures(_) => self.failed_logins,
            Counted::Token(_) | Counted::Person(_) => self.requests,
        }
    }
}

impl Limit {
    fn most(self) -> f64 {
        f64::from(self.count)
    }
}

impl Bucket {
    fn left_at(self, now: Instant, limit: Limit) -> f64 {
        let filled = (now - self.at).as_secs_f64() / limit.per.as_secs_f64() * limit.most();
        (self.left + filled).min(limit.most())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_has_a_bucket_that_fills_up_again() {
        let minute = Duration::from_secs(60);
        let requests = Limit { count: 3, per: minute };
        let throttle =
            Throttle::new(Limits { requests, failed_logins: Limit { count: 1, per: minute } });
        let ask = |id: u64| throttle.count(Counted::Person(id));
        for _ in 0..3 {
            ask(1).unwrap();
        }
        let refused = ask(1).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.retry_after), (429, Some(20)));
        ask(2).unwrap();
        let address = IpAddr::from([127, 0, 0, 1]);
        throttle.count(Counted::Failures(address)).unwrap();
        assert_eq!(throttle.count(Counted::Failures(address)).unwrap_err().retry_after, Some(60));
        tokio::time::advance(Duration::from_secs(20)).await;
        ask(1).unwrap();
        ask(1).unwrap_err();
        tokio::time::advance(minute * 10).await;
        for _ in 0..3 {
            ask(1).unwrap();
        }
        ask(1).unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_nothing_take_no_room() {
        let requests = Limit { count: 2, per: Duration::from_secs(1) };
        let throttle = Throttle::new(Limits { requests, failed_logins: requests });
        for id in 0..MOST as u64 {
            throttle.count(Counted::Person(id)).unwrap();
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        throttle.count(Counted::Person(7)).unwrap();
        assert_eq!(throttle.buckets.lock().unwrap().len(), 1);
    }
}
