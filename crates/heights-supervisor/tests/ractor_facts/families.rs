//! P2, P3, P5, P12, P13, P25: what parents and children mean to each other.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, ActorStatus, SpawnErr};
use tokio::sync::{Semaphore, oneshot};

use super::gate::Gate;
use super::support::{Msg, Notes, Subject, idle, listener, settle, still, within};

#[tokio::test(start_paused = true)]
async fn p02_a_parent_that_says_nothing_stops_when_a_child_ends() {
    struct Silent;
    impl Actor for Silent {
        type Msg = Msg;
        type State = ();
        type Arguments = ();
        async fn pre_start(&self, _: ActorRef<Msg>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
    }
    let (parent, task) = Actor::spawn(None, Silent, ()).await.unwrap();
    let (child, _child_task) = Subject::default().spawn_under(&parent).await;
    child.stop(None);
    settle().await;
    let then = "the default is to live on: docs/decisions/0003-keepers.md gives it as a reason";
    still(parent.get_status() == ActorStatus::Stopped, then);
    within("the parent", task).await.unwrap();
}

/// Starts a parent with some children, ends it, and returns what its children noted.
async fn end_of_family(how: impl FnOnce(&ActorRef<Msg>)) -> Notes {
    let (parent, task) = Subject::default().spawn().await;
    let notes = Notes::default();
    for _ in 0..4 {
        Subject { notes: notes.clone(), ..Subject::default() }.spawn_under(&parent).await;
    }
    settle().await;
    how(&parent);
    within("the parent", task).await.unwrap();
    settle().await;
    notes
}

#[tokio::test(start_paused = true)]
async fn p02_a_parent_that_is_stopped_kills_its_children() {
    let notes = end_of_family(|parent| parent.stop(None)).await;
    let then = "children are stopped in good order: `terminate` of supervisor/run.rs may do less";
    still(notes.count("post_stop") == 0 && notes.count("drop") == 4, then);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn p02_nobody_waits_for_the_children_of_a_parent_that_ended() {
    let gate = Gate::default();
    let key = gate.key();
    let (parent, task) = Subject::default().spawn().await;
    let (child, child_task) = Subject::default().spawn_under(&parent).await;
    idle(&child).await;
    idle(&parent).await;
    child.send_message(Msg::block(&gate)).unwrap();
    gate.reached().await;
    within("the stop", parent.stop_and_wait(None, None)).await.unwrap();
    within("the parent", task).await.unwrap();
    let alive = child.get_status() != ActorStatus::Stopped;
    still(alive, "a stop waits for the whole subtree: `reap` in keeper.rs may go");
    drop(key);
    within("the child", child_task).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn p03_the_end_of_a_child_is_told_while_its_own_children_still_hold_their_names() {
    const NAME: &str = "p03 grandchild";
    let gate = Gate::default();
    let key = gate.key();
    let (root, _task, mut heard) = listener().await;
    let (middle, _middle_task) = Subject::default().spawn_under(&root).await;
    let leaf = Subject::default().spawn_named_under(Some(NAME), &middle).await;
    idle(&leaf.0).await;
    idle(&middle).await;
    leaf.0.send_message(Msg::block(&gate)).unwrap();
    gate.reached().await;
    middle.send_message(Msg::panic("so")).unwrap();
    heard.end().await;
    let again = Actor::spawn(Some(NAME.to_owned()), Subject::default(), ()).await;
    let taken = matches!(again, Err(SpawnErr::ActorAlreadyRegistered(_)));
    still(taken, "an end is told after the grandchildren are gone: `reap` in keeper.rs may go");
    drop(key);
    within("the grandchild", leaf.1).await.unwrap();
    root.stop(None);
}

#[tokio::test(start_paused = true)]
async fn p05_a_parent_that_returns_an_error_kills_its_children() {
    let notes = end_of_family(|parent| parent.send_message(Msg::fail("so")).unwrap()).await;
    let then = "escalating is orderly: machine.rs need not stop the children before its `Exit`";
    still(notes.count("post_stop") == 0 && notes.count("drop") == 4, then);
}

#[tokio::test(start_paused = true)]
async fn p13_a_parent_that_is_stopping_gets_no_more_children() {
    let stop = Arc::new(Semaphore::new(0));
    let subject = Subject { stop: Some(Arc::clone(&stop)), ..Subject::default() };
    let (parent, task) = subject.spawn().await;
    settle().await;
    parent.stop(None);
    settle().await;
    let late = Actor::spawn_linked(None, Subject::default(), (), parent.get_cell()).await;
    let refused = matches!(&late, Err(SpawnErr::StartupFailed(why)) if why.to_string().contains("shutting down"));
    still(
        refused,
        "a start can slip in while a supervisor stops: see `supervisor/state/perform.rs`",
    );
    stop.add_permits(1);
    within("the parent", task).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p12_a_late_link_to_a_parent_that_is_gone_fails_without_a_word() {
    let (parent, task) = Subject::default().spawn().await;
    parent.stop(None);
    within("the parent", task).await.unwrap();
    let (child, child_task) = Subject::default().spawn().await;
    child.link(parent.get_cell());
    settle().await;
    let unaware =
        child.try_get_supervisor().is_none() && child.get_status() == ActorStatus::Running;
    still(unaware, "a late link to the dead is told: links may be worth another look");
    let waited = tokio::time::timeout(Duration::from_secs(60), child.wait(None)).await;
    assert!(waited.is_err());
    child.stop(None);
    within("the child", child_task).await.unwrap();
}

/// Why a parent may answer late though a thread is free: whom a task wakes, tokio keeps for the
/// same thread, where nobody else takes it from.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn p25_a_handler_that_blocks_holds_up_whom_it_woke() {
    let gate = Gate::default();
    let key = gate.key();
    let (woken, woken_task) = Subject::default().spawn().await;
    let (busy, busy_task) = Subject::default().spawn().await;
    idle(&woken).await;
    let (tell, mut told) = oneshot::channel();
    let message = Msg::work(async move |_| tell.send(()).map_err(|()| "unheard".into()));
    let (gate_of_busy, friend) = (gate.clone(), woken.clone());
    let wake_and_block = async move |_| {
        friend.send_message(message)?;
        gate_of_busy.pass();
        Ok(())
    };
    busy.send_message(Msg::work(wake_and_block)).unwrap();
    gate.reached().await;
    let handled = tokio::time::timeout(Duration::from_millis(50), &mut told).await.is_ok();
    still(!handled, "a blocked thread holds up nobody: supervisors need no runtime of their own");
    drop(key);
    within("the message", told).await.unwrap();
    woken.stop(None);
    busy.stop(None);
    within("the woken", woken_task).await.unwrap();
    within("the busy", busy_task).await.unwrap();
}
