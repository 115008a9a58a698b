//! P15, P26: mailboxes.

use std::time::Duration;

use ractor::rpc::{CallResult, call};
use ractor::{ActorRef, MessagingErr};

use super::support::{Msg, Subject, settle, still, within};

async fn ask(actor: &ActorRef<Msg>) -> Result<CallResult<()>, MessagingErr<Msg>> {
    within("an answer", call(&actor.get_cell(), Msg::Ask, Some(Duration::from_secs(10)))).await
}

#[tokio::test(start_paused = true)]
async fn p15_what_waits_in_a_mailbox_dies_with_the_actor() {
    let (actor, task) = Subject::default().spawn().await;
    actor.send_message(Msg::hang()).unwrap();
    settle().await;
    let asking = tokio::join!(ask(&actor), async {
        settle().await;
        actor.kill();
    });
    let then = "mailboxes outlive their actors: what `Reply` and `CallError::Down` say may change";
    still(matches!(asking.0, Ok(CallResult::SenderError)), then);
    within("the end", task).await.unwrap();
    still(matches!(ask(&actor).await, Err(MessagingErr::SendErr(_))), then);
}

#[tokio::test(start_paused = true)]
async fn p15_three_ways_to_get_no_answer_have_three_shapes() {
    let (actor, task) = Subject::default().spawn().await;
    actor.send_message(Msg::hang()).unwrap();
    let then = "calls fail in one shape: `CallError` could be ractor's";
    still(matches!(ask(&actor).await, Ok(CallResult::Timeout)), then);
    actor.kill();
    within("the end", task).await.unwrap();
    still(matches!(ask(&actor).await, Err(MessagingErr::SendErr(_))), then);
}

#[tokio::test(start_paused = true)]
async fn p26_mailboxes_are_unbounded() {
    let (actor, task) = Subject::default().spawn().await;
    actor.send_message(Msg::hang()).unwrap();
    settle().await;
    let taken = (0..100_000).all(|_| actor.send_message(Msg::nothing()).is_ok());
    still(taken, "mailboxes have a bound: `Server::MAX_QUEUE` could be it");
    actor.kill();
    within("the end", task).await.unwrap();
}
