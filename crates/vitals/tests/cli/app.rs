//! An application for the program to look into.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use heights_supervisor::{
    CallError, ChildRef, ChildSpec, Context, Fault, Flow, Hub, Reply, Server, Strategy, Supervisor,
    SupervisorRef,
};
use heights_vitals::{Inspector, Tier};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

pub const CEILING: Duration = Duration::from_secs(60);

pub struct Worker;

pub enum Msg {
    /// Handles the message until the other end is dropped.
    Hold(oneshot::Receiver<()>),
    /// Asks another worker, and is kept by that.
    Ask(ChildRef<Msg>),
    Ping(Reply<()>),
    Crash,
}

impl Server for Worker {
    type Args = ();
    type Msg = Msg;

    async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self)
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Hold(released) => {
                let _dropped = released.await;
            }
            Msg::Ask(other) => match other.call_within(CEILING, Msg::Ping).await {
                Ok(()) | Err(CallError::NoProc) => {}
                Err(error) => return Err(error.into()),
            },
            Msg::Ping(reply) => reply.send(()),
            Msg::Crash => return Err("on purpose".into()),
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Hold(_) => "Hold",
            Msg::Ask(_) => "Ask",
            Msg::Ping(_) => "Ping",
            Msg::Crash => "Crash",
        }
    }
}

/// An application in this process, whose socket lies where only these tests look.
///
/// ```text
/// demo (rest_for_one)
/// ├─ store
/// └─ pulls (one_for_one)
///    └─ pull-7
/// ```
pub struct App {
    pub root: SupervisorRef,
    pub store: ChildRef<Msg>,
    pub pull: ChildRef<Msg>,
    pub inspector: Option<Inspector>,
    pub runtime: TempDir,
}

impl App {
    pub async fn start(tier: Tier) -> Self {
        let runtime = TempDir::new().unwrap();
        fs::create_dir(runtime.path().join("heights")).unwrap();
        fs::set_permissions(runtime.path().join("heights"), fs::Permissions::from_mode(0o700))
            .unwrap();
        let hub = Hub::new();
        let (store, store_ref) = ChildSpec::server::<Worker>("store", || ());
        let (pull, pull_ref) = ChildSpec::server::<Worker>("pull-7", || ());
        let (pulls, _) = Supervisor::builder("pulls").child(pull).child_spec();
        let root = Supervisor::builder("demo").strategy(Strategy::RestForOne).hub(hub.clone());
        let root = root.child(store).child(pulls).start().await.unwrap();
        let inspector = Inspector::builder("demo", &hub).version("1.2.3").tier(tier);
        let inspector = inspector.directory(runtime.path().join("heights")).start().unwrap();
        Self { root, store: store_ref, pull: pull_ref, inspector: Some(inspector), runtime }
    }

    /// Makes the store handle a message until what is returned is dropped.
    pub fn hold_store(&self) -> oneshot::Sender<()> {
        let (release, released) = oneshot::channel();
        self.store.cast(Msg::Hold(released)).unwrap();
        release
    }

    pub fn vitals(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vitals"));
        command.args(args).env("XDG_RUNTIME_DIR", self.runtime.path()).stdin(Stdio::null());
        command.env("LC_ALL", "C.UTF-8");
        // Other applications of this user are none of the tests' business.
        let elsewhere = ["ls", "-p", "--socket", "--from", "--host", "completions", "man"];
        if !args.iter().any(|arg| elsewhere.contains(arg)) {
            command.args(["-p", &std::process::id().to_string()]);
        }
        command
    }

    pub async fn run(&self, args: &[&str]) -> Ran {
        finish(self.vitals(args)).await
    }

    pub async fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["-o", "json"]].concat()).await;
        assert_eq!(ran.code(), 0, "{}", ran.stderr());
        serde_json::from_str(&ran.stdout()).unwrap()
    }

    /// Returns the path of a file next to the socket.
    pub fn path(&self, name: &str) -> String {
        self.runtime.path().join(name).display().to_string()
    }
}

/// Runs a program to its end.
pub async fn finish(mut command: Command) -> Ran {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    Ran(tokio::time::timeout(CEILING, output).await.expect("vitals ends").unwrap())
}

pub struct Ran(pub Output);

impl Ran {
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}
