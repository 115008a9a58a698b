//! Line 112 of the conformance list, counters and rates: the regulator under real waiters.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use heights::prelude::*;
use heights::regulator::{Discipline, Limits, Permit, Rate, Refused, Request};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Long enough that only a hang reaches it; time is paused, so it costs nothing.
const CEILING: Duration = Duration::from_secs(3600);

async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    timeout(CEILING, wait).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Lines up workers that hold a permit for a second and tells when each of them got it.
async fn line_up(regulator: &Regulator, workers: usize) -> Vec<(usize, Duration)> {
    let (start, mut line) = (Instant::now(), JoinSet::new());
    let (told, mut got) = mpsc::unbounded_channel();
    for worker in 0..workers {
        let (regulator, told) = (regulator.clone(), told.clone());
        line.spawn(async move {
            let _permit = regulator.acquire().await.unwrap();
            told.send((worker, start.elapsed())).unwrap();
            tokio::time::sleep(SECOND).await;
        });
        // Each is in line before the next arrives.
        tokio::task::yield_now().await;
    }
    drop(told);
    let mut order = Vec::new();
    while let Some(granted) = within("the next permit", got.recv()).await {
        order.push(granted);
    }
    order
}

#[tokio::test(start_paused = true)]
async fn m112_never_more_holders_than_the_limit_and_first_come_first_served() {
    let regulator = Regulator::builder("jobs").concurrency(2).build();
    let seconds: Vec<_> =
        line_up(&regulator, 5).await.into_iter().map(|(who, at)| (who, at.as_secs())).collect();
    assert_eq!(seconds, [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2)]);
}

#[tokio::test]
async fn m112_many_threads_never_exceed_the_limit() {
    let runtime = tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(contend());
    });
    runtime.await.unwrap();
}

