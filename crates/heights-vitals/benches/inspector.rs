//! What it costs to be looked into, next to bare ractor, and how long answers take.
//!
//! `cargo bench -p heights-vitals` measures everything, `-- --quick` a part of it. A ratio is the
//! median of many, each of two measurements taken one after the other, so that a busy machine is
//! busy for both.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]
#![expect(clippy::disallowed_methods, reason = "bare ractor is the yardstick")]

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use heights_supervisor::{
    ChildSpec, Context, DynamicSupervisor, Fault, Flow, Hub, Inspect, Ref, Reply, Server,
    StateView, Supervisor, View,
};
use heights_vitals::wire::Sort;
use heights_vitals::{Client, Inspector};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

/// How many messages are sent in one measurement.
const CASTS: u32 = 100_000;

/// How many actors make a crowd.
const CROWD: usize = 100_000;

/// How many messages wait, at least, while a state is asked for.
const BACKLOG: u64 = 100_000;

/// How long each of them takes: a backlog that melts while the answer is made is none.
const WORK: Duration = Duration::from_micros(10);

/// How many times as many rounds there are when somebody looks once a second, to be looked at often.
const LOOKED_AT: usize = 5;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Adds up.
struct Adder(u64);

enum Msg {
    Add(u64),
    Work,
    Total(Reply<u64>),
}

impl Inspect for Adder {
    fn inspect(&self, view: View<'_>) {
        view.record(|adder| adder.field("total", &self.0));
    }
}

impl Server for Adder {
    type Args = ();
    type Msg = Msg;

    const STATE: StateView<Self> = StateView::inspect();

    async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self(0))
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Add(number) => self.0 += number,
            Msg::Work => {
                let begin = Instant::now();
                while begin.elapsed() < WORK {
                    std::hint::spin_loop();
                }
                self.0 += 1;
            }
            Msg::Total(reply) => reply.send(self.0),
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Add(_) => "add",
            Msg::Work => "work",
            Msg::Total(_) => "total",
        }
    }
}

/// The same, by ractor alone.
struct Bare;

enum BareMsg {
    Add(u64),
    Total(RpcReplyPort<u64>),
}

impl Actor for Bare {
    type Msg = BareMsg;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<BareMsg>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _: ActorRef<BareMsg>,
        msg: BareMsg,
        total: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            BareMsg::Add(number) => *total += number,
            BareMsg::Total(port) => port.send(*total)?,
        }
        Ok(())
    }
}

/// A tree with one server, and whoever looks into it.
struct Stage {
    adder: Ref<Msg>,
    client: Client,
    _inspector: Inspector,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn new(hub: &Hub) -> Self {
        let (spec, adder) = ChildSpec::server::<Adder>("adder", || ());
        let root = Supervisor::builder("root").hub(hub.clone()).child(spec);
        // It lives as long as the bench.
        std::mem::forget(root.start().await.unwrap());
        let folder = tempfile::tempdir().unwrap();
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder.path(), mode).unwrap();
        let inspector = Inspector::builder("bench", hub).directory(folder.path());
        // What is measured is what answers take, not what they may.
        let inspector = inspector.budget_ppm(1_000_000).start().unwrap();
        let client = Client::new(inspector.socket()).patience(LIMIT);
        Self { adder: adder.running().await, client, _inspector: inspector, _folder: folder }
    }
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (rounds, casts) = if quick { (7, CASTS / 10) } else { (31, CASTS) };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        messages(rounds, casts).await;
        states(rounds).await;
        crowd(rounds, if quick { CROWD / 10 } else { CROWD }).await;
    });
}

async fn messages(rounds: usize, casts: u32) {
    let stage = Stage::new(&Hub::new()).await;
    let (bare, _task) = Actor::spawn(None, Bare, ()).await.unwrap();
    println!("a cast, beside bare ractor");
    let ratios = ratios(rounds, &stage.adder, &bare, casts).await;
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
    let ratios = self::ratios(rounds * LOOKED_AT, &stage.adder, &bare, casts).await;
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

async fn our_casts(adder: &Ref<Msg>, casts: u32) -> Duration {
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

async fn states(rounds: usize) {
    let stage = Stage::new(&Hub::new()).await;
    let (mut sent, mut handled, mut times) = (0, 0, Vec::new());
    for _ in 0..rounds * 10 {
        // Some of it is handled before the state is shown; that much is to be left.
        while sent - handled < 2 * BACKLOG {
            stage.adder.cast(Msg::Work).unwrap();
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
    stage.adder.call_within(LIMIT, Msg::Total).await.unwrap();
}

async fn crowd(rounds: usize, many: usize) {
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

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let (half, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{what:<34} median {half:>9.2?}   99 of 100 {most:>9.2?}");
}
