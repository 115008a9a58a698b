//! Line 114 of the conformance list: demand, partitions, windows, and what a crash does to a flow.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use heights::flow::{Flow, FlowRef, Window};
use heights::prelude::*;
use heights::{ChildStatus, SupervisorRef};
use heights_testkit::{FaultPlan, Probe, eventually};
use proptest::prelude::{ProptestConfig, prop, proptest};
use tokio::sync::Semaphore;
use tokio::time::timeout;

const CEILING: Duration = Duration::from_secs(60);

async fn start((spec, flow): (ChildSpec, FlowRef)) -> (SupervisorRef, FlowRef) {
    (Supervisor::builder("root").child(spec).start().await.unwrap(), flow)
}

async fn finish((root, flow): (SupervisorRef, FlowRef)) {
    timeout(CEILING, flow.finished()).await.expect("the flow ends");
    root.stop().await;
}

/// Counts what is inside, and the most there ever was.
#[derive(Clone, Default)]
struct Gauge {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Gauge {
    fn enter(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn m114_demand_is_never_exceeded() {
    for demand in [1, 2, 7] {
        let (items, results) = (Gauge::default(), Gauge::default());
        let (entered, left) = (items.clone(), items.clone());
        let (worked, taken) = (results.clone(), results.clone());
        let flow = Flow::from(move || {
            let entered = entered.clone();
            stream::iter(0..200_u64).inspect(move |_| entered.enter())
        });
        let flow = flow.demand(demand).partition(3, |item| item % 5).each(move |item| {
            let (left, worked) = (left.clone(), worked.clone());
            async move {
                tokio::time::sleep(Duration::from_millis(item % 3)).await;
                worked.enter();
                left.leave();
                Ok(item)
            }
        });
        let flow = flow.sink(move |item| {
            let taken = taken.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(item % 2)).await;
                taken.leave();
                Ok(())
            }
        });
        finish(start(flow.child_spec("flow")).await).await;
        let most = |gauge: &Gauge| gauge.most.load(Ordering::SeqCst);
        assert!(most(&items) <= demand, "{} of {demand} items", most(&items));
        // Each stage has worked on one more than it has demand to hand on.
        assert!(most(&results) <= demand + 3, "{} of {demand} results", most(&results));
        assert_eq!((items.now.load(Ordering::SeqCst), results.now.load(Ordering::SeqCst)), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn m114_a_slow_sink_stops_the_source() {
    let (drawn, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (draws, opens) = (Arc::clone(&drawn), Arc::clone(&gate));
    let flow = Flow::from(move || {
        let draws = Arc::clone(&draws);
        stream::iter(0..1_000_u64).inspect(move |_| {
            draws.fetch_add(1, Ordering::SeqCst);
        })
    });
    let flow = flow.demand(4).partition(2, |item| *item).each(async |item| Ok(item));
    let flow = flow.sink(move |_| {
        let opens = Arc::clone(&opens);
        async move {
            opens.acquire().await?.forget();
            Ok(())
        }
    });
    let (root, done) = start(flow.child_spec("flow")).await;
    let drawn_now = || drawn.load(Ordering::SeqCst);
    // With time paused, a long sleep ends only when nobody can do anything any more.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let stuck = drawn_now();
    assert!((4..=8).contains(&stuck), "{stuck} items for a demand of 4 items and 4 results");
    gate.add_permits(10);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(drawn_now(), stuck + 10, "one is drawn for each that is taken");
    gate.add_permits(990);
    finish((root, done)).await;
    assert_eq!(drawn_now(), 1_000);
}

/// Runs items through windows and returns, for each key, what came out, in order.
async fn windows(
    items: Vec<(u8, u32)>,
    stages: usize,
    count: usize,
) -> BTreeMap<u8, Vec<Vec<u32>>> {
    let (probe, demand) = (Probe::new(), 3);
    let told = probe.recipient();
    let flow = Flow::from(move || stream::iter(items.clone()))
        .demand(demand)
        .partition(stages, |(key, _)| *key)
        .window(count, Vec::new, |window, (_, value)| window.push(value))
        .sink(move |window| {
            told.tell(window);
            async { Ok(()) }
        });
    finish(start(flow.child_spec("flow")).await).await;
    let mut probe = probe;
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for Window { key, number, items, value } in probe.rest() {
        let of_key = all.entry(key).or_default();
        assert_eq!((number, items), (of_key.len() as u64, value.len()));
        of_key.push(value);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Also says that the order of a key is kept.
    #[test]
    fn m114_windows_are_those_of_a_sequential_reference(
        items in prop::collection::vec((0_u8..6, 0_u32..1_000), 0..80),
        stages in 1_usize..5,
        count in 1_usize..6,
    ) {
        let mut by_key: BTreeMap<u8, Vec<u32>> = BTreeMap::new();
        for (key, value) in &items {
            by_key.entry(*key).or_default().push(*value);
        }
        let chunks = |values: Vec<u32>| values.chunks(count).map(<[u32]>::to_vec).collect();
        let expected = by_key.into_iter().map(|(key, values)| (key, chunks(values))).collect();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let came = runtime.block_on(windows(items, stages, count));
        assert_eq!(came, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn m114_a_key_keeps_its_order_though_stages_take_their_time() {
    let mut probe = Probe::new();
    let told = probe.recipient();
    let flow = Flow::from(|| stream::iter(0..100_u64))
        .map(|number| (number % 7, number))
        .filter(|(key, _)| *key != 3)
        .partition(4, |(key, _)| *key)
        .each(async |(key, number)| {
            tokio::time::sleep(Duration::from_millis((number * 31) % 11)).await;
            Ok((key, number))
        })
        .sink(move |item| {
            told.tell(item);
            async { Ok(()) }
        });
    finish(start(flow.child_spec("flow")).await).await;
    let all = probe.rest();
    assert_eq!(all.len(), 86);
    for key in 0..7 {
        let of_key = || all.iter().filter(|(other, _)| *other == key);
        assert!(of_key().is_sorted(), "{:?}", of_key().collect::<Vec<_>>());
    }
}

/// Wherever it fails, also when the source has ended already, it starts over and comes to its end.
#[tokio::test(start_paused = true)]
async fn m114_a_crash_anywhere_starts_the_flow_over() {
    for (stage_fails, sink_fails) in [(Some(5), None), (None, Some(1)), (Some(20), Some(12))] {
        let plan =
            |at: Option<u64>| at.map_or(FaultPlan::new(), |at| FaultPlan::new().panic_at(at));
        let (stages, sinks) = (plan(stage_fails), plan(sink_fails));
        let mut probe = Probe::new();
        let told = probe.recipient();
        let flow = Flow::from(|| stream::iter(0..20_u64)).partition(2, |item| *item);
        let flow = flow.each(move |item| {
            let stages = stages.clone();
            async move { stages.step().map(|()| item) }
        });
        let flow = flow.sink(move |item| {
            let (sinks, told) = (sinks.clone(), told.clone());
            async move {
                sinks.step()?;
                told.tell(item);
                Ok(())
            }
        });
        finish(start(flow.child_spec("flow")).await).await;
        let mut all = probe.rest();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all, (0..20).collect::<Vec<_>>(), "{stage_fails:?} {sink_fails:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn m114_a_flow_that_has_ended_leaves_and_stays_down() {
    let flow = Flow::from(|| stream::iter(0..3_u64)).partition(2, |item| *item);
    let flow = flow.each(async |item| Ok(item)).sink(|_| async { Ok(()) });
    let (root, done) = start(flow.child_spec("flow")).await;
    timeout(CEILING, done.finished()).await.expect("the flow ends");
    let down = eventually("its end", async || {
        let children = root.which_children().await;
        children.iter().all(|child| matches!(child.status, ChildStatus::Stopped)).then_some(())
    });
    down.await;
    assert!(done.is_finished());
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn m114_a_flow_that_is_stopped_has_not_ended() {
    let mut probe = Probe::new();
    let told = probe.recipient();
    let flow = Flow::from(|| stream::iter(0..5).chain(stream::pending())).partition(2, |_| ());
    let flow = flow.window(2, || 0, |sum, item| *sum += item).sink(move |window| {
        told.tell(window.value);
        async { Ok(()) }
    });
    let (root, done) = start(flow.child_spec("flow")).await;
    assert_eq!((probe.next("a sum").await, probe.next("a sum").await), (1, 5));
    let exit = timeout(CEILING, root.stop()).await.expect("it stops");
    assert!(!exit.is_abnormal() && !done.is_finished());
    assert!(probe.rest().is_empty(), "the window that is not full was not the last");
}

#[tokio::test(start_paused = true)]
async fn m114_no_demand_is_too_much_or_too_little() {
    for demand in [0, usize::MAX] {
        let flow = Flow::from(|| stream::iter(0..10_u64)).demand(demand);
        let flow = flow.partition(0, |item| *item).each(async |item| Ok(item));
        finish(start(flow.sink(async |_item| Ok(())).child_spec("flow")).await).await;
    }
}
