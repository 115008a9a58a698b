//! Patterns of jobs, such as `*:bench`.

use crate::ids::JobId;

/// Patterns `component:job` in which `*` stands for any text, also with a `/` in it.
#[derive(Clone, Debug)]
pub struct JobPatterns<'a> {
    patterns: &'a [String],
}

impl<'a> JobPatterns<'a> {
    /// The patterns as the policy writes them.
    #[must_use]
    pub fn new(patterns: &'a [String]) -> Self {
        Self { patterns }
    }

    /// Whether a pattern matches `job`.
    #[must_use]
    pub fn matches(&self, job: &JobId) -> bool {
        let matches = |pattern: &String| {
            pattern.rsplit_once(':').is_some_and(|(component, name)| {
                matches_text(component, job.component.as_str())
                    && matches_text(name, job.job.as_str())
            })
        };
        self.patterns.iter().any(matches)
    }
}

/// Whether `text` is `pattern` with some text for each `*`: the ends fixed, the rest found from the left.
fn matches_text(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = text.strip_prefix(start).and_then(|text| text.strip_suffix(end));
    let Some(mut inner) = inner else { return false };
    for part in middle.split('*') {
        let Some(found) = inner.find(part) else { return false };
        inner = &inner[found + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, job: &str, expected: bool) {
        let patterns = [pattern.to_owned()];
        let found = JobPatterns::new(&patterns).matches(&job.parse().unwrap());
        assert_eq!(found, expected, "{pattern} {job}");
    }

    #[test]
    fn a_star_is_any_text() {
        check("*:bench", "air:bench", true);
        check("*:bench", "libs/common:bench", true);
        check("*:bench", "air:bench_long", false);
        check("*:bench*", "air:bench_long", true);
        check("air:*", "air:test", true);
        check("air:*", "airs:test", false);
        check("libs/*:t*s*t", "libs/a/b:test", true);
        check("*:*", "air:test", true);
        check("a*a:test", "a:test", false);
        check("*bb*b*:test", "abb:test", false);
        check("air", "air:test", false);
    }
}
