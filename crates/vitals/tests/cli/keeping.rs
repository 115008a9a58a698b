//! Snapshots: what is kept of a process answers like the process.

use std::fs;

use heights_vitals::Tier;
use serde_json::Value;

use crate::app::App;

/// Forgets the times at which something was asked.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("_ms"));
            fields.values_mut().for_each(|field| *field = timeless(field.take()));
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| *part = timeless(part.take())),
        _ => {}
    }
    value
}

#[tokio::test]
async fn a_snapshot_gives_the_same_answers_as_the_process() {
    let app = App::start(Tier::Read).await;
    let store = app.store.running().await;
    app.names.register("the store".to_owned(), 7, store.process().owner()).unwrap();
    let file = app.path("before.json");
    assert_eq!(app.run(&["snapshot", "--states", &file]).await.code(), 0);
    assert!(!fs::read_to_string(&file).unwrap().contains("under the plant"), "a secret is kept");
    for question in [
        &["tree"][..],
        &["top", "--sort", "wait"],
        &["info", "store"],
        &["why", "store"],
        &["crashes"],
        &["queues"],
        &["check"],
        &["wait", "exists(store)"],
        &["registry"],
        &["groups"],
        &["state", "store"],
        &["state", "store", "--path", ".drawer"],
    ] {
        let living = app.json(question).await;
        let kept = app.json(&[question, &["--from", &file]].concat()).await;
        assert_eq!(timeless(living), timeless(kept), "{question:?}");
    }
    let metrics = app.run(&["metrics", "--from", &file]).await.stdout();
    assert!(metrics.contains("heights_mailbox_messages{path=\"demo/store\"} 0\n"), "{metrics}");
    assert_eq!(app.run(&["info", "nobody", "--from", &file]).await.code(), 3);
    assert_eq!(app.run(&["kill", "store", "--from", &file]).await.code(), 2);
    let bare = app.path("bare.json");
    assert_eq!(app.run(&["snapshot", &bare]).await.code(), 0);
    let ran = app.run(&["state", "store", "--from", &bare]).await;
    assert_eq!(ran.code(), 2);
    assert!(ran.stderr().contains("take the snapshot with --states"), "{}", ran.stderr());
    app.root.stop().await;
}

#[tokio::test]
async fn a_snapshot_is_never_written_over_and_a_broken_one_is_named() {
    let app = App::start(Tier::Read).await;
    let file = app.path("kept.json");
    fs::write(&file, r#"{"schema":"vitals.picture/1","#).unwrap();
    let ran = app.run(&["snapshot", &file]).await;
    assert_eq!(ran.code(), 2);
    assert!(ran.stderr().contains("kept.json: File exists"), "{}", ran.stderr());
    let ran = app.run(&["tree", "--from", &file]).await;
    assert_eq!(ran.code(), 2);
    assert!(ran.stderr().contains("kept.json: EOF while parsing"), "{}", ran.stderr());
    app.root.stop().await;
}

#[tokio::test]
async fn a_diff_tells_what_has_changed_and_nothing_else() {
    let app = App::start(Tier::Control).await;
    let (before, after) = (app.path("before.json"), app.path("after.json"));
    assert_eq!(app.run(&["snapshot", &before]).await.code(), 0);
    assert_eq!(app.run(&["diff", &before, &before]).await.stdout(), "");
    app.run(&["kill", "pull-7", "--yes"]).await;
    assert_eq!(app.run(&["wait", "restarts(pull-7)=1"]).await.code(), 0);
    assert_eq!(app.run(&["snapshot", &after]).await.code(), 0);
    let answer = app.json(&["diff", &before, &after]).await;
    let changed = answer["changed"].as_array().unwrap();
    let paths: Vec<&Value> = changed.iter().map(|change| &change["path"]).collect();
    assert_eq!(paths, ["demo/pulls/pull-7"], "{answer}");
    assert_eq!(answer["crashes"][0], "demo/pulls/pull-7: killed");
    let text = app.run(&["diff", &before]).await.stdout();
    assert!(text.contains("restarts 0 → 1"), "{text}");
    assert!(text.contains("crashed  demo/pulls/pull-7: killed"), "{text}");
    app.root.stop().await;
}
