//! The limits of a run that nobody follows.

use std::time::{Duration, Instant};

use ci_exec::{JournalOffset, Outcome, RunState, follow};

use crate::support::{Place, Run, until, within};

/// On a busy machine the first may be over before the runner has begun, or was followed.
const LIMITS: [Duration; 2] = [Duration::from_millis(400), Duration::from_secs(20)];

#[tokio::test]
async fn a_runner_that_nobody_follows_stops_its_commands() {
    for limit in LIMITS {
        let mut place = Place::with_command("echo up > up; sleep 600");
        place.spec.orphan_limit = limit;
        let dir = place.start().await;
        until("the run to end", || matches!(dir.state().unwrap(), RunState::Finished(_))).await;
        let run = Run::follow(&dir).await;
        assert_eq!(run.outcome, Outcome::Orphaned);
        place.assert_nothing_is_left();
        if place.file("up").exists() {
            return assert_eq!(run.exits_in_order(), "0-1=cancelled");
        }
    }
    panic!("no command has begun");
}

#[tokio::test]
async fn a_follower_keeps_a_runner_alive_and_its_loss_starts_the_clock() {
    for limit in LIMITS {
        let longer = limit.as_secs_f64() * 1.5;
        let run = format!("echo up > up; sleep {longer}; echo later > later; sleep 600");
        let mut place = Place::with_command(&run);
        place.spec.orphan_limit = limit;
        let dir = place.start().await;
        let mut follower = follow(&dir, JournalOffset(0));
        for _ in 0..2 {
            within("a fact", follower.next()).await.unwrap().unwrap();
        }
        let is_over = || matches!(dir.state().unwrap(), RunState::Finished(_));
        until("a time longer than the limit", || is_over() || place.file("later").exists()).await;
        if !is_over() {
            let dropped = Instant::now();
            drop(follower);
            until("the run to end", is_over).await;
            assert!(dropped.elapsed() >= limit, "{:?}", dropped.elapsed());
            return assert_eq!(Run::follow(&dir).await.outcome, Outcome::Orphaned);
        }
    }
    panic!("followed, and orphaned all the same");
}
