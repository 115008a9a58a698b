//! All component files of a tree together.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "support/findings.rs"]
mod findings;

use ci_config::{FileContent, is_component_file, parse_pipeline, parse_pipeline_in};
use ci_domain::pipeline::Pipeline;
use findings::assert_found;
use proptest::prelude::*;

fn files(files: &[(&str, &str)]) -> Vec<(String, FileContent)> {
    let file = |(path, text): &(&str, &str)| {
        ((*path).to_owned(), FileContent::Bytes(text.as_bytes().to_vec()))
    };
    files.iter().map(file).collect()
}

fn errors(files: Vec<(String, FileContent)>) -> Vec<String> {
    let diagnostics = parse_pipeline(files).map(|_| ()).unwrap_err();
    diagnostics.iter().map(ToString::to_string).collect()
}

fn check(tree: &[(&str, &str)], expected: &[&str]) {
    assert_found(&errors(files(tree)), expected, &format!("{tree:?}"));
}

#[test]
fn a_tree_without_component_files_is_an_empty_pipeline() {
    assert_eq!(parse_pipeline(Vec::new()), Ok(Pipeline::default()));
}

#[test]
fn what_is_to_build_an_image_must_be_there() {
    let tree = files(&[
        ("air/ci.yaml", "jobs: {test: [make]}\nimage: ci/Dockerfile\n"),
        ("web/ci.yaml", "image: web/Dockerfile\n"),
        ("ci.yaml", "image: debian:12\n"),
    ]);
    let found = parse_pipeline_in(tree.clone(), |path| path == "web/Dockerfile").unwrap_err();
    assert_eq!(
        found.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "air/ci.yaml:2:8: `image`: there is no plain file `ci/Dockerfile`\n  hint: write the path of a Dockerfile from the root of the repository"
        ]
    );
    assert!(parse_pipeline(tree).is_ok(), "where nobody can tell");
}

#[test]
fn component_files_are_found_by_name() {
    for (path, expected) in [
        ("ci.yaml", true),
        ("a/b/ci.yaml", true),
        ("a/ci.yml", false),
        ("a/my-ci.yaml", false),
        ("ci.yaml/x", false),
    ] {
        assert_eq!(is_component_file(path), expected, "{path}");
    }
}

#[test]
fn dependencies_name_what_there_is_in_no_circle() {
    check(
        &[
            ("air/ci.yaml", "depends_on: [comon, air]"),
            ("bom/ci.yaml", "depends_on:\n  - ci\n"),
            ("ci/ci.yaml", "depends_on:\n  - common\n  - bom\n"),
            ("common/ci.yaml", ""),
        ],
        &[
            "air/ci.yaml:1:14: there is no component `comon` to depend on\n  hint: did you mean `common`?",
            "air/ci.yaml:1:21: components depend on each other: air → air",
            "bom/ci.yaml:2:5: components depend on each other: bom → ci → bom",
        ],
    );
}

