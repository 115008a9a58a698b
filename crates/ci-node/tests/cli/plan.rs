//! `plan`.

use std::path::Path;

use serde_json::Value;

use crate::support::Repo;

/// The talk's repository, in small.
const TALK: [(&str, &str); 7] = [
    ("common/ci.yaml", "jobs: {compile: [\"true\"], test: [\"true\"]}"),
    (
        "air/ci.yaml",
        "{depends_on: [common], jobs: {compile: [\"true\"], test: {needs: [compile, common:test], \
         steps: [\"true\"]}, compliance: {needs: [test], when: approved, steps: [\"true\"]}}}",
    ),
    ("cloak/ci.yaml", "{depends_on: [common], jobs: {compile: [\"true\"], test: [\"true\"]}}"),
    ("integration/ci.yaml", "{depends_on: [air, cloak], jobs: {test: [\"true\"]}}"),
    ("air/lib/air.ex", ""),
    ("docs/guide.md", ""),
    ("ci-policy.yaml", "{ignore: [\"docs/**\"], unowned: none}"),
];

#[track_caller]
fn affected(repo: &Repo) -> String {
    let done = repo.ci_node(&["plan", "-o", "json"]).ended_with(0);
    let plan: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(plan["schema"], "ci-node.plan/1");
    let components = plan["components"].as_array().unwrap();
    components.iter().map(|each| each["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_change_affects_its_component_and_all_that_depend_on_it() {
    let check = |path: &str, expected: &str| {
        let repo = Repo::on_topic(&TALK);
        repo.commit(path, "changed");
        assert_eq!(affected(&repo), expected, "{path}");
    };
    check("air/lib/air.ex", "air integration");
    check("cloak/x", "cloak integration");
    check("common/x", "air cloak common integration");
    check("integration/x", "integration");
    check("docs/guide.md", "");
    check("unowned", "");
}

/// The component files of the repository that the talk was about, kept beside their reader.
fn the_talks_files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci-config/tests/aircloak");
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let content = std::fs::read_to_string(entry.path().join("component.yaml")).unwrap();
        (format!("{name}/ci.yaml"), content)
    };
    std::fs::read_dir(folder).unwrap().map(|entry| file(entry.unwrap())).collect()
}

#[test]
fn the_talks_repository_is_tested_as_it_was() {
    let files = the_talks_files();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
    let check = |path: &str, expected: &str| {
        let repo = Repo::on_topic(&files);
        repo.write(path, "changed");
        assert_eq!(affected(&repo), expected, "{path}");
    };
    let everything = "air bom central ci cloak common data_quality integration_tests";
    check("air/lib/air.ex", "air integration_tests");
    check("cloak/mix.exs", "cloak integration_tests");
    check("ci/lib/ci.ex", "ci");
    check("bom/mix.exs", "air bom cloak integration_tests");
    check("common/elixir/mix.exs", everything);
    check("VERSION", everything);
}

#[test]
fn uncommitted_staged_and_untracked_files_count_and_ignored_ones_do_not() {
    let repo = Repo::on_topic(&TALK);
    assert_eq!(affected(&repo), "");
    repo.write("air/lib/air.ex", "uncommitted");
    assert_eq!(affected(&repo), "air integration");
    repo.git(&["checkout", "-q", "air/lib/air.ex"]);
    repo.write("integration/untracked", "");
    assert_eq!(affected(&repo), "integration");
    repo.git(&["add", "-A"]);
    assert_eq!(affected(&repo), "integration");
    repo.git(&["rm", "-q", "-f", "integration/untracked"]);
    repo.write(".git/info/exclude", "built");
    repo.write("air/built", "");
    assert_eq!(affected(&repo), "");
}

#[test]
fn a_component_of_the_working_tree_alone_counts() {
    let repo = Repo::on_topic(&TALK);
    repo.write("new/ci.yaml", "{depends_on: [air], jobs: {test: [\"true\"]}}");
    assert_eq!(affected(&repo), "new");
    std::fs::remove_file(repo.root().join("integration/ci.yaml")).unwrap();
    assert_eq!(affected(&repo), "new");
}

