//! A program that falls ill when it is told to, for finding out what it has.
//!
//! `cargo run --example unwell`, then type an illness and press Enter: `slow`, `block`, `crash`,
//! `deadlock`, `flood`. In another terminal, ask `vitals`; [the guide](../docs/vitals.md) shows how.
//! The clerk in front asks the one in the back for everything.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "illnesses are on purpose")]

use std::io::BufRead;
use std::time::Duration;

use heights::app::AppEnd;
use heights::prelude::*;
use heights::vitals::Tier;

const LONG: Duration = Duration::from_secs(600);
const PATIENCE: Duration = Duration::from_millis(500);
struct Clerk;

enum Msg {
    Ask(ChildRef<Msg>),
    Answer(Reply<()>),
    Dawdle,
    /// Takes its time as well, and the thread with it.
    Block,
    Crash,
    Note,
}

impl Server for Clerk {
    type Args = ();
    type Msg = Msg;

    async fn init((): (), _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self)
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Ask(other) => {
                tokio::time::sleep(PATIENCE).await;
                other.call_within(LONG, Msg::Answer).await?;
            }
            Msg::Answer(reply) => reply.send(()),
            Msg::Dawdle => tokio::time::sleep(LONG).await,
            Msg::Block => std::thread::sleep(LONG),
            Msg::Crash => return Err("the form is missing".into()),
            Msg::Note => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Ask(_) | Msg::Answer(_) => "Ask",
            Msg::Dawdle => "Dawdle",
            Msg::Block => "Block",
            Msg::Crash => "Crash",
            Msg::Note => "Note",
        }
    }
}

/// Passes on what is typed, until nobody takes it any more.
fn fall_ill(front: &ChildRef<Msg>, back: &ChildRef<Msg>) -> Result<(), Fault> {
    for illness in std::io::stdin().lock().lines() {
        match illness?.trim() {
            "slow" => back.cast(Msg::Dawdle)?,
            "block" => back.cast(Msg::Block)?,
            "crash" => back.cast(Msg::Crash)?,
            "flood" => (0..20_000).try_for_each(|_| back.cast(Msg::Note))?,
            "deadlock" => back.cast(Msg::Ask(front.clone()))?,
            other => println!("nobody here knows {other:?}"),
        }
        front.cast(Msg::Ask(back.clone()))?;
    }
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> AppEnd {
    let (front, front_ref) = ChildSpec::server::<Clerk>("front", || ());
    let (back, back_ref) = ChildSpec::server::<Clerk>("back", || ());
    let door = ChildSpec::task("door", move |cx| {
        let (front, back) = (front_ref.clone(), back_ref.clone());
        // It fails when the clerks are gone, and the program with them.
        std::thread::spawn(move || fall_ill(&front, &back));
        async move {
            cx.shutdown().await;
            Ok(())
        }
    });
    let clinic = Supervisor::builder("clinic").child(back).child(front).child(door);
    App::builder("clinic")
        .supervisor(clinic)
        .vitals(|inspector| inspector.tier(Tier::Control))
        .run()
        .await
}
