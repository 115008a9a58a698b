//! A program to look into. While it runs, in another terminal:
//!
//! ```text
//! vitals ls
//! vitals tree
//! vitals info baker-1
//! vitals kill baker-1 --dry-run
//! vitals kill baker-1 --yes
//! ```
//!
//! `cargo run --example watch_tree`, and Ctrl-C to stop it in order.

use std::time::Duration;

use heights::app::AppEnd;
use heights::prelude::*;
use heights::vitals::Tier;

/// Bakes for a while when it is told to.
struct Baker {
    oven: Regulator,
}

enum Msg {
    Bake,
}

impl Server for Baker {
    type Args = Regulator;
    type Msg = Msg;

    async fn init(oven: Regulator, _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self { oven })
    }

    async fn handle(&mut self, Msg::Bake: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        let _place_in_the_oven = self.oven.acquire().await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(Flow::Continue)
    }

    fn label(_msg: &Msg) -> &'static str {
        "Bake"
    }
}

#[tokio::main]
async fn main() -> AppEnd {
    let oven = Regulator::builder("oven").concurrency(2).build();
    let mut bakers = Supervisor::builder("bakers").strategy(Strategy::OneForOne);
    let mut orders = Vec::new();
    for number in 1..=3 {
        let oven = oven.clone();
        let (spec, baker) =
            ChildSpec::server::<Baker>(format!("baker-{number}"), move || oven.clone());
        bakers = bakers.child(spec);
        orders.push(baker);
    }
    let (bakers, _) = bakers.child_spec();
    let clock = every(Duration::from_secs(4), move || {
        let orders = orders.clone();
        async move {
            for baker in orders {
                baker.cast(Msg::Bake)?;
            }
            Ok(())
        }
    })
    .expect("four seconds are a pause");
    let root = Supervisor::builder("bakery")
        .strategy(Strategy::RestForOne)
        .child(oven.child_spec())
        .child(bakers)
        .child(clock.child_spec("orders"));
    App::builder("bakery")
        .version(env!("CARGO_PKG_VERSION"))
        .supervisor(root)
        .vitals(|inspector| inspector.tier(Tier::Control))
        .run()
        .await
}
