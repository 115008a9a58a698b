//! How long answers take while every thread of the application is blocked.

use std::future::Future;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use heights_supervisor::{ChildSpec, DynamicSupervisor, Hub};
use heights_vitals::Client;
use heights_vitals::wire::{Cause, Sort};

use crate::print;
use crate::stage::{Adder, Msg, Stage};

/// How many threads there are.
const THREADS: usize = 2;

pub fn blocked(rounds: usize) {
    println!("all {THREADS} threads of the application blocked, beside the same with them free");
    for is_blocked in [false, true] {
        let (client, release) = application(is_blocked);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let state = if is_blocked { "blocked" } else { "free" };
        if is_blocked {
            // Who blocks a thread is named after half a second, and not before.
            while runtime.block_on(client.picture()).unwrap().runtime.unwrap().blocked.is_empty() {}
        }
        runtime.block_on(async {
            measure(&format!("  top, {state}"), rounds, async || {
                client.top(Sort::Busy, 10, None).await.unwrap();
            })
            .await;
            measure(&format!("  why, {state}"), rounds, async || {
                let why = client.why("one").await.unwrap();
                assert_eq!(why.verdict.cause == Cause::Blocking, is_blocked, "{why:?}");
            })
            .await;
            measure(&format!("  doctor, {state}"), rounds, async || {
                let runtime = client.picture().await.unwrap().runtime.unwrap();
                assert_eq!(!runtime.blocked.is_empty(), is_blocked, "{runtime:?}");
            })
            .await;
        });
        drop(release);
    }
}

/// Starts an application, and blocks its threads until what is returned is dropped.
fn application(is_blocked: bool) -> (Client, Vec<mpsc::Sender<()>>) {
    let (tell, told) = mpsc::channel();
    let (entered, is_in) = mpsc::channel();
    let (releases, untils): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| mpsc::channel()).unzip();
    thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(THREADS).enable_all().build().unwrap();
        runtime.block_on(async {
            let hub = Hub::new();
            let stage = Stage::new(&hub).await;
            let crowd = DynamicSupervisor::builder("crowd").hub(hub.clone()).start().await.unwrap();
            let mut actors = Vec::new();
            for (name, until) in ["one", "two"].into_iter().zip(untils) {
                let (spec, actor) = ChildSpec::server::<Adder>(name, || ());
                crowd.start_child(spec).await.unwrap();
                actors.push((actor.running().await, until));
            }
            tell.send(stage.client.clone()).unwrap();
            for (actor, until) in actors.into_iter().filter(|_| is_blocked) {
                actor.cast(Msg::Block(entered.clone(), until)).unwrap();
            }
            std::mem::forget((stage, crowd));
            std::future::pending::<()>().await;
        });
    });
    let client = told.recv().unwrap();
    for _ in 0..if is_blocked { THREADS } else { 0 } {
        is_in.recv().unwrap();
    }
    (client, releases)
}

async fn measure<F: Future<Output = ()>>(what: &str, rounds: usize, mut ask: impl FnMut() -> F) {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..rounds * 10 {
        let begin = Instant::now();
        ask().await;
        times.push(begin.elapsed());
    }
    print(what, times);
}
