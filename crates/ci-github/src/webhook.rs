//! What GitHub posts to us: is it genuine, and what does it say.
//!
//! Read only what is needed: real payloads break every published schema now and then, so only the few
//! fields that are used are looked at, and an event that is not understood costs nothing but a poll.

mod payload;
mod signature;

use ci_domain::forge::ForgeEvent;
use ci_domain::ids::RepoName;
use serde_json::Value;

pub use signature::{SignatureError, sign, verify};

/// The events that the node wants to hear of: GitHub's name for each, and the words beside its box in the
/// settings of a webhook or an app.
pub const EVENTS: [(&str, &str); 6] = [
    ("pull_request", "Pull requests"),
    ("pull_request_review", "Pull request reviews"),
    ("issue_comment", "Issue comments"),
    ("push", "Pushes"),
    ("merge_group", "Merge groups"),
    ("repository", "Repositories"),
];

/// What the button below our check runs is called by which a job runs in a fresh workspace.
pub const AFRESH: &str = "afresh";

/// The headers that matter, as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `X-GitHub-Event`.
    pub event: Option<&'a str>,
    /// `X-GitHub-Delivery`.
    pub delivery: Option<&'a str>,
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
}

/// One delivery, understood. Its signature has been checked before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// GitHub's id of the delivery; the same again means delivered twice.
    pub id: String,
    /// The event's name, such as `pull_request`.
    pub name: String,
    /// The repository it is about, where that matters: pings and events that are not read have none.
    pub repo: Option<RepoName>,
    /// The forge's number of that repository, which stays when the name changes.
    pub repo_id: Option<u64>,
    /// What it says.
    pub event: ForgeEvent,
}

/// A delivery that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadDelivery {
    /// A header is missing or cannot be right.
    #[error("read the delivery: header {0} is missing or malformed")]
    Header(&'static str),
    /// The content type is neither JSON nor a form.
    #[error(
        "read the delivery: content type {0:?} is neither application/json nor application/x-www-form-urlencoded"
    )]
    ContentType(String),
    /// The form has no field `payload`.
    #[error("read the delivery: the form has no field `payload`")]
    NoPayload,
    /// The body is not JSON, is cut off, or is nested too deep.
    #[error("read the delivery's body as JSON")]
    Json(#[source] serde_json::Error),
    /// The JSON lacks what the event must have.
    #[error("read a {event} event: {reason}")]
    Payload {
        /// The event's name.
        event: String,
        /// What was missing or malformed.
        reason: String,
    },
}

impl Delivery {
    /// Reads a delivery.
    ///
    /// # Errors
    /// Says which header or field is at fault; the body is never quoted.
    pub fn parse(headers: Headers<'_>, body: &[u8]) -> Result<Self, BadDelivery> {
        let name = token(headers.event, "X-GitHub-Event")?;
        let id = token(headers.delivery, "X-GitHub-Delivery")?;
        let payload = decode(headers.content_type, body)?;
        let bad = |reason| BadDelivery::Payload { event: name.clone(), reason };
        let (repo, event) = payload::event(&name, &payload).map_err(bad)?;
        let repo_id = repo.as_ref().and_then(|_| payload::repository_id(&payload));
        Ok(Self { id, name, repo, repo_id, event })
    }
}

/// A header whose value becomes a key in our records: short and plain.
fn token(value: Option<&str>, header: &'static str) -> Result<String, BadDelivery> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    value
        .filter(|text| (1..=100).contains(&text.len()) && text.bytes().all(plain))
        .map(str::to_owned)
        .ok_or(BadDelivery::Header(header))
}

fn decode(content_type: Option<&str>, body: &[u8]) -> Result<Value, BadDelivery> {
    let content_type = content_type.ok_or(BadDelivery::Header("Content-Type"))?;
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        serde_json::from_slice(body).map_err(BadDelivery::Json)
    } else if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let (_, payload) = form_urlencoded::parse(body)
            .find(|(name, _)| name == "payload")
            .ok_or(BadDelivery::NoPayload)?;
        serde_json::from_str(&payload).map_err(BadDelivery::Json)
    } else {
        Err(BadDelivery::ContentType(content_type.chars().take(100).collect()))
    }
}

#[cfg(test)]
mod tests;
