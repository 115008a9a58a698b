//! A tree with one server, whoever looks into it, and the same by ractor alone.

use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use heights_supervisor::{
    ChildRef, ChildSpec, Context, Fault, Flow, Hub, Inspect, Reply, Server, StateView, Supervisor,
    View,
};
use heights_vitals::{Client, Inspector, InspectorBuilder, Tier};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

/// How long an answer may take.
pub const LIMIT: Duration = Duration::from_secs(600);

/// How long some messages take.
pub const WORK: Duration = Duration::from_micros(10);

/// Adds up.
pub struct Adder(u64);

pub enum Msg {
    Add(u64),
    /// Takes 10 µs of a processor.
    Work,
    /// Takes a millisecond, and no processor.
    Wait,
    /// Takes all of a thread until the other end is dropped.
    Block(mpsc::Sender<()>, mpsc::Receiver<()>),
    Crash,
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
            Msg::Wait => tokio::time::sleep(Duration::from_millis(1)).await,
            Msg::Block(entered, released) => {
                entered.send(())?;
                let _dropped = released.recv();
            }
            Msg::Crash => return Err(format!("crash number {}", self.0).into()),
            Msg::Total(reply) => reply.send(self.0),
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Add(_) => "add",
            Msg::Work => "work",
            Msg::Wait => "wait",
            Msg::Block(..) => "block",
            Msg::Crash => "crash",
            Msg::Total(_) => "total",
        }
    }
}

/// The same, by ractor alone.
pub struct Bare;

pub enum BareMsg {
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
pub struct Stage {
    pub adder: ChildRef<Msg>,
    pub client: Client,
    pub inspector: Inspector,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// What is measured is what answers take, not what they may.
    pub async fn new(hub: &Hub) -> Self {
        Self::with(hub, |inspector| inspector.budget_ppm(1_000_000)).await
    }

    pub async fn with(
        hub: &Hub,
        configure: impl FnOnce(InspectorBuilder) -> InspectorBuilder,
    ) -> Self {
        let (spec, adder) = ChildSpec::server::<Adder>("adder", || ());
        let root = Supervisor::builder("root").hub(hub.clone()).child(spec);
        let root = root.intensity(10_000, Duration::from_secs(1));
        // It lives as long as the bench.
        std::mem::forget(root.start().await.unwrap());
        let folder = tempfile::tempdir().unwrap();
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder.path(), mode).unwrap();
        let inspector = Inspector::builder("bench", hub).tier(Tier::Trace).directory(folder.path());
        let inspector = configure(inspector).start().unwrap();
        let client = Client::new(inspector.socket()).patience(LIMIT);
        adder.running().await;
        Self { adder, client, inspector, _folder: folder }
    }
}
