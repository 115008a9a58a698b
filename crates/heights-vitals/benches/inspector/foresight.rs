//! How right an estimate is, and how soon a crash is told.

use std::time::{Duration, Instant};

use heights_supervisor::Hub;
use heights_vitals::wire::Fact;

use crate::print;
use crate::stage::{LIMIT, Msg, Stage};

/// How far `why` is off with the time that a queue will take: of messages that compute, on a machine
/// that others use, too, and of messages that wait for something else.
pub async fn estimates(rounds: usize) {
    println!("the time that a queue will take, beside what `why` says");
    off("computing", rounds, 50_000, || Msg::Work).await;
    off("waiting", rounds, 1_000, || Msg::Wait).await;
}

async fn off(what: &str, rounds: usize, messages: u64, message: impl Fn() -> Msg) {
    let mut errors = Vec::new();
    for _ in 0..rounds {
        let stage = Stage::new(&Hub::new()).await;
        let adder = stage.adder.running().await;
        for _ in 0..messages {
            adder.cast(message()).unwrap();
        }
        // A fifth of them tells how long one takes.
        while stage.client.actor("adder").await.unwrap().actor.handled < Some(messages / 5) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let asked = Instant::now();
        let why = stage.client.why("adder").await.unwrap();
        let told = why.links[0].facts.iter().find_map(|fact| match fact {
            Fact::Backlog { drain_ms, .. } => *drain_ms,
            _ => None,
        });
        adder.call_within(LIMIT, Msg::Total).await.unwrap();
        let took = asked.elapsed().as_secs_f64() * 1_000.0;
        errors.push((told.expect("a backlog, and a pace") as f64 / took - 1.0).abs() * 100.0);
    }
    errors.sort_by(f64::total_cmp);
    let (half, most) = (errors[errors.len() / 2], errors[errors.len() - 1]);
    println!("  {what:<10} off by {half:.0} % in the middle, by {most:.0} % at most");
}

/// How long it takes until a crash is told, and whether all are put together.
pub async fn crashes(rounds: usize) {
    let stage = Stage::new(&Hub::new()).await;
    let mut times = Vec::new();
    for crashed in 1..=rounds {
        let begin = Instant::now();
        stage.adder.running().await.cast(Msg::Crash).unwrap();
        let crashes = loop {
            let crashes = stage.client.crashes().await.unwrap().crashes;
            if crashes.len() == crashed {
                break crashes;
            }
        };
        times.push(begin.elapsed());
        assert!(crashes.iter().all(|crash| crash.fingerprint == crashes[0].fingerprint));
    }
    print("a crash is told, with the others", times);
}
