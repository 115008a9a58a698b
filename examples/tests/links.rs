//! Follows the links of the documentation: files, headings, and the tests and code that they name.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A link and the line it is on.
struct Link {
    line: usize,
    text: String,
    target: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().canonicalize().unwrap()
}

/// Returns the pages at the top, and all below `docs`.
fn pages() -> Vec<PathBuf> {
    let mut folders = vec![root().join("docs")];
    let mut pages = markdown_in(&root());
    while let Some(folder) = folders.pop() {
        pages.extend(markdown_in(&folder));
        folders.extend(entries(&folder).into_iter().filter(|path| path.is_dir()));
    }
    pages
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn markdown_in(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|is| is == "md"))
        .collect()
}

/// Returns the lines that are not code, with their numbers.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    (1..).zip(page.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !fence && !in_code
    })
}

/// Finds `[text](target)`, where neither holds brackets of its own kind, and `[text]: target`.
fn links(page: &str) -> Vec<Link> {
    let of_line = |(line, content): (usize, &str)| {
        if let Some((label, target)) = definition(content) {
            return vec![Link { line, text: label.to_owned(), target: target.to_owned() }];
        }
        let ends = content.match_indices("](").map(|(at, _)| at).collect::<Vec<_>>();
        let link = |at: usize| {
            let text = content[..at].rsplit_once('[')?.1.to_owned();
            let target = content[at + 2..].split_once(')')?.0.to_owned();
            Some(Link { line, text, target })
        };
        ends.into_iter().filter_map(link).collect::<Vec<_>>()
    };
    prose(page).flat_map(of_line).collect()
}

/// Reads a line that says where `[label]` leads to.
fn definition(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('[')?.split_once("]: ")
}

/// Lists the numbers of tests that a page names without saying where they are.
fn undefined(page: &str) -> Vec<String> {
    let defined: BTreeSet<_> = prose(page).filter_map(|(_, line)| definition(line)).collect();
    let named = |text: &str| defined.iter().any(|(label, _)| *label == text);
    let labels = prose(page).flat_map(|(_, line)| line.split('[').skip(1));
    let labels = labels.filter_map(|rest| rest.split_once(']'));
    let bare = labels.filter(|(text, rest)| is_number_of_a_test(text) && !rest.starts_with('('));
    bare.filter(|(text, _)| !named(text)).map(|(text, _)| text.to_owned()).collect()
}

/// Returns what the headings of a page are linked by, as GitHub makes it.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(page) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let again = (1..).map(|number| format!("{anchor}-{number}"));
        let mut names = std::iter::once(anchor.clone()).chain(again);
        anchors.insert(names.find(|name| !anchors.contains(name)).unwrap());
    }
    anchors
}

/// Says what is wrong with a link of a page, if anything is.
fn mistake(page: &Path, link: &Link) -> Option<String> {
    let elsewhere = ["https://", "http://", "mailto:"];
    if elsewhere.iter().any(|scheme| link.target.starts_with(scheme)) {
        return None;
    }
    let (file, anchor) = link.target.split_once('#').unwrap_or((&link.target, ""));
    let file = if file.is_empty() { page.to_owned() } else { page.parent().unwrap().join(file) };
    if !file.exists() {
        return Some("there is no such file".to_owned());
    }
    if !file.canonicalize().unwrap().starts_with(root()) {
        return Some("it leads out of the repository".to_owned());
    }
    if !anchor.is_empty() && !anchors(&fs::read_to_string(&file).unwrap()).contains(anchor) {
        return Some(format!("there is no heading {anchor:?}"));
    }
    let is_picture = file.extension().is_some_and(|extension| extension == "png");
    let is_text = file.is_file() && !is_picture;
    is_text.then(|| fs::read_to_string(&file).unwrap()).and_then(|content| {
        if is_number_of_a_test(&link.text) {
            let found = content.contains(&format!("fn {}_", link.text));
            return (!found).then(|| format!("there is no test {:?}", link.text));
        }
        let is_there = |code: &&str| content.contains(code) || link.target.contains(code);
        let missing = code_in(&link.text).find(|code| !is_there(code));
        missing.map(|code| format!("there is no {code:?}"))
    })
}

/// Lists what is shown as code in a text.
fn code_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Such as `h66` and `e51b`: the start of the name of a test of the conformance list.
fn is_number_of_a_test(text: &str) -> bool {
    let number = text.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let digits = number.trim_end_matches(|c: char| c.is_ascii_lowercase());
    text.len() - number.len() == 1
        && !digits.is_empty()
        && digits.chars().all(|c| c.is_ascii_digit())
        && number.len() - digits.len() <= 1
}

#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    let mut mistakes = Vec::new();
    let mut followed = 0;
    for page in pages() {
        let (name, content) = (page.display(), fs::read_to_string(&page).unwrap());
        for link in links(&content) {
            followed += 1;
            let Link { line, target, .. } = &link;
            let wrong = mistake(&page, &link);
            mistakes.extend(wrong.map(|wrong| format!("{name}:{line}: {target}: {wrong}")));
        }
        let undefined = undefined(&content);
        mistakes.extend(undefined.iter().map(|test| format!("{name}: where is {test:?}?")));
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    assert!(followed > 100, "only {followed} links were found");
}

#[test]
fn what_leads_nowhere_is_found() {
    let page = root().join("docs/nowhere.md");
    let check = |text: &str, expected: Option<&str>| {
        let found = links(text).iter().find_map(|link| mistake(&page, link));
        assert_eq!(found.as_deref(), expected, "{text}");
    };
    check("[a page](../README.md) and [code](../examples/tests/links.rs)", None);
    check("[elsewhere](https://example.org/x#y)", None);
    check("[gone](../README.md) [gone](gone.md)", Some("there is no such file"));
    check("[out](../../)", Some("it leads out of the repository"));
    check("[a heading](../README.md#what-heights-is)", None);
    check("[a heading](../README.md#gone)", Some("there is no heading \"gone\""));
    check("```text\n[code](gone.md)\n```", None);
    let starts = "../crates/heights-supervisor/tests/conformance/a_start.rs";
    check(&format!("[a02]({starts})"), None);
    check(&format!("[z99]({starts})"), Some("there is no test \"z99\""));
    check("[`output_of`](../examples/tests/examples.rs)", None);
    check("[`gone`](../examples/tests/examples.rs)", Some("there is no \"gone\""));
    check(&format!("[a02]: {starts}"), None);
    check("[a02]: gone.rs", Some("there is no such file"));
    assert_eq!(undefined("[a02] [a03] [a04](x)\n\n[a02]: somewhere"), ["a03"]);
}

#[test]
fn headings_are_linked_as_on_github() {
    let page = "# What `heights` does, and why\n## Stop\n## Stop\n```sh\n# no heading\n```\n#tag\n";
    let expected = ["stop", "stop-1", "what-heights-does-and-why"];
    assert!(anchors(page).iter().eq(expected), "{:?}", anchors(page));
}
