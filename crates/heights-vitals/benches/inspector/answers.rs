//! How long answers take that have much to get past.

use std::time::Instant;

use heights_supervisor::{ChildSpec, DynamicSupervisor, Hub};
use heights_vitals::wire::Sort;

use crate::print;
use crate::stage::{Adder, LIMIT, Msg, Stage};

/// How many messages of 10 µs wait, at least, while a state is asked for: a backlog that melts
/// while the answer is made is none.
const BACKLOG: u64 = 100_000;

pub async fn states(rounds: usize) {
    let stage = Stage::new(&Hub::new()).await;
    let adder = stage.adder.running().await;
    let (mut sent, mut handled, mut times) = (0, 0, Vec::new());
    for _ in 0..rounds * 10 {
        // Some of it is handled before the state is shown; that much is to be left.
        while sent - handled < 2 * BACKLOG {
            adder.cast(Msg::Work).unwrap();
            sent += 1;
        }
        let begin = Instant::now();
        let state = stage.client.state("adder", None).await.unwrap();
        times.push(begin.elapsed());
        assert!(!state.stale, "{state:?}");
        handled = state.view.unwrap()["total"].as_u64().unwrap();
        assert!(sent - handled >= BACKLOG, "{handled} of {sent} were handled before it was shown");
    }
    print(&format!("a state, behind {BACKLOG} messages"), times);
    // What is left would disturb what is measured next.
    adder.call_within(LIMIT, Msg::Total).await.unwrap();
}

pub async fn crowd(rounds: usize, many: usize) {
    let hub = Hub::new();
    let stage = Stage::new(&hub).await;
    let crowd = DynamicSupervisor::builder("crowd").hub(hub.clone()).start().await.unwrap();
    for number in 0..many {
        let (spec, _) = ChildSpec::server::<Adder>(format!("adder-{number}"), || ());
        crowd.start_child(spec).await.unwrap();
    }
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        let top = stage.client.top(Sort::Mailbox, 50, None).await.unwrap();
        times.push(begin.elapsed());
        assert!(top.total > many && top.actors.len() == 50);
    }
    print(&format!("the busiest 50 of {many} actors"), times);
    std::mem::forget(crowd);
}
