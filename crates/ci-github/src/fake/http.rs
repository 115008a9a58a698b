//! The fake as an HTTP API, for any server to put behind a socket.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use ci_domain::forge::Timestamp;
use serde_json::{Value, json};

use super::{FakeGitHub, graphql, rest};
use crate::forge::ForgeError;

/// What every answer says about the limit, of calls or of points.
pub(super) const LIMIT: u64 = 5000;

/// A request, taken apart.
#[derive(Clone, Debug, Default)]
pub struct FakeRequest {
    /// `GET`, `POST` or `PATCH`.
    pub method: String,
    /// The path, still escaped.
    pub path: String,
    /// The query, without `?`.
    pub query: String,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Accept`.
    pub accept: Option<String>,
    /// `X-GitHub-Api-Version`.
    pub api_version: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FakeResponse {
    /// The status.
    pub status: u16,
    /// Headers besides the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl FakeResponse {
    /// The header that GitHub puts on every answer; one that has it claims to say all that GitHub says.
    pub const MARK: &str = "x-github-request-id";
}

/// An answer of success, before it is written out.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) has_next: bool,
    /// Where the next page begins, of lists that have no page numbers.
    pub(super) cursor: Option<String>,
}

impl FakeGitHub {
    /// Answers a request as GitHub would: REST below `/`, GraphQL at `/graphql`.
    #[must_use]
    pub fn answer(&self, request: &FakeRequest) -> FakeResponse {
        if request.user_agent.is_none() {
            return error_response(403, "Request forbidden by administrative rules.");
        }
        if let Some(response) = self.answer_person(request) {
            return response;
        }
        let Some(caller) = self.caller(request) else {
            return error_response(401, "Bad credentials");
        };
        let is_query = request.path == "/graphql";
        let reply = match is_query {
            true => graphql::answer(self, request),
            false => rest::answer(self, request, caller),
        };
        let now = self.model().clock;
        let response = match reply {
            Ok(reply) => reply.into_response(request, now),
            Err(error) => refuse(&error),
        };
        let mut model = self.model();
        match (is_query, response.status) {
            // GitHub asks a point for up to a hundred lists, and a page is never more.
            (true, _) => model.spent.points += 1,
            (false, 304) => {}
            (false, _) => model.spent.calls += 1,
        }
        model.spent.bytes += response.body.len();
        response
    }
}

impl Reply {
    pub(super) fn ok(status: u16, body: Value) -> Self {
        Self { status, body, has_next: false, cursor: None }
    }

    fn into_response(self, request: &FakeRequest, now: Timestamp) -> FakeResponse {
        let body = self.body.to_string().into_bytes();
        let mut headers = limit_headers(LIMIT - 1, Timestamp(now.0 + 3600));
        headers.push((FakeResponse::MARK, "fake".to_owned()));
        if self.has_next {
            headers
                .push(("link", format!("<https://fake{}?page=next>; rel=\"next\"", request.path)));
        }
        if let Some(cursor) = self.cursor {
            let link = format!("<https://fake{}?cursor={cursor}>; rel=\"next\"", request.path);
            headers.push(("link", link));
        }
        if request.method != "GET" {
            return FakeResponse { status: self.status, headers, body };
        }
        let tag = tag(&body);
        let is_known = request.if_none_match.as_ref() == Some(&tag);
        headers.push(("etag", tag));
        match is_known {
            true => FakeResponse { status: 304, headers, body: Vec::new() },
            false => FakeResponse { status: self.status, headers, body },
        }
    }
}

/// What stands for a body, and for no other.
fn tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("W/\"{:016x}\"", hasher.finish())
}

/// How GitHub says each kind of error.
fn refuse(error: &ForgeError) -> FakeResponse {
    match error {
        ForgeError::Transient { reason, retry_after } => {
            let mut response = error_response(502, reason);
            let after = retry_after.map(|wait| ("retry-after", wait.as_secs().to_string()));
            response.headers.extend(after);
            response
        }
        ForgeError::RateLimited { until } => {
            let mut response = error_response(403, "API rate limit exceeded");
            response.headers.extend(limit_headers(0, *until));
            response
        }
        ForgeError::Unauthorized { message } => error_response(401, message),
        ForgeError::NotFound { .. } => error_response(404, "Not Found"),
        ForgeError::Rejected { status, message } => error_response(*status, message),
        ForgeError::Malformed { .. } => {
            FakeResponse { status: 200, headers: Vec::new(), body: b"{\"cut\": ".to_vec() }
        }
    }
}

fn error_response(status: u16, message: &str) -> FakeResponse {
    let body = json!({ "message": message, "documentation_url": "https://docs.github.com/rest" });
    let headers = vec![(FakeResponse::MARK, "fake".to_owned())];
    FakeResponse { status, headers, body: body.to_string().into_bytes() }
}

fn limit_headers(remaining: u64, reset_at: Timestamp) -> Vec<(&'static str, String)> {
    vec![
        ("x-ratelimit-limit", LIMIT.to_string()),
        ("x-ratelimit-remaining", remaining.to_string()),
        ("x-ratelimit-reset", reset_at.0.to_string()),
    ]
}
