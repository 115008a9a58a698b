//! `run`: what runs, in which order, and what commands see.

use serde_json::Value;

use crate::support::Repo;

/// A component with a job that passes and one that fails.
const TWO: &str = "jobs: {compile: [\"true\"], test: [\"echo out of cheese; exit 3\"]}";

/// Each job's verdict, in the order of their names.
fn verdicts(facts: &[Value]) -> String {
    let ended = facts.iter().filter(|fact| fact["fact"] == "job_ended");
    let mut verdicts: Vec<String> = ended
        .map(|fact| {
            format!("{} {}", fact["job"].as_str().unwrap(), fact["verdict"].as_str().unwrap())
        })
        .collect();
    verdicts.sort();
    verdicts.join(", ")
}

fn names(facts: &[Value], fact: &str) -> Vec<String> {
    let of_kind = facts.iter().filter(|each| each["fact"] == fact);
    of_kind.map(|each| each["job"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_affected_runs_in_the_order_of_needs() {
    let repo = Repo::on_topic(&[
        ("common/ci.yaml", "jobs: {test: [\"true\"]}"),
        (
            "air/ci.yaml",
            "jobs: {compile: [\"true\"], test: {needs: [compile, common:test], steps: [\"true\"]}}",
        ),
        ("web/ci.yaml", "jobs: {test: [\"false\"]}"),
    ]);
    repo.write("air/x", "");
    repo.write("common/x", "");
    let (code, facts) = repo.facts(&[]);
    assert_eq!(code, 0, "{facts:?}");
    assert_eq!(verdicts(&facts), "air:compile passed, air:test passed, common:test passed");
    assert_eq!(names(&facts, "job_started").last().unwrap(), "air:test");
    assert_eq!(
        (&facts[0]["fact"], &facts[0]["schema"]),
        (&"planned".into(), &"ci-node.run/1".into())
    );
    let last = facts.last().unwrap();
    assert_eq!((&last["fact"], &last["verdict"]), (&"ended".into(), &"passed".into()));
}

#[test]
fn a_failure_fails_the_run_and_blocks_what_needs_it() {
    let repo = Repo::on_topic(&[(
        "air/ci.yaml",
        "jobs: {compile: [\"exit 7\"], test: [\"true\"], docs: {needs: [test], steps: [\"true\"]}, \
         lint: {needs: [], steps: [\"true\"]}}",
    )]);
    repo.write("air/x", "");
    let (code, facts) = repo.facts(&[]);
    assert_eq!(code, 1);
    assert_eq!(
        verdicts(&facts),
        "air:compile failed, air:docs blocked, air:lint passed, air:test blocked"
    );
    let failed = facts.iter().find(|fact| fact["verdict"] == "failed").unwrap();
    assert_eq!(failed["failed"][0]["exit"], serde_json::json!({"code": 7}));
    assert_eq!(facts.last().unwrap()["verdict"], "failed");
}

#[test]
fn jobs_run_at_the_same_time_as_far_as_is_allowed() {
    // Each waits for the other; alone, neither ends before its time is over.
    let meet = |mine: &str, other: &str| {
        format!(
            "jobs: {{test: {{timeout: 30s, steps: ['touch ../{mine}; until [ -e ../{other} ]; do sleep 0.02; done']}}}}"
        )
    };
    let repo =
        Repo::on_topic(&[("a/ci.yaml", &meet("a1", "b1")), ("b/ci.yaml", &meet("b1", "a1"))]);
    let (code, facts) = repo.facts(&["--all", "--concurrency", "2"]);
    assert_eq!(code, 0, "{facts:?}");
    let alone = Repo::on_topic(&[("a/ci.yaml", TWO), ("b/ci.yaml", TWO)]);
    let (_, facts) = alone.facts(&["--all", "--concurrency", "1"]);
    let mut running = 0;
    for fact in &facts {
        match fact["fact"].as_str().unwrap() {
            "job_started" => running += 1,
            "job_ended" => running -= 1,
            _ => {}
        }
        assert!((0..=1).contains(&running), "{facts:?}");
    }
}

#[test]
fn the_working_copy_is_left_as_it_was() {
    let repo =
        Repo::on_topic(&[("air/ci.yaml", "jobs: {test: [\"true\"]}"), ("air/a", "committed")]);
    repo.write("air/a", "changed");
    repo.git(&["add", "air/a"]);
    repo.write("air/a", "changed again");
    repo.write("air/untracked", "");
    let before = repo.digest();
    let (code, facts) = repo.facts(&[]);
    assert_eq!((code, verdicts(&facts).as_str()), (0, "air:test passed"));
    assert_eq!(repo.digest(), before);
}

#[test]
fn commands_see_the_files_as_they_are() {
    let repo = Repo::on_topic(&[("air/ci.yaml", "jobs: {test: [\"false\"]}")]);
    repo.write("air/ci.yaml", "jobs: {test: [\"grep -q uncommitted input\"]}");
    repo.write("air/input", "uncommitted");
    let (code, _) = repo.facts(&[]);
    assert_eq!(code, 0);
}

#[test]
fn commands_see_what_the_contract_says_and_nothing_else() {
    let repo = Repo::on_topic(&[(
        "air/ci.yaml",
        "{env: {DECLARED: \"a b\"}, jobs: {test: [\"env | sort > ../env; pwd > ../pwd\"]}}",
    )]);
    let mut command =
        repo.command(&["run", "--all", "-o", "jsonl", "--env", "ASKED", "--env", "GIVEN=x=y"]);
    command.env("ASKED", "for").env("GITHUB_TOKEN", "secret").env("CI_ATTEMPT", "another");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| std::fs::read_to_string(repo.root().join(name)).unwrap();
    assert_eq!(read("pwd").trim(), repo.root().join("air").to_str().unwrap());
    let env = read("env");
    let value = |name: &str| {
        let start = format!("{name}=");
        env.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
    };
    let head = repo.git(&["rev-parse", "HEAD"]);
    for (name, expected) in [
        ("CI", "true"),
        ("CI_COMMIT", head.trim()),
        ("CI_HEAD", head.trim()),
        ("CI_BASE", "main"),
        ("CI_BRANCH", "topic"),
        ("CI_PULL", ""),
        ("CI_COMPONENT", "air"),
        ("CI_JOB", "test"),
        ("DECLARED", "a b"),
        ("ASKED", "for"),
        ("GIVEN", "x=y"),
        ("LANG", "C.UTF-8"),
    ] {
        assert_eq!(value(name).as_deref(), Some(expected), "{name}");
    }
    assert!(value("CI_CACHE_DIR").is_some_and(|path| std::path::Path::new(&path).is_dir()));
    assert!(value("CI_PORT_BASE").unwrap().parse::<u16>().unwrap() >= 20_000);
    assert!(value("CI_ATTEMPT").unwrap().starts_with("local-"));
    assert_eq!(value("GITHUB_TOKEN"), None);
    assert!(!env.contains("secret"));
}

#[test]
fn components_and_jobs_can_be_named() {
    let repo = Repo::on_topic(&[("libs/air/ci.yaml", TWO), ("web/ci.yaml", TWO)]);
    let check = |args: &[&str], expected: &str| {
        let (_, facts) = repo.facts(args);
        assert_eq!(verdicts(&facts), expected, "{args:?}");
    };
    check(&[], "");
    check(&["--component", "web", "--job", "compile"], "web:compile passed");
    check(&["--component", "air"], "libs/air:compile passed, libs/air:test failed");
    check(&["--all", "--job", "compile"], "libs/air:compile passed, web:compile passed");
    check(&["--job", "web:test"], "web:compile passed, web:test failed");
    let done = repo.ci_node(&["run", "--component", "earth"]).ended_with(3);
    insta::assert_snapshot!(done.stderr, @"ci-node: there is no component \"earth\"; there are: libs/air, web");
    let done = repo.ci_node(&["run", "--job", "bench"]).ended_with(3);
    insta::assert_snapshot!(done.stderr, @"ci-node: there is no job \"bench\"; there are: compile, test");
}

#[test]
fn what_waits_for_approval_runs_when_asked_for() {
    let repo = Repo::on_topic(&[(
        "air/ci.yaml",
        "jobs: {test: [\"true\"], compliance: {when: approved, steps: [\"true\"]}}",
    )]);
    let (_, facts) = repo.facts(&["--all"]);
    assert_eq!(verdicts(&facts), "air:test passed");
    assert_eq!(facts[0]["held"], serde_json::json!(["air:compliance"]));
    for args in
        [["--all", "--approved"].as_slice(), &["--all", "--job", "test", "--job", "compliance"]]
    {
        let (_, facts) = repo.facts(args);
        assert_eq!(verdicts(&facts), "air:compliance passed, air:test passed", "{args:?}");
    }
}

#[test]
fn what_runs_at_night_or_on_branches_runs_when_it_is_named() {
    let repo = Repo::on_topic(&[(
        "air/ci.yaml",
        "{jobs: {compile: [\"true\"], warm: {on: branch, steps: [\"true\"]}}, \
         nightly: {soak: {needs: [warm], steps: [\"true\"]}}}",
    )]);
    let check = |args: &[&str], expected: &str| {
        let (code, facts) = repo.facts(args);
        assert_eq!((code, verdicts(&facts).as_str()), (0, expected), "{args:?}");
    };
    check(&["--all"], "air:compile passed");
    check(&["--job", "air:soak"], "air:compile passed, air:soak passed, air:warm passed");
    check(&["--all", "--job", "warm"], "air:compile passed, air:warm passed");
}

#[test]
fn an_image_that_is_not_used_is_told() {
    let repo = Repo::on_topic(&[
        ("air/ci.yaml", "{image: \"rust:1.90\", jobs: {test: [\"true\"]}}"),
        ("web/ci.yaml", "{jobs: {test: [\"true\"]}}"),
    ]);
    let told =
        "Not in their images, but on this machine: air (rust:1.90); see --isolation container\n";
    assert_eq!(repo.ci_node(&["run", "--all"]).ended_with(0).stderr, told);
    assert_eq!(repo.ci_node(&["run", "--all", "-o", "jsonl"]).ended_with(0).stderr, told);
    assert_eq!(repo.ci_node(&["run", "--component", "web"]).ended_with(0).stderr, "");
}

#[test]
fn a_dry_run_tells_what_would_run() {
    let repo = Repo::on_topic(&[(
        "air/ci.yaml",
        "jobs: {compile: [\"touch ran\"], test: [\"touch ran\"], slow: {when: approved, steps: [x]}}",
    )]);
    let done = repo.ci_node(&["run", "--all", "--dry-run"]).ended_with(0);
    assert_eq!(done.stdout, "air:compile\nair:test  needs air:compile\n");
    assert_eq!(done.stderr, "Not run before an approval: air:slow (--approved runs them)\n");
    let (code, facts) = repo.facts(&["--all", "-n"]);
    assert_eq!((code, facts.len()), (0, 1));
    assert!(!repo.root().join("air/ran").exists());
}
