//! One HTTP call: sent once, its rate limit noted, its answer read within bounds.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, HeaderMap, LINK};
use reqwest::{Client, Method, Response, Url, redirect};
use serde_json::Value;

use super::InvalidConfig;
use super::refusal::{Limits, refusal};
use crate::forge::{Budget, ForgeError, Window};
use crate::moment::now;
use ci_domain::secret::Secret;

/// GitHub answers nobody who does not say who is asking.
const USER_AGENT: &str = concat!("ci-node/", env!("CARGO_PKG_VERSION"));
/// The version of the REST API that the calls are written for.
const API_VERSION: &str = "2022-11-28";
/// A host that does not take the connection by then is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// GitHub's largest pages are a few MiB; more than this is not an answer, in bytes.
const MAX_ANSWER: usize = 64 << 20;
/// A renamed repository is one step away; more is a loop.
const MAX_REDIRECTS: usize = 3;

/// The client, and what the answers said about rate limits.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    budget: Mutex<Budget>,
}

/// Which rate limit a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rest,
    Graphql,
}

/// A call to make.
pub(super) struct Call<'a> {
    pub(super) kind: Kind,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) token: &'a Secret,
    pub(super) body: Option<Value>,
}

/// An answer of success.
pub(super) struct Answer {
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
        Ok(Self { client, budget: Mutex::default() })
    }

    pub(super) fn budget(&self) -> Budget {
        *self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the call once.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Answer, ForgeError> {
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
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let limits = Limits::read(response.headers());
        if let Some(window) = limits.window {
            self.note(call.kind, window);
        }
        let headers = response.headers().clone();
        let body = read(response).await?;
        tracing::debug!(what, %status, took = ?began.elapsed(), "called GitHub");
        if status.is_success() {
            Ok(Answer { headers, body })
        } else {
            Err(refusal(status.as_u16(), limits, &body, &what, now()))
        }
    }

    /// Remembers how many calls are left.
    pub(super) fn note(&self, kind: Kind, window: Window) {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        match kind {
            Kind::Rest => budget.rest = Some(window),
            Kind::Graphql => budget.graphql = Some(window),
        }
    }
}

impl Answer {
    /// Whether GitHub says that there is another page.
    pub(super) fn has_next(&self) -> bool {
        let links = self.headers.get_all(LINK).iter();
        links.filter_map(|value| value.to_str().ok()).any(|links| links.contains("rel=\"next\""))
    }
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

async fn read(mut response: Response) -> Result<Vec<u8>, ForgeError> {
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
fn unreachable(error: reqwest::Error) -> ForgeError {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    ForgeError::Transient { reason, retry_after: None }
}
