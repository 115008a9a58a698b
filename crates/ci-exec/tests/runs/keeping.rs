//! What is kept of the files that commands leave.

use std::fs;
use std::io::Read;

use ci_domain::secret::Secret;
use ci_domain::step::{Keeps, Step};
use ci_domain::test_report::TestReport;
use ci_exec::{CommandId, KeepLimits, Kept, Outcome, RunDir, Secrets};

use crate::support::{Place, Run, command, command_with, launcher, parallel_with};

/// A command that asks for files.
fn keeping(run: &str, artifacts: &[&str]) -> Step {
    command_with(run, |command| command.keeps = keeps(artifacts))
}

fn keeps(artifacts: &[&str]) -> Keeps {
    let artifacts = artifacts.iter().map(ToString::to_string).collect();
    Keeps { artifacts, junit: Vec::new() }
}

fn kept(dir: &RunDir, command: &str) -> Kept {
    dir.kept(&CommandId::parse(command).unwrap()).unwrap().expect("it has kept something")
}

/// A command that tells of its tests.
fn testing(run: &str, junit: &[&str]) -> Step {
    let junit = junit.iter().map(ToString::to_string).collect();
    command_with(run, |command| command.keeps = Keeps { artifacts: Vec::new(), junit })
}

fn tests(dir: &RunDir, command: &str) -> Option<TestReport> {
    dir.tests(&CommandId::parse(command).unwrap()).unwrap()
}

/// The paths with what they hold.
fn files(dir: &RunDir, kept: &Kept) -> Vec<String> {
    let content = |digest| {
        let mut text = String::new();
        dir.artifact(digest).unwrap().unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let artifacts = kept.artifacts.iter();
    artifacts.map(|file| format!("{}={}", file.path, content(&file.digest))).collect()
}

fn notes(kept: &Kept) -> Vec<String> {
    kept.notes.iter().map(|note| format!("{} {}", note.what, note.why)).collect()
}

fn assert_kept(run: &Run, command: &str, expected: &[&str], expected_notes: &[&str]) {
    let kept = kept(&run.dir, command);
    assert_eq!(
        (files(&run.dir, &kept), notes(&kept)),
        (
            expected.iter().map(ToString::to_string).collect(),
            expected_notes.iter().map(ToString::to_string).collect::<Vec<_>>()
        )
    );
}

/// A place whose component is the folder `air`.
fn in_component(steps: Vec<Step>) -> Place {
    let mut place = Place::new(steps);
    place.spec.working_dir = place.file("air");
    fs::create_dir(place.file("air")).unwrap();
    place
}

#[tokio::test]
async fn what_a_command_leaves_is_kept_as_it_was_when_it_ended() {
    let make = "mkdir -p dist/x .git ../docs; echo 1 > dist/a; echo 2 > dist/x/b; echo 3 > ../docs/c; \
                echo 4 > dist/.git; printf %s \"$TRY\" > dist/a.tmp";
    let place = in_component(vec![
        keeping(make, &["dist/", "!dist/*.tmp", "/docs/*", "absent/*.zip"]),
        command("rm -r dist; mkdir dist; echo later > dist/a"),
    ]);
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed);
    let expected = ["air/dist/a=1\n", "air/dist/x/b=2\n", "docs/c=3\n"];
    assert_kept(&run, "0-1", &expected, &["absent/*.zip matches no file"]);
    assert_eq!(run.dir.kept(&CommandId::parse("1-1").unwrap()).unwrap(), None);
}

#[tokio::test]
async fn a_command_that_fails_leaves_files_too_and_each_try_its_own() {
    let text = "echo x >> log; cat log; exit 1";
    let retried = command_with(text, |command| {
        command.keeps = keeps(&["log"]);
        command.retry = 1;
    });
    let slow = command_with("sleep 600", |command| {
        command.keeps = keeps(&["log"]);
        command.timeout = Some(std::time::Duration::from_secs(1));
        command.always = true;
    });
    let run = Place::new(vec![retried, slow]).run().await;
    assert_kept(&run, "0-1", &["log=x\n"], &[]);
    assert_kept(&run, "0-2", &["log=x\nx\n"], &[]);
    assert_kept(&run, "1-1", &["log=x\nx\n"], &[]);
}

#[tokio::test]
async fn no_name_leads_out_of_the_workspace_or_makes_the_runner_wait() {
    let text = "ln -s /etc/passwd link; ln -s /etc dir; mkdir d; mkfifo d/pipe; ln -s ../../secret d/up; \
                echo x > 'a\nb'; echo y > d/good; echo z > \"$(printf 'bad\\377')\"";
    let place = Place::new(vec![keeping(text, &["*", "d/*", "dir/passwd", "d"])]);
    fs::write(place.root().join("secret"), "secret").unwrap();
    let run = place.run().await;
    let kept = kept(&run.dir, "0-1");
    assert_eq!(files(&run.dir, &kept), ["d/good=y\n"]);
    let mut notes = notes(&kept);
    notes.sort();
    assert_eq!(
        notes,
        [
            "a\\nb has a name that cannot be printed",
            "bad\u{fffd} has a name that is no UTF-8",
            "d is a folder: a / at the end stands for all that is in it",
            "d/pipe was not kept: it is no file",
            "d/up was not kept: it is a symbolic link",
            "dir was not kept: it is a symbolic link",
            "dir/passwd matches no file",
            "link was not kept: it is a symbolic link",
        ]
    );
}

