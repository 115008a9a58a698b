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

/// How many messages wait before a state is asked for.
const BACKLOG: u32 = 100_000;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Adds up.
struct Adder(u64);

enum Msg {
    Add(u64),
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
            Msg::Total(reply) => reply.send(self.0),
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Add(_) => "add",
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
    let ratio = ratio(rounds, &stage.adder, &bare, casts).await;
    println!("  attached, and nobody looks       ratio {ratio:.2}");
    let looking = Arc::new(AtomicBool::new(true));
    let (client, looks) = (stage.client.clone(), Arc::clone(&looking));
    let looker = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        while looks.load(Ordering::Relaxed) {
            runtime.block_on(client.picture()).unwrap();
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    let ratio = self::ratio(rounds, &stage.adder, &bare, casts).await;
    println!("  somebody looks once a second     ratio {ratio:.2}");
    looking.store(false, Ordering::Relaxed);
    looker.join().unwrap();
}

async fn ratio(rounds: usize, ours: &Ref<Msg>, theirs: &ActorRef<BareMsg>, casts: u32) -> f64 {
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let (ours, theirs) = if round % 2 == 0 {
            let ours = our_casts(ours, casts).await;
            (ours, their_casts(theirs, casts).await)
        } else {
            let theirs = their_casts(theirs, casts).await;
            (our_casts(ours, casts).await, theirs)
        };
        ratios.push(ours.as_secs_f64() / theirs.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
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
    let mut times = Vec::new();
    for _ in 0..rounds * 10 {
        for _ in 0..BACKLOG / 10 {
            stage.adder.cast(Msg::Add(1)).unwrap();
        }
        let begin = Instant::now();
        assert!(!stage.client.state("adder", None).await.unwrap().stale);
        times.push(begin.elapsed());
    }
    print("a state, behind a backlog", times);
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
