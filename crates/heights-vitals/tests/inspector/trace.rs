//! Traces of messages.

use heights_vitals::wire::{TraceBooks, TraceEnd, TraceEvent, TraceRequest, TracedMessage};
use heights_vitals::{Tier, Trace};

use crate::support::{CEILING, Msg, picture_when, refusal, start};

fn of(actor: &str) -> TraceRequest {
    TraceRequest { actors: vec![actor.to_owned()], rate: 1_000, ..TraceRequest::default() }
}

async fn next(trace: &mut Trace) -> Option<TraceEvent> {
    tokio::time::timeout(CEILING, trace.next()).await.expect("an event").unwrap()
}

/// Hears a trace to its end.
async fn rest(mut trace: Trace) -> (Vec<TracedMessage>, TraceEnd, TraceBooks) {
    let mut messages = Vec::new();
    loop {
        match next(&mut trace).await.expect("it says why it ends") {
            TraceEvent::Message(message) => messages.push(message),
            TraceEvent::Ended { reason, books } => {
                assert_eq!(next(&mut trace).await, None);
                return (messages, reason, books);
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_trace_tells_who_sent_what_and_ends_by_itself() {
    let tree = start(Tier::Trace).await;
    let request = TraceRequest { max: 2, messages: vec!["Ping".to_owned()], ..of("store") };
    let mut trace = tree.client.trace(&request).await.unwrap();
    let Some(TraceEvent::Began { actors, budget }) = next(&mut trace).await else {
        panic!("it says that it begins")
    };
    assert_eq!((actors, budget), (vec!["app/store".to_owned()], request));
    tree.pull_7.cast(Msg::Ask(tree.store.clone())).unwrap();
    tree.store.call(Msg::Ping).await.unwrap();
    let (messages, reason, books) = rest(trace).await;
    assert_eq!((reason, books.shown, books.handled), (TraceEnd::Count, 2, 2));
    for asked in &messages {
        let told = (asked.path.as_str(), asked.label.as_str(), asked.well);
        assert_eq!(told, ("app/store", "Ping", true));
        assert!(asked.waited_us.is_some());
    }
    let mut from: Vec<_> = messages.iter().map(|asked| asked.from_path.as_deref()).collect();
    from.sort_unstable();
    assert_eq!(from, [None, Some("app/pulls/pull-7")]);
    tree.root.stop().await;
}

#[tokio::test]
async fn the_books_of_a_flood_balance_and_two_traces_do_not_disturb_each_other() {
    let tree = start(Tier::Trace).await;
    let life = tree.store.running().await;
    let flood = TraceRequest { rate: 10, for_ms: 3_600_000, ..of("store") };
    let calm = TraceRequest { max: 1, messages: vec!["Login".to_owned()], ..of("store") };
    let (mut flooded, calm) =
        (tree.client.trace(&flood).await.unwrap(), tree.client.trace(&calm).await.unwrap());
    for _ in 0..5_000 {
        life.call(Msg::Ping).await.unwrap();
    }
    life.cast(Msg::Login(heights_supervisor::Secret::new(crate::support::CANARY))).unwrap();
    life.call(Msg::Ping).await.unwrap();
    let (messages, reason, _) = rest(calm).await;
    assert_eq!((messages.len(), reason), (1, TraceEnd::Count));
    let books = loop {
        match next(&mut flooded).await.unwrap() {
            TraceEvent::Books(books) if books.handled >= 5_002 => break books,
            _ => {}
        }
    };
    assert_eq!(books.handled, 5_002);
    assert_eq!(books.shown + books.suppressed + books.dropped, books.handled);
    assert!(books.suppressed > books.shown, "{books:?}");
    tree.root.stop().await;
}

#[tokio::test]
async fn a_trace_follows_the_next_life_and_ends_when_nobody_is_left() {
    let tree = start(Tier::Trace).await;
    let trace = tree.client.trace(&of("app/pulls/*")).await.unwrap();
    tree.pull_7.cast(Msg::Crash).unwrap();
    picture_when(&tree.client, "the next life", |picture| {
        picture.tree.actors.iter().any(|actor| actor.id == "pull-7" && actor.restarts > Some(0))
    })
    .await;
    let pinging = async {
        // Until the trace has found it.
        loop {
            tree.pull_7.call(Msg::Ping).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let mut trace = trace;
    let heard = async {
        loop {
            if let Some(TraceEvent::Message(message)) = next(&mut trace).await
                && message.label == "Ping"
            {
                return message;
            }
        }
    };
    tokio::select! {
        message = heard => assert_eq!(message.path, "app/pulls/pull-7"),
        () = pinging => {}
    }
    tree.root.stop().await;
    let (_, reason, _) = rest(trace).await;
    assert_eq!(reason, TraceEnd::NobodyLeft);
}

#[tokio::test]
async fn below_the_trace_tier_nobody_looks_at_messages() {
    let tree = start(Tier::Read).await;
    let (status, body) = refusal(tree.client.trace(&of("store")).await);
    assert_eq!((status, body.code.as_str()), (403, "forbidden"));
    tree.root.stop().await;
    let tree = start(Tier::Trace).await;
    let (status, _) = refusal(tree.client.trace(&of("nobody")).await);
    assert_eq!(status, 404);
    let (status, _) = refusal(tree.client.trace(&TraceRequest::default()).await);
    assert_eq!(status, 400);
    tree.root.stop().await;
}

#[tokio::test]
async fn who_leaves_ends_the_trace() {
    let tree = start(Tier::Trace).await;
    let traces: Vec<_> = {
        let mut traces = Vec::new();
        for _ in 0..16 {
            traces.push(tree.client.trace(&of("store")).await.unwrap());
        }
        traces
    };
    let (status, body) = refusal(tree.client.trace(&of("store")).await);
    assert_eq!((status, body.code.as_str()), (503, "busy"));
    drop(traces);
    let again = async {
        while tree.client.trace(&of("store")).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(CEILING, again).await.expect("there is room again");
    tree.root.stop().await;
}