#[tokio::test]
async fn limits_refuse_and_say_so() {
    let text =
        "printf 123 > a; printf 123 > b; printf 12345 > c; printf 1234 > d; echo > e; echo > f";
    let mut place = Place::new(vec![keeping(text, &["*"])]);
    place.spec.keep_limits = KeepLimits { file_bytes: 4, job_bytes: 6, files: 3 };
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed);
    let notes = [
        "c was not kept: it has 5 bytes, and 4 are allowed for a file",
        "d was not kept: it has 4 bytes, and 3 are left of what the job may keep",
        "f was not kept: a job may keep 3 files",
    ];
    assert_kept(&run, "0-1", &["a=123", "b=123", "e=\n"], &notes);
    // The same content is there once.
    assert_eq!(fs::read_dir(run.dir.artifacts_path()).unwrap().count(), 2);
}

#[tokio::test]
async fn what_is_cancelled_keeps_nothing_and_always_steps_do() {
    let stopped = keeping("echo x > x; sleep 600", &["x"]);
    let failing = command("until [ -e x ]; do sleep 0.01; done; false");
    let group = parallel_with(None, true, vec![stopped, failing]);
    let last = command_with("echo y > y", |command| {
        command.always = true;
        command.keeps = keeps(&["*"]);
    });
    let run = Place::new(vec![group, last]).run().await;
    assert_eq!(run.dir.kept(&CommandId::parse("0.0-1").unwrap()).unwrap(), None);
    assert_kept(&run, "1-1", &["x=x\n", "y=y\n"], &[]);
}

#[tokio::test]
async fn names_are_told_without_secrets() {
    let secret = "correct horse battery staple";
    let place = Place::new(vec![keeping("echo x > \"a $WORD\"", &["a*", "b*"])]);
    let dir = place.create();
    let secrets: Secrets = [("WORD".to_owned(), Secret::new(secret))].into_iter().collect();
    launcher().start_with(&dir, &secrets).await.unwrap();
    let run = Run::follow(&dir).await;
    assert_kept(&run, "0-1", &["a ***=x\n"], &["b* matches no file"]);
}

#[tokio::test]
async fn a_sandbox_changes_nothing_of_it() {
    let text = "mkdir d; echo x > d/x; ln -s /etc/passwd d/link";
    let Some(place) = Place::new(vec![keeping(text, &["d/"])]).in_sandbox() else { return };
    let run = place.run().await;
    assert_kept(&run, "0-1", &["d/x=x\n"], &["d/link was not kept: it is a symbolic link"]);
}

#[tokio::test]
async fn reports_of_tests_are_read_when_the_command_has_ended() {
    let one = "<testsuite name=\"s\"><testcase name=\"good\"/><testcase name=\"bad\"><failure>no</failure></testcase></testsuite>";
    let run = format!(
        "mkdir out; echo '{one}' > out/1.xml; echo '<testsuite><testcase name=\"x\"' > out/2.xml; exit 1"
    );
    let place = Place::new(vec![testing(&run, &["out/*.xml", "none.xml"]), command("rm -r out")]);
    let run = place.run().await;
    let report = tests(&run.dir, "0-1").unwrap();
    assert_eq!(report.passed.iter().collect::<Vec<_>>(), ["s › good"]);
    assert_eq!(report.failed["s › bad"].message, "no");
    let notes = notes(&kept(&run.dir, "0-1"));
    assert!(
        notes.iter().any(|note| note.starts_with("out/2.xml has an error at byte ")),
        "{notes:?}"
    );
    assert!(notes.contains(&"none.xml matches no file".to_owned()), "{notes:?}");
}

#[tokio::test]
async fn a_report_of_an_earlier_job_counts_for_nothing() {
    let place = Place::new(vec![testing("true", &["old.xml", "link.xml"])]);
    fs::write(place.file("old.xml"), "<testsuite><testcase name='a'/></testsuite>").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", place.file("link.xml")).unwrap();
    // By the clock of files, which stands still for some milliseconds, it has to be before.
    crate::support::until("the clock to go on", || {
        fs::write(place.file("clock"), "").unwrap();
        let changed = |name| fs::metadata(place.file(name)).unwrap().modified().unwrap();
        changed("clock") > changed("old.xml")
    })
    .await;
    let run = place.run().await;
    assert_eq!(tests(&run.dir, "0-1"), None);
    let mut notes = notes(&kept(&run.dir, "0-1"));
    notes.sort();
    assert_eq!(
        notes,
        [
            "link.xml was not kept: it is a symbolic link",
            "old.xml was not read: it is older than this job",
        ]
    );
}

#[tokio::test]
async fn reports_tell_no_secret() {
    let secret = "correct horse battery staple";
    let run = "printf '<testsuite><testcase name=\"of %s\"><failure>%s, or %s</failure></testcase></testsuite>' \
               \"$WORD\" \"$WORD\" \"$(printf %s \"$WORD\" | base64)\" > a.xml";
    let place = Place::new(vec![testing(run, &["a.xml"])]);
    let dir = place.create();
    let secrets: Secrets = [("WORD".to_owned(), Secret::new(secret))].into_iter().collect();
    launcher().start_with(&dir, &secrets).await.unwrap();
    let run = Run::follow(&dir).await;
    let report = tests(&run.dir, "0-1").unwrap();
    assert_eq!(report.failed["of ***"].message, "***, or ***");
}
