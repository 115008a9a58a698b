//! The screen on a real terminal.

use std::process::Command;

use heights_vitals::{Announcement, Place, Tier};

use crate::app::App;
use crate::terminal::Terminal;

/// What a terminal is told when the screen is left: the lines of before are there again.
const RESTORED: &str = "\x1b[?1049l";

fn vitals(app: &App, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitals"));
    command.args(args).env("XDG_RUNTIME_DIR", app.folder()).env("LC_ALL", "C.UTF-8");
    command
}

/// Does what blocks beside what the application does.
async fn on_a_terminal<T: Send + 'static>(
    command: Command,
    play: impl FnOnce(Terminal) -> T + Send + 'static,
) -> T {
    tokio::task::spawn_blocking(move || play(Terminal::run(command))).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_is_killed_from_the_screen_comes_back() {
    let app = App::start(Tier::Control).await;
    let attach = vitals(&app, &["attach", &std::process::id().to_string()]);
    let before = app.pull.running().await.process().pid().to_string();
    let (code, last) = on_a_terminal(attach, |mut terminal| {
        terminal.until("pull-7");
        terminal.press(":kill pull-7\r");
        let foreseen = terminal.until("[y/N]");
        assert!(foreseen.contains("restarts"), "{foreseen}");
        terminal.press("y\r");
        terminal.until("killed");
        terminal.press("q");
        terminal.end()
    })
    .await;
    assert_eq!(code, Some(0), "{last}");
    assert!(last.contains(RESTORED), "{last}");
    assert_eq!(app.run(&["wait", "restarts(pull-7)=1 && state(**)=idle"]).await.code(), 0);
    assert_ne!(app.pull.running().await.process().pid().to_string(), before);
    app.root.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_several_processes_somebody_is_asked_which_one() {
    let app = App::start(Tier::Read).await;
    // Another one that lives, but says nothing.
    let another = Place::new(app.directory(), std::os::unix::process::parent_id());
    let name = "another".to_owned();
    let (version, os_pid) = (String::new(), std::os::unix::process::parent_id());
    another.announce(&Announcement { name, version, os_pid, started_ms: 0 }).unwrap();
    let ours = format!("  {}  demo", std::process::id());
    let (code, last) = on_a_terminal(vitals(&app, &[]), move |mut terminal| {
        let asked = terminal.until("which one?");
        assert!(asked.contains("  another"), "{asked}");
        let line = asked.lines().find(|line| line.contains(&ours)).unwrap();
        let number = line.split_whitespace().next().unwrap().to_owned();
        terminal.press(&format!("{number}\r"));
        terminal.until("pull-7");
        terminal.press("q");
        terminal.end()
    })
    .await;
    assert_eq!(code, Some(0), "{last}");
    let (code, said) = on_a_terminal(vitals(&app, &[]), |mut terminal| {
        terminal.until("which one?");
        terminal.press("none\r");
        terminal.end()
    })
    .await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nothing was done"), "{said}");
    app.root.stop().await;
}

#[tokio::test]
async fn without_a_terminal_there_is_no_screen() {
    let app = App::start(Tier::Read).await;
    let ran = app.run(&["attach", &std::process::id().to_string()]).await;
    assert_eq!(ran.code(), 2);
    assert!(ran.stderr().contains("not a terminal"), "{}", ran.stderr());
    app.root.stop().await;
}
