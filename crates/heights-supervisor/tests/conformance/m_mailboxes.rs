//! Section M, line 113: mailboxes with a bound, and mailboxes that survive a restart.

use std::time::Duration;

use heights_supervisor::{
    CallError, ChildRef, ChildSpec, Context, Fault, Flow, Mailbox, Overflow, Ref, Reply, SendError,
    Sent, Server, Supervisor, SupervisorRef,
};
use tokio::time::{advance, timeout};

use crate::support::{SECOND, Trace, settle, start, within};

const BLOCK: u8 = 0;
const REJECT: u8 = 1;
const DROP_OLDEST: u8 = 2;
const DROP_NEWEST: u8 = 3;
const SURVIVE: u8 = 4;
const SURVIVE_IN_BOUNDS: u8 = 5;

/// A server with room for two messages that writes down what reaches it.
struct Clerk<const MODE: u8>(Trace);

#[derive(Debug)]
enum Item {
    Note(u32),
    /// Is handled for so long.
    Work(Duration),
    /// Becomes a note after so long.
    Later(u32, Duration),
    Ask(Reply<()>),
    Crash,
}

impl<const MODE: u8> Server for Clerk<MODE> {
    type Args = Trace;
    type Msg = Item;

    const MAILBOX: Mailbox = match MODE {
        BLOCK => Mailbox::bounded(2, Overflow::Block),
        REJECT => Mailbox::bounded(2, Overflow::Reject),
        DROP_OLDEST => Mailbox::bounded(2, Overflow::DropOldest),
        DROP_NEWEST => Mailbox::bounded(2, Overflow::DropNewest),
        SURVIVE => Mailbox::unbounded().surviving(),
        _ => Mailbox::bounded(2, Overflow::Block).surviving(),
    };

    async fn init(trace: Trace, cx: &mut Context<Item>) -> Result<Self, Fault> {
        if Self::MAILBOX == Mailbox::unbounded().surviving() {
            // What is sent from here comes first.
            cx.myself().cast(Item::Note(0))?;
        }
        Ok(Self(trace))
    }

    async fn handle(&mut self, item: Item, cx: &mut Context<Item>) -> Result<Flow, Fault> {
        match item {
            Item::Note(number) => self.0.note(number.to_string()),
            Item::Work(time) => tokio::time::sleep(time).await,
            Item::Later(number, after) => {
                cx.send_after(after, Item::Note(number));
            }
            Item::Ask(reply) => reply.send(()),
            Item::Crash => return Err("broken".into()),
        }
        Ok(Flow::Continue)
    }
}

struct Office {
    trace: Trace,
    clerk: ChildRef<Item>,
    _root: SupervisorRef,
}

async fn office<const MODE: u8>() -> Office {
    let trace = Trace::default();
    let notes = trace.clone();
    let (spec, clerk) = ChildSpec::server::<Clerk<MODE>>("clerk", move || notes.clone());
    let builder = Supervisor::builder("root").intensity(1000, SECOND);
    let _root = start(builder.child(spec)).await;
    Office { trace, clerk, _root }
}

/// An office whose clerk is at work for a second and whose mailbox is full.
async fn full_office<const MODE: u8>() -> (Office, Ref<Item>) {
    let office = office::<MODE>().await;
    let clerk = office.clerk.current().unwrap();
    clerk.cast(Item::Work(SECOND)).unwrap();
    settle().await;
    assert_eq!(clerk.try_send(Item::Note(1)).unwrap(), Sent::Queued);
    assert_eq!(clerk.try_send(Item::Note(2)).unwrap(), Sent::Queued);
    (office, clerk)
}

