//! The guide to writing pipelines: every example is what it says it is.

use std::collections::BTreeMap;

use crate::support::Repo;

const GUIDE: &str = include_str!("../../../../docs/pipelines.md");

/// The files that a section shows, by their paths; the first line of each is its path.
fn files(section: &str) -> Vec<(&str, &str)> {
    let blocks = section.split("```yaml\n# ").skip(1);
    blocks
        .map(|block| {
            let (block, _) = block.split_once("\n```").unwrap();
            block.split_once('\n').unwrap()
        })
        .collect()
}

/// Sections by their headings; each is about one repository.
fn sections() -> BTreeMap<&'static str, &'static str> {
    GUIDE.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap()).collect()
}

#[test]
fn every_example_is_sound() {
    let mut examples = 0;
    for (heading, section) in sections() {
        let files = files(section);
        if files.is_empty() {
            continue;
        }
        examples += files.len();
        let done = Repo::with(&files).ci_node(&["check"]);
        assert_eq!((done.code, done.stdout.as_str()), (0, ""), "{heading}");
    }
    assert!(examples >= 9 && examples == GUIDE.matches("```yaml").count(), "{examples}");
}

#[test]
fn changes_affect_what_the_table_says() {
    let section = sections()["What a change affects"];
    let mut files: Vec<_> = files(section);
    files.retain(|(path, _)| *path != "central/ci.yaml");
    for (path, affected) in [
        ("common/lib/x.ex", "air common integration_tests"),
        ("air/lib/x.ex", "air integration_tests"),
        ("integration_tests/README.md", "air common integration_tests"),
        ("VERSION", "integration_tests"),
    ] {
        assert!(section.contains(&format!("| `{path}` |")), "{path}");
        let repo = Repo::on_topic(&files);
        repo.write(path, "");
        let plan = repo.ci_node(&["plan", "-o", "json"]).ended_with(0).stdout;
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        let components = plan["components"].as_array().unwrap();
        let names: Vec<&str> =
            components.iter().map(|each| each["name"].as_str().unwrap()).collect();
        assert_eq!(names.join(" "), affected, "{path}");
    }
}
