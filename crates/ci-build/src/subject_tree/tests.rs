//! What siblings notice of one whose actor crashes until it is given up.

use std::sync::Mutex;

use heights::{ChildRef, Context, DynamicRef, Exit, Fault, Flow, Server, ShutdownReason};
use tokio::time::Instant;

use super::*;
use crate::subject_tree::faults::crash;

/// Who has handled which message, and when.
type Log = Arc<Mutex<Vec<(&'static str, u32, Instant)>>>;

struct Worker(&'static str, Log);

enum Msg {
    Work(u32),
    Break,
}

impl Server for Worker {
    type Args = (&'static str, Log);
    type Msg = Msg;

    async fn init((name, log): Self::Args, _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self(name, log))
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Work(number) => self.1.lock().unwrap().push((self.0, number, Instant::now())),
            Msg::Break => panic!("record 7 makes no sense"),
        }
        Ok(Flow::Continue)
    }

    fn label(_msg: &Msg) -> &'static str {
        "work"
    }
}

/// Some subjects side by side, and what was reported of them.
struct World {
    pulls: DynamicRef,
    log: Log,
    reports: Arc<Mutex<Vec<Report>>>,
}

impl World {
    async fn new() -> Self {
        let reports: Arc<Mutex<Vec<Report>>> = Arc::default();
        let (pulls_spec, pulls) = DynamicSupervisor::builder("pulls")
            .intensity(1000, Duration::from_secs(60))
            .on_report(keep(&reports))
            .child_spec();
        Supervisor::builder("root").child(pulls_spec).start().await.unwrap();
        Self { pulls, log: Log::default(), reports }
    }

    async fn start(&self, name: &'static str) -> ChildRef<Msg> {
        let args = (name, self.log.clone());
        let (spec, worker) = describe(name.to_owned(), keep(&self.reports), |_builds| {
            let (spec, worker) = ChildSpec::server::<Worker>("pull", move || args.clone());
            (spec, worker, Recipient::from_fn(drop))
        });
        self.pulls.start_child(spec).await.unwrap();
        worker
    }

    fn has_left(&self, name: &str) -> bool {
        let gave_up =
            |exit: &Exit| matches!(exit, Exit::Shutdown(ShutdownReason::ReachedMaxIntensity));
        let is_it = |report: &Report| match report {
            Report::Left(left) => left.child.as_str() == name && gave_up(&left.exit),
            _ => false,
        };
        self.reports.lock().unwrap().iter().any(is_it)
    }
}

fn keep(reports: &Arc<Mutex<Vec<Report>>>) -> Recipient<Report> {
    let reports = reports.clone();
    Recipient::from_fn(move |report| reports.lock().unwrap().push(report))
}

#[tokio::test(start_paused = true)]
async fn siblings_of_one_that_is_given_up_work_in_order_at_once_and_in_their_first_life() {
    let world = World::new().await;
    let poor = world.start("pull-2").await;
    let siblings = [world.start("pull-1").await, world.start("pull-3").await];
    let begin = Instant::now();
    let mut sent = 0;
    while !world.has_left("pull-2") {
        // One that is being started again breaks at the next attempt.
        let _restarting = poor.cast(Msg::Break);
        for sibling in &siblings {
            sibling.cast(Msg::Work(sent)).unwrap();
        }
        sent += 1;
        assert!(sent < 100_000, "it is not given up");
        tokio::task::yield_now().await;
    }
    // Whatever they were told is done by the time that anything else has to wait for a timer.
    tokio::time::sleep(Duration::from_millis(1)).await;
    for name in ["pull-1", "pull-3"] {
        let log = world.log.lock().unwrap();
        let of_it = log.iter().filter(|(who, ..)| *who == name);
        let (numbers, times): (Vec<u32>, Vec<Instant>) = of_it.map(|(_, n, at)| (*n, *at)).unzip();
        assert_eq!(numbers, (0..sent).collect::<Vec<_>>(), "{name} works in order");
        assert!(times.iter().all(|at| *at == begin), "{name} waits for nobody");
    }
    let of_siblings =
        |report: &&Report| ["pull-1", "pull-3"].iter().any(|name| report.path().ends_with(name));
    let reports = world.reports.lock().unwrap();
    assert_eq!(reports.iter().filter(of_siblings).count(), 0, "nothing goes wrong with them");
}

#[tokio::test(start_paused = true)]
async fn how_an_actor_crashed_last_is_told_before_it_is_given_up() {
    let world = World::new().await;
    let poor = world.start("pull-2").await;
    while !world.has_left("pull-2") {
        let _restarting = poor.cast(Msg::Break);
        tokio::task::yield_now().await;
    }
    let reports = world.reports.lock().unwrap();
    let left = reports.iter().position(|report| matches!(report, Report::Left(_))).unwrap();
    let told = |report: &Report| match report {
        Report::Supervisor(report) if report.supervisor.ends_with("/pull-2") => crash(report),
        _ => None,
    };
    let last = reports[..left].iter().rev().find_map(told).unwrap();
    assert!(last.starts_with("panic: record 7 makes no sense at "), "{last}");
    assert!(last.contains("subject_tree/tests.rs:"), "{last}");
}
