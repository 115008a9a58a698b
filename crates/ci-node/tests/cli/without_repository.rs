//! What needs no repository: `init`, `config schema`, `completions`, and being used wrongly.

use std::process::{Output, Stdio};

use crate::support::{Done, ci_node};

fn run(folder: &tempfile::TempDir, args: &[&str]) -> Output {
    ci_node(folder.path()).current_dir(folder.path()).args(args).output().unwrap()
}

#[test]
fn init_writes_once_and_tells_what_to_set_up() {
    let folder = tempfile::tempdir().unwrap();
    let done = Done::of(run(&folder, &["init"])).ended_with(0);
    for needed in ["/webhooks/github", "Issue comments", "Commit statuses", "mergeable"] {
        assert!(done.stdout.contains(needed), "{needed}");
    }
    let config = folder.path().join("ci-node.toml");
    let written = std::fs::read_to_string(&config).unwrap();
    assert!(written.contains("[[repos]]") && folder.path().join("ci-node.service").exists());
    std::fs::write(&config, "mine").unwrap();
    std::fs::remove_file(folder.path().join("ci-node.service")).unwrap();
    let done = Done::of(run(&folder, &["init"])).ended_with(2);
    assert_eq!(done.stderr, "ci-node: ci-node.toml exists here; it is left as it is\n");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "mine");
    assert!(!folder.path().join("ci-node.service").exists());
}

#[test]
fn schemas_are_json() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["component", "policy", "node"] {
        let done = Done::of(run(&folder, &["config", "schema", format])).ended_with(0);
        let schema: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert!(schema["$schema"].is_string(), "{format}");
    }
}

#[test]
fn completions_know_the_commands_and_not_the_hidden_one() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let done = Done::of(run(&folder, &["completions", shell])).ended_with(0);
        assert!(done.stdout.contains("plan"), "{shell}");
    }
    let help = Done::of(run(&folder, &["--help"])).ended_with(0).stdout;
    assert!(!help.contains("__runner") && help.contains("Exit codes"), "{help}");
}

#[test]
fn manual_pages_are_printed_for_the_program_and_each_command() {
    let folder = tempfile::tempdir().unwrap();
    for (args, title) in
        [(["man"].as_slice(), ".TH ci-node 1"), (&["man", "run"], ".TH ci-node-run 1")]
    {
        let page = Done::of(run(&folder, args)).ended_with(0).stdout;
        assert!(page.contains(title), "{page}");
    }
    for unknown in ["frobnicate", "__runner"] {
        Done::of(run(&folder, &["man", unknown])).ended_with(3);
    }
}

#[test]
fn wrong_use_is_told_from_what_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let check = |args: &[&str], code: i32| {
        let done = Done::of(run(&folder, args)).ended_with(code);
        assert_eq!(done.stdout, "", "{args:?}");
    };
    check(&["frobnicate"], 2);
    check(&["run", "--all", "--base", "main"], 2);
    check(&["run", "--env", "CI_JOB=x"], 2);
    check(&["plan"], 2);
    check(&["check", "/nonexistent"], 2);
    check(&["serve", "--config", "/nonexistent/ci-node.toml"], 2);
}

#[test]
fn a_folder_outside_of_all_repositories_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["plan", "run", "check"] {
        let done = Done::of(run(&folder, &[command])).ended_with(2);
        let expected = "ci-node: . lies in no git repository: name a folder of one\n";
        assert_eq!(done.stderr, expected, "{command}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = ci_node(folder.path());
    command.args(["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
