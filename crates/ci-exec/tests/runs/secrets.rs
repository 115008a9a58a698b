//! Secrets: commands see them, and nothing that is written does.

use std::fs;
use std::path::Path;

use ci_domain::secret::Secret;
use ci_exec::{CommandId, Fact, Outcome, RunDir, RunState, Secrets, StartError};

use crate::support::{Place, Run, command_with, launcher, until, written};

const SECRET: &str = "correct horse+battery/staple";

fn secrets() -> Secrets {
    let named = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
    [named("HORSE", SECRET), named("KEY", "first line\nsecond line\n")].into_iter().collect()
}

async fn start(place: &Place) -> RunDir {
    let dir = place.create();
    launcher().start_with(&dir, &secrets()).await.unwrap();
    dir
}

/// Asserts that no file below `folder` has a byte of it.
fn assert_nowhere(folder: &Path, secret: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere(&path, secret);
        } else if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!is_there, "{secret:?} is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn commands_see_secrets_and_logs_do_not() {
    let place = Place::with_command(
        "printf '%s' \"$HORSE\" | wc -c; echo \"<$HORSE>\"; printf '%s' \"$HORSE\" | base64; echo \"$KEY\"; \
         printf '%s' \"$KEY\" | wc -l",
    );
    let run = Run::follow(&start(&place).await).await;
    assert_eq!(run.outcome, Outcome::Passed);
    assert_eq!(run.log_text("0-1"), "28\n<***>\n***\n***\n\n2\n");
    for secret in [SECRET, "Y29ycmVjdCBob3Jz", "first line", "second line"] {
        assert_nowhere(run.dir.path(), secret);
    }
}

#[tokio::test]
async fn a_sandbox_hands_secrets_on_by_nothing_that_others_see() {
    let command = "echo \"<$HORSE>\"; printf '%s' \"$HORSE\" | wc -c; echo up > up; \
                   until [ -e go ]; do sleep 0.01; done";
    let Some(place) = Place::with_command(command).in_sandbox() else { return };
    let dir = start(&place).await;
    written(&place.file("up")).await;
    for process in fs::read_dir("/proc").unwrap() {
        let arguments = fs::read(process.unwrap().path().join("cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).into_owned();
        assert!(!arguments.contains("battery/staple"), "{arguments}");
    }
    fs::write(place.file("go"), "").unwrap();
    let run = Run::follow(&dir).await;
    assert_eq!(run.log_text("0-1"), "<***>\n28\n");
    assert_nowhere(run.dir.path(), SECRET);
}

#[tokio::test]
async fn a_secret_that_comes_in_pieces_is_masked_and_the_rest_is_seen_at_once() {
    let place = Place::with_command(
        "printf 'token: correct '; echo up > up; until [ -e go ]; do sleep 0.01; done; \
         printf 'horse+battery/staple ok'",
    );
    let dir = start(&place).await;
    written(&place.file("up")).await;
    let log = dir.log(&CommandId::parse("0-1").unwrap());
    until("what is no secret", || log.read_at(0, 64).unwrap().bytes == b"token: ").await;
    fs::write(place.file("go"), "").unwrap();
    let run = Run::follow(&dir).await;
    assert_eq!(run.log_text("0-1"), "token: *** ok");
}

#[tokio::test]
async fn a_runner_shows_its_secrets_to_nobody() {
    let place = Place::with_command("echo up > up; until [ -e go ]; do sleep 0.01; done");
    let dir = start(&place).await;
    written(&place.file("up")).await;
    let pid = dir.identity().unwrap().unwrap().pid;
    for file in ["cmdline", "environ"] {
        let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("horse"), "{file}");
    }
    // What it was handed is gone, for whoever could look at its files.
    assert_eq!(fs::read_link(format!("/proc/{pid}/fd/0")).unwrap(), Path::new("/dev/null"));
    assert!(!format!("{:?}", secrets()).contains("horse"));
    fs::write(place.file("go"), "").unwrap();
    Run::follow(&dir).await;
}

#[tokio::test]
async fn what_is_declared_goes_before_secrets() {
    let mut place = Place::new(vec![command_with("echo $ONE $TWO $THREE", |command| {
        command.env.insert("THREE".into(), "of the command".into());
    })]);
    place.spec.env.insert("TWO".into(), "of the component".into());
    let named = |name: &str| (name.to_owned(), Secret::new("of the node"));
    let secrets: Secrets = ["ONE", "TWO", "THREE"].map(named).into_iter().collect();
    let dir = place.create();
    launcher().start_with(&dir, &secrets).await.unwrap();
    let run = Run::follow(&dir).await;
    assert_eq!(run.log_text("0-1"), "*** of the component of the command\n");
}

#[tokio::test]
async fn facts_name_no_secret() {
    let place = Place::with_command(&format!("echo '{SECRET}' >&2; exit 3"));
    let run = Run::follow(&start(&place).await).await;
    let titles = run.facts.iter().filter_map(|fact| match fact {
        Fact::CommandStarted { title, .. } => Some(title.as_str()),
        _ => None,
    });
    assert_eq!(titles.collect::<Vec<_>>(), ["echo '***' >&2; exit 3"]);
    let Outcome::Failed { commands, .. } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert_eq!(commands[0].title, "echo '***' >&2; exit 3");
    for file in ["journal", "exit.json", "runner.log"] {
        let text = fs::read_to_string(run.dir.path().join(file)).unwrap();
        assert!(!text.contains("horse"), "{file}: {text}");
    }
}

#[tokio::test]
async fn what_breaks_the_runner_names_no_secret_either() {
    let mut place = Place::with_command("true");
    place.spec.working_dir = place.file("first line");
    let run = Run::follow(&start(&place).await).await;
    let Outcome::Crashed { reason } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(reason.contains("/***"), "{reason}");
}

#[tokio::test]
async fn an_attempt_that_is_started_again_is_handed_its_secrets_again() {
    let place = Place::with_command("echo \"$HORSE\" | wc -c");
    let dir = place.create();
    let socket = dir.path().join("control.sock");
    // A folder in the place of the socket keeps the first runner from its work.
    fs::create_dir(&socket).unwrap();
    let refused = launcher().start_with(&dir, &secrets()).await;
    assert!(matches!(refused, Err(StartError::Refused { .. })), "{refused:?}");
    assert_eq!(dir.state().unwrap(), RunState::NotStarted);
    fs::remove_dir(&socket).unwrap();
    let run = Run::follow(&start(&place).await).await;
    assert_eq!((run.outcome.clone(), run.log_text("0-1")), (Outcome::Passed, "29\n".into()));
}
