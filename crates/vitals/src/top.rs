//! `vitals top`: the actors that have most of something right now.

use heights_vitals::wire::{Actor, Sort, Tree};

use crate::command::{By, TopArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{self, known, span};

pub async fn run(vitals: &Vitals, args: &TopArgs, output: Output) -> Result<(), Failure> {
    let sort = match args.sort {
        By::Mailbox => Sort::Mailbox,
        By::Wait => Sort::Wait,
        By::Busy => Sort::Busy,
        By::Restarts => Sort::Restarts,
        By::Age => Sort::Age,
    };
    let top = vitals.source().await?.top(sort, args.limit, args.filter.as_deref()).await?;
    output.print("vitals.top/1", &top, table)
}

fn table(top: &Tree) -> String {
    let head = ["PID", "STATE", "MBOX", "PEAK", "HANDLED", "RESTARTS", "AGE", "HANDLING", "PATH"];
    let head = head.map(str::to_owned).to_vec();
    text::columns(&std::iter::once(head).chain(top.actors.iter().map(row)).collect::<Vec<_>>())
}

fn row(actor: &Actor) -> Vec<String> {
    vec![
        known(actor.pid.clone()),
        text::state(actor.state).to_owned(),
        known(actor.mailbox),
        known(actor.mailbox_peak),
        known(actor.handled),
        known(actor.restarts),
        known(actor.age_ms.map(span)),
        text::handling(actor),
        actor.path.clone(),
    ]
}
