//! `vitals crashes`: what has crashed, the latest first.

use heights_vitals::wire::{Crash, Crashes};

use crate::command::{CrashesArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{self, known, span};

pub async fn run(vitals: &Vitals, args: &CrashesArgs, output: Output) -> Result<(), Failure> {
    let source = vitals.source().await?;
    let mut crashes = source.crashes().await?;
    if let Some(reference) = &args.reference {
        let path = source.actor(reference).await?.actor.path;
        crashes.crashes.retain(|crash| crash.path == path);
    }
    crashes.crashes.truncate(args.limit);
    output.print("vitals.crashes/1", &crashes, table)
}

fn table(crashes: &Crashes) -> String {
    let head = ["AGO", "PID", "LIFE", "MESSAGE", "PATH", "EXIT"].map(str::to_owned).to_vec();
    let row = |crash: &Crash| {
        vec![
            span(crashes.taken_ms.saturating_sub(crash.at_ms)),
            crash.pid.clone(),
            crash.incarnation.to_string(),
            known(crash.message.clone()),
            crash.path.clone(),
            crash.exit.clone(),
        ]
    };
    text::columns(&std::iter::once(head).chain(crashes.crashes.iter().map(row)).collect::<Vec<_>>())
}
