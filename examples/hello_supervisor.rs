//! A server that fails, and a supervisor that does not mind.
//!
//! `cargo run --example hello_supervisor`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use heights::prelude::*;

/// Divides a hundred by what it is told, and does not check.
struct Divider {
    answered: u32,
}

enum Msg {
    Divide(u32, Reply<u32>),
    Answered(Reply<u32>),
}

impl Server for Divider {
    type Args = ();
    type Msg = Msg;

    async fn init((): (), cx: &mut Context<Msg>) -> Result<Self, Fault> {
        println!("{} starts", cx.name());
        Ok(Self { answered: 0 })
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Divide(by, reply) => {
                reply.send(100 / by);
                self.answered += 1;
            }
            Msg::Answered(reply) => reply.send(self.answered),
        }
        Ok(Flow::Continue)
    }

    async fn terminate(&mut self, exit: &Exit) {
        println!("the divider ends: {exit}");
    }
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let (spec, divider) = ChildSpec::server::<Divider>("divider", || ());
    let root = Supervisor::builder("hello").child(spec).start().await?;

    println!("100 / 4 = {}", divider.call(|reply| Msg::Divide(4, reply)).await?);

    // The division panics. Only this call notices, and it is told why.
    match divider.call(|reply| Msg::Divide(0, reply)).await {
        Ok(result) => println!("100 / 0 = {result}"),
        Err(error) => println!("100 / 0: {error}"),
    }

    // The same reference reaches the next life, which starts from a clean state.
    let divider = divider.running().await;
    println!("100 / 5 = {}", divider.call(|reply| Msg::Divide(5, reply)).await?);
    println!("answers in this life: {}", divider.call(Msg::Answered).await?);

    root.stop().await;
    Ok(())
}
