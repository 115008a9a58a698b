//! The built program against a real application.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod app;
mod asking;
mod elsewhere;
mod guide;
mod keeping;
mod listing;
mod screen;
mod terminal;
mod waiting;

use std::process::Stdio;
use std::time::Instant;

use heights_vitals::Tier;
use serde_json::Value;

use crate::app::{App, CEILING, Ran};

#[tokio::test]
async fn lists_the_process_and_draws_its_tree() {
    let app = App::start(Tier::Read).await;
    let listing = app.run(&["ls"]).await.stdout();
    let row =
        listing.lines().find(|line| line.starts_with(&std::process::id().to_string())).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!((cells[1], cells[2], cells[4], cells[5]), ("demo", "1.2.3", "4", "0"));
    let tree = app.run(&["tree"]).await;
    let words: Vec<Vec<_>> = tree
        .stdout()
        .lines()
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect();
    assert_eq!(words[0][1], "demo");
    assert_eq!(words[0][4..], ["rest_for_one,", "3", "of", "3", "restarts", "left", "in", "5s"]);
    assert_eq!(words[1][..3], ["├─", "○", "store"]);
    assert_eq!(words[1][4..], ["permanent", "mbox", "0"]);
    assert_eq!(words[2][..3], ["└─", "○", "pulls"]);
    assert_eq!(words[3][..3], ["└─", "○", "pull-7"]);
    let part = app.run(&["tree", "demo", "-d", "1"]).await.stdout();
    assert!(part.ends_with("1 more not shown\n") && !part.contains("pull-7"), "{part}");
    app.root.stop().await;
}

#[tokio::test]
async fn a_killed_actor_comes_back_with_a_new_pid_and_one_more_restart() {
    let app = App::start(Tier::Control).await;
    let before = app.json(&["info", "pull-7"]).await;
    let killed = app.run(&["kill", "pull-7", "--yes", "--reason", "a test"]).await;
    let pid = before["actor"]["pid"].as_str().unwrap();
    assert_eq!(killed.stdout(), format!("killed {pid} demo/pulls/pull-7\n"));
    let start = Instant::now();
    let after = loop {
        let ran = app.json(&["tree"]).await;
        let actor =
            ran["actors"].as_array().unwrap().iter().find(|actor| actor["id"] == "pull-7").cloned();
        match actor {
            Some(actor) if actor["restarts"] == 1 => break actor,
            _ => assert!(start.elapsed() < CEILING, "waited in vain for a restart"),
        }
    };
    assert_ne!(after["pid"], before["actor"]["pid"]);
    let again = app.run(&["kill", pid, "--yes"]).await;
    assert_eq!(again.code(), 3);
    assert!(
        again.stderr().contains(&format!("now it is {}", after["pid"].as_str().unwrap())),
        "{}",
        again.stderr()
    );
    app.root.stop().await;
}

#[tokio::test]
async fn shows_what_crashed_and_who_has_most_of_something() {
    let app = App::start(Tier::Control).await;
    let pid = app.json(&["info", "pull-7"]).await["actor"]["pid"].as_str().unwrap().to_owned();
    app.run(&["kill", "pull-7", "--yes"]).await;
    let start = Instant::now();
    let top = loop {
        let top = app.json(&["top", "--sort", "restarts", "-n", "1"]).await;
        if top["actors"][0]["restarts"] == 1 {
            break top;
        }
        assert!(start.elapsed() < CEILING, "waited in vain for a restart");
    };
    assert_eq!((top["actors"][0]["id"].as_str(), top["total"].as_u64()), (Some("pull-7"), Some(4)));
    let crashes = app.json(&["crashes"]).await;
    assert_eq!(crashes["crashes"][0]["path"], "demo/pulls/pull-7");
    assert_eq!(
        (&crashes["crashes"][0]["pid"], &crashes["crashes"][0]["exit"]),
        (&Value::from(pid), &Value::from("killed"))
    );
    assert_eq!(app.json(&["crashes", "store"]).await["crashes"], Value::Array(Vec::new()));
    let table = app.run(&["crashes"]).await.stdout();
    assert!(table.starts_with("AGO") && table.ends_with("killed\n"), "{table}");
    let table = app.run(&["top"]).await.stdout();
    assert!(table.starts_with("PID") && table.lines().count() == 5, "{table}");
    app.root.stop().await;
}

