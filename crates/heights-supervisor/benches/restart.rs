//! What supervision costs, next to bare ractor in the same run.
//!
//! `cargo bench -p heights-supervisor` prints the time of a restart (a crash until the next life
//! is up) and of a message (cast and handled), each for both, and the ratio.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]
#![expect(clippy::disallowed_methods, reason = "bare ractor is the yardstick")]

use std::time::{Duration, Instant};

use heights_supervisor::{
    ChildRef, ChildSpec, Context, Fault, Flow, Reply, Server, Supervisor, SupervisorRef,
};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::JoinHandle;

/// Restarts per round.
const RESTARTS: u32 = 2_000;

/// Messages per round.
const MESSAGES: u32 = 200_000;

/// The fastest of this many rounds counts: the others had company on the machine.
const ROUNDS: u32 = 7;

struct Worker(u64);

enum Msg {
    Add(u64),
    Total(Reply<u64>),
    Fail,
}

impl Server for Worker {
    type Args = ();
    type Msg = Msg;

    async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self(0))
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Add(number) => self.0 += number,
            Msg::Total(reply) => reply.send(self.0),
            Msg::Fail => return Err("asked to".into()),
        }
        Ok(Flow::Continue)
    }
}

/// The same worker as an ordinary ractor actor.
struct Bare;

enum BareMsg {
    Add(u64),
    Total(RpcReplyPort<u64>),
    Fail,
}

impl Actor for Bare {
    type Msg = BareMsg;
    type State = u64;
    type Arguments = ();

    async fn pre_start(
        &self,
        _myself: ActorRef<BareMsg>,
        (): (),
    ) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _myself: ActorRef<BareMsg>,
        message: BareMsg,
        state: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            BareMsg::Add(number) => *state += number,
            BareMsg::Total(reply) => reply.send(*state)?,
            BareMsg::Fail => return Err("asked to".into()),
        }
        Ok(())
    }
}

async fn supervised() -> (SupervisorRef, ChildRef<Msg>) {
    let (spec, worker) = ChildSpec::server::<Worker>("worker", || ());
    let builder = Supervisor::builder("root").intensity(u32::MAX, Duration::from_secs(1));
    (builder.child(spec).start().await.unwrap(), worker)
}

async fn bare() -> (ActorRef<BareMsg>, JoinHandle<()>) {
    Actor::spawn(None, Bare, ()).await.unwrap()
}

async fn supervised_restarts() -> Duration {
    let (root, worker) = supervised().await;
    let begin = Instant::now();
    for _ in 0..RESTARTS {
        let life = worker.running().await;
        life.cast(Msg::Fail).unwrap();
        life.process().gone().await;
    }
    worker.running().await;
    let took = begin.elapsed();
    root.stop().await;
    took / RESTARTS
}

async fn bare_restarts() -> Duration {
    let (mut actor, mut task) = bare().await;
    let begin = Instant::now();
    for _ in 0..RESTARTS {
        actor.send_message(BareMsg::Fail).unwrap();
        task.await.unwrap();
        (actor, task) = bare().await;
    }
    let took = begin.elapsed();
    actor.stop(None);
    task.await.unwrap();
    took / RESTARTS
}

async fn supervised_messages() -> Duration {
    let (root, worker) = supervised().await;
    let worker = worker.running().await;
    let begin = Instant::now();
    for _ in 0..MESSAGES {
        worker.cast(Msg::Add(1)).unwrap();
    }
    let limit = Duration::from_secs(60);
    assert_eq!(worker.call_within(limit, Msg::Total).await.unwrap(), u64::from(MESSAGES));
    let took = begin.elapsed();
    root.stop().await;
    took / MESSAGES
}

async fn bare_messages() -> Duration {
    let (actor, task) = bare().await;
    let begin = Instant::now();
    for _ in 0..MESSAGES {
        actor.send_message(BareMsg::Add(1)).unwrap();
    }
    let total = actor.call(BareMsg::Total, None).await.unwrap().unwrap();
    assert_eq!(total, u64::from(MESSAGES));
    let took = begin.elapsed();
    actor.stop(None);
    task.await.unwrap();
    took / MESSAGES
}

/// Runs both in turn, so that a busy machine is busy for both, and prints the best of each.
async fn compare(what: &str, ours: impl AsyncFn() -> Duration, theirs: impl AsyncFn() -> Duration) {
    let (mut our_best, mut their_best) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        our_best = our_best.min(ours().await);
        their_best = their_best.min(theirs().await);
    }
    let ratio = our_best.as_secs_f64() / their_best.as_secs_f64();
    println!(
        "{what:<8} supervised {our_best:>10.2?}  bare ractor {their_best:>10.2?}  ratio {ratio:.2}"
    );
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        compare("restart", supervised_restarts, bare_restarts).await;
        compare("message", supervised_messages, bare_messages).await;
    });
}
