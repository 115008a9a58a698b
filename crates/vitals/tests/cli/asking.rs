//! Asking why, waiting, checking, and acting.

use heights_vitals::Tier;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::app::App;
use crate::app::clinic::Msg;

/// Holds the store and lets the pull ask it.
async fn jammed(app: &App) -> oneshot::Sender<()> {
    let release = app.hold_store();
    app.pull.cast(Msg::Ask(app.store.clone())).unwrap();
    let ran = app.run(&["wait", "state(pull-7)=waiting && state(store)=busy"]).await;
    assert_eq!((ran.code(), ran.stdout()), (0, String::new()), "{}", ran.stderr());
    release
}

#[tokio::test]
async fn why_follows_a_call_to_the_cause() {
    let app = App::start(Tier::Read).await;
    let release = jammed(&app).await;
    let ran = app.run(&["why", "pull-7"]).await;
    let text = ran.stdout();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("demo/pulls/pull-7: has been handling Ask for"), "{text}");
    assert!(lines[0].ends_with("awaits the answer of demo/store"), "{text}");
    assert!(lines[1].starts_with(" └ ") && lines[1].contains("handling Dawdle for"), "{text}");
    assert!(lines[1].contains("behind at most 1 messages"), "{text}");
    assert!(lines[1].ends_with("◄ cause"), "{text}");
    let only = "Not a deadlock. demo/pulls/pull-7 is the only actor that waits for demo/store.";
    assert_eq!(lines[2], only);
    assert!(ran.stderr().contains("vitals kill demo/store --dry-run"));
    let answer = app.json(&["why", "pull-7"]).await;
    assert_eq!(answer["verdict"]["cause"], "handling");
    assert_eq!(answer["links"][1]["facts"][0]["fact"], "in_line");
    drop(release);
    assert_eq!(app.run(&["wait", "state(**)=idle"]).await.code(), 0);
    let text = app.run(&["why", "pull-7"]).await.stdout();
    assert!(text.ends_with("Nothing keeps it.\n"), "{text}");
    app.root.stop().await;
}

#[tokio::test]
async fn actors_that_await_each_other_are_a_deadlock() {
    let app = App::start(Tier::Control).await;
    // Both are to ask each other before either is asked.
    for name in ["store", "pull-7"] {
        assert_eq!(app.run(&["suspend", name, "--yes"]).await.code(), 0);
    }
    app.pull.cast(Msg::Ask(app.store.clone())).unwrap();
    app.store.cast(Msg::Ask(app.pull.clone())).unwrap();
    for name in ["store", "pull-7"] {
        assert_eq!(app.run(&["resume", name]).await.code(), 0);
    }
    let both = "state(pull-7)=waiting && state(store)=waiting";
    assert_eq!(app.run(&["wait", both]).await.code(), 0);
    let text = app.run(&["why", "store"]).await.stdout();
    let cycle = "Deadlock: demo/store → demo/pulls/pull-7 → demo/store";
    assert_eq!(text.lines().last(), Some(cycle), "{text}");
    assert_eq!(app.run(&["kill", "pull-7", "--yes"]).await.code(), 0);
    assert_eq!(app.run(&["wait", "state(**)=idle"]).await.code(), 0, "one of them was enough");
    app.root.stop().await;
}

#[tokio::test]
async fn waiting_in_vain_says_what_is_missing() {
    let app = App::start(Tier::Read).await;
    let ran = app.run(&["wait", "mailbox(store) > 5", "--timeout", "300ms"]).await;
    assert_eq!(ran.code(), 5);
    assert_eq!(ran.stderr(), "vitals: timed out after 300ms\n  mailbox(demo/store)=0\n");
    let ran = app.run(&["wait", "mailbox(store) ~ 5"]).await;
    assert_eq!(ran.code(), 2);
    let expected = "at character 16: expected one of = != < <= > >=, found ~ 5";
    assert!(ran.stderr().contains(expected), "{}", ran.stderr());
    app.root.stop().await;
}

