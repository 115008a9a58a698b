//! `run`: what people see, and where the logs are.

use std::fs;

use crate::support::Repo;

const SHOP: &str = "jobs:\n  compile: [\"true\"]\n  test:\n    - run: printf '\\033[31mred\\033[0m\\nout of cheese\\n'; exit 3\n      name: unit tests\n  docs: {needs: [test], steps: [\"true\"]}\n";

/// The text with every duration and the session's name replaced.
fn steady(text: &str) -> String {
    let words = |line: &str| {
        let word = |word: &str| {
            let bare = word.trim_end_matches([':', ',']);
            let number = bare.strip_suffix('s').unwrap_or("");
            if number.contains('.') && number.parse::<f64>().is_ok() {
                return word.replacen(bare, "<time>", 1);
            }
            match word
                .split_once("/runs/")
                .and_then(|(start, rest)| Some((start, rest.split_once('/')?)))
            {
                Some((start, (_, rest))) => format!("{start}/runs/<session>/{rest}"),
                None => word.to_owned(),
            }
        };
        line.split(' ').map(word).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn in_a_pipe_there_are_lines_and_the_failed_log_and_no_escape_codes() {
    let repo = Repo::on_topic(&[("air/ci.yaml", SHOP)]);
    let done = repo.ci_node(&["run", "--all", "--concurrency", "1"]).ended_with(1);
    insta::assert_snapshot!(steady(&done.stdout), @r"
    air:compile  started
    air:compile  passed in <time>
    air:test     started
    air:test     failed in <time>: unit tests: exit code 3
      ┌ unit tests (printf '\033[31mred\033[0m\nout of cheese\n'; exit 3): exit code 3
      │ red
      │ out of cheese
      └ /home/.local/state/ci-node/runs/<session>/air.test/logs/0-1.log
    air:docs     blocked: needs air:test

    passed     air:compile  <time>
    blocked    air:docs             needs air:test
    failed     air:test     <time>    unit tests: exit code 3
               logs: /home/.local/state/ci-node/runs/<session>/air.test/logs

    1 failed, 1 blocked, 1 passed in <time>
    ");
    assert_eq!(done.stderr, "");
    assert!(!done.stdout.contains('\u{1b}'));
}

#[test]
fn logs_are_kept_of_what_failed_only() {
    let repo = Repo::on_topic(&[("air/ci.yaml", SHOP)]);
    repo.ci_node(&["run", "--all"]).ended_with(1);
    let runs = repo.beside("home/.local/state/ci-node/runs");
    let sessions: Vec<_> =
        fs::read_dir(&runs).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [session] = sessions.as_slice() else { panic!("{sessions:?}") };
    let kept: Vec<_> =
        fs::read_dir(session).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(kept, ["air.test"]);
    fs::remove_dir_all(session).unwrap();
    repo.ci_node(&["run", "--all", "--job", "compile"]).ended_with(0);
    assert_eq!(fs::read_dir(&runs).unwrap().count(), 0);
}

#[test]
fn nothing_to_run_is_said() {
    let repo = Repo::on_topic(&[("air/ci.yaml", SHOP)]);
    let check = |args: &[&str], expected: &str| {
        let done = repo.ci_node(args).ended_with(0);
        assert_eq!(done.stdout, expected);
        done
    };
    let done = check(&["run"], "Nothing is affected: there is nothing to run.\n");
    assert_eq!(done.stderr, "--all runs what is not affected, too.\n");
    repo.write("web/ci.yaml", "jobs: {lint: [x]}");
    check(
        &["run", "--job", "test"],
        "No job that is affected was chosen: there is nothing to run.\n",
    );
    let empty = Repo::on_topic(&[]);
    for command in [["run"].as_slice(), &["run", "--all"], &["plan"]] {
        let done = empty.ci_node(command).ended_with(0);
        let said = "There is no component here: no folder has a ci.yaml.\n";
        assert!(done.stdout.ends_with(said), "{done:?}");
    }
}
