//! Which actors are meant.

/// A path, or the end of one, with `*` and `**`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Tells whether the pattern is the path, or the end of it from some slash on.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(slash, _)| &path[slash + 1..]);
        std::iter::once(path).chain(ends).any(|end| fits(self.0.as_bytes(), end.as_bytes()))
    }
}

/// Where the pattern goes on after a star, and how far into the path the star reaches.
type Star = (usize, usize);

/// Walks along both, and where it goes wrong back to the last star, which then takes one more.
/// So the work is at most the product of the lengths, whatever the pattern.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    let (mut p, mut at) = (0, 0);
    // The latest star of each kind.
    let (mut single, mut double): (Option<Star>, Option<Star>) = (None, None);
    while at < path.len() {
        if pattern[p..].starts_with(b"**") {
            p += 2;
            (single, double) = (None, Some((p, at)));
        } else if pattern.get(p) == Some(&b'*') {
            p += 1;
            single = Some((p, at));
        } else if pattern.get(p) == Some(&path[at]) {
            (p, at) = (p + 1, at + 1);
        } else if let Some((after, taken)) = single.filter(|(_, taken)| path[*taken] != b'/') {
            single = Some((after, taken + 1));
            (p, at) = (after, taken + 1);
        } else if let Some((after, taken)) = double {
            (single, double) = (None, Some((after, taken + 1)));
            (p, at) = (after, taken + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, path: &str, expected: bool) {
        assert_eq!(Pattern::new(pattern).matches(path), expected, "{pattern} {path}");
    }

    #[test]
    fn a_pattern_is_a_path_or_the_end_of_one() {
        check("ci/queue", "ci/queue", true);
        check("queue", "ci/queue", true);
        check("ueue", "ci/queue", false);
        check("ci", "ci/queue", false);
        check("", "ci", false);
    }

    #[test]
    fn one_star_stays_within_a_part_and_two_do_not() {
        check("ci/*", "ci/queue", true);
        check("ci/*", "ci/pulls/pull-7", false);
        check("pulls/*", "ci/pulls/pull-7", true);
        check("ci/**", "ci/pulls/pull-7", true);
        check("ci/**/pull-7", "ci/pulls/pull-7", true);
        check("ci/**/build", "ci/pulls/pull-7/build", true);
        check("pull-*/b*d", "ci/pulls/pull-7/build", true);
        check("pull-*", "ci/pulls/pull-7/build", false);
        check("**", "ci", true);
        check("*", "ci", true);
        check("a*b*c", "aXbYbZc", true);
        check("a*b*c", "aXbYbZ", false);
    }

    #[test]
    fn many_stars_take_no_time() {
        check(&"*a".repeat(40), &"a".repeat(2_000), true);
        check(&("**a".repeat(40) + "b"), &"a".repeat(2_000), false);
    }
}
