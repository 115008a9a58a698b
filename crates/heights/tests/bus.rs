//! What subscribers of an event bus hear, and when they are gone.

use futures_util::{FutureExt, StreamExt};
use heights::Owner;
use heights::bus::{Bus, Heard, News, Topic};
use heights::prelude::*;
use heights_testkit::{Probe, eventually};
use proptest::prelude::{any, prop, proptest};

const BUILT: Topic<u32> = Topic::new("built");

/// Takes what is there now.
fn heard(stream: &mut heights::bus::Subscription<u32>) -> Vec<Heard<u32>> {
    std::iter::from_fn(|| StreamExt::next(stream).now_or_never().flatten()).collect()
}

#[test]
fn each_subscriber_hears_each_event_in_order_from_when_it_subscribed() {
    let bus = Bus::new();
    let mut early = bus.stream(&BUILT, 10);
    assert_eq!(bus.publish(&BUILT, 1), 1);
    let mut late = bus.stream(&BUILT, 10);
    assert_eq!(bus.publish(&BUILT, 2), 2);
    assert_eq!(heard(&mut early), [Heard::Event(1), Heard::Event(2)]);
    assert_eq!(heard(&mut late), [Heard::Event(2)]);
}

#[test]
fn a_slow_subscriber_is_told_what_it_lost_and_holds_up_nobody() {
    let bus = Bus::new();
    let (mut slow, mut quick) = (bus.stream(&BUILT, 2), bus.stream(&BUILT, 10));
    (1..=5).for_each(|build| assert_eq!(bus.publish(&BUILT, build), 2));
    assert_eq!(heard(&mut slow), [Heard::Lagged(3), Heard::Event(4), Heard::Event(5)]);
    assert_eq!(heard(&mut quick), [1, 2, 3, 4, 5].map(Heard::Event));
}

#[test]
fn topics_are_told_apart_by_name_and_by_type() {
    let bus = Bus::new();
    let mut numbers = bus.stream(&BUILT, 10);
    let mut texts = bus.stream(&Topic::<&str>::new("built"), 10);
    let mut other = bus.stream(&Topic::<u32>::named(format!("built-{}", 2)), 10);
    bus.publish(&BUILT, 1);
    bus.publish(&Topic::new("built"), "one");
    assert_eq!(heard(&mut numbers), [Heard::Event(1)]);
    assert_eq!(texts.next().now_or_never(), Some(Heard::Event("one")));
    assert_eq!(heard(&mut other), []);
}

#[test]
fn a_stream_that_is_dropped_is_gone() {
    let bus = Bus::new();
    drop(bus.stream(&BUILT, 10));
    assert_eq!(bus.publish(&BUILT, 1), 0);
    assert_eq!(format!("{bus:?}"), "[]", "a topic without subscribers takes no room");
}

#[tokio::test(start_paused = true)]
async fn a_stream_wakes_who_waits_for_it() {
    let bus = Bus::new();
    let mut stream = bus.stream(&BUILT, 10);
    let (heard, ()) = tokio::join!(stream.next(), async {
        tokio::task::yield_now().await;
        bus.publish(&BUILT, 7);
    });
    assert_eq!(heard, Heard::Event(7));
}

proptest! {
    /// What is heard, with as many gaps as were lost, is what was said.
    #[test]
    fn nothing_is_lost_without_being_counted(bound in 0_usize..5, says in prop::collection::vec(any::<bool>(), 0..60)) {
        let bus = Bus::new();
        let mut stream = bus.stream(&BUILT, bound);
        let (mut said, mut next) = (0, 0);
        let mut check = |heard: Option<Heard<u32>>| match heard {
            None => {}
            Some(Heard::Lagged(lost)) => next += u32::try_from(lost).unwrap(),
            Some(Heard::Event(event)) => {
                assert_eq!(event, next);
                next += 1;
            }
        };
        for say in says {
            if say {
                bus.publish(&BUILT, said);
                said += 1;
            } else {
                check(stream.next().now_or_never());
            }
        }
        heard(&mut stream).into_iter().map(Some).for_each(&mut check);
        assert_eq!(next, said);
    }
}

/// Notes what it hears, when it is let.
struct Listener {
    heard: Recipient<Vec<Heard<u32>>>,
}

enum Msg {
    Built(News<u32>),
    Sleep(tokio::sync::oneshot::Receiver<()>),
    Crash,
}

impl Server for Listener {
    type Args = (Bus, Recipient<Vec<Heard<u32>>>);
    type Msg = Msg;

    async fn init((bus, heard): Self::Args, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        bus.notify(&BUILT, 3, cx.owner(), cx.myself().recipient(Msg::Built));
        Ok(Self { heard })
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Built(news) => self.heard.tell(news.into_iter().collect()),
            Msg::Sleep(until) => until.await?,
            Msg::Crash => return Err("on purpose".into()),
        }
        Ok(Flow::Continue)
    }
}

