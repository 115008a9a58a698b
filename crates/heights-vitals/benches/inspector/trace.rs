//! What a trace costs in a flood, and whether its books balance.

use std::time::Instant;

use heights_supervisor::Hub;
use heights_vitals::wire::{TraceBooks, TraceEvent, TraceRequest};
use heights_vitals::{Client, Trace};

use crate::messages::our_casts;
use crate::stage::{LIMIT, Msg, Stage};

/// How many messages are told in a second, and for how long in all.
const RATE: u32 = 100;
const LASTS_MS: u64 = 5_000;

pub async fn trace(rounds: usize, casts: u32) {
    let stage = Stage::new(&Hub::new()).await;
    let adder = stage.adder.running().await;
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let mut once = [0.0; 2];
        for traced in [round % 2 == 0, round % 2 == 1] {
            let trace = if traced { Some(begin(&stage.client, 600_000).await) } else { None };
            once[usize::from(traced)] = our_casts(&adder, casts).await.as_secs_f64();
            drop(trace);
        }
        ratios.push(once[1] / once[0]);
    }
    ratios.sort_by(f64::total_cmp);
    println!("a flood, traced at {RATE} in a second");
    println!("  beside the same without a trace  ratio {:.3}", ratios[ratios.len() / 2]);
    let trace = begin(&stage.client, LASTS_MS).await;
    let (told, since) = (tokio::spawn(books(trace)), Instant::now());
    let mut sent = 0_u64;
    while !told.is_finished() {
        for _ in 0..10_000 {
            adder.cast(Msg::Add(1)).unwrap();
        }
        sent += 10_000;
        // A flood, and not all of memory.
        adder.call_within(LIMIT, Msg::Total).await.unwrap();
    }
    let pace = sent as f64 / since.elapsed().as_secs_f64();
    let TraceBooks { handled, shown, suppressed, dropped, lasted_ms } = told.await.unwrap();
    assert_eq!(shown + suppressed + dropped, handled);
    let told = shown as f64 * 1_000.0 / lasted_ms as f64;
    println!("  {:.2} million in a second: {told:.1} told in a second", pace / 1e6);
    println!("  {shown} shown + {suppressed} suppressed + {dropped} dropped = {handled} handled");
}

async fn begin(client: &Client, for_ms: u64) -> Trace {
    let request = TraceRequest {
        actors: vec!["adder".to_owned()],
        rate: RATE,
        max: 100_000,
        for_ms,
        ..TraceRequest::default()
    };
    let mut trace = client.trace(&request).await.unwrap();
    let began = trace.next().await.unwrap();
    assert!(matches!(began, Some(TraceEvent::Began { .. })), "{began:?}");
    trace
}

async fn books(mut trace: Trace) -> TraceBooks {
    loop {
        if let TraceEvent::Ended { books, .. } = trace.next().await.unwrap().expect("an end") {
            return books;
        }
    }
}
