//! P8, P10, P14: what a parent is told of an end, and when.

use tokio::sync::oneshot;

use super::support::{Msg, Subject, keep_busy, listener, settle, still, told, who, within};

/// Ends a child in some way and returns what its parent is told.
async fn end(
    message: Option<Msg>,
    how: impl FnOnce(&ractor::ActorRef<Msg>),
) -> (bool, Option<String>, bool) {
    let (parent, _task, mut heard) = listener().await;
    let (child, _child_task) = Subject::default().spawn_under(&parent).await;
    settle().await;
    if let Some(message) = message {
        child.send_message(message).unwrap();
    }
    how(&child);
    let told = told(&heard.end().await);
    parent.stop(None);
    told
}

const GUARD: &str = "exits are typed: guard.rs, panic.rs and exit.rs may do less";

#[tokio::test(start_paused = true)]
async fn p08_a_panic_and_an_error_are_told_alike_and_as_text() {
    let error = end(Some(Msg::fail("so")), |_| {}).await;
    still(error == (true, Some("so".to_owned()), false), GUARD);
    let panic = end(Some(Msg::panic("so")), |_| {}).await;
    still(panic == (true, Some("so".to_owned()), false), GUARD);
    let odd = Msg::work(async |_| std::panic::panic_any(7_u32));
    let (failed, text, _) = end(Some(odd), |_| {}).await;
    still(failed && text.unwrap().contains("Unknown panic"), GUARD);
}

#[tokio::test(start_paused = true)]
async fn p08_a_kill_and_a_stop_for_a_reason_cannot_be_told_apart() {
    let stopped = end(None, |child| child.stop(Some("killed".to_owned()))).await;
    let killed = end(None, |child| child.kill()).await;
    still(stopped == killed, "a kill has a mark: `Exit::Killed` could be read from it");
}

#[tokio::test(start_paused = true)]
async fn p10_the_ends_of_children_go_before_messages() {
    let subject = Subject::default();
    let (parent, task) = subject.clone().spawn().await;
    let (child, child_task) = Subject::default().spawn_under(&parent).await;
    settle().await;
    let busy = keep_busy(&parent).await;
    let (tell, told) = oneshot::channel();
    let message =
        async move |_| tell.send(subject.notes.count("event")).map_err(|_| "unheard".into());
    parent.send_message(Msg::work(message)).unwrap();
    child.kill();
    within("the child", child_task).await.unwrap();
    drop(busy);
    let before = within("the message", told).await.unwrap();
    let then = "events wait in line: the retries of machine.rs need not go through the queue";
    still(before == 1, then);
    parent.stop(None);
    within("the parent", task).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p14_the_end_of_an_earlier_life_arrives_after_the_next_one_began() {
    const NAME: &str = "p14";
    let (parent, _task, mut heard) = listener().await;
    let (first, first_task) = Subject::default().spawn_named_under(Some(NAME), &parent).await;
    settle().await;
    let busy = keep_busy(&parent).await;
    first.kill();
    within("the first life", first_task).await.unwrap();
    let (second, _second_task) = Subject::default().spawn_named_under(Some(NAME), &parent).await;
    drop(busy);
    let gone = who(&heard.end().await);
    let stale = gone.get_id() == first.get_id() && gone.get_name() == second.get_name();
    still(stale, "old news is dropped: incarnations in machine.rs could go");
    parent.stop(None);
}

#[tokio::test(start_paused = true)]
async fn p14_an_unlinked_child_ends_in_silence() {
    let (parent, _task, mut heard) = listener().await;
    let (child, child_task) = Subject::default().spawn_under(&parent).await;
    settle().await;
    child.unlink(parent.get_cell());
    child.kill();
    within("the child", child_task).await.unwrap();
    settle().await;
    still(heard.ends() == 0, "an unlinked child is heard of");
    parent.stop(None);
}
