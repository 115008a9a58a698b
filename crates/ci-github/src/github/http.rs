//! One HTTP call: sent once, its rate limit noted, its answer read within bounds.

use std::error::Error;
use std::time::{Duration, Instant};

use ci_domain::forge::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{ACCEPT, DATE, HeaderMap, IF_NONE_MATCH, LINK};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use serde_json::Value;

use super::InvalidConfig;
use super::pace::{Kind, Pace};
use super::refusal::{Limits, refusal};
use crate::forge::ForgeError;
use ci_domain::secret::Secret;

/// GitHub answers nobody who does not say who is asking.
pub(super) const USER_AGENT: &str = concat!("ci-node/", env!("CARGO_PKG_VERSION"));
/// The version of the REST API that the calls are written for.
pub(super) const API_VERSION: &str = "2022-11-28";
/// A host that does not take the connection by then is down.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// GitHub's largest pages are a few MiB; more than this is not an answer, in bytes.
const MAX_ANSWER: usize = 64 << 20;
/// A renamed repository is one step away; more is a loop.
const MAX_REDIRECTS: usize = 3;

/// The client, and what the answers said about limits and time.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    pub(super) pace: Pace,
}

/// A call to make.
pub(super) struct Call<'a> {
    pub(super) kind: Kind,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) token: &'a Secret,
    pub(super) body: Option<Value>,
    /// The tag of an earlier answer, which need not be given again.
    pub(super) tag: Option<String>,
}

/// An answer of success, or that the earlier one still holds.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Http {
    pub(super) fn new(timeout: Duration) -> Result<Self, InvalidConfig> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .redirect(redirect::Policy::custom(follow_within_the_host))
            .build()
            .map_err(InvalidConfig::Client)?;
        Ok(Self { client, pace: Pace::default() })
    }

    /// Makes the call once, unless it is known that GitHub would refuse it.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Answer, ForgeError> {
        self.pace.admit(call.kind)?;
        let what = format!("{} {}", call.method, call.url.path());
        let began = Instant::now();
        let mut request = self
            .client
            .request(call.method, call.url)
            .header(ACCEPT, "application/vnd.github+json")
            .header("X-GitHub-Api-Version", API_VERSION)
            .bearer_auth(call.token.expose());
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        if let Some(tag) = &call.tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let headers = response.headers().clone();
        let limits = Limits::read(&headers);
        if let Some(window) = limits.window {
            self.pace.note(call.kind, window);
        }
        if let Some(theirs) = time(&headers)
            && self.pace.note_time(theirs)
        {
            tracing::warn!("this machine's clock is not GitHub's; calls go by GitHub's");
        }
        let body = read(response).await?;
        tracing::debug!(what, %status, bytes = body.len(), took = ?began.elapsed(), "called GitHub");
        let is_unmodified = status == StatusCode::NOT_MODIFIED && call.tag.is_some();
        if status.is_success() || is_unmodified {
            return Ok(Answer { status, headers, body });
        }
        let error = refusal(status.as_u16(), limits, &body, &what, self.pace.now());
        if let ForgeError::RateLimited { until } = error {
            self.pace.close(call.kind, until);
        }
        Err(error)
    }
}

impl Answer {
    /// Whether the answer of which the tag was shown still holds.
    pub(super) fn is_unmodified(&self) -> bool {
        self.status == StatusCode::NOT_MODIFIED
    }

    /// Whether GitHub says that there is another page.
    pub(super) fn has_next(&self) -> bool {
        let links = self.headers.get_all(LINK).iter();
        links.filter_map(|value| value.to_str().ok()).any(|links| links.contains("rel=\"next\""))
    }
}

/// GitHub's clock when it answered.
pub(super) fn time(headers: &HeaderMap) -> Option<Timestamp> {
    let moment = rfc2822::parse(headers.get(DATE)?.to_str().ok()?).ok()?;
    u64::try_from(moment.timestamp().as_second()).ok().map(Timestamp)
}

/// Follows the redirect of a renamed repository and never carries the token to another host.
fn follow_within_the_host(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let origin = attempt.previous().first().map(Url::origin);
    if origin == Some(attempt.url().origin()) && attempt.previous().len() <= MAX_REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

pub(super) async fn read(mut response: Response) -> Result<Vec<u8>, ForgeError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(ForgeError::Malformed { reason: "it is larger than 64 MiB".to_owned() });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The error of a call that got no answer, with all its causes and without its URL.
pub(super) fn unreachable(error: reqwest::Error) -> ForgeError {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    ForgeError::Transient { reason, retry_after: None }
}
