//! What an answer that is not a success means.

use std::time::Duration;

use ci_domain::forge::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use crate::forge::{ForgeError, Window};

/// GitHub's advice for a secondary limit that names no time, in seconds.
pub(super) const UNNAMED_WAIT: u64 = 60;
/// As much of a message as is useful in a log line.
const MAX_MESSAGE: usize = 500;

/// What the headers say about limits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) window: Option<Window>,
    /// In seconds.
    pub(super) retry_after: Option<u64>,
}

/// GitHub's form of an error.
#[derive(Deserialize)]
struct Complaint {
    message: String,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

impl Limits {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let window = || {
            Some(Window {
                limit: number("x-ratelimit-limit")?,
                remaining: number("x-ratelimit-remaining")?,
                reset_at: Timestamp(number("x-ratelimit-reset")?),
            })
        };
        Self { window: window(), retry_after: number(RETRY_AFTER.as_str()) }
    }

    /// When calls work again, if the headers say that they do not now.
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let spent = self.window.filter(|window| window.remaining == 0);
        match self.retry_after {
            Some(seconds) => Some(Timestamp(now.0.saturating_add(seconds))),
            None => spent.map(|window| window.reset_at),
        }
    }
}

/// Sorts a refusal by what a caller can do about it.
pub(super) fn refusal(
    status: u16,
    limits: Limits,
    body: &[u8],
    what: &str,
    now: Timestamp,
) -> ForgeError {
    let message = message(body);
    match status {
        401 => ForgeError::Unauthorized { message },
        403 | 429 => {
            let unnamed = status == 429 || message.to_lowercase().contains("rate limit");
            let wait = unnamed.then(|| Timestamp(now.0.saturating_add(UNNAMED_WAIT)));
            match limits.until(now).or(wait) {
                Some(until) => ForgeError::RateLimited { until },
                None => ForgeError::Unauthorized { message },
            }
        }
        404 | 410 => ForgeError::NotFound { what: what.to_owned() },
        408 | 500.. => ForgeError::Transient {
            reason: format!("status {status}: {message}"),
            retry_after: limits.retry_after.map(Duration::from_secs),
        },
        _ => ForgeError::Rejected { status, message },
    }
}

/// GitHub's message with the details of each error, or the beginning of whatever a proxy said.
fn message(body: &[u8]) -> String {
    let message = match serde_json::from_slice::<Complaint>(body) {
        Ok(complaint) if complaint.errors.is_empty() => complaint.message,
        Ok(complaint) => {
            let details: Vec<String> =
                complaint.errors.iter().map(serde_json::Value::to_string).collect();
            format!("{}: {}", complaint.message, details.join(", "))
        }
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, headers: &[(&'static str, &str)], body: &str, expected: &str) {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()))
            .collect::<HeaderMap>();
        let limits = Limits::read(&headers);
        let error = refusal(status, limits, body.as_bytes(), "GET /x", Timestamp(1000));
        assert_eq!(format!("{error:?}"), expected, "{status} {body}");
    }

    #[test]
    fn a_spent_limit_says_when_it_ends() {
        let spent: &[_] = &[
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1700"),
        ];
        check(403, spent, "{}", "RateLimited { until: Timestamp(1700) }");
        check(429, &[("retry-after", "30")], "", "RateLimited { until: Timestamp(1030) }");
        let secondary = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        check(403, &[], secondary, "RateLimited { until: Timestamp(1060) }");
        check(429, &[], "", "RateLimited { until: Timestamp(1060) }");
    }

    #[test]
    fn other_refusals_are_sorted_by_what_helps() {
        let forbidden = r#"{"message":"Resource not accessible by personal access token"}"#;
        let left: &[_] = &[
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "7"),
            ("x-ratelimit-reset", "1700"),
        ];
        let unauthorized =
            "Unauthorized { message: \"Resource not accessible by personal access token\" }";
        check(403, left, forbidden, unauthorized);
        check(
            401,
            &[],
            r#"{"message":"Bad credentials"}"#,
            "Unauthorized { message: \"Bad credentials\" }",
        );
        check(404, &[], "", "NotFound { what: \"GET /x\" }");
        check(
            503,
            &[("retry-after", "5")],
            "<html>\nUnicorn!",
            "Transient { reason: \"status 503: <html> Unicorn!\", retry_after: Some(5s) }",
        );
        check(
            422,
            &[],
            r#"{"message":"Validation Failed","errors":[{"code":"custom"}]}"#,
            "Rejected { status: 422, message: \"Validation Failed: {\\\"code\\\":\\\"custom\\\"}\" }",
        );
        check(301, &[], "", "Rejected { status: 301, message: \"\" }");
    }
}