#[tokio::test]
async fn check_finds_what_is_wrong_and_says_so_by_its_exit_code() {
    let app = App::start(Tier::Read).await;
    let ran = app.run(&["check"]).await;
    assert_eq!(ran.code(), 0);
    assert!(ran.stdout().starts_with("ok") && ran.stdout().contains("4 actors, nothing is wrong"));
    let release = jammed(&app).await;
    let held: Vec<_> = (0..3).map(|_| app.hold_store()).collect();
    let args = ["check", "--backlog", "4", "--stuck", "0s", "--rule", "state(**)=idle"];
    let ran = app.run(&args).await;
    let text = ran.stdout();
    assert_eq!(ran.code(), 1, "{text}");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "FAIL demo/store 4 messages wait",
        "FAIL demo/store it has handled Dawdle for",
        "FAIL demo/pulls/pull-7 it has handled Ask for",
        "FAIL rule state(demo/store)=busy",
    ] {
        assert!(text.lines().any(|line| words(line).starts_with(expected)), "{expected}: {text}");
    }
    drop((release, held));
    for crashes in 1..=3 {
        app.store.cast(Msg::Crash).unwrap();
        let again = format!("restarts(store)={crashes} && state(**)=idle");
        assert_eq!(app.run(&["wait", &again]).await.code(), 0);
    }
    let ran = app.run(&["check", "-o", "json"]).await;
    let answer: Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!((ran.code(), &answer["healthy"]), (1, &Value::from(false)));
    let rules = answer["findings"].as_array().unwrap().iter();
    let rules: Vec<&str> = rules.filter_map(|finding| finding["rule"].as_str()).collect();
    assert!(rules.contains(&"crashes") && rules.contains(&"intensity"), "{rules:?}");
    app.root.stop().await;
}

#[tokio::test]
async fn a_suspended_server_leaves_its_messages_waiting_until_it_is_resumed() {
    let app = App::start(Tier::Control).await;
    let ran = app.run(&["suspend", "store", "--yes"]).await;
    assert!(ran.stdout().starts_with("suspended "), "{}", ran.stderr());
    let waiting: Vec<_> = (0..3).map(|_| app.hold_store()).collect();
    let held = "state(store)=suspended && mailbox(store)=3";
    assert_eq!(app.run(&["wait", held]).await.code(), 0);
    let queues = app.run(&["queues"]).await.stdout();
    assert!(queues.lines().nth(1).unwrap().starts_with("3 "), "{queues}");
    let why = app.run(&["why", "store"]).await;
    assert!(why.stdout().contains("is suspended   ◄ cause"), "{}", why.stdout());
    assert!(why.stderr().contains("vitals resume demo/store"));
    assert_eq!(app.run(&["check"]).await.code(), 0, "somebody has suspended it on purpose");
    assert_eq!(app.run(&["resume", "store"]).await.code(), 0);
    drop(waiting);
    assert_eq!(app.run(&["wait", "mailbox(store)=0 && handled(store)=3"]).await.code(), 0);
    assert_eq!(app.run(&["suspend", "pulls", "--yes"]).await.code(), 2, "it is no server");
    app.root.stop().await;
}

#[tokio::test]
async fn a_restarted_actor_has_another_life() {
    let app = App::start(Tier::Control).await;
    let ran = app.run(&["restart", "pull-7", "--dry-run"]).await;
    let expected = "restarts  demo/pulls/pull-7; 3 left before its supervisor gives up";
    assert!(ran.stdout().contains(expected), "{}", ran.stdout());
    assert_eq!(app.run(&["restart", "pull-7", "--yes"]).await.code(), 0);
    assert_eq!(app.run(&["wait", "restarts(pull-7)=1"]).await.code(), 0);
    assert_eq!(app.run(&["restart", "@root", "--yes"]).await.code(), 2, "nobody restarts a root");
    app.root.stop().await;
}

#[tokio::test]
async fn what_happens_is_told_as_it_happens() {
    let app = App::start(Tier::Control).await;
    let mut command = app.vitals(&["watch", "-n", "3", "-o", "json"]);
    command.stdout(std::process::Stdio::piped());
    let watching = tokio::task::spawn_blocking(move || command.spawn().unwrap());
    let watching = watching.await.unwrap();
    let told = tokio::task::spawn_blocking(move || watching.wait_with_output().unwrap());
    // Nobody says that the watch has begun, so it is given something to tell until it has enough.
    while !told.is_finished() {
        app.store.cast(Msg::Crash).ok();
        app.run(&["wait", "state(**)=idle"]).await;
        tokio::task::yield_now().await;
    }
    let told = String::from_utf8(told.await.unwrap().stdout).unwrap();
    let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<u64> = events.iter().filter_map(|event| event["id"].as_u64()).collect();
    assert_eq!(ids, [ids[0], ids[0] + 1, ids[0] + 2], "{told}");
    assert!(events.iter().any(|event| event["path"] == "demo/store"), "{told}");
}

