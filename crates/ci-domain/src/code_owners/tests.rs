//! What lines mean, path by path.

use super::*;

#[track_caller]
fn check(pattern: &str, path: &str, expected: bool) {
    let owners = CodeOwners::parse(&format!("{pattern} @ada"));
    assert_eq!(owners.skipped, [], "{pattern}");
    assert_eq!(owners.of(path).is_some(), expected, "{pattern} and {path}");
}

#[test]
fn a_pattern_without_a_slash_is_found_at_any_depth() {
    for (pattern, path, expected) in [
        ("*", "a", true),
        ("*", "a/b/c.rs", true),
        ("**", "a/b/c.rs", true),
        ("*.js", "a.js", true),
        ("*.js", "lib/a.js", true),
        ("*.js", "lib/a.jsx", false),
        ("*.js", "odd.js/readme", true),
        ("a?c", "x/abc", true),
        ("a?c", "x/ac", false),
        ("apps", "deep/apps", true),
        ("apps", "deep/apps/a/b", true),
        ("apps", "deep/apps2/a", false),
        ("apps/", "deep/apps/a/b", true),
        ("apps/", "deep/apps", false),
    ] {
        check(pattern, path, expected);
    }
}

#[test]
fn a_pattern_with_a_slash_counts_from_the_root() {
    for (pattern, path, expected) in [
        ("/docs", "docs/a", true),
        ("/docs", "x/docs/a", false),
        ("/docs/", "docs/a/b", true),
        ("/docs/", "docs", false),
        ("docs/*", "docs/a", true),
        ("docs/*", "docs/a/b", false),
        ("docs/*", "x/docs/a", false),
        ("/*", "a", true),
        ("/*", "a/b", false),
        ("apps/github", "apps/github/x/y", true),
        ("apps/github", "apps/github", true),
        ("apps/git*", "apps/github/x", true),
        ("**/logs", "logs", true),
        ("**/logs", "a/b/logs/c", true),
        ("**/logs", "a/b/catalogs/c", false),
        ("docs/**", "docs/a/b", true),
        ("docs/**", "docs", false),
        ("a/**/z", "a/z", true),
        ("a/**/z", "a/b/c/z", true),
        ("a/**/z", "a/b/c/y", false),
        ("a/*/z", "a/b/c/z", false),
        ("Docs/*", "docs/a", false),
        ("/a\\ b/c", "a b/c", true),
        ("/a\\*", "a*", true),
        ("/a\\*", "ab", false),
    ] {
        check(pattern, path, expected);
    }
}

#[test]
fn many_stars_cost_no_more_than_their_number() {
    let (stars, path) = ("*a".repeat(40), "a".repeat(200) + "b");
    check(&stars, &path, false);
    check(&format!("/{}z", "**/".repeat(40)), &"a/".repeat(200), false);
}

fn said(owners: &CodeOwners, path: &str) -> String {
    let owners: Vec<String> =
        owners.of(path).into_iter().flatten().map(ToString::to_string).collect();
    owners.join(" ")
}

#[test]
fn the_last_line_that_matches_decides_and_may_name_nobody() {
    let owners = CodeOwners::parse(
        "# who\n* @ada @acme/all # everyone\n\n/lib/  @linus dev@example.com\n/lib/free\n*.md @Ada\n",
    );
    assert_eq!(owners.skipped, []);
    assert_eq!(said(&owners, "x"), "@ada @acme/all");
    assert_eq!(said(&owners, "lib/a"), "@linus dev@example.com");
    assert_eq!(said(&owners, "lib/free/a"), "");
    assert_eq!(said(&owners, "lib/free/a.md"), "@Ada");
    assert!(owners.of("a.md").unwrap().first().unwrap().is(&Login::new("ada").unwrap()).unwrap());
}

#[test]
fn lines_that_cannot_be_read_are_skipped_and_told() {
    let owners = CodeOwners::parse(
        "* @ada\n[Docs] @x\n!/a @x\n/a[b] @x\n/b ada\n/c @a/b/c\n/d @\n\\#e @x\n/f//g @x\n/h @ok @\n",
    );
    assert_eq!(owners.rules.len(), 1);
    let lines: Vec<usize> = owners.skipped.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(owners.skipped[0].1, "sections are not supported");
    let expected = "\"ada\" is no owner: expected @person, @organization/team or an address";
    assert_eq!(owners.skipped[3].1, expected);
    for path in ["a", "ab", "h"] {
        assert_eq!(said(&owners, path), "@ada", "the lines before go on to hold");
    }
}

#[test]
fn paths_are_told_by_their_owners() {
    let owners = CodeOwners::parse("/lib/ @ada\n/web/ @linus\n/free/\n");
    let owned = owners.owned(["free/a", "lib/a", "lib/b", "none", "web/a"]);
    let said: Vec<(&str, u64)> =
        owned.iter().map(|owned| (owned.path.as_str(), owned.more)).collect();
    assert_eq!(said, [("lib/a", 1), ("web/a", 0)]);
}
