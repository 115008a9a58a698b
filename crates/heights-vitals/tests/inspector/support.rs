//! A real tree behind a real socket.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;
use std::time::Duration;

use heights_supervisor::{
    ChildRef, ChildSpec, Context, Fault, Flow, GiveUp, Hub, Inspect, LastMessage, Reply, Secret,
    Server, StateView, Strategy, Supervisor, SupervisorRef, View,
};
use heights_vitals::wire::Picture;
use heights_vitals::{Client, ClientError, Inspector, InspectorBuilder, Tier};
use tempfile::TempDir;

/// Longer than anything takes on a machine that does ten other things.
pub const CEILING: Duration = Duration::from_secs(120);

/// What nobody may see, wherever it is planted.
pub const CANARY: &str = "canary-7f3a91";

struct Worker {
    pinged: u64,
    token: Secret<&'static str>,
}

impl Inspect for Worker {
    fn inspect(&self, view: View<'_>) {
        view.record(|worker| worker.field("pinged", &self.pinged).field("token", &self.token));
    }
}

#[derive(Debug)]
pub enum Msg {
    Ping(Reply<()>),
    /// Blocks the thread until the other end is dropped.
    Block(mpsc::Sender<()>, mpsc::Receiver<()>),
    /// Does nothing, with something that nobody may see.
    Login(Secret<&'static str>),
    /// Asks another one to ping, and waits for it.
    Ask(ChildRef<Msg>),
    Crash,
}

impl Server for Worker {
    type Args = ();
    type Msg = Msg;

    const LAST_MESSAGE: LastMessage<Msg> = LastMessage::debug();
    const STATE: StateView<Self> = StateView::inspect();

    async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self { pinged: 0, token: Secret::new(CANARY) })
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Ping(reply) => {
                self.pinged += 1;
                reply.send(());
            }
            Msg::Login(secret) => assert_eq!(secret.expose(), self.token.expose()),
            Msg::Ask(other) => other.call_within(CEILING, Msg::Ping).await?,
            Msg::Crash => panic!("as it was told"),
            Msg::Block(entered, released) => {
                entered.send(())?;
                let _dropped = released.recv();
            }
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Ping(_) => "Ping",
            Msg::Block(..) => "Block",
            Msg::Login(_) => "Login",
            Msg::Ask(_) => "Ask",
            Msg::Crash => "Crash",
        }
    }
}

/// ```text
/// app (rest_for_one)
/// ├─ store
/// ├─ pulls (one_for_one)
/// │  ├─ pull-7
/// │  └─ pull-71
/// └─ idle, a task
/// ```
pub struct Tree {
    pub root: SupervisorRef,
    pub store: ChildRef<Msg>,
    pub pull_7: ChildRef<Msg>,
    pub inspector: Inspector,
    pub client: Client,
    _directory: TempDir,
}

pub fn private_directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    directory
}

pub async fn start(tier: Tier) -> Tree {
    start_with(|inspector| inspector.tier(tier)).await
}

pub async fn start_with(configure: impl FnOnce(InspectorBuilder) -> InspectorBuilder) -> Tree {
    let (store, store_ref) = ChildSpec::server::<Worker>("store", || ());
    let (seven, seven_ref) = ChildSpec::server::<Worker>("pull-7", || ());
    let (seventy_one, _) = ChildSpec::server::<Worker>("pull-71", || ());
    let seventy_one = seventy_one.restart_limit(2, Duration::from_secs(600), GiveUp::RemoveChild);
    let (pulls, _) = Supervisor::builder("pulls").child(seven).child(seventy_one).child_spec();
    let idle = ChildSpec::task("idle", |cx| async move {
        cx.shutdown().await;
        Ok(())
    });
    let hub = Hub::new();
    let root = Supervisor::builder("app").hub(hub.clone()).strategy(Strategy::RestForOne);
    let root = root.child(store).child(pulls).child(idle).start().await.unwrap();
    let directory = private_directory();
    let inspector = Inspector::builder("app", &hub).version("1.2.3").directory(directory.path());
    let inspector = configure(inspector).start().unwrap();
    let client = Client::new(inspector.socket()).patience(CEILING);
    let (store, pull_7) = (store_ref, seven_ref);
    Tree { root, store, pull_7, inspector, client, _directory: directory }
}

/// Asks for everything until it is as it should be.
pub async fn picture_when(client: &Client, what: &str, is: impl Fn(&Picture) -> bool) -> Picture {
    let asking = async {
        loop {
            let picture = client.picture().await.unwrap();
            if is(&picture) {
                return picture;
            }
            tokio::task::yield_now().await;
        }
    };
    let seen = tokio::time::timeout(CEILING, asking).await;
    seen.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Asks until the actor is in a later life.
pub async fn reborn(client: &Client, reference: &str) -> heights_vitals::wire::Actor {
    let asking = async {
        loop {
            if let Ok(found) = client.actor(reference).await
                && found.actor.restarts > Some(0)
            {
                return found.actor;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(CEILING, asking).await.expect("waited in vain for a restart")
}

pub fn refusal<T: std::fmt::Debug>(
    answer: Result<T, ClientError>,
) -> (u16, Box<heights_vitals::wire::ErrorBody>) {
    match answer.unwrap_err() {
        ClientError::Refused { status, body } => (status, body),
        other => panic!("{other}"),
    }
}
