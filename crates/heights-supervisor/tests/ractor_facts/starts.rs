//! P11, P12, P21, P22: how an actor starts, and what the build must be like.

use std::time::Duration;

use futures_util::FutureExt;
use ractor::registry::where_is;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::support::{Msg, Subject, listener, settle, still, within};

#[tokio::test(start_paused = true)]
async fn p11_a_parent_that_starts_a_slow_child_does_nothing_else() {
    let (parent, task, _heard) = listener().await;
    let slow = Subject { hangs_at_start: true, ..Subject::default() };
    let start = Msg::work(async move |myself| {
        let start = Actor::spawn_linked(None, slow, (), myself.get_cell());
        // An elapsed limit is what the test is about.
        drop(tokio::time::timeout(Duration::from_secs(10), start).await);
        Ok(())
    });
    parent.send_message(start).unwrap();
    let asked = tokio::time::Instant::now();
    let cell = parent.get_cell();
    within("an answer", ractor::rpc::call(&cell, Msg::Ask, None)).await.unwrap();
    let waited = asked.elapsed() >= Duration::from_secs(10);
    still(waited, "pre_start runs beside its parent: start timeouts could be longer");
    parent.stop(None);
    within("the parent", task).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p11_a_start_is_done_at_once_if_pre_start_waits_for_nothing() {
    let start = Actor::spawn(None, Subject::default(), ());
    // Even for a task that has used up its turn.
    while tokio::task::coop::has_budget_remaining() {
        tokio::task::consume_budget().await;
    }
    let spawned = tokio::task::unconstrained(start).now_or_never();
    still(spawned.is_some(), "a start waits for something: `guard::start` must wait, too");
    let (actor, task) = spawned.unwrap().unwrap();
    actor.stop(None);
    within("the end", task).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p11_dropping_a_start_leaves_nothing_running_and_frees_the_name() {
    const NAME: &str = "p11";
    let hanging = Subject { hangs_at_start: true, ..Subject::default() };
    let start = Actor::spawn(Some(NAME.to_owned()), hanging, ());
    assert!(tokio::time::timeout(Duration::from_secs(1), start).await.is_err());
    let again = Actor::spawn(Some(NAME.to_owned()), Subject::default(), ()).await;
    still(again.is_ok(), "a dropped start leaks: `guard::start` would drop one that waits");
    let (actor, task) = again.unwrap();
    actor.stop(None);
    within("the end", task).await.unwrap();
    still(actor.send_message(Msg::nothing()).is_err(), "the dead take messages");
}

#[tokio::test(start_paused = true)]
async fn p12_a_child_is_linked_only_after_pre_start_though_it_can_be_found_before() {
    const NAME: &str = "p12";
    let (parent, task, mut heard) = listener().await;
    let hanging = Subject { hangs_at_start: true, ..Subject::default() };
    let start = Actor::spawn_linked(Some(NAME.to_owned()), hanging, (), parent.get_cell());
    let mut start = Box::pin(start);
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut start).await.is_err());
    let unlinked = parent.get_children().is_empty() && where_is(NAME).is_some();
    still(unlinked, "the link is there from the beginning: a keeper could be a linked parent");
    drop(start);
    let failing = Subject { fails_at_start: true, ..Subject::default() };
    let failed = Actor::spawn_linked(None, failing, (), parent.get_cell()).await;
    settle().await;
    still(failed.is_err() && heard.ends() == 0, "a failed start is told twice, as error and event");
    parent.stop(None);
    within("the parent", task).await.unwrap();
}

#[test]
fn p21_panics_unwind() {
    let then = "heights-supervisor refuses to compile without unwinding, see its lib.rs";
    still(std::panic::catch_unwind(|| panic!("so")).is_err(), then);
}

/// Compiles only while ractor's features `async-trait` and `cluster` are off: the one changes what
/// an actor's functions are, the other asks every message to be serializable.
#[tokio::test(start_paused = true)]
async fn p22_actors_have_native_async_functions_and_messages_need_no_trait() {
    struct Plain;
    struct Message(Box<dyn FnOnce() + Send>);
    impl Actor for Plain {
        type Msg = Message;
        type State = ();
        type Arguments = ();
        async fn pre_start(&self, _: ActorRef<Message>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
        async fn handle(
            &self,
            myself: ActorRef<Message>,
            message: Message,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            (message.0)();
            myself.stop(None);
            Ok(())
        }
    }
    let (actor, task) = Actor::spawn(None, Plain, ()).await.unwrap();
    let (done, heard) = tokio::sync::oneshot::channel();
    actor.send_message(Message(Box::new(move || done.send(()).unwrap()))).unwrap();
    within("the message", heard).await.unwrap();
    within("the end", task).await.unwrap();
}