#[test]
fn the_text_says_why_and_what_runs() {
    let repo = Repo::on_topic(&TALK);
    repo.write("air/lib/air.ex", "changed");
    repo.write("docs/guide.md", "changed");
    repo.write("README", "changed");
    let done = repo.ci_node(&["plan"]).ended_with(0);
    let base = repo.git(&["rev-parse", "--short=12", "main"]);
    insta::assert_snapshot!(done.stdout.replace(base.trim(), "<base>"), @r"
    Since main (<base>), 3 paths have changed.

    air
      because air/lib/air.ex changed, in its folder
        compile
        test        needs compile; not common:test, which is not affected
        compliance  needs test; when approved

    integration
      because it depends on air, which is affected
        test

    Without effect
      README: claimed by no component
      docs/guide.md: ignored by the policy
    ");
    assert_eq!(done.stderr, "");
}

#[test]
fn nothing_affected_is_said() {
    let done = Repo::on_topic(&TALK).ci_node(&["plan"]).ended_with(0);
    assert!(
        done.stdout.ends_with("no path has changed.\nNothing is affected.\n"),
        "{}",
        done.stdout
    );
}

#[test]
fn the_drawing_has_jobs_and_needs() {
    let repo = Repo::on_topic(&TALK);
    repo.write("air/lib/air.ex", "changed");
    insta::assert_snapshot!(repo.ci_node(&["plan", "-o", "dot"]).ended_with(0).stdout, @r#"
    digraph plan {
      rankdir=RL;
      node [shape=box];
      subgraph cluster_0 {
        label="air";
        "air:compile" [label="compile", style=solid];
        "air:compliance" [label="compliance", style=dashed];
        "air:test" [label="test", style=solid];
      }
      subgraph cluster_1 {
        label="integration";
        "integration:test" [label="test", style=solid];
      }
      "air:test" -> "air:compile";
      "air:compliance" -> "air:test";
    }
    "#);
}

#[test]
fn the_policy_is_that_of_the_default_branch() {
    let repo = Repo::on_topic(&TALK);
    repo.commit("ci-policy.yaml", "{ignore: [\"air/lib/**\"]}");
    repo.write("unowned", "");
    assert_eq!(affected(&repo), "");
}

#[test]
fn a_policy_that_counts_later_is_told() {
    let repo = Repo::on_topic(&TALK);
    let words = |repo: &Repo| repo.ci_node(&["plan"]).ended_with(0).stderr;
    assert_eq!(words(&repo), "");
    repo.write("ci-policy.yaml", "# other words\n{unowned: none, ignore: [\"docs/**\"]}");
    assert_eq!(words(&repo), "");
    repo.write("ci-policy.yaml", "{ignore: [\"air/**\"]}");
    let main = repo.git(&["rev-parse", "--short=12", "main"]);
    insta::assert_snapshot!(words(&repo).replace(main.trim(), "<main>"), @r"
    The policy is that of main (<main>). ci-policy.yaml here differs, and counts once it is there:
      ignore: [air/**] (now [docs/**])
      unowned: all (now none)
    ");
    let json = repo.ci_node(&["plan", "-o", "json"]).ended_with(0).stdout;
    let plan: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(plan["policy"]["from"], format!("main ({})", main.trim()));
    assert_eq!(plan["policy"]["differences_here"][1], "unowned: all (now none)");
    repo.write("ci-policy.yaml", "{ignore: [}");
    assert!(words(&repo).contains("it is invalid: `ci-node check` says why"), "{}", words(&repo));
    std::fs::remove_file(repo.root().join("ci-policy.yaml")).unwrap();
    assert!(words(&repo).contains("unowned: all (now none)"), "{}", words(&repo));
}

#[test]
fn jobs_of_branches_and_of_the_night_are_shown_apart() {
    let repo = Repo::on_topic(&[(
        "air/ci.yaml",
        "{jobs: {compile: [x], warm: {on: branch, steps: [x]}}, nightly: {soak: [x], fuzz: {needs: [], \
         steps: [x]}}}",
    )]);
    repo.write("air/x", "");
    let done = repo.ci_node(&["plan"]).ended_with(0);
    let jobs = done.stdout.split_once("folder\n").unwrap().1;
    insta::assert_snapshot!(jobs, @r"
        compile
        fuzz     at night, not here
        soak     at night, not here; needs compile
        warm     on branches, not here; needs compile
    ");
    let json = repo.ci_node(&["plan", "-o", "json"]).ended_with(0).stdout;
    let plan: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(plan["jobs"].as_array().unwrap().len(), 1);
    let soak = serde_json::json!({"id": "air:soak", "needs": ["air:compile"], "on": ["nightly"]});
    assert_eq!(plan["elsewhere"][1], soak);
}

#[test]
fn another_base_can_be_named() {
    let repo = Repo::on_topic(&TALK);
    repo.commit("air/one", "");
    repo.commit("cloak/two", "");
    let done = repo.ci_node(&["plan", "--base", "HEAD~1", "-o", "json"]).ended_with(0);
    let plan: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(plan["changed_paths"], serde_json::json!(["cloak/two"]));
    let done = repo.ci_node(&["plan", "--base", "nowhere"]).ended_with(3);
    assert_eq!(done.stderr, "ci-node: failed to find the commit \"nowhere\"\n");
}

#[test]
fn odd_branch_names_are_but_names() {
    for name in ["$(touch${IFS}pwned)", "a'b\"c", "🚀", "x;y&z", "-x"] {
        let repo = Repo::with(&TALK);
        let branch = format!("refs/heads/{name}");
        repo.git(&["update-ref", &branch, "HEAD"]);
        repo.git(&["symbolic-ref", "HEAD", &branch]);
        repo.git(&["commit", "-q", "-m", "on it", "--allow-empty"]);
        repo.write("air/x", "");
        assert_eq!(affected(&repo), "air integration", "{name}");
        repo.git(&["checkout", "-q", "--detach"]);
        assert_eq!(affected(&repo), "air integration", "detached");
        assert!(!repo.root().join("pwned").exists());
    }
}

#[test]
fn an_invalid_pipeline_has_no_plan() {
    let repo = Repo::on_topic(&TALK);
    repo.write("air/ci.yaml", "jobs: {test: {needs: [nothing], steps: [x]}}");
    let done = repo.ci_node(&["plan"]).ended_with(2);
    insta::assert_snapshot!(done.stderr, @r"
    ci-node: the pipeline is invalid
    air/ci.yaml:1:23: there is no job `air:nothing` to need
      hint: the jobs of `air` are test
    ");
    assert_eq!(done.stdout, "");
}

#[test]
fn where_the_base_is_invalid_everything_is_affected() {
    let repo = Repo::with(&[("air/ci.yaml", "jobs: ["), ("b/ci.yaml", "jobs: {test: [x]}")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.write("air/ci.yaml", "jobs: {test: [x]}");
    let done = repo.ci_node(&["plan"]).ended_with(0);
    assert!(done.stdout.contains("is not known: the pipeline of the base is invalid"), "{done:?}");
    assert_eq!(affected(&repo), "air b");
}
