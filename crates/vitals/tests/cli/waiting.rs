//! Acting and waiting until it has happened, and what has to be said before much ends.

use heights_vitals::Tier;

use crate::app::App;

#[tokio::test]
async fn a_drained_server_ends_once_it_has_handled_what_waits() {
    let app = App::start(Tier::Control).await;
    let release = app.hold_store();
    assert_eq!(app.run(&["wait", "state(store)=busy"]).await.code(), 0);
    let ran = app.run(&["drain", "store", "--yes", "--wait", "--timeout", "300ms"]).await;
    assert_eq!(ran.code(), 5, "{}", ran.stdout());
    let said = ran.stderr();
    assert!(said.contains("drain demo/store is accepted, and not done yet"), "{said}");
    assert!(said.contains("has been handling Dawdle for"), "{said}");
    drop(release);
    assert_eq!(app.run(&["wait", "life(store)=2 && state(store)=idle"]).await.code(), 0);
    let ran = app.run(&["drain", "store", "--yes", "--wait", "--reason", "a test"]).await;
    assert_eq!(ran.code(), 0, "{}", ran.stderr());
    assert!(ran.stdout().starts_with("stopped "), "{}", ran.stdout());
    app.root.stop().await;
}

#[tokio::test]
async fn what_cannot_be_drained_says_what_to_do_instead() {
    let app = App::start(Tier::Control).await;
    let ran = app.run(&["drain", "pulls", "--yes"]).await;
    let words = "demo/pulls is a supervisor, and only servers have messages: drain those below it, or stop it";
    assert!(ran.code() == 2 && ran.stderr().contains(words), "{}", ran.stderr());
    app.root.stop().await;
}

#[tokio::test]
async fn a_script_that_ends_much_has_to_name_it() {
    let app = App::start(Tier::Control).await;
    for args in [&["kill", "pulls", "--yes"][..], &["kill", "pulls", "--confirm", "store"]] {
        let ran = app.run(args).await;
        assert_eq!(ran.code(), 2, "{args:?}: {}", ran.stderr());
    }
    assert_eq!(app.json(&["info", "pulls"]).await["actor"]["restarts"], 0);
    let ran = app.run(&["kill", "pulls", "--confirm", "pulls", "--wait"]).await;
    assert_eq!(ran.code(), 0, "{}", ran.stderr());
    assert_eq!(app.run(&["wait", "restarts(pulls)=1 && exists(pull-7)"]).await.code(), 0);
    app.root.stop().await;
}

#[tokio::test]
async fn an_action_that_waits_returns_when_it_has_happened() {
    let app = App::start(Tier::Control).await;
    let before = app.json(&["info", "store"]).await["actor"]["pid"].clone();
    let ran = app.run(&["restart", "store", "--yes", "--wait"]).await;
    assert!(ran.code() == 0 && ran.stdout().starts_with("restarted "), "{}", ran.stderr());
    let gone = app.run(&["info", before.as_str().unwrap()]).await;
    assert_eq!(gone.code(), 3, "{}", gone.stdout());
    assert_eq!(app.run(&["wait", "exists(store)"]).await.code(), 0);
    let ran = app.run(&["suspend", "store", "--yes", "--wait"]).await;
    assert_eq!(ran.code(), 0, "{}", ran.stderr());
    assert_eq!(app.json(&["info", "store"]).await["actor"]["state"], "suspended");
    assert_eq!(app.run(&["resume", "store", "--wait"]).await.code(), 0);
    assert_ne!(app.json(&["info", "store"]).await["actor"]["state"], "suspended");
    app.root.stop().await;
}
