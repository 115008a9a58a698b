//! Lines 96, 97, 102, 103 and 105 of the conformance list with real processes.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::time::Duration;

use heights::NoProc;
use heights::prelude::*;
use heights::registry::Via;
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

#[tokio::test(start_paused = true)]
async fn l102_an_address_is_looked_up_when_something_is_sent() {
    let (names, probe) = (Names::unique(), Probe::new());
    let via = Via::name(&names, "named");
    assert!(matches!(via.call(Msg::Incarnation).await, Err(CallError::NoProc)));
    assert_eq!(via.cast(Msg::Crash), Err(NoProc), "nobody has that name yet");
    let root = start(&names, &probe).await;
    assert_eq!(via.call(Msg::Incarnation).await.unwrap(), 1);
    via.recipient(|()| Msg::Crash).tell(());
    let next = eventually("the next life", async || {
        via.call(Msg::Incarnation).await.ok().filter(|life| *life == 2)
    });
    next.await;
    root.stop().await;
    assert!(via.resolve().is_none());
}

#[tokio::test(start_paused = true)]
async fn l103_a_process_that_is_killed_gives_its_lock_back() {
    let names: Registry<&str, ()> = Registry::unique();
    let (locks, holds) = (names.clone(), Probe::new());
    let told = holds.recipient();
    let holder = ChildSpec::task("holder", move |_cx| {
        let (locks, told) = (locks.clone(), told.clone());
        let work = move || async move {
            told.tell("held");
            std::future::pending().await
        };
        async move { locks.lock("key", work).await }
    });
    let holder = holder.restart(Restart::Temporary);
    let root = Supervisor::builder("root").child(holder).start().await.unwrap();
    let mut holds = holds;
    holds.next("the lock").await;
    root.hub().unwrap().find("root/holder").unwrap().kill();
    let freed = timeout(heights_testkit::CEILING, names.lock("key", || async {}));
    freed.await.expect("the lock is free");
    root.stop().await;
}

/// The registry is a value, so what crashes is who made it; the names of others stay, and those of
/// the crashed are gone, never a part of either.
#[tokio::test(start_paused = true)]
async fn l105_the_crash_of_who_holds_the_registry_costs_nobody_a_name() {
    let (names, probe) = (Names::unique(), Probe::new());
    let root = start(&names, &probe).await;
    let keeper = {
        let names = names.clone();
        ChildSpec::task("keeper", move |cx| {
            let names = names.clone();
            async move {
                let named = names.lookup(&"named").ok_or("it is older")?;
                names.register("keeper", named.clone(), cx.owner())?;
                names.register("spare", named, cx.owner())?;
                std::future::pending().await
            }
        })
    };
    root.start_child(keeper).await.unwrap();
    for _ in 0..3 {
        let both = || names.lookup(&"keeper").zip(names.owner_of(&"spare"));
        let (_, owner) = eventually("its names", async || both()).await;
        root.hub().unwrap().find("root/keeper").unwrap().kill();
        let gone = eventually("its end", async || (!owner.is_alive()).then_some(()));
        gone.await;
        assert_eq!(names.keys(&owner), Vec::<&str>::new());
        assert!(names.lookup(&"named").is_some(), "the names of others stay");
    }
    root.stop().await;
    assert_eq!(names.count(), 0);
}
