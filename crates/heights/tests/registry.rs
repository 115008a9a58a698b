//! Lines 96, 97 and 102 of the conformance list with real processes.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::time::Duration;

use heights::prelude::*;
use heights_testkit::{Probe, eventually};
use tokio::time::timeout;

type Names = Registry<&'static str, Ref<Msg>>;

enum Msg {
    Incarnation(Reply<u32>),
    Crash,
}

/// Registers itself as it starts and takes its time to end.
struct Named {
    incarnation: u32,
    ending: Recipient<&'static str>,
}

impl Server for Named {
    type Args = (Names, Recipient<&'static str>);
    type Msg = Msg;

    async fn init((names, ending): Self::Args, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let refused = names.register("named", cx.myself(), cx.owner());
        refused.map_err(|refused| format!("held by {:?}", refused.owner))?;
        Ok(Self { incarnation: cx.process().incarnation(), ending })
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Incarnation(reply) => reply.send(self.incarnation),
            Msg::Crash => return Err("on purpose".into()),
        }
        Ok(Flow::Continue)
    }

    async fn terminate(&mut self, _exit: &Exit) {
        self.ending.tell("terminate begins");
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.ending.tell("terminate ends");
    }
}

async fn start(names: &Names, probe: &Probe<&'static str>) -> heights::SupervisorRef {
    let args = (names.clone(), probe.recipient());
    let (spec, _) = ChildSpec::server::<Named>("named", move || args.clone());
    Supervisor::builder("root").child(spec).start().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn l96_a_name_is_held_until_terminate_has_ended() {
    let (names, mut probe) = (Names::unique(), Probe::new());
    let root = start(&names, &probe).await;
    let holder = names.owner_of(&"named").unwrap();
    let stop = root.stop();
    let during = async {
        assert_eq!(probe.next("the end to begin").await, "terminate begins");
        assert!(
            names.owner_of(&"named") == Some(holder),
            "it still cleans up, so it still holds its name"
        );
        assert_eq!(probe.next("the end to end").await, "terminate ends");
    };
    tokio::join!(stop, during);
    assert!(names.lookup(&"named").is_none());
}

/// A second life that registers the same name in its `init` would fail if the first still held it.
#[tokio::test(start_paused = true)]
async fn l97_a_restart_never_meets_the_name_of_the_life_before() {
    let (names, probe) = (Names::unique(), Probe::new());
    let root = start(&names, &probe).await;
    for life in 2..=4 {
        names.lookup(&"named").unwrap().cast(Msg::Crash).unwrap();
        let next = eventually("the next life", async || {
            names.lookup(&"named").filter(|named| named.process().incarnation() == life)
        });
        next.await;
    }
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn l102_a_name_resolves_to_the_life_of_the_moment() {
    let (names, probe) = (Names::unique(), Probe::new());
    let root = start(&names, &probe).await;
    let ask = async || names.lookup(&"named")?.call(Msg::Incarnation).await.ok();
    assert_eq!(ask().await, Some(1));
    let old = names.lookup(&"named").unwrap();
    old.process().kill();
    timeout(heights_testkit::CEILING, old.process().gone()).await.expect("it is killed");
    assert_eq!(eventually("the next life", ask).await, 2);
    assert!(old.cast(Msg::Crash).is_err(), "a reference to a life ends with it");
    root.stop().await;
}