#[tokio::test(start_paused = true)]
async fn m113_senders_wait_for_room() {
    let (office, clerk) = full_office::<BLOCK>().await;
    let Err(SendError::Full(Item::Note(3))) = clerk.try_send(Item::Note(3)) else { panic!() };
    advance(SECOND / 4).await;
    let figures = clerk.process().figures();
    assert_eq!((figures.queued, figures.head_age), (Some(2), Some(SECOND / 4)));

    // Who gives up has sent nothing; a call gives up at its deadline.
    assert!(timeout(SECOND / 4, clerk.send(Item::Note(3))).await.is_err());
    let call = clerk.call_within(SECOND / 4, Item::Ask).await;
    assert!(matches!(call, Err(CallError::Timeout(_))), "{call:?}");

    for number in 4..6 {
        let sent = within("room", clerk.send(Item::Note(number))).await;
        assert_eq!(sent.unwrap(), Sent::Queued);
    }
    clerk.call(Item::Ask).await.unwrap();
    assert_eq!(office.trace.take(), "1, 2, 4, 5");
    let figures = clerk.process().figures();
    assert_eq!((figures.queued, figures.peak, figures.head_age), (Some(0), Some(2), None));

    // Casts do not wait, so what they find no room for is dropped, and counted.
    clerk.cast(Item::Work(SECOND)).unwrap();
    settle().await;
    (6..9).for_each(|number| clerk.cast(Item::Note(number)).unwrap());
    assert_eq!(clerk.process().figures().dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn m113_a_crash_gives_the_room_back() {
    let (office, clerk) = full_office::<BLOCK>().await;
    let (sent, ()) = tokio::join!(clerk.send(Item::Note(3)), async {
        settle().await;
        clerk.process().kill();
    });
    assert!(matches!(sent, Err(SendError::NoProc(Item::Note(3)))));
    assert_eq!(clerk.process().figures().queued, Some(2), "it shows what was lost");
    let next = within("the next life", office.clerk.running()).await;
    assert_eq!(next.mailbox_len(), 0);
    assert_eq!(next.try_send(Item::Note(4)).unwrap(), Sent::Queued);
    next.call(Item::Ask).await.unwrap();
    assert_eq!(office.trace.take(), "4");
    assert!(matches!(clerk.try_send(Item::Note(5)), Err(SendError::NoProc(_))));
}

#[tokio::test(start_paused = true)]
async fn m113_a_full_mailbox_rejects() {
    let (office, clerk) = full_office::<REJECT>().await;
    assert!(matches!(clerk.try_send(Item::Note(3)), Err(SendError::Full(Item::Note(3)))));
    assert!(matches!(clerk.send(Item::Note(3)).await, Err(SendError::Full(Item::Note(3)))));
    assert!(matches!(clerk.call(Item::Ask).await, Err(CallError::Overloaded)));
    let recipient = office.clerk.recipient(Item::Note);
    recipient.tell(3);
    assert_eq!((recipient.undelivered(), clerk.process().figures().dropped), (1, 0));
    advance(SECOND).await;
    settle().await;
    assert_eq!(clerk.try_send(Item::Note(4)).unwrap(), Sent::Queued);
    clerk.call(Item::Ask).await.unwrap();
    assert_eq!(office.trace.take(), "1, 2, 4");
}

#[tokio::test(start_paused = true)]
async fn m113_the_oldest_makes_room_but_never_a_timer() {
    let (office, clerk) = full_office::<DROP_OLDEST>().await;
    assert_eq!(clerk.try_send(Item::Note(3)).unwrap(), Sent::Displaced);
    assert_eq!(clerk.try_send(Item::Later(4, SECOND / 2)).unwrap(), Sent::Displaced);
    advance(SECOND).await;
    settle().await;
    assert_eq!(office.trace.take(), "3");

    // The timer's message is the oldest that waits, and one too many.
    clerk.cast(Item::Work(SECOND)).unwrap();
    advance(SECOND / 2).await;
    settle().await;
    for number in 5..9 {
        clerk.cast(Item::Note(number)).unwrap();
    }
    assert_eq!((clerk.mailbox_len(), clerk.process().figures().dropped), (2, 5));
    advance(SECOND).await;
    settle().await;
    assert_eq!(office.trace.take(), "4, 8");
}

#[tokio::test(start_paused = true)]
async fn m113_the_newest_is_dropped() {
    let (office, clerk) = full_office::<DROP_NEWEST>().await;
    assert_eq!(clerk.try_send(Item::Note(3)).unwrap(), Sent::Dropped);
    assert_eq!(clerk.send(Item::Note(4)).await.unwrap(), Sent::Dropped);
    assert!(matches!(clerk.call(Item::Ask).await, Err(CallError::Overloaded)));
    assert_eq!(clerk.process().figures().dropped, 3);
    advance(SECOND).await;
    settle().await;
    assert_eq!(office.trace.take(), "1, 2");
}

#[tokio::test(start_paused = true)]
async fn m113_what_waits_survives_in_order_but_not_what_was_being_handled() {
    let office = office::<SURVIVE>().await;
    let clerk = office.clerk.current().unwrap();
    for number in 1..100 {
        clerk.cast(if number % 10 == 0 { Item::Crash } else { Item::Note(number) }).unwrap();
    }
    let answered = within("an answer", clerk.call(Item::Ask)).await;
    assert!(answered.is_ok(), "a later life answers: {answered:?}");
    // Each life begins with its own message to itself.
    let notes = (0..100).map(|number| if number % 10 == 0 { 0 } else { number });
    let expected: Vec<String> = notes.map(|number| number.to_string()).collect();
    assert_eq!(office.trace.take(), expected.join(", "));

    // However it ends; and a timer ends with the life that set it.
    let clerk = within("a life", office.clerk.running()).await;
    clerk.cast(Item::Later(1, SECOND)).unwrap();
    clerk.cast(Item::Work(SECOND * 10)).unwrap();
    settle().await;
    advance(SECOND * 2).await;
    settle().await;
    clerk.cast(Item::Note(2)).unwrap();
    assert_eq!(clerk.mailbox_len(), 2);
    clerk.process().kill();
    clerk.process().gone().await;
    let clerk = within("the next life", office.clerk.running()).await;
    clerk.call(Item::Ask).await.unwrap();
    assert_eq!(office.trace.take(), "0, 2");
}

#[tokio::test(start_paused = true)]
async fn m113_what_survives_counts_against_the_bound() {
    let office = office::<SURVIVE_IN_BOUNDS>().await;
    let clerk = office.clerk.current().unwrap();
    clerk.cast(Item::Work(SECOND)).unwrap();
    settle().await;
    clerk.cast(Item::Work(SECOND)).unwrap();
    clerk.cast(Item::Note(1)).unwrap();
    clerk.process().kill();
    clerk.process().gone().await;
    let next = within("the next life", office.clerk.running()).await;
    settle().await;
    assert_eq!(next.try_send(Item::Note(2)).unwrap(), Sent::Queued);
    assert!(matches!(next.try_send(Item::Note(3)), Err(SendError::Full(_))));
    next.call(Item::Ask).await.unwrap();
    assert_eq!(office.trace.take(), "1, 2");
}
