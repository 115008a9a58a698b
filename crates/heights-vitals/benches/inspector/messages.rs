//! What a message costs, beside bare ractor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use heights_supervisor::{Hub, Ref};
use ractor::{Actor, ActorRef};

use crate::stage::{Bare, BareMsg, LIMIT, Msg, Stage};

/// How many times as many rounds there are when somebody looks once a second, to be looked at often.
const LOOKED_AT: usize = 5;

pub async fn messages(rounds: usize, casts: u32) {
    let stage = Stage::new(&Hub::new()).await;
    let adder = stage.adder.running().await;
    let (bare, _task) = Actor::spawn(None, Bare, ()).await.unwrap();
    println!("a cast, beside bare ractor");
    let ratios = ratios(rounds, &adder, &bare, casts).await;
    println!("  attached, and nobody looks       {ratios}");
    let looking = Arc::new(AtomicBool::new(true));
    let (client, looks) = (stage.client.clone(), Arc::clone(&looking));
    let looker = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut times = 0;
        while looks.load(Ordering::Relaxed) {
            runtime.block_on(client.picture()).unwrap();
            times += 1;
            std::thread::sleep(Duration::from_secs(1));
        }
        times
    });
    let ratios = self::ratios(rounds * LOOKED_AT, &adder, &bare, casts).await;
    looking.store(false, Ordering::Relaxed);
    let times = looker.join().unwrap();
    println!("  somebody looks once a second     {ratios}, {times} looks");
}

/// Ours over theirs.
struct Ratios {
    /// In the middle of all rounds.
    median: f64,
    /// Of all rounds together, so that a rare disturbance counts for what it takes.
    total: f64,
}

impl std::fmt::Display for Ratios {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ratio {:.2}, all together {:.2}", self.median, self.total)
    }
}

async fn ratios(rounds: usize, ours: &Ref<Msg>, theirs: &ActorRef<BareMsg>, casts: u32) -> Ratios {
    let (mut ratios, mut our_total, mut their_total) = (Vec::new(), 0.0, 0.0);
    for round in 0..rounds {
        let (ours, theirs) = if round % 2 == 0 {
            let ours = our_casts(ours, casts).await;
            (ours, their_casts(theirs, casts).await)
        } else {
            let theirs = their_casts(theirs, casts).await;
            (our_casts(ours, casts).await, theirs)
        };
        our_total += ours.as_secs_f64();
        their_total += theirs.as_secs_f64();
        ratios.push(ours.as_secs_f64() / theirs.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    Ratios { median: ratios[ratios.len() / 2], total: our_total / their_total }
}

pub async fn our_casts(adder: &Ref<Msg>, casts: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..casts {
        adder.cast(Msg::Add(1)).unwrap();
    }
    adder.call_within(LIMIT, Msg::Total).await.unwrap();
    begin.elapsed()
}

async fn their_casts(adder: &ActorRef<BareMsg>, casts: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..casts {
        adder.send_message(BareMsg::Add(1)).unwrap();
    }
    adder.call(BareMsg::Total, Some(LIMIT)).await.unwrap().unwrap();
    begin.elapsed()
}
