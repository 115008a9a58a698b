//! Answers while the application cannot give any.

use std::sync::mpsc;
use std::thread;

use heights_supervisor::Secret;
use heights_vitals::wire::{Cause, EventKind, Fact, State};
use heights_vitals::{Client, Tier};

use crate::support::{CANARY, CEILING, Msg, picture_when, start};

/// The only worker of the application's runtime is blocked; the inspector has a thread of its own.
#[test]
fn answers_while_the_runtime_of_the_application_is_blocked() {
    let (entered, blocking) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (told, socket) = mpsc::channel();
    let application = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let tree = start(Tier::Read).await;
            told.send(tree.inspector.socket()).unwrap();
            tree.store.cast(Msg::Block(entered, released)).unwrap();
            tree.store.call_within(CEILING, Msg::Ping).await.unwrap();
            tree.root.stop().await;
        });
    });
    blocking.recv_timeout(CEILING).expect("the handler blocks");
    let client = Client::new(socket.recv().unwrap()).patience(CEILING);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(client.actor("store")).unwrap().actor;
    assert_eq!((store.state, store.working.unwrap().label.as_str()), (State::Busy, "Block"));
    let silence = async {
        while client.picture().await.unwrap().runtime.unwrap().silent_ms < 500 {
            tokio::task::yield_now().await;
        }
    };
    runtime
        .block_on(async { tokio::time::timeout(CEILING, silence).await })
        .expect("no sign of life");
    drop(release);
    application.join().unwrap();
}

/// All workers sleep: everything is asked while they do, and the one who keeps them is named.
#[test]
fn names_who_blocks_all_threads_of_the_runtime() {
    let (entered, blocking) = mpsc::channel();
    let (told, socket) = mpsc::channel();
    let (releases, untils): (Vec<_>, Vec<_>) = (0..2).map(|_| mpsc::channel::<()>()).unzip();
    let application = thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let builder = builder.worker_threads(2).thread_name("a worker").enable_all();
        let runtime = builder.build().unwrap();
        let [first, second] = <[_; 2]>::try_from(untils).unwrap();
        runtime.block_on(async {
            let tree = start(Tier::Read).await;
            tree.store.cast(Msg::Block(entered.clone(), first)).unwrap();
            tree.pull_7.cast(Msg::Block(entered, second)).unwrap();
            told.send(tree.inspector.socket()).unwrap();
            // Behind what blocks.
            tree.store.call_within(CEILING, Msg::Ping).await.unwrap();
            tree.root.stop().await;
        });
    });
    let client = Client::new(socket.recv_timeout(CEILING).unwrap()).patience(CEILING);
    blocking.recv_timeout(CEILING).expect("one blocks");
    blocking.recv_timeout(CEILING).expect("two block");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let picture = runtime.block_on(picture_when(&client, "both to be named", |picture| {
        let runtime = picture.runtime.as_ref().unwrap();
        runtime.blocked.len() == 2
    }));
    let mut blocked = picture.runtime.unwrap().blocked;
    blocked.sort_by(|one, other| one.path.cmp(&other.path));
    let paths: Vec<_> = blocked.iter().map(|blocked| blocked.path.as_deref().unwrap()).collect();
    assert_eq!(paths, ["app/pulls/pull-7", "app/store"]);
    for blocked in &blocked {
        assert!(blocked.thread.starts_with("a worker ThreadId("), "{blocked:?}");
        assert_eq!(blocked.label.as_deref(), Some("Block"));
    }
    let why = runtime.block_on(client.why("store")).unwrap();
    assert_eq!((why.verdict.cause, why.verdict.path.as_str()), (Cause::Blocking, "app/store"));
    let facts = &why.links[0].facts;
    assert!(
        facts
            .iter()
            .any(|fact| matches!(fact, Fact::Blocking { since_ms, .. } if *since_ms >= 500)),
        "{facts:?}"
    );
    let event = runtime.block_on(async {
        let mut watch = client.watch(Some(0)).await.unwrap();
        loop {
            let event = watch.next().await.unwrap().expect("the process lives");
            if event.kind == EventKind::Blocked {
                return event;
            }
        }
    });
    assert!(event.text.contains("in Block") && event.text.contains("a worker"), "{event:?}");
    drop(releases);
    application.join().unwrap();
}

/// An actor that could go on, but no thread is left for it: why follows to the one who keeps them.
#[test]
fn why_goes_from_an_actor_without_a_thread_to_who_keeps_it() {
    let (entered, blocking) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (told, socket) = mpsc::channel();
    let application = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let tree = start(Tier::Read).await;
            told.send(tree.inspector.socket()).unwrap();
            tree.store.cast(Msg::Block(entered, released)).unwrap();
            for _ in 0..20 {
                tree.pull_7.cast(Msg::Login(Secret::new(CANARY))).unwrap();
            }
            tree.store.call_within(CEILING, Msg::Ping).await.unwrap();
            tree.root.stop().await;
        });
    });
    let client = Client::new(socket.recv_timeout(CEILING).unwrap()).patience(CEILING);
    blocking.recv_timeout(CEILING).expect("the handler blocks");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let picture = runtime.block_on(picture_when(&client, "the thread to be blocked", |picture| {
        !picture.runtime.as_ref().unwrap().blocked.is_empty()
    }));
    let why = picture.why("pull-7").unwrap();
    let seven = picture.tree.actors.iter().find(|actor| actor.id == "pull-7").unwrap();
    if seven.mailbox > Some(0) {
        assert_eq!((why.verdict.cause, why.verdict.path.as_str()), (Cause::Blocking, "app/store"));
        assert!(why.links[0].facts.contains(&Fact::NoThread), "{why:?}");
    }
    drop(release);
    application.join().unwrap();
}
