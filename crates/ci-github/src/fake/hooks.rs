//! The webhook of the fake's repositories, and what became of its deliveries where a test says so.

use ci_domain::forge::Timestamp;
use serde_json::json;

use super::deliveries::SignedDelivery;
use super::http::{FakeRequest, Reply};
use super::model::Model;
use super::{FakeGitHub, rest, shown};
use crate::forge::ForgeError;

/// The number of the one webhook.
const HOOK: &str = "77";

/// One attempt at a delivery.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) id: u64,
    pub(super) delivery: SignedDelivery,
    pub(super) at: Timestamp,
    pub(super) status: u16,
}

impl FakeGitHub {
    /// Says where webhooks are delivered to.
    pub fn set_hook(&self, url: &str) {
        self.model().hook = Some(url.to_owned());
    }

    /// Notes with what an attempt at a delivery was answered; 0 is not at all.
    pub fn note_delivery(&self, delivery: SignedDelivery, status: u16) {
        self.model().note_attempt(delivery, status);
    }
}

impl Model {
    fn note_attempt(&mut self, delivery: SignedDelivery, status: u16) {
        let (id, at) = (self.next_id(), self.tick());
        self.attempts.push(Attempt { id, delivery, at, status });
    }

    /// Delivers again what failed since then, and counts it.
    pub(super) fn redeliver_failed(&mut self, since: Timestamp) -> usize {
        let is_made = |attempt: &Attempt| (200..300).contains(&attempt.status);
        let of = |one: &Attempt, other: &Attempt| one.delivery.id == other.delivery.id;
        let is_to_be = |one: &&Attempt| {
            one.at >= since && !self.attempts.iter().any(|other| of(one, other) && is_made(other))
        };
        let mut failed: Vec<Attempt> = self.attempts.iter().filter(is_to_be).cloned().collect();
        failed.dedup_by(|one, other| of(one, other));
        let count = failed.len();
        failed.into_iter().for_each(|attempt| self.redeliver(attempt.delivery));
        count
    }

    fn redeliver(&mut self, delivery: SignedDelivery) {
        self.outbox.push(delivery.clone());
        self.note_attempt(delivery, 200);
    }
}

/// Answers what is asked below `/repos/{owner}/{repo}/hooks`.
pub(super) fn answer(
    github: &FakeGitHub,
    request: &FakeRequest,
    segments: &[&str],
) -> Result<Reply, ForgeError> {
    match (request.method.as_str(), segments) {
        // Asked by the way, now and then: it takes no fault that is meant for another call.
        ("GET", []) => {
            let hook = github.model().hook.as_deref().map(|url| shown::hook(HOOK, url));
            Ok(Reply::ok(200, hook.into_iter().collect()))
        }
        ("GET", [HOOK, "deliveries"]) => {
            let start = rest::number(request, "cursor").unwrap_or(0);
            let (all, size) = github.read(|model| Ok((model.attempts.clone(), model.page_size)))?;
            let page = all.iter().rev().skip(start).take(size).map(shown::attempt);
            let cursor = (start + size < all.len()).then(|| (start + size).to_string());
            Ok(Reply { cursor, ..Reply::ok(200, page.collect()) })
        }
        ("POST", [HOOK, "deliveries", id, "attempts"]) => github.write(|model| {
            let found = model.attempts.iter().find(|attempt| attempt.id.to_string() == *id);
            let missing = || ForgeError::NotFound { what: format!("delivery {id}") };
            let delivery = found.ok_or_else(missing)?.delivery.clone();
            model.redeliver(delivery);
            Ok(Reply::ok(202, json!({})))
        }),
        _ => Err(ForgeError::NotFound { what: request.path.clone() }),
    }
}
