//! `check`.

use std::os::unix::fs::symlink;

use crate::support::Repo;

/// What `check` prints of a repository with these files.
#[track_caller]
fn found(files: &[(&str, &str)]) -> String {
    let repo = Repo::with(files);
    let done = repo.ci_node(&["check"]).ended_with(1);
    done.stdout
}

#[test]
fn a_sound_repository_has_no_findings() {
    let repo = Repo::with(&[
        ("ci.yaml", "jobs: {test: [\"true\"]}"),
        ("ci-policy.yaml", "mergeable: {required: [\"root:test\"]}"),
    ]);
    let done = repo.ci_node(&["check"]).ended_with(0);
    assert_eq!(
        (done.stdout.as_str(), done.stderr.as_str()),
        ("", "2 files checked, nothing found\n")
    );
}

#[test]
fn a_file_that_only_looks_like_one_of_ours_is_a_warning_and_no_error() {
    let files = [
        ("lib/ci.yml", "jobs: {test: [\"true\"]}"),
        ("ci-policy.yml", ""),
        ("docs/ci-policy.yml", ""),
        ("air/ci.yaml", "jobs: {test: [\"true\"]}"),
    ];
    let repo = Repo::with(&files);
    let done = repo.ci_node(&["check"]).ended_with(0);
    insta::assert_snapshot!(done.stdout, @r"
    ci-policy.yml:1:1: warning: nobody reads this file
      hint: call it ci-policy.yaml: then it is the policy
    lib/ci.yml:1:1: warning: nobody reads this file
      hint: call it ci.yaml: then its folder is a component
    ");
    assert_eq!(done.stderr, "1 file checked, nothing found\n");
    let json = repo.ci_node(&["check", "-o", "json"]).ended_with(0).stdout;
    assert!(json.contains("\"findings\": []") || json.contains("\"findings\":[]"), "{json}");
    assert!(json.contains("\"file\": \"lib/ci.yml\"") || json.contains("\"file\":\"lib/ci.yml\""));
    let plan = repo.ci_node(&["plan", "--base", "HEAD"]).ended_with(0);
    assert!(plan.stderr.contains("lib/ci.yml:1:1: warning"), "{}", plan.stderr);
    let json = repo.ci_node(&["plan", "--base", "HEAD", "-o", "json"]).ended_with(0).stdout;
    assert!(json.contains("nobody reads this file"), "{json}");
}

#[test]
fn every_error_has_its_place_and_a_hint() {
    insta::assert_snapshot!(found(&[("air/ci.yaml", "jobs:\n  test:\n    - run: x\n   - y\n")]), @r"
    air/ci.yaml:4:4: while parsing a block mapping, did not find expected key
      hint: look at brackets, quotes and indentation from here upwards; text with ': ', ' #' or a leading sign is quoted
    ");
    insta::assert_snapshot!(found(&[("air/ci.yaml", "jobs:\n  test:\n    step: [x]\n")]), @r"
    air/ci.yaml:3:5: unknown key `jobs.test.step`
      hint: did you mean `steps`?
    ");
    insta::assert_snapshot!(
        found(&[("ci.yaml", "jobs:\n  a: {needs: [no-such-job], timeout: 3, steps: [x]}\n  b: {needs: [nowhere]}\n")]),
        @r#"
    ci.yaml:2:15: there is no job `root:no-such-job` to need
      hint: the jobs of `root` are a, b
    ci.yaml:2:38: `jobs.a.timeout`: "3" is no duration such as 30s, 20m or 1h30m
      hint: write whole numbers with d, h, m, s or ms, the largest first
    ci.yaml:3:6: `jobs.b.steps` is missing
      hint: add `steps`: it has no default
    ci.yaml:3:15: there is no job `root:nowhere` to need
      hint: the jobs of `root` are a, b
    "#
    );
    insta::assert_snapshot!(
        found(&[
            ("a/ci.yaml", "depends_on: [b]\njobs: {test: [x]}"),
            ("b/ci.yaml", "depends_on: [a]\njobs: {test: [x]}"),
        ]),
        @r"
    a/ci.yaml:1:14: components depend on each other: a → b → a
      hint: remove one of these from `depends_on`, or join the components
    "
    );
    insta::assert_snapshot!(found(&[("mergeable/ci.yaml", "jobs: {test: [x]}")]), @r#"
    mergeable/ci.yaml:1:1: component "mergeable" is invalid: a folder that is not called 'mergeable', like the umbrella status
      hint: rename the folder, or move the file into another
    "#);
    insta::assert_snapshot!(
        found(&[
            ("ci.yaml", "jobs: {test: [x]}"),
            ("ci-policy.yaml", "mergeable:\n  required: [\"root:lint\"]\nunownd: all\n"),
        ]),
        @r"
    ci-policy.yaml:2:14: `root:lint` is required, but no pull request of this tree runs it
      hint: define the job, or remove it from `required`
    ci-policy.yaml:3:1: unknown key `unownd`
      hint: did you mean `unowned`?
    "
    );
    insta::assert_snapshot!(
        found(&[
            ("ci.yaml", "jobs: {test: [x]}"),
            ("ci-policy.yaml", "mergeable:\n  required: [\"root:lint\"]\n"),
        ]),
        @r"
    ci-policy.yaml:2:14: `root:lint` is required, but no pull request of this tree runs it
      hint: define the job, or remove it from `required`
    "
    );
}

#[test]
fn what_builds_an_image_must_be_a_file_of_the_repository() {
    let pipeline = ("air/ci.yaml", "image: ci/Dockerfile\njobs: {test: [x]}\n");
    insta::assert_snapshot!(found(&[pipeline]), @r"
    air/ci.yaml:1:8: `image`: there is no plain file `ci/Dockerfile`
      hint: write the path of a Dockerfile from the root of the repository
    ");
    let repo = Repo::with(&[pipeline, ("ci/Dockerfile", "FROM debian:12\n")]);
    repo.ci_node(&["check"]).ended_with(0);
}

#[test]
fn a_large_file_is_not_read() {
    let large = "#".repeat(10 * 1024 * 1024);
    insta::assert_snapshot!(found(&[("a/ci.yaml", &large)]), @r"
    a/ci.yaml:1:1: the file has 10485760 bytes, more than 262144
      hint: move long scripts into files of their own and call them
    ");
}

#[test]
fn links_are_not_followed() {
    let repo = Repo::with(&[("real.yaml", "jobs: {test: [x]}")]);
    for name in ["ci.yaml", "ci-policy.yaml"] {
        symlink("real.yaml", repo.root().join(name)).unwrap();
    }
    insta::assert_snapshot!(repo.ci_node(&["check"]).ended_with(1).stdout, @r"
    ci.yaml:1:1: a component file must be a plain file, not a symbolic link
      hint: commit the content itself at this path
    ci-policy.yaml:1:1: the policy must be a plain file, not a symbolic link
      hint: commit the content itself at this path
    ");
}

#[test]
fn everything_is_found_at_once_also_for_programs() {
    let repo = Repo::with(&[("a/ci.yaml", "job: {}\n"), ("b/ci.yaml", "depends_on: [c]\n")]);
    repo.write("ci-policy.yaml", "forks: {run: sometimes}\n");
    let done = repo.ci_node(&["check", "-o", "json"]).ended_with(1);
    let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["schema"], "ci-node.check/1");
    let places: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| {
            format!("{}:{}:{}", each["file"].as_str().unwrap(), each["line"], each["column"])
        })
        .collect();
    assert_eq!(places, ["a/ci.yaml:1:1", "b/ci.yaml:1:14", "ci-policy.yaml:1:14"]);
}

#[test]
fn the_configuration_beside_the_repository_is_checked_too() {
    let repo = Repo::with(&[("ci.yaml", "jobs: {test: [x]}")]);
    repo.write("ci-node.toml", "nam = \"x\"\n");
    insta::assert_snapshot!(repo.ci_node(&["check"]).ended_with(1).stdout, @r"
    ci-node.toml:1:1: unknown key `nam`
      hint: did you mean `name`?
    ");
}

#[test]
fn a_repository_of_this_machine_must_be_there() {
    let repo = Repo::with(&[("ci.yaml", "jobs: {test: [x]}")]);
    let local = repo.beside("shop.git");
    repo.write("ci-node.toml", &format!("[[repos]]\nname = \"a/b\"\nlocal = {local:?}\n"));
    insta::assert_snapshot!(repo.ci_node(&["check"]).ended_with(1).stdout, @r"
    ci-node.toml:3:9: `repos[0].local`: /shop.git is no bare git repository
      hint: make it (git init --bare PATH), or name another
    ");
    repo.git(&["init", "-q", "--bare", local.to_str().unwrap()]);
    repo.ci_node(&["check"]).ended_with(0);
}

#[test]
fn a_configuration_needs_no_repository() {
    let repo = Repo::with(&[]);
    let folder = repo.beside("etc");
    std::fs::create_dir(&folder).unwrap();
    let config = folder.join("ci-node.toml");
    std::fs::write(&config, "name = \"shop\"\n").unwrap();
    let check = |code: i32| {
        let mut command = repo.command(&["check", "--config", config.to_str().unwrap()]);
        let output = command.current_dir(&folder).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    };
    check(0);
    std::fs::write(&config, "[http]\nlisten = 3\n").unwrap();
    check(1);
    std::fs::remove_file(&config).unwrap();
    check(2);
}

#[test]
fn a_repository_without_commits_can_be_checked() {
    let repo = Repo::with(&[]);
    repo.git(&["update-ref", "-d", "HEAD"]);
    repo.write("ci.yaml", "jobs: {test: []}\n");
    assert!(repo.ci_node(&["check"]).ended_with(1).stdout.starts_with("ci.yaml:1:"));
    for command in [["plan"].as_slice(), &["run", "--all"]] {
        let done = repo.ci_node(command).ended_with(3);
        assert_eq!(
            done.stderr,
            "ci-node: nothing is committed here yet, so there is nothing to compare with: commit something \
             first (`ci-node check` works without)\n"
        );
    }
}

#[test]
fn a_repository_without_a_component_is_told_that_nothing_is_built() {
    insta::assert_snapshot!(found(&[("README.md", "x"), ("ci-policy.yaml", "")]), @r"
    ci.yaml:1:1: there is no component: no folder has a ci.yaml, so nothing is built
      hint: write `jobs: {test: [make test]}` into the ci.yaml of a folder, for instance
    ");
    // Beside a node's configuration there need be none.
    let repo = Repo::with(&[("ci-node.toml", "name = \"shop\"\n")]);
    let done = repo.ci_node(&["check"]).ended_with(0);
    assert!(done.stdout.starts_with("ci.yaml:1:1: warning: there is no component"), "{done:?}");
}

#[test]
fn a_file_stands_for_what_it_lies_in() {
    let repo = Repo::with(&[("air/ci.yaml", "jobs: {test: []}"), ("b/ci.yaml", "job: {}")]);
    let expected = found(&[("air/ci.yaml", "jobs: {test: []}"), ("b/ci.yaml", "job: {}")]);
    for path in ["air/ci.yaml", "./b/ci.yaml", "air"] {
        assert_eq!(repo.ci_node(&["check", path]).ended_with(1).stdout, expected, "{path}");
    }
    repo.write("etc/node.toml", "nmae = \"x\"\n");
    insta::assert_snapshot!(repo.ci_node(&["check", "etc/node.toml"]).ended_with(1).stdout, @r"
    etc/node.toml:1:1: unknown key `nmae`
      hint: did you mean `name`?
    ");
    let done = repo.ci_node(&["check", "nowhere/ci.yaml"]).ended_with(2);
    assert_eq!(done.stderr, "ci-node: there is nothing at nowhere/ci.yaml\n");
}

#[test]
fn what_stands_for_a_repository_is_none() {
    let repo = Repo::with(&[("ci.yaml", "jobs: {test: [x]}")]);
    repo.ci_node(&["init"]).ended_with(0);
    let found = repo.ci_node(&["check"]).ended_with(1).stdout;
    assert!(found.contains("\"OWNER/NAME\" stands for a repository and is none"), "{found}");
}