#[tokio::test]
async fn a_dry_run_tells_what_would_happen() {
    let app = App::start(Tier::Read).await;
    let ran = app.run(&["kill", "store", "--dry-run"]).await;
    let text = ran.stdout();
    assert!(
        text.contains("would end 1 actor now: demo/store") && text.contains("along     demo/pulls"),
        "{text}"
    );
    assert!(text.contains("demo/pulls, and 1 actor below them, by the strategy"), "{text}");
    assert!(text.ends_with("nothing has been changed\n"));
    assert_eq!(app.json(&["info", "store"]).await["actor"]["incarnation"], 1);
    app.root.stop().await;
}

#[tokio::test]
async fn exit_codes_say_what_went_wrong() {
    let mut app = App::start(Tier::Read).await;
    assert_eq!(app.run(&["kill", "store", "--yes"]).await.code(), 4);
    assert_eq!(app.run(&["kill", "store"]).await.code(), 2, "a script has to say --yes");
    assert_eq!(app.run(&["info", "nobody"]).await.code(), 3);
    assert_eq!(app.run(&["info", "demo/pu"]).await.code(), 2, "ambiguous");
    assert_eq!(app.run(&["tree", "-p", "no-such-name"]).await.code(), 3);
    assert_eq!(app.run(&["frobnicate"]).await.code(), 2);
    let socket = app.inspector.take().unwrap().socket();
    assert_eq!(app.run(&["tree", "--socket", &socket.display().to_string()]).await.code(), 3);
    app.root.stop().await;
}

/// Accepts, and then either says nothing or speaks of another time.
async fn impostor(app: &App, answer: Option<&'static str>) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let path = app.folder().join(if answer.is_some() { "old.sock" } else { "mute.sock" });
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _read = stream.read(&mut [0; 1024]).await.unwrap();
        match answer {
            Some(answer) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
                stream.write_all((head + answer).as_bytes()).await.unwrap();
            }
            None => std::future::pending().await,
        }
    });
    serving.detach_all();
    path.display().to_string()
}

#[tokio::test]
async fn a_process_that_is_mute_or_speaks_another_protocol_is_told_apart() {
    let app = App::start(Tier::Read).await;
    let mute = impostor(&app, None).await;
    assert_eq!(app.run(&["tree", "--timeout", "0.2", "--socket", &mute]).await.code(), 5);
    let hello = r#"{"protocol":99,"name":"x","version":"","os_pid":1,"started_ms":0,"tier":"read","capabilities":[]}"#;
    let old = impostor(&app, Some(hello)).await;
    let ran = app.run(&["tree", "--socket", &old]).await;
    assert_eq!(ran.code(), 6, "{}", ran.stderr());
    app.root.stop().await;
}

#[tokio::test]
async fn a_reader_that_leaves_early_is_no_error() {
    let app = App::start(Tier::Read).await;
    let mut command = app.vitals(&["tree", "-o", "json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        child.wait_with_output().unwrap()
    });
    let ran = Ran(tokio::time::timeout(CEILING, ended).await.expect("vitals ends").unwrap());
    assert_eq!((ran.code(), ran.stderr()), (0, String::new()));
    app.root.stop().await;
}

#[tokio::test]
async fn json_names_its_schema_and_the_unknown_is_null() {
    let app = App::start(Tier::Read).await;
    for (args, schema) in [
        (&["ls"][..], "vitals.ls/1"),
        (&["tree"], "vitals.tree/1"),
        (&["info", "pulls"], "vitals.info/1"),
    ] {
        assert_eq!(app.json(args).await["schema"], schema);
    }
    assert_eq!(app.json(&["info", "pulls"]).await["actor"]["mailbox"], Value::Null);
    let printed = app.run(&["schema"]).await.stdout();
    let schema: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(schema["paths"]["GET /v1/tree"]["answer"]["$ref"], "#/$defs/Tree");
    app.root.stop().await;
}
