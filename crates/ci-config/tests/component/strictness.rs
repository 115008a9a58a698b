//! YAML, read strictly.

use ci_config::parse_component;

use crate::{check, parse};

#[test]
fn yaml_is_read_strictly() {
    check(
        "jobs:\n  test: &a [make]\n  lint: *a\n  x: !sh [make]\n  test: [again]\n",
        &[
            "2:9: anchors are not allowed\n  hint: name steps under `define` and `use` them",
            "3:9: aliases are not allowed\n  hint: quote text that starts with '*'; `use` named steps",
            "4:6: tags are not allowed\n  hint: quote text that starts with '!'",
            "5:3: the key `test` is there twice\n  hint: it is first on line 2",
        ],
    );
    check("a: 1\n---\nb: 2\n", &["2:1: a second document begins: one file is one document"]);
    check("[1]: x\n", &["1:1: a key must be text, not a list"]);
    check("- a\n", &["1:1: expected a map, found a list"]);
    check("jobs: {a: [b}\n", &["1:11: mismatched bracket '[' closed by '}'"]);
}

#[test]
fn files_beyond_all_measure_are_refused() {
    let big = format!("#{}", "x".repeat(256 * 1024));
    check(
        &big,
        &["1:1: the file has 262145 bytes, more than 262144\n  \
            hint: move long scripts into files of their own and call them"],
    );
    let deep =
        |levels: usize| format!("jobs: {{t: {}x{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&deep(62)).is_ok());
    check(&deep(63), &["1:73: the file is nested deeper than 64 levels"]);
    check(&deep(5000), &["1:265: the file is nested deeper than 64 levels"]);
    let bytes = parse_component("air/ci.yaml", b"jobs:\n  t: \xff").unwrap_err();
    assert_eq!(
        bytes[0].to_string(),
        "air/ci.yaml:2:6: the file is not UTF-8 from here on\n  hint: save the file as UTF-8"
    );
}
