//! Section I, line 84: what a child is started with, in each of its lives.

use std::sync::atomic::{AtomicU32, Ordering};

use heights_supervisor::{
    ChildRef, ChildSpec, Context, DynamicSupervisor, Fault, Flow, Reply, Server, Supervisor,
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

/// A template: one spec for many children, which differ by what they are given.
fn template(extra: &'static str) -> (ChildSpec, ChildRef<Msg>) {
    let made = AtomicU32::new(0);
    ChildSpec::server::<Parrot>("parrot", move || (extra, made.fetch_add(1, Ordering::SeqCst) + 1))
}

async fn crash(parrot: &ChildRef<Msg>) {
    let life = parrot.current().unwrap();
    life.cast(Msg::Crash).unwrap();
    within("the crash", life.process().gone()).await;
    within("the next life", parrot.running()).await;
}

#[tokio::test(start_paused = true)]
async fn i84_arguments_are_made_for_every_life() {
    let (spec, parrot) = template("hello");
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
    let dynamic = DynamicSupervisor::builder("root").start().await.unwrap();
    let [(first, polly), (second, lora)] = ["polly", "lora"].map(template);
    dynamic.start_child(first).await.unwrap();
    dynamic.start_child(second).await.unwrap();
    crash(&polly).await;
    crash(&polly).await;
    settle().await;
    assert_eq!(polly.call(Msg::Say).await.unwrap(), ("polly", 3));
    assert_eq!(lora.call(Msg::Say).await.unwrap(), ("lora", 1));
    assert_eq!(dynamic.count_children().await.active, 2);
}