async fn contend() {
    let outer = Regulator::builder("outer").concurrency(3).build();
    let inner = Regulator::builder("inner").concurrency(2).parent(&outer).build();
    let (held_outer, held_inner) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut workers = JoinSet::new();
    for worker in 0..16 {
        let (regulator, is_inner) =
            if worker % 2 == 0 { (outer.clone(), false) } else { (inner.clone(), true) };
        let (held_outer, held_inner) = (Arc::clone(&held_outer), Arc::clone(&held_inner));
        workers.spawn(async move {
            for _ in 0..200 {
                let permit = regulator.acquire().await.unwrap();
                assert!(held_outer.fetch_add(1, Ordering::SeqCst) < 3);
                assert!(!is_inner || held_inner.fetch_add(1, Ordering::SeqCst) < 2);
                tokio::task::yield_now().await;
                held_outer.fetch_sub(1, Ordering::SeqCst);
                held_inner.fetch_sub(usize::from(is_inner), Ordering::SeqCst);
                drop(permit);
            }
        });
    }
    timeout(Duration::from_secs(60), workers.join_all())
        .await
        .expect("every worker gets its turns");
    assert_eq!((outer.info().held, inner.info().held), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn m112_the_rate_is_kept_with_and_without_its_process() {
    for with_process in [false, true] {
        let regulator = Regulator::builder("writes").rate(2, SECOND).build();
        let spec = regulator.child_spec();
        let root = Supervisor::builder("root");
        let root = if with_process { root.child(spec) } else { root }.start().await.unwrap();
        let at: Vec<_> = line_up(&regulator, 4)
            .await
            .into_iter()
            .map(|(who, at)| (who, at.as_millis()))
            .collect();
        let tick = |(worker, millis): (usize, u128)| (worker, (millis + 5) / 10 * 10);
        assert_eq!(
            at.into_iter().map(tick).collect::<Vec<_>>(),
            [(0, 0), (1, 500), (2, 1000), (3, 1500)]
        );
        root.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn m112_a_killed_process_neither_forgets_holders_nor_stops_the_clock() {
    let regulator = Regulator::builder("writes").concurrency(2).rate(1, SECOND).build();
    let root = Supervisor::builder("root").child(regulator.child_spec()).start().await.unwrap();
    let held = regulator.acquire().await.unwrap();
    let waiter = tokio::time::timeout(CEILING, regulator.acquire());
    let process = root.hub().unwrap().find("root/writes").unwrap();
    process.kill();
    within("the end of the process", process.gone()).await;
    let second = waiter.await.expect("the rate lets the next one in").unwrap();
    assert_eq!(regulator.info().held, 2);
    drop((held, second));
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m112_who_waits_too_long_is_refused_after_exactly_that_long() {
    let regulator = Regulator::builder("jobs").concurrency(1).max_wait(3 * SECOND).build();
    let _held = regulator.acquire().await.unwrap();
    let start = Instant::now();
    let refused = regulator.acquire().await.unwrap_err();
    assert_eq!(refused, Refused::TimedOut { queue: "jobs".into(), waited: 3 * SECOND });
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(refused.to_string(), "get a permit from queue jobs within 3s");
    assert_eq!((regulator.info().waiting, regulator.info().expired), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn m112_a_waiter_that_gives_up_leaves_the_line() {
    let regulator = Regulator::builder("jobs").concurrency(1).build();
    let held = regulator.acquire().await.unwrap();
    assert!(timeout(SECOND, regulator.acquire()).await.is_err());
    assert_eq!(regulator.info().waiting, 0);
    drop(held);
    let _next = within("the free permit", regulator.acquire()).await.unwrap();
}

/// A waiter that was given its turn and is dropped before it notices must not keep the permit.
#[tokio::test(start_paused = true)]
async fn m112_a_turn_that_nobody_takes_goes_to_the_next() {
    let regulator = Regulator::builder("jobs").concurrency(1).build();
    let held = regulator.acquire().await.unwrap();
    let mut gives_up = Box::pin(regulator.acquire());
    assert!(timeout(SECOND, &mut gives_up).await.is_err());
    drop(held);
    assert_eq!(regulator.info().held, 1, "the turn has come");
    drop(gives_up);
    assert_eq!(regulator.info().held, 0);
}

struct Holder {
    _permit: Permit,
}

impl Server for Holder {
    type Args = Regulator;
    type Msg = ();

    async fn init(regulator: Regulator, _cx: &mut Context<()>) -> Result<Self, Fault> {
        Ok(Self { _permit: regulator.acquire().await? })
    }

    async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
        Ok(Flow::Continue)
    }
}

#[tokio::test(start_paused = true)]
async fn m112_a_holder_that_is_killed_gives_its_permit_back() {
    let regulator = Regulator::builder("jobs").concurrency(1).build();
    let args = regulator.clone();
    let (spec, _holder) = ChildSpec::server::<Holder>("holder", move || args.clone());
    let root =
        Supervisor::builder("root").child(spec.restart(Restart::Temporary)).start().await.unwrap();
    assert_eq!(regulator.info().held, 1);
    root.hub().unwrap().find("root/holder").unwrap().kill();
    let _permit = within("the permit of the dead", regulator.acquire()).await.unwrap();
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m112_nothing_new_starts_until_adoption_has_ended() {
    let jobs = Regulator::builder("jobs").concurrency(2).build();
    let compile = Regulator::builder("jobs.compile").concurrency(1).parent(&jobs).build();
    let hold = jobs.hold();
    let waiter = compile.clone();
    let mut fresh = Box::pin(waiter.acquire());
    assert!(timeout(SECOND, &mut fresh).await.is_err(), "admission is on hold");
    let adopted = [compile.adopt(), compile.adopt(), jobs.adopt()];
    assert_eq!((jobs.info().held, compile.info().held), (3, 2));
    hold.resume();
    assert!(timeout(SECOND, &mut fresh).await.is_err(), "adopted work counts");
    drop(adopted);
    let _permit = within("the permit of the adopted", fresh).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn m112_new_limits_hold_at_once_for_those_who_wait() {
    let regulator = Regulator::builder("jobs").concurrency(0).build();
    let waiter = regulator.clone();
    let mut waiting = Box::pin(waiter.acquire());
    assert!(timeout(SECOND, &mut waiting).await.is_err());
    regulator.reconfigure(Limits { concurrency: Some(1), ..Limits::default() });
    let _permit = within("the new limit", waiting).await.unwrap();
    regulator
        .reconfigure(Limits { rate: Some(Rate::new(1, SECOND).burst(3)), ..Limits::default() });
    assert_eq!(regulator.info().limits.rate.map(|rate| rate.burst_size()), Some(3));
}

#[tokio::test(start_paused = true)]
async fn m112_a_full_queue_refuses_at_once_and_has_no_say_over_who_need_not_wait() {
    let regulator = Regulator::builder("jobs").concurrency(1).max_len(0).build();
    let held = regulator.acquire().await.unwrap();
    let start = Instant::now();
    let refused = regulator.acquire().await.unwrap_err();
    assert_eq!(refused, Refused::Full { queue: "jobs".into() });
    assert_eq!((start.elapsed(), regulator.info().turned_away), (Duration::ZERO, 1));
    assert!(regulator.try_acquire().is_none());
    drop(held);
    assert!(regulator.try_acquire().is_some());
}

/// Lines up one waiter for each name and tells in which order they are served.
async fn served(regulator: &Regulator, names: &[&'static str]) -> Vec<&'static str> {
    let held = regulator.acquire().await.unwrap();
    let (told, mut order) = mpsc::unbounded_channel();
    let mut line = JoinSet::new();
    for name in names.iter().copied() {
        let (regulator, told) = (regulator.clone(), told.clone());
        line.spawn(async move {
            let _permit = regulator.acquire_as(&name[..1]).await.unwrap();
            told.send(name).unwrap();
        });
        tokio::task::yield_now().await;
    }
    drop((told, held));
    let mut seen = Vec::new();
    while let Some(name) = within("the next in line", order.recv()).await {
        seen.push(name);
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn m112_the_discipline_says_who_is_next_and_can_change_while_they_wait() {
    let regulator = Regulator::builder("jobs").concurrency(1).build();
    let names = ["a1", "a2", "a3", "b1", "c1"];
    for (discipline, expected) in [
        (Discipline::Fifo, names),
        (Discipline::Lifo, ["c1", "b1", "a3", "a2", "a1"]),
        (Discipline::Fair, ["a1", "b1", "c1", "a2", "a3"]),
    ] {
        regulator.reconfigure(Limits { discipline, ..regulator.info().limits });
        assert_eq!(served(&regulator, &names).await, expected, "{discipline:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn m112_a_standing_queue_sheds_who_waited_longer_than_its_target() {
    let codel = Discipline::CoDel { target: SECOND, interval: 3 * SECOND };
    let regulator = Regulator::builder("api").concurrency(1).discipline(codel).build();
    let (told, mut ends) = mpsc::unbounded_channel();
    let mut callers = JoinSet::new();
    // Two come each second, and each keeps its permit for one.
    for caller in 0..40u64 {
        let (regulator, told) = (regulator.clone(), told.clone());
        callers.spawn(async move {
            tokio::time::sleep(SECOND / 2 * u32::try_from(caller).unwrap()).await;
            let asked = Instant::now();
            let permit = regulator.acquire().await;
            told.send((asked.elapsed(), permit.is_ok())).unwrap();
            if permit.is_ok() {
                tokio::time::sleep(SECOND).await;
            }
        });
    }
    drop(told);
    let (mut served, mut shed) = (Vec::new(), 0);
    while let Some((waited, is_served)) = within("the next end", ends.recv()).await {
        if is_served { served.push(waited) } else { shed += 1 }
    }
    assert_eq!(regulator.info().shed, shed);
    assert!(shed > 5, "overload was found out: {shed} of 40");
    let first = served.iter().position(|waited| *waited > 2 * SECOND).unwrap();
    let settled: Vec<_> = served[first..].iter().skip_while(|waited| **waited > SECOND).collect();
    assert!(settled.len() > 5 && settled.iter().all(|waited| **waited <= SECOND), "{served:?}");
}

#[tokio::test(start_paused = true)]
async fn m112_shows_holders_and_waiters_with_queue_key_and_age() {
    let jobs = Regulator::builder("jobs").concurrency(1).build();
    let test = Regulator::builder("jobs.test").parent(&jobs).build();
    let _held = test.acquire_as("shop").await.unwrap();
    let request = Request { key: Some("blog".into()), max_wait: Some(CEILING) };
    let mut waiter = Box::pin(jobs.acquire_with(request));
    assert!(timeout(2 * SECOND, &mut waiter).await.is_err());
    let shown = |claims: Vec<heights::regulator::Claim>| {
        let line = |claim: heights::regulator::Claim| {
            format!("{} {} {:?}", claim.queue, claim.key.unwrap(), claim.age)
        };
        claims.into_iter().map(line).collect::<Vec<_>>()
    };
    let ages = |lines: Vec<String>| lines.join("; ").replace(".001s", "s");
    assert_eq!(ages(shown(jobs.holders())), "jobs.test shop 2s");
    assert_eq!(ages(shown(jobs.waiters())), "jobs blog 2s");
    assert_eq!(test.waiters(), []);
}

#[tokio::test(start_paused = true)]
async fn m112_a_holder_that_panics_gives_its_permit_back() {
    let regulator = Regulator::builder("jobs").concurrency(1).build();
    let mut worker = JoinSet::new();
    let borrowed = regulator.clone();
    worker.spawn(async move { borrowed.run(async { panic!("on purpose") }).await });
    assert!(within("the panic", worker.join_next()).await.unwrap().is_err());
    assert_eq!((regulator.info().held, regulator.holders()), (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn m112_an_actor_that_is_killed_while_it_waits_leaves_the_line() {
    let regulator = Regulator::builder("jobs").concurrency(1).build();
    let held = regulator.acquire().await.unwrap();
    let args = regulator.clone();
    let spec = ChildSpec::task("waiter", move |_| {
        let regulator = args.clone();
        async move {
            let _permit = regulator.acquire().await?;
            std::future::pending().await
        }
    });
    let root =
        Supervisor::builder("root").child(spec.restart(Restart::Temporary)).start().await.unwrap();
    let waits = heights_testkit::eventually("the waiter", async || {
        (regulator.info().waiting == 1).then_some(())
    });
    within("the waiter", waits).await;
    let waiter = root.hub().unwrap().find("root/waiter").unwrap();
    waiter.kill();
    within("its end", waiter.gone()).await;
    assert_eq!(regulator.info().waiting, 0);
    drop(held);
    assert_eq!(regulator.info().held, 0);
    root.stop().await;
}

/// A second is never given more than its share, however the limits and the process change.
#[tokio::test(start_paused = true)]
async fn m112_no_window_holds_more_than_the_rate_across_reconfigure_and_restart() {
    let regulator = Regulator::builder("api").rate(4, SECOND).build();
    let root = Supervisor::builder("root").intensity(100, SECOND).child(regulator.child_spec());
    let root = root.start().await.unwrap();
    let mut given = Vec::new();
    for turn in 0..40 {
        let permit = within("the next permit", regulator.acquire()).await.unwrap();
        given.push(Instant::now());
        drop(permit);
        match turn % 5 {
            1 => regulator.reconfigure(Limits::default()),
            2 => root.hub().unwrap().find("root/api").unwrap().kill(),
            _ => {}
        }
        let rate = Some(Rate::new(if turn < 20 { 4 } else { 2 }, SECOND));
        regulator.reconfigure(Limits { rate, ..Limits::default() });
    }
    for (second, limit) in [(&given[..20], 4), (&given[20..], 2)] {
        for start in second {
            let inside = second.iter().filter(|at| *at >= start && **at < *start + SECOND).count();
            assert!(inside <= limit, "{inside} of {limit}");
        }
    }
    root.stop().await;
}
