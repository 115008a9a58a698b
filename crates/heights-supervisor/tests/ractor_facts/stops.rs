//! P1, P4, P7, P9, P24: what stopping and killing mean.

use std::sync::Arc;
use std::time::Duration;

use ractor::{ActorRef, ActorStatus};
use tokio::sync::Semaphore;

use super::gate::Gate;
use super::support::{Msg, Subject, keep_busy, listener, settle, still, told, within};

const KEEPER: &str = "see heights-supervisor/src/keeper.rs";

/// Ends a fresh actor in some way and returns what was noted, once its task has ended.
async fn end(how: impl FnOnce(&ActorRef<Msg>)) -> Vec<&'static str> {
    let subject = Subject::default();
    let (actor, task) = subject.clone().spawn().await;
    settle().await;
    how(&actor);
    within("the end", task).await.unwrap();
    subject.notes.all()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_a_kill_waits_for_a_handler_that_does_not_await() {
    let gate = Gate::default();
    let key = gate.key();
    let (actor, task) = Subject::default().spawn().await;
    actor.send_message(Msg::block(&gate)).unwrap();
    gate.reached().await;
    actor.kill();
    let killed = tokio::time::timeout(Duration::from_millis(50), actor.wait(None)).await.is_ok();
    still(!killed, "kill can pre-empt: zombies may go, `gone_within` in keeper.rs and `Zombie`");
    drop(key);
    within("the end after all", task).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p01_a_kill_interrupts_a_handler_that_awaits_and_a_stop_does_not() {
    let subject = Subject::default();
    let (actor, mut task) = subject.clone().spawn().await;
    actor.send_message(Msg::hang()).unwrap();
    settle().await;
    actor.stop(None);
    let stopped = tokio::time::timeout(Duration::from_secs(60), &mut task).await.is_ok();
    still(!stopped, "a stop interrupts handlers: shutdown timeouts mean something else");
    actor.kill();
    within("the end of the killed", task).await.unwrap();
    still(subject.notes.count("post_stop") == 0, "a killed actor runs post_stop");
}

#[tokio::test(start_paused = true)]
async fn p01_a_kill_goes_before_a_stop() {
    let notes = end(|actor| {
        actor.stop(None);
        actor.kill();
    });
    still(notes.await == ["start", "drop"], KEEPER);
}

#[tokio::test(start_paused = true)]
async fn p04_without_a_link_the_state_is_gone_when_the_task_is() {
    let then = "this is why no process of ours is linked: docs/decisions/0003-keepers.md";
    still(end(|actor| actor.stop(None)).await == ["start", "post_stop", "drop"], then);
    still(end(|actor| actor.kill()).await == ["start", "drop"], then);
    let failed = end(|actor| actor.send_message(Msg::fail("so")).unwrap()).await;
    still(failed == ["start", "handle", "drop"], then);
    let panicked = end(|actor| actor.send_message(Msg::panic("so")).unwrap()).await;
    still(panicked == ["start", "handle", "drop"], then);
}

#[tokio::test(start_paused = true)]
async fn p04_with_a_link_the_state_travels_in_the_event_and_outlives_the_task() {
    let (parent, parent_task, mut heard) = listener().await;
    let subject = Subject::default();
    let (actor, task) = subject.clone().spawn_under(&parent).await;
    settle().await;
    actor.stop(None);
    within("the end", task).await.unwrap();
    let event = heard.end().await;
    let then = "processes could be linked again: docs/decisions/0003-keepers.md";
    still(subject.notes.count("drop") == 0, then);
    drop(event);
    assert_eq!(subject.notes.count("drop"), 1);
    parent.stop(None);
    within("the parent", parent_task).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn p04_after_a_panic_wait_returns_while_the_state_is_still_being_dropped() {
    let gate = Gate::default();
    let key = gate.key();
    let subject = Subject { drop: Some(gate.clone()), ..Subject::default() };
    let (actor, task) = subject.clone().spawn().await;
    actor.send_message(Msg::panic("so")).unwrap();
    gate.reached().await;
    let waited = tokio::time::timeout(Duration::from_secs(30), actor.wait(None)).await.is_ok();
    let then = "`wait` now says that the state is gone: the keeper need not go last";
    still(waited && subject.notes.count("drop") == 0, then);
    drop(key);
    within("the task", task).await.unwrap();
    assert_eq!(subject.notes.count("drop"), 1);
}

#[tokio::test(start_paused = true)]
async fn p07_a_second_stop_and_wait_does_not_wait() {
    let stop = Arc::new(Semaphore::new(0));
    let subject = Subject { stop: Some(Arc::clone(&stop)), ..Subject::default() };
    let (actor, task) = subject.spawn().await;
    settle().await;
    actor.stop(None);
    let second = within("the second stop", actor.stop_and_wait(None, None)).await;
    let gone = actor.get_status() == ActorStatus::Stopped;
    still(second.is_err() && !gone, "stop_and_wait waits: `Process::gone` could use it");
    stop.add_permits(1);
    within("the end", task).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p07_stop_and_wait_does_not_turn_into_a_kill_when_its_time_is_up() {
    let (actor, task) = Subject::default().spawn().await;
    actor.send_message(Msg::hang()).unwrap();
    settle().await;
    let limit = Some(Duration::from_secs(1));
    let stopped = within("the stop to give up", actor.stop_and_wait(None, limit)).await;
    let alive = actor.get_status() != ActorStatus::Stopped;
    still(stopped.is_err() && alive, "`gone_within` in keeper.rs may leave the kill to ractor");
    actor.kill();
    within("the end", task).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p09_a_stop_goes_before_the_messages_that_wait() {
    let notes = end(|actor| {
        for _ in 0..5 {
            actor.send_message(Msg::nothing()).unwrap();
        }
        actor.stop(None);
    });
    still(notes.await == ["start", "post_stop", "drop"], "a stop drains: see Process::stop");
}

#[tokio::test(start_paused = true)]
async fn p09_a_stop_goes_before_the_ends_of_children() {
    let subject = Subject::default();
    let (parent, task) = subject.clone().spawn().await;
    let (child, child_task) = Subject::default().spawn_under(&parent).await;
    settle().await;
    let busy = keep_busy(&parent).await;
    child.kill();
    within("the child", child_task).await.unwrap();
    parent.stop(None);
    drop(busy);
    within("the parent", task).await.unwrap();
    still(subject.notes.count("event") == 0, "what a parent hears before it stops is complete");
}

#[tokio::test(start_paused = true)]
async fn p24_a_kill_in_a_handler_hands_on_the_state_as_if_it_were_whole() {
    let (parent, _task, mut heard) = listener().await;
    let (actor, _child_task) = Subject::default().spawn_under(&parent).await;
    actor.send_message(Msg::hang()).unwrap();
    settle().await;
    actor.kill();
    let (failed, reason, has_state) = told(&heard.end().await);
    let then = "a state in an event can be trusted now; we still rebuild from what was recorded";
    still(!failed && reason.as_deref() == Some("killed") && has_state, then);
    parent.stop(None);
}
