//! Siblings that cannot do without each other: when one goes, those that are bound to it go first,
//! and come back after it. The others do not notice.
//!
//! `cargo run --example bound_siblings`
//!
//! ```text
//! shop       one for one
//! ├─ store
//! ├─ clock   bound to nobody
//! ├─ cache   bound to the store
//! └─ pages   bound to the cache, and so to the store
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use heights::AdminError;
use heights::prelude::*;

/// A part of the shop that says when it opens and closes, and breaks when it is told to.
struct Part(&'static str);

struct Break;

impl Server for Part {
    type Args = &'static str;
    type Msg = Break;

    async fn init(name: &'static str, _cx: &mut Context<Break>) -> Result<Self, Fault> {
        println!("{name} opens");
        Ok(Self(name))
    }

    async fn handle(&mut self, Break: Break, _cx: &mut Context<Break>) -> Result<Flow, Fault> {
        Err("it is broken".into())
    }

    async fn terminate(&mut self, exit: &Exit) {
        println!("{} {}", self.0, if exit.is_abnormal() { "breaks" } else { "closes" });
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let [store, clock, cache, pages] = ["store", "clock", "cache", "pages"]
        .map(|name| ChildSpec::server::<Part>(name, move || name));
    let root = Supervisor::builder("shop")
        .child(store.0)
        .child(clock.0)
        .child(cache.0.binds_to(["store"]))
        .child(pages.0.binds_to(["cache"]))
        .start()
        .await?;

    println!("-- the store fails");
    let before = pages.1.running().await;
    store.1.cast(Break)?;
    before.process().gone().await;
    pages.1.running().await;

    println!("-- the store is down for maintenance");
    root.terminate_child("store").await?;
    // Nobody is started without what it is bound to.
    match root.restart_child("pages").await {
        Err(AdminError::DependencyDown(on)) => println!("pages cannot open without {on}"),
        other => return Err(format!("unexpected: {other:?}").into()),
    }
    root.restart_child("store").await?;

    println!("-- the end");
    root.stop().await;
    Ok(())
}
