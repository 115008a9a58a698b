//! Patterns of paths: which changed paths a component claims and which affect nothing.
//!
//! `*` and `?` stop at `/`, `**` does not, `[…]` and `{a,b}` are as in a shell, and a `/` at the end
//! stands for everything below. A leading `/` counts from the root of the repository, anything else
//! from the folder the list belongs to. A leading `!` takes back what earlier patterns claimed: of
//! the patterns that match a path, the last one decides.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Longer patterns are refused, in bytes; matching them would cost more than they can say.
const MAX_PATTERN: usize = 256;
/// Longer lists are refused; they are built into one automaton.
const MAX_PATTERNS: usize = 100;

/// A list of patterns, ready to match.
#[derive(Clone, Debug)]
pub struct PathPatterns {
    patterns: Vec<Pattern>,
    globs: GlobSet,
}

/// A pattern that cannot be matched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pattern {pattern:?} {problem}")]
pub struct InvalidPattern {
    /// The pattern as it was written; of a list that is wrong as a whole, its first one.
    pub pattern: String,
    /// Its position in the list, counted from 0.
    pub position: usize,
    /// What is wrong with it.
    pub problem: String,
}

#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    claims: bool,
    /// The deepest folder in which all that it matches is, from the root of the repository.
    folder: String,
}

impl PathPatterns {
    /// Builds the patterns of `folder`, a path from the root of the repository, empty for the root.
    ///
    /// # Errors
    /// Names the first pattern that is malformed or can match nothing.
    pub fn new(folder: &str, patterns: &[String]) -> Result<Self, InvalidPattern> {
        if let Some(pattern) = patterns.get(MAX_PATTERNS) {
            let problem = format!("is one too many: a list may have {MAX_PATTERNS}");
            return Err(InvalidPattern {
                pattern: pattern.clone(),
                position: MAX_PATTERNS,
                problem,
            });
        }
        let mut built = Vec::with_capacity(patterns.len());
        let mut globs = GlobSetBuilder::new();
        for (position, text) in patterns.iter().enumerate() {
            let invalid = |problem| InvalidPattern { pattern: text.clone(), position, problem };
            let (glob, claims) = anchored(folder, text).map_err(invalid)?;
            let glob = GlobBuilder::new(&glob).literal_separator(true).build();
            globs.add(glob.map_err(|error| invalid(error.kind().to_string()))?);
            built.push(Pattern { text: text.clone(), claims, folder: folder_of(folder, text) });
        }
        Self::refuse_only_negated(&built)?;
        let globs = globs.build().map_err(|error| InvalidPattern {
            pattern: patterns.first().cloned().unwrap_or_default(),
            position: 0,
            problem: error.kind().to_string(),
        })?;
        Ok(Self { patterns: built, globs })
    }

    /// The pattern that claims `path`, as it was written.
    #[must_use]
    pub fn claim(&self, path: &str) -> Option<&str> {
        let last = self.globs.matches(path).into_iter().max()?;
        let pattern = &self.patterns[last];
        pattern.claims.then_some(pattern.text.as_str())
    }

    /// Whether `path` is claimed.
    #[must_use]
    pub fn claims(&self, path: &str) -> bool {
        self.claim(path).is_some()
    }

    /// The patterns that claim, as they were written.
    pub fn claiming(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().filter(|pattern| pattern.claims).map(|pattern| pattern.text.as_str())
    }

    /// The folders in which all that is claimed is, from the root of the repository; the root is empty.
    /// None of them is within another.
    #[must_use]
    pub fn folders(&self) -> Vec<&str> {
        let claiming = self.patterns.iter().filter(|pattern| pattern.claims);
        let mut all: Vec<&str> = claiming.map(|pattern| pattern.folder.as_str()).collect();
        all.sort_unstable();
        let mut folders: Vec<&str> = Vec::new();
        for folder in all {
            if !folders.iter().any(|outer| is_within(folder, outer)) {
                folders.push(folder);
            }
        }
        folders
    }

