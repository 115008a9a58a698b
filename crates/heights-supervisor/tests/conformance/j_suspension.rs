//! Section J, line 93: servers that are suspended and resumed.

use heights_supervisor::{CallError, ChildSpec, Exit, Supervisor};
use tokio::time::advance;

use crate::support::{Msg, Probe, SECOND, Trace, settle, start, within};

#[tokio::test(start_paused = true)]
async fn j93_a_suspended_server_handles_nothing_and_goes_on_in_order() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let _root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    let (process, note) = (a.process(), |what: &'static str| a.reference.cast(Msg::Note(what)));
    trace.take();

    // In the middle of what it has taken already: the message that is being handled is finished.
    a.reference.cast(Msg::Work(SECOND)).unwrap();
    note("one").unwrap();
    note("two").unwrap();
    settle().await;
    assert!(process.suspend());
    assert!(process.is_suspended());
    advance(SECOND * 2).await;
    note("three").unwrap();
    settle().await;
    assert_eq!((trace.take(), process.figures().queued), (String::new(), Some(3)));
    assert!(process.figures().working.is_none());
    let call = a.reference.call_within(SECOND, Msg::Ping).await;
    assert!(matches!(call, Err(CallError::Timeout(SECOND))));

    process.resume();
    settle().await;
    assert_eq!(trace.take(), "one, two, three");

    // While it sleeps, and many times over.
    for _ in 0..3 {
        process.suspend();
        note("later").unwrap();
        settle().await;
        assert_eq!(trace.take(), "");
        process.resume();
        settle().await;
        assert_eq!(trace.take(), "later");
    }
}

#[tokio::test(start_paused = true)]
async fn j93_a_suspended_server_can_be_stopped_and_its_next_life_is_not_suspended() {
    let trace = Trace::default();
    let a = Probe::new(&trace, "a");
    let _root = start(Supervisor::builder("root").child(a.spec.clone())).await;
    let process = a.process();
    process.suspend();
    a.reference.cast(Msg::Note("lost")).unwrap();
    process.stop();
    assert!(matches!(within("it to stop", process.gone()).await, Exit::Shutdown(_)));
    assert!(!a.running().await.is_suspended());
    assert_eq!(a.reference.call(Msg::Ping).await.unwrap(), 1);
    assert_eq!(trace.take(), "start a, stop a, start a");
}

#[tokio::test(start_paused = true)]
async fn j93_only_servers_can_be_suspended() {
    let forever = ChildSpec::task("task", |_cx| std::future::pending());
    let root = start(Supervisor::builder("root").child(forever)).await;
    let hub = root.hub().unwrap();
    assert!(!hub.find("root").unwrap().suspend());
    assert!(!hub.find("root/task").unwrap().suspend());
}
