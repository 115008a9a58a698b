//! Section J: what a crash report tells of the last message.

use std::fmt;

use heights_supervisor::{
    ChildRef, ChildSpec, Context, Crash, Fault, Flow, Hub, LastMessage, Recipient, Reply, Report,
    Secret, Server, Supervisor, SupervisorRef,
};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::support::{Probe, SECOND, Trace, settle, start, within};

const PASSWORD: &str = "a password that nobody may see";

/// A server that wants its messages to be found in crash reports.
struct Clerk;

#[derive(Debug)]
enum Msg {
    Login { name: &'static str, password: Secret<&'static str> },
    Work,
    Nameless,
    Unspeakable(Unspeakable),
    Ping(Reply<()>),
}

/// Panics when it is written down.
struct Unspeakable;

impl fmt::Debug for Unspeakable {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("words fail me")
    }
}

impl Server for Clerk {
    type Args = ();
    type Msg = Msg;

    const LAST_MESSAGE: LastMessage<Msg> = LastMessage::debug();

    async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self)
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Login { name, password } => {
                assert!(password.expose().is_empty(), "{name} has a password");
            }
            Msg::Work => std::future::pending().await,
            Msg::Nameless | Msg::Unspeakable(_) => {}
            Msg::Ping(reply) => reply.send(()),
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Login { .. } => "login",
            Msg::Work => "work",
            Msg::Nameless => panic!("it has no name"),
            Msg::Unspeakable(_) => "unspeakable",
            Msg::Ping(_) => "ping",
        }
    }
}

struct Stage {
    _root: SupervisorRef,
    hub: Hub,
    clerk: ChildRef<Msg>,
    sibling: Probe,
    reports: UnboundedReceiver<Report>,
}

impl Stage {
    async fn new() -> Self {
        let hub = Hub::new();
        let (recipient, reports) = Recipient::stream();
        hub.subscribe(recipient);
        let sibling = Probe::new(&Trace::default(), "sibling");
        let (spec, clerk) = ChildSpec::server::<Clerk>("clerk", || ());
        let root =
            Supervisor::builder("root").hub(hub.clone()).child(sibling.spec.clone()).child(spec);
        Self { _root: start(root).await, hub, clerk, sibling, reports }
    }

    async fn crash(&mut self) -> Crash {
        let crash = async {
            loop {
                if let Some(Report::Crash(crash)) = self.reports.recv().await {
                    return crash;
                }
            }
        };
        within("a crash", crash).await
    }
}

#[tokio::test(start_paused = true)]
async fn j91c_a_server_may_have_its_last_message_reported_without_its_secrets() {
    let mut stage = Stage::new().await;
    stage.clerk.call(Msg::Ping).await.unwrap();
    stage.clerk.cast(Msg::Login { name: "joe", password: Secret::new(PASSWORD) }).unwrap();
    let crash = stage.crash().await;
    let login = r#"Login { name: "joe", password: *** }"#;
    assert_eq!(crash.last_message.as_deref(), Some(login));
    let told = Report::Crash(crash.clone()).to_string();
    assert!(told.contains(&format!(", in message \"login\": {login}, ")), "{told}");
    assert!(!format!("{told}{crash:?}").contains(PASSWORD));

    // One that is killed in the middle of a message is remembered with it, too.
    let life = stage.clerk.running().await;
    stage.clerk.cast(Msg::Work).unwrap();
    settle().await;
    life.process().kill();
    life.process().gone().await;
    let crashes = stage.hub.crashes();
    assert_eq!(crashes[1].last_message.as_deref(), Some("Work"));
}

#[tokio::test(start_paused = true)]
async fn j91d_a_message_that_cannot_be_written_down_is_handled_all_the_same() {
    let stage = Stage::new().await;
    let life = stage.clerk.running().await;
    stage.clerk.cast(Msg::Unspeakable(Unspeakable)).unwrap();
    stage.clerk.call(Msg::Ping).await.unwrap();
    assert!(life.process().is_alive());
    assert_eq!(life.process().figures().failed, 0);
}

#[tokio::test(start_paused = true)]
async fn j91e_a_label_that_panics_is_the_end_of_that_server_only() {
    let mut stage = Stage::new().await;
    let (sibling, before) = (stage.sibling.process(), stage.clerk.running().await);
    stage.clerk.cast(Msg::Nameless).unwrap();
    let crash = stage.crash().await;
    assert!(crash.exit.to_string().contains("it has no name"), "{crash:?}");
    assert_eq!(crash.pid, before.process().pid());
    let after = stage.clerk.running().await;
    assert_eq!(after.process().incarnation(), 2);
    within("the next life to answer", stage.clerk.call(Msg::Ping)).await.unwrap();
    assert_eq!(stage.sibling.process(), sibling);
    tokio::time::sleep(SECOND * 60).await;
    assert!(after.process().is_alive() && sibling.is_alive());
}