#[test]
fn needs_name_what_there_is_in_no_circle() {
    check(
        &[
            (
                "air/ci.yaml",
                "jobs:\n  a: {needs: [b], steps: [x]}\n  b: {needs: [a], steps: [x]}\n  \
                    c: {needs: [\"common:tset\", gone, \"comon:test\"], steps: [x]}\n",
            ),
            ("common/ci.yaml", "jobs:\n  test: [x]\n  compile: {needs: [test], steps: [x]}\n"),
        ],
        &[
            "air/ci.yaml:2:15: jobs need each other: air:a → air:b → air:a",
            "air/ci.yaml:4:15: there is no job `common:tset` to need\n  hint: did you mean `test`?",
            "air/ci.yaml:4:30: there is no job `air:gone` to need",
            "air/ci.yaml:4:36: there is no job `comon:test` to need\n  hint: did you mean `common`?",
            "common/ci.yaml:3:21: jobs need each other: common:compile → common:test → common:compile",
        ],
    );
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other_error_and_makes_none() {
    check(
        &[
            (
                "air/ci.yaml",
                "depends_on: [common, gone]\njobs: {t: {needs: [\"common:test\"], steps: [x]}}",
            ),
            ("common/ci.yaml", "jobs: ["),
        ],
        &[
            "air/ci.yaml:1:22: there is no component `gone` to depend on",
            "common/ci.yaml:1:7: unclosed bracket '['",
        ],
    );
    check(
        &[
            ("air/ci.yaml", "jobs: {t: {needs: [\"common:test\"], steps: [x]}}"),
            ("common/ci.yaml", "jobs: {test: {steps: []}}"),
        ],
        &["common/ci.yaml:1:22: `jobs.test.steps`: there are no steps"],
    );
}

#[test]
fn only_plain_files_of_a_sane_size_are_read() {
    let found = errors(vec![
        ("a/ci.yaml".to_owned(), FileContent::Symlink),
        ("b/ci.yaml".to_owned(), FileContent::Submodule),
        ("c/ci.yaml".to_owned(), FileContent::TooLarge(300_000)),
        ("d/ci.yaml".to_owned(), FileContent::Bytes(b"depends_on: [a, b, c]".to_vec())),
    ]);
    assert_found(
        &found,
        &[
            "a/ci.yaml:1:1: a component file must be a plain file, not a symbolic link",
            "b/ci.yaml:1:1: a component file must be a plain file, not a submodule",
            "c/ci.yaml:1:1: the file has 300000 bytes, more than 262144\n  \
                hint: move long scripts into files of their own and call them",
        ],
        "a link, a submodule and a huge file",
    );
}

#[test]
fn names_are_valid_and_differ_by_more_than_case() {
    let found = errors(files(&[
        ("Air/ci.yaml", ""),
        ("air/ci.yaml", ""),
        ("mergeable/ci.yaml", ""),
        ("sub/mergeable/ci.yaml", ""),
    ]));
    assert_eq!(found.len(), 2, "{found:?}");
    let same = "air/ci.yaml:1:1: components `Air` and `air` differ only by case";
    assert_found(&found[..1], &[same], "two names");
    assert!(found[1].starts_with("mergeable/ci.yaml:1:1: component \"mergeable\" is invalid"));
}

#[test]
fn two_hundred_components_are_enough() {
    let tree = |count: usize| {
        let file = |number| (format!("c{number:03}/ci.yaml"), FileContent::Bytes(Vec::new()));
        (0..count).map(file).collect::<Vec<_>>()
    };
    assert_eq!(parse_pipeline(tree(200)).unwrap().components.len(), 200);
    let expected = "c200/ci.yaml:1:1: there are more than 200 components";
    assert_found(&errors(tree(250)), &[expected], "250 components");
}

#[test]
fn a_default_need_can_close_a_circle() {
    check(
        &[("air/ci.yaml", "jobs:\n  test: [x]\n  compile: {needs: [test], steps: [x]}\n")],
        &["air/ci.yaml:3:21: jobs need each other: air:compile → air:test → air:compile"],
    );
}

proptest! {
    #[test]
    fn what_is_accepted_has_an_order(edges in prop::collection::vec((0..6_usize, 0..6_usize), 0..8)) {
        let mut tree = Vec::new();
        for number in 0..6 {
            let on: Vec<String> =
                edges.iter().filter(|(from, _)| *from == number).map(|(_, to)| format!("c{to}")).collect();
            let text = format!("depends_on: [{}]", on.join(", "));
            tree.push((format!("c{number}/ci.yaml"), FileContent::Bytes(text.into_bytes())));
        }
        match parse_pipeline(tree) {
            Ok(pipeline) => prop_assert!(pipeline.component_graph().is_ok()),
            Err(diagnostics) => prop_assert!(!diagnostics.is_empty()),
        }
    }
}

#[test]
fn nothing_that_runs_by_day_waits_for_the_night() {
    let fuzz = ("bom/ci.yaml", "nightly: {fuzz: [x], more: {needs: [fuzz, air:soak], steps: [x]}}");
    let air =
        "jobs: {test: {needs: bom:fuzz, steps: [x]}}\nnightly: {soak: {needs: test, steps: [x]}}";
    check(
        &[fuzz, ("air/ci.yaml", air)],
        &[
            "air/ci.yaml:1:22: `bom:fuzz` runs at night, so nothing that runs by day can need it\n  \
             hint: remove it from `needs`, or move this job to `nightly`",
        ],
    );
    assert!(parse_pipeline(files(&[fuzz, ("air/ci.yaml", "nightly: {soak: [x]}")])).is_ok());
}
