//! The limits of a run that nobody follows.

use std::time::{Duration, Instant};

use ci_exec::{JournalOffset, Outcome, RunState, follow};

use crate::support::{Place, Run, until, within, written};

#[tokio::test]
async fn a_runner_that_nobody_follows_stops_its_commands() {
    let mut place = Place::with_command("echo up > up; sleep 600");
    place.spec.orphan_limit = Duration::from_millis(200);
    let dir = place.start().await;
    until("the run to end", || matches!(dir.state().unwrap(), RunState::Finished(_))).await;
    let run = Run::follow(&dir).await;
    assert_eq!((run.exits_in_order().as_str(), run.outcome), ("0-1=cancelled", Outcome::Orphaned));
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn a_follower_keeps_a_runner_alive_and_its_loss_starts_the_clock() {
    let mut place = Place::with_command("echo up > up; sleep 1; echo later > later; sleep 600");
    place.spec.orphan_limit = Duration::from_millis(400);
    let dir = place.start().await;
    let mut follower = follow(&dir, JournalOffset(0));
    for _ in 0..2 {
        within("a fact", follower.next()).await.unwrap().unwrap();
    }
    written(&place.file("later")).await;
    assert!(matches!(dir.state().unwrap(), RunState::Running(_)), "followed, so not orphaned");
    let dropped = Instant::now();
    drop(follower);
    until("the run to end", || matches!(dir.state().unwrap(), RunState::Finished(_))).await;
    assert!(dropped.elapsed() >= Duration::from_millis(400), "{:?}", dropped.elapsed());
    assert_eq!(Run::follow(&dir).await.outcome, Outcome::Orphaned);
}
