//! Something that is broken for good: back-off slows it down, intensity ends it, and the failure
//! climbs until a supervisor can take it.
//!
//! `cargo run --example restart_storm`
//!
//! ```text
//! storm          3 restarts in 60 s; its own child "gate" never notices
//! ├─ gate
//! └─ plugins     2 restarts in 60 s, transient: once it gives up it stays down
//!    └─ broken   fails as soon as it runs
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use heights::prelude::*;
use heights::{Exit, Report, ShutdownReason};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let broken = ChildSpec::task("broken", |cx| async move {
        println!("{} runs as {}", cx.name(), cx.pid());
        Err("it is broken".into())
    });
    let backoff = Backoff::exponential(Duration::from_millis(100), Duration::from_secs(1));
    let (plugins, _) = Supervisor::builder("plugins")
        .intensity(2, MINUTE)
        .backoff(backoff)
        .child(broken)
        .child_spec();

    let gate = ChildSpec::task("gate", |cx| async move {
        cx.shutdown().await;
        println!("the gate closes last, undisturbed");
        Ok(())
    });

    let (gave_up, mut gone) = tokio::sync::mpsc::unbounded_channel();
    let reports = Recipient::from_fn(move |report: Report| {
        println!("report: {report}");
        if let Report::Left(left) = report
            && matches!(left.exit, Exit::Shutdown(ShutdownReason::ReachedMaxIntensity))
        {
            // Nobody listens any more once `main` has moved on.
            let _closing = gave_up.send(left.child);
        }
    });
    let root = Supervisor::builder("storm")
        .intensity(3, MINUTE)
        .on_report(reports)
        .child(gate)
        .child(plugins.restart(Restart::Transient))
        .start()
        .await?;

    if let Some(child) = gone.recv().await {
        println!("{child} gave up and stays down; the rest goes on");
    }
    for child in root.which_children().await {
        println!("{}: {:?}", child.id, child.status);
    }
    root.stop().await;
    Ok(())
}
