//! Section I, line 84: what a child is started with, in each of its lives.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use heights_supervisor::{
    ChildRef, ChildSpec, ChildTemplate, Context, DynamicSupervisor, Exit, Fault, Flow, Reply,
    Restart, Server, StartChildError, StartFailure, Strategy, Supervisor, SupervisorBuilder,
};

use crate::support::{settle, start, within};

/// What each of them is given, and how often that was made.
type Args = (&'static str, u32);

/// Says what it was started with.
struct Parrot(Args);

enum Msg {
    Say(Reply<Args>),
    Crash,
}

impl Server for Parrot {
    type Args = Args;
    type Msg = Msg;

    async fn init(args: Args, _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self(args))
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Say(reply) => reply.send(self.0),
            Msg::Crash => return Err("broken".into()),
        }
        Ok(Flow::Continue)
    }
}

fn server(word: &'static str) -> (ChildSpec, ChildRef<Msg>) {
    let made = AtomicU32::new(0);
    ChildSpec::server::<Parrot>("parrot", move || (word, made.fetch_add(1, Ordering::SeqCst) + 1))
}

/// What a child of a template is given: a word, and how often it was asked for.
type Extra = (&'static str, AtomicU32);

fn template() -> ChildTemplate<Extra, ChildRef<Msg>> {
    let args = |(word, made): &Extra| (*word, made.fetch_add(1, Ordering::SeqCst) + 1);
    ChildTemplate::server::<Parrot>("parrot", args).each(|spec| spec.restart(Restart::Transient))
}

async fn crash(parrot: &ChildRef<Msg>) {
    let life = parrot.current().unwrap();
    life.cast(Msg::Crash).unwrap();
    within("the crash", life.process().gone()).await;
    within("the next life", parrot.running()).await;
}

#[tokio::test(start_paused = true)]
async fn i84_arguments_are_made_for_every_life() {
    let (spec, parrot) = server("hello");
    let root = start(Supervisor::builder("root").child(spec)).await;
    for life in 1..=3 {
        assert_eq!(parrot.call(Msg::Say).await.unwrap(), ("hello", life));
        crash(&parrot).await;
    }
    root.terminate_child("parrot").await.unwrap();
    root.restart_child("parrot").await.unwrap();
    assert_eq!(parrot.call(Msg::Say).await.unwrap(), ("hello", 5));
}

#[tokio::test(start_paused = true)]
async fn i84b_children_of_one_template_keep_what_each_was_given() {
    let dynamic = DynamicSupervisor::builder("root").template(template()).start().await.unwrap();
    let (_, polly) = dynamic.start_child(("polly", AtomicU32::new(0))).await.unwrap();
    let (_, lora) = dynamic.start_child(("lora", AtomicU32::new(0))).await.unwrap();
    crash(&polly).await;
    crash(&polly).await;
    settle().await;
    assert_eq!(polly.call(Msg::Say).await.unwrap(), ("polly", 3));
    assert_eq!(lora.call(Msg::Say).await.unwrap(), ("lora", 1));
    assert_eq!(dynamic.count_children().await.active, 2);
}

#[tokio::test(start_paused = true)]
async fn i84c_what_a_child_was_given_goes_with_it() {
    let given = Arc::new(());
    let waits = ChildTemplate::task("once", |cx, _given: &Arc<()>| async move {
        cx.shutdown().await;
        Ok(())
    });
    let kept = DynamicSupervisor::builder("kept").template(waits.clone());
    let once = waits.each(|spec| spec.restart(Restart::Temporary));
    let once = DynamicSupervisor::builder("once").template(once).start().await.unwrap();
    let kept = kept.start().await.unwrap();

    once.start_child(Arc::clone(&given)).await.unwrap();
    settle().await;
    assert_eq!(Arc::strong_count(&given), 1, "a temporary child has no other life");
    let (started, ()) = kept.start_child(Arc::clone(&given)).await.unwrap();
    assert_eq!(Arc::strong_count(&given), 2, "this one may have another");
    kept.terminate_child(&started.pid).await.unwrap();
    settle().await;
    assert_eq!(Arc::strong_count(&given), 1);
}

#[tokio::test(start_paused = true)]
async fn i84d_children_of_a_template_have_their_own_names_and_their_own_children() {
    let family = ChildTemplate::supervisor("family", |(name, children): (&'static str, usize)| {
        let child = |number: usize| ChildSpec::task(number.to_string(), |_cx| pending());
        let family = Supervisor::builder(name).strategy(Strategy::OneForAll);
        (0..children).map(child).fold(family, SupervisorBuilder::child)
    });
    let dynamic = DynamicSupervisor::builder("root").template(family.named(|(name, _)| *name));
    let dynamic = dynamic.start().await.unwrap();
    let (ducks, duck_ref) = dynamic.start_child(("ducks", 3)).await.unwrap();
    let (geese, goose_ref) = dynamic.start_child(("geese", 1)).await.unwrap();
    assert_eq!([ducks.process.path(), geese.process.path()], ["root/ducks", "root/geese"]);
    assert_eq!(duck_ref.count_children().await.active, 3);
    assert_eq!(goose_ref.count_children().await.active, 1);
    let counts = dynamic.count_children().await;
    assert_eq!((counts.supervisors, counts.workers), (2, 0));
    let error = dynamic.start_child(("", 1)).await.unwrap_err();
    assert_eq!(error.to_string(), "a child has an empty id");
}

#[tokio::test(start_paused = true)]
async fn i84e_a_template_that_panics_harms_neither_who_asks_nor_the_others() {
    let even = |number: &u32| assert!(number.is_multiple_of(2), "{number} is odd");
    let named = ChildTemplate::task("named", |_cx, _: &u32| pending()).named(move |number| {
        even(number);
        number.to_string()
    });
    let named = DynamicSupervisor::builder("root").template(named).start().await.unwrap();
    let family = ChildTemplate::supervisor("family", move |number: u32| {
        even(&number);
        Supervisor::builder("family")
    });
    let family = DynamicSupervisor::builder("root").template(family).start().await.unwrap();
    named.start_child(2).await.unwrap();
    family.start_child(2).await.unwrap();

    let errors = [named.start_child(3).await.err(), family.start_child(3).await.err()];
    for (error, expected) in errors.into_iter().zip(["named", "family"]) {
        let Some(StartChildError::Failed { id, cause: StartFailure::Exit(Exit::Panic(panic)) }) =
            error
        else {
            panic!("{error:?}");
        };
        assert_eq!((id.as_str(), panic.message.as_str()), (expected, "3 is odd"));
        assert!(panic.location.is_some());
    }
    assert_eq!(named.count_children().await.active, 1);
    assert_eq!(family.count_children().await.active, 1);
}
