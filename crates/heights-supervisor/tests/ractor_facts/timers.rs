//! P23: ractor's timers.

use std::time::Duration;

use super::support::{Msg, Subject, settle, still, within};

const THEN: &str = "timers end with their actor: timer.rs could be a call of ractor's";

#[tokio::test(start_paused = true)]
async fn p23_a_timer_outlives_its_actor() {
    let (actor, task) = Subject::default().spawn().await;
    let timer = actor.send_after(Duration::from_secs(60), Msg::nothing);
    actor.stop(None);
    within("the actor", task).await.unwrap();
    settle().await;
    still(!timer.is_finished(), THEN);
    let sent = tokio::time::timeout(Duration::from_secs(100), timer).await.unwrap().unwrap();
    still(sent.is_err(), THEN);
}

#[tokio::test(start_paused = true)]
async fn p23_an_interval_makes_up_for_missed_ticks_all_at_once() {
    let subject = Subject::default();
    let (actor, task) = subject.clone().spawn().await;
    let timer = actor.send_interval(Duration::from_secs(1), Msg::nothing);
    settle().await;
    tokio::time::advance(Duration::from_secs(5)).await;
    settle().await;
    let burst = subject.notes.count("handle") == 5;
    still(burst, "missed ticks are skipped: `every` in heights/src/periodic.rs could use this");
    actor.stop(None);
    within("the actor", task).await.unwrap();
    timer.abort();
}