#[tokio::test]
async fn crashes_that_are_the_same_again_are_put_together() {
    let app = App::start(Tier::Read).await;
    for crashes in 1..=2 {
        app.store.cast(Msg::Crash).unwrap();
        let again = format!("restarts(store)={crashes} && state(**)=idle");
        assert_eq!(app.run(&["wait", &again]).await.code(), 0);
    }
    let groups = app.json(&["crashes", "--group"]).await;
    let group = &groups["groups"][0];
    assert_eq!(
        (group["count"].as_u64(), &group["paths"][0]),
        (Some(2), &Value::from("demo/store"))
    );
    let fingerprint = group["fingerprint"].as_str().unwrap();
    let shown = app.run(&["crashes", "show", fingerprint]).await.stdout();
    assert!(
        shown.contains("the form is missing") && shown.contains("message      Crash"),
        "{shown}"
    );
    assert!(app.run(&["crashes", "--group"]).await.stdout().contains(fingerprint));
    assert_eq!(app.run(&["crashes", "show", "000000"]).await.code(), 3);
    app.root.stop().await;
}

#[tokio::test]
async fn a_state_that_nobody_has_seen_before_says_what_keeps_it() {
    let app = App::start(Tier::Read).await;
    let release = app.hold_store();
    assert_eq!(app.run(&["wait", "state(store)=busy"]).await.code(), 0);
    let ran = app.run(&["state", "store"]).await;
    assert_eq!((ran.code(), ran.stdout()), (0, String::new()), "{}", ran.stderr());
    let words = "no view of demo/store yet: nobody has asked before; handler Dawdle has run for";
    assert!(ran.stderr().starts_with(words), "{}", ran.stderr());
    let answer = app.json(&["state", "store"]).await;
    assert_eq!((&answer["view"], &answer["missing"]), (&Value::Null, &Value::from("not_yet")));
    drop(release);
    assert_eq!(app.run(&["wait", "state(store)=idle"]).await.code(), 0);
    assert_eq!(app.json(&["state", "store"]).await["view"]["kept"], 0);
    let release = app.hold_store();
    assert_eq!(app.run(&["wait", "state(store)=busy"]).await.code(), 0);
    let ran = app.run(&["state", "store", "--path", ".kept"]).await;
    assert_eq!((ran.code(), ran.stdout()), (0, "0\n".to_owned()));
    assert!(ran.stderr().starts_with("stale: handler Dawdle has run for"), "{}", ran.stderr());
    drop(release);
    assert_eq!(app.run(&["state", "pulls"]).await.code(), 1, "it never shows anything");
    app.root.stop().await;
}

#[tokio::test]
async fn a_state_has_no_more_bytes_than_were_asked_for() {
    let app = App::start(Tier::Read).await;
    let whole = app.run(&["state", "store", "--bytes", "1000"]).await;
    assert!(whole.stdout().contains("\"drawer\": \"***\""), "{}", whole.stdout());
    assert_eq!((whole.code(), whole.stderr()), (0, String::new()));
    let cut = app.run(&["state", "store", "--bytes", "0"]).await;
    assert!(cut.stdout().contains("\"drawer\": \"‹cut›\""), "{}", cut.stdout());
    let said = "something was left out: the view would have been too large\n";
    assert_eq!((cut.code(), cut.stderr().as_str()), (0, said));
    app.root.stop().await;
}

#[tokio::test]
async fn doctor_and_metrics_tell_of_the_process_itself() {
    let app = App::start(Tier::Read).await;
    let ran = app.run(&["doctor"]).await;
    assert_eq!(ran.code(), 0, "{}", ran.stdout());
    for part in ["the inspector answers in", "of mode 700", "the runtime lives: 1 threads"] {
        assert!(ran.stdout().contains(part), "{part}: {}", ran.stdout());
    }
    let metrics = app.run(&["metrics"]).await.stdout();
    assert!(metrics.contains("heights_mailbox_messages{path=\"demo/store\"} 0\n"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
    app.root.stop().await;
}