    fn refuse_only_negated(patterns: &[Pattern]) -> Result<(), InvalidPattern> {
        match patterns.first() {
            Some(first) if patterns.iter().all(|pattern| !pattern.claims) => Err(InvalidPattern {
                pattern: first.text.clone(),
                position: 0,
                problem: "takes back from nothing: put the pattern that claims before it"
                    .to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

/// The pattern as a glob from the root of the repository, and whether it claims or takes back.
fn anchored(folder: &str, text: &str) -> Result<(String, bool), String> {
    let (pattern, claims) = match text.strip_prefix('!') {
        Some(rest) => (rest, false),
        None => (text, true),
    };
    if pattern.len() > MAX_PATTERN {
        return Err(format!("is longer than {MAX_PATTERN} bytes"));
    }
    let (relative, from_root) = match pattern.strip_prefix('/') {
        Some(rest) => (rest, true),
        None => (pattern, folder.is_empty()),
    };
    let (body, below) = match relative.strip_suffix('/') {
        Some(rest) => (rest, "/**"),
        None => (relative, ""),
    };
    if body.is_empty() {
        return Err("is empty".to_owned());
    }
    if body.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("has an empty, '.' or '..' part, which no path has".to_owned());
    }
    let prefix = if from_root { String::new() } else { format!("{}/", globset::escape(folder)) };
    Ok((format!("{prefix}{body}{below}"), claims))
}

/// Where one has to look for what a good pattern of `folder` matches.
fn folder_of(folder: &str, text: &str) -> String {
    let pattern = text.strip_prefix('!').unwrap_or(text);
    let (relative, base) = match pattern.strip_prefix('/') {
        Some(rest) => (rest, ""),
        None => (pattern, folder),
    };
    // What stands behind the last `/` is a file, or nothing.
    let parts = relative.rsplit_once('/').map_or("", |(parts, _)| parts).split('/');
    let is_plain =
        |part: &&str| !part.is_empty() && !part.contains(['*', '?', '[', ']', '{', '}', '\\']);
    let plain = parts.take_while(is_plain);
    let parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).chain(plain).collect();
    parts.join("/")
}

fn is_within(folder: &str, outer: &str) -> bool {
    let below = folder.strip_prefix(outer);
    outer.is_empty() || below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(folder: &str, patterns: &[&str]) -> Result<PathPatterns, InvalidPattern> {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        PathPatterns::new(folder, &patterns)
    }

    fn check(folder: &str, list: &[&str], path: &str, expected: Option<&str>) {
        let claim = patterns(folder, list).unwrap();
        assert_eq!(claim.claim(path), expected, "{folder:?} {list:?} {path}");
    }

    #[test]
    fn a_star_stops_at_a_slash() {
        check("", &["*.md"], "README.md", Some("*.md"));
        check("", &["*.md"], "air/README.md", None);
        check("", &["**/*.md"], "air/README.md", Some("**/*.md"));
        check("", &["**/*.md"], "README.md", Some("**/*.md"));
        check("air", &["?"], "air/a", Some("?"));
        check("air", &["a?b"], "air/a/b", None);
    }

    #[test]
    fn a_pattern_counts_from_its_folder_unless_it_starts_with_a_slash() {
        check("air", &["**"], "air/lib/a.ex", Some("**"));
        check("air", &["**"], "airs/a.ex", None);
        check("air", &["/VERSION"], "VERSION", Some("/VERSION"));
        check("air", &["VERSION"], "VERSION", None);
        check("libs/common", &["src/**"], "libs/common/src/a", Some("src/**"));
        check("", &["/docs/"], "docs/a/b", Some("/docs/"));
        check("", &["/docs/"], "docs", None);
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        check("air", &["**", "!docs/**"], "air/docs/a", None);
        check("air", &["**", "!docs/**", "docs/api/**"], "air/docs/api/a", Some("docs/api/**"));
        check("air", &["**", "!/air/docs/**"], "air/docs/a", None);
    }

    #[test]
    fn the_folder_is_taken_literally() {
        check("a.b", &["**"], "a.b/x", Some("**"));
        check("a.b", &["**"], "acb/x", None);
    }

    fn refused(list: &[&str], expected: &str) {
        assert_eq!(patterns("air", list).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_bad_pattern_is_named() {
        refused(
            &["**", "a//b"],
            "pattern \"a//b\" has an empty, '.' or '..' part, which no path has",
        );
        refused(&["../x"], "pattern \"../x\" has an empty, '.' or '..' part, which no path has");
        refused(&["./x"], "pattern \"./x\" has an empty, '.' or '..' part, which no path has");
        refused(&[""], "pattern \"\" is empty");
        refused(&["/"], "pattern \"/\" is empty");
        refused(&["!"], "pattern \"!\" is empty");
        refused(&["a[b"], "pattern \"a[b\" unclosed character class; missing ']'");
        refused(
            &["a{b"],
            "pattern \"a{b\" unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
        );
        refused(
            &["!a"],
            "pattern \"!a\" takes back from nothing: put the pattern that claims before it",
        );
        assert!(patterns("air", &[&"x".repeat(257)]).unwrap_err().problem.contains("256"));
        assert_eq!(patterns("air", &["x"; 101]).unwrap_err().position, 100);
    }

    #[test]
    fn what_is_claimed_is_in_few_folders() {
        let check = |folder: &str, list: &[&str], expected: &[&str]| {
            assert_eq!(patterns(folder, list).unwrap().folders(), expected, "{folder:?} {list:?}");
        };
        check("air", &["a.xml"], &["air"]);
        check("air", &["dist/", "dist/x/*.js", "distant/y"], &["air/dist", "air/distant"]);
        check("air", &["/target/nextest/*/junit.xml", "!/docs/x"], &["target/nextest"]);
        check("libs/a", &["x/{a/b,c}/d", "/VERSION"], &[""]);
        check("libs/a", &["**/*.xml", "b/c"], &["libs/a"]);
        check("", &["a/b?/c", "[ab]/c"], &[""]);
        check("air", &[], &[]);
    }

    #[test]
    fn no_pattern_claims_nothing() {
        check("air", &[], "air/a", None);
    }
}