#[tokio::test(start_paused = true)]
async fn an_actor_has_one_message_however_much_there_is_to_hear() {
    let (bus, mut probe) = (Bus::new(), Probe::new());
    let args = (bus.clone(), probe.recipient());
    let (spec, listener) = ChildSpec::server::<Listener>("listener", move || args.clone());
    let root = Supervisor::builder("root").child(spec).start().await.unwrap();
    bus.publish(&BUILT, 0);
    assert_eq!(probe.next("the first").await, [Heard::Event(0)]);
    let (wake, sleep) = tokio::sync::oneshot::channel();
    listener.cast(Msg::Sleep(sleep)).unwrap();
    (1..=10).for_each(|build| assert_eq!(bus.publish(&BUILT, build), 1));
    assert!(listener.mailbox_len() <= 2, "the sleep, and that there is news");
    wake.send(()).unwrap();
    let last = [Heard::Lagged(7), Heard::Event(8), Heard::Event(9), Heard::Event(10)];
    assert_eq!(probe.next("the rest").await, last);
    bus.publish(&BUILT, 11);
    assert_eq!(probe.next("what came later").await, [Heard::Event(11)]);
    root.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_dies_with_its_actor_and_the_next_life_has_its_own() {
    let (bus, mut probe) = (Bus::new(), Probe::new());
    let args = (bus.clone(), probe.recipient());
    let (spec, listener) = ChildSpec::server::<Listener>("listener", move || args.clone());
    let root = Supervisor::builder("root").child(spec).start().await.unwrap();
    for life in 1..=3 {
        let current = eventually("a life", async || {
            listener.current().filter(|current| current.process().incarnation() == life)
        });
        let current = current.await;
        assert_eq!(bus.subscribers(&BUILT), 1);
        bus.publish(&BUILT, life);
        assert_eq!(probe.next("news").await, [Heard::Event(life)]);
        current.cast(Msg::Crash).unwrap();
        current.process().gone().await;
    }
    root.stop().await;
    assert_eq!((bus.subscribers(&BUILT), bus.publish(&BUILT, 9)), (0, 0));
}

#[test]
fn an_owner_that_has_ended_hears_nothing() {
    let (bus, probe) = (Bus::new(), Probe::new());
    let (owner, end) = heights::Owner::new();
    let early = bus.notify(&BUILT, 1, &owner, probe.recipient());
    assert!(bus.unsubscribe(&BUILT, early));
    assert!(!bus.unsubscribe(&BUILT, early));
    end.end();
    bus.notify(&BUILT, 1, &owner, probe.recipient());
    assert_eq!(bus.subscribers(&BUILT), 0);
}

#[test]
fn news_that_was_not_looked_at_is_told_again() {
    let (bus, mut probe) = (Bus::new(), Probe::new());
    let (owner, _alive) = heights::Owner::new();
    bus.notify(&BUILT, 5, &owner, probe.recipient());
    bus.publish(&BUILT, 1);
    assert_eq!(probe.rest().len(), 1, "and it is dropped unread");
    bus.publish(&BUILT, 2);
    let news: Vec<_> = probe.rest().into_iter().flatten().collect();
    assert_eq!(news, [Heard::Event(1), Heard::Event(2)]);
}

/// The actor takes what is there while others publish: nothing may be left untold.
#[test]
fn what_is_published_while_news_is_taken_is_told() {
    let (bus, total) = (Bus::new(), 2_000);
    let (tell, told) = std::sync::mpsc::channel();
    let (owner, _alive) = heights::Owner::new();
    bus.notify(&BUILT, total, &owner, Recipient::from_fn(move |news| tell.send(news).unwrap()));
    std::thread::scope(|scope| {
        scope.spawn(|| (0..total).for_each(|_| assert_eq!(bus.publish(&BUILT, 1), 1)));
        let mut heard = 0;
        while heard < total {
            let news = told.recv_timeout(heights_testkit::CEILING).expect("the rest is told");
            heard += news.into_iter().count();
        }
    });
}

#[test]
fn a_subscriber_that_panics_is_no_matter_of_who_publishes() {
    let bus = Bus::new();
    let _picky = bus.stream_where(&BUILT, 10, |build| {
        assert!(*build > 1, "a bad filter");
        true
    });
    let (owner, _alive) = Owner::new();
    bus.notify(&BUILT, 10, &owner, Recipient::from_fn(|_news| panic!("a bad recipient")));
    let mut other = bus.stream(&BUILT, 10);
    assert_eq!(bus.publish(&BUILT, 1), 2);
    assert_eq!(heard(&mut other), [Heard::Event(1)]);
}
