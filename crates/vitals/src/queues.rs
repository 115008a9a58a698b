//! `vitals queues`: where messages wait, and how long that will take.

use heights_vitals::wire::{Actor, Sort, Tree};

use crate::command::{QueuesArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{self, known, span};

pub async fn run(vitals: &Vitals, args: &QueuesArgs, output: Output) -> Result<(), Failure> {
    let mut queues = vitals.source().await?.top(Sort::Mailbox, args.limit, None).await?;
    queues.actors.retain(|actor| actor.mailbox.is_some_and(|waiting| waiting > 0));
    output.print("vitals.queues/1", &queues, table)
}

fn table(queues: &Tree) -> String {
    if queues.actors.is_empty() {
        return "no messages wait\n".to_owned();
    }
    let head = ["LENGTH", "PEAK", "OLDEST", "DROPPED", "EACH", "DRAIN", "PATH"];
    let head = head.map(str::to_owned).to_vec();
    text::columns(&std::iter::once(head).chain(queues.actors.iter().map(cells)).collect::<Vec<_>>())
}

/// Returns the figures of one queue, in the order of the head.
pub fn cells(actor: &Actor) -> Vec<String> {
    let each = actor.mean_ms();
    let drain = each.zip(actor.mailbox).map(|(each, waiting)| each * waiting as f64);
    vec![
        known(actor.mailbox),
        known(actor.mailbox_peak),
        known(actor.oldest_ms.map(span)),
        known(actor.dropped),
        known(each.map(|each| format!("{each:.1}ms"))),
        known(drain.map(|time| span(time as u64))),
        actor.path.clone(),
    ]
}
