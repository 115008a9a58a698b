//! Moments and durations on pages. The script keeps those that pass up to date.

use std::time::SystemTime;

use super::html::{Html, html};
use crate::moment::{date, millis, words};

/// How long ago something was.
pub(super) fn ago(at_ms: u64) -> Html {
    let passed = millis(SystemTime::now()).saturating_sub(at_ms) / 1000 * 1000;
    let text = match passed {
        0..1000 => "just now".to_owned(),
        passed => format!("{} ago", words(passed)),
    };
    passing("ago", at_ms, &text)
}

/// How long something has lasted.
pub(super) fn lasting(since_ms: u64) -> Html {
    let passed = millis(SystemTime::now()).saturating_sub(since_ms);
    passing("for", since_ms, &words(passed))
}

fn passing(kind: &'static str, at_ms: u64, text: &str) -> Html {
    let date = date(at_ms);
    let machine = date.replacen(' ', "T", 1).replace(" UTC", "Z");
    html!(r#"<time data-kind="{}" datetime="{}" title="{}">{}</time>"#, kind, machine, date, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_for_people_and_for_programs() {
        let long_ago = ago(1_769_854_500_123);
        let start = r#"<time data-kind="ago" datetime="2026-01-31T10:15:00Z" title="2026-01-31 10:15:00 UTC">"#;
        assert!(long_ago.as_str().starts_with(start), "{long_ago:?}");
        assert!(long_ago.as_str().ends_with(" ago</time>"), "{long_ago:?}");
        assert!(lasting(millis(SystemTime::now())).as_str().ends_with(" ms</time>"));
    }
}
