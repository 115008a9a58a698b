//! `vitals queues`: where messages wait, and how long that will take.

use heights_vitals::wire::{Actor, Sort, Tree};
use serde::Serialize;
use tokio::time::sleep;

use crate::command::{QueuesArgs, Vitals};
use crate::failure::Failure;
use crate::output::{List, Output};
use crate::rates::{self, Rates, Sample};
use crate::text::{self, known, span};

#[derive(Debug, Serialize)]
struct Queues {
    taken_ms: u64,
    /// Absent where it is about one moment.
    window_ms: Option<u64>,
    /// How many actors there are in all.
    total: usize,
    actors: Vec<Queue>,
}

#[derive(Debug, Serialize)]
struct Queue {
    #[serde(flatten)]
    actor: Actor,
    /// How long a message took on average in this life.
    each_ms: Option<f64>,
    /// How long all that wait will take if no more come.
    drain_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<Rates>,
}

pub async fn run(vitals: &Vitals, args: &QueuesArgs, output: Output) -> Result<(), Failure> {
    let source = vitals.source().await?;
    let Some(window) = args.window else {
        let tree = source.top(Sort::Mailbox, args.limit, None).await?;
        return print(&queues(tree, None, args.limit), output);
    };
    if source.living().is_none() {
        let reason = "a snapshot is one moment: leave --window out";
        return Err(Failure::Usage(reason.to_owned()));
    }
    let before = Sample::of(&source.tree().await?);
    sleep(window).await;
    let mut tree = source.tree().await?;
    tree.actors.sort_by_key(|actor| std::cmp::Reverse(actor.mailbox));
    print(&queues(tree, Some(&before), args.limit), output)
}

fn queues(mut tree: Tree, before: Option<&Sample>, limit: usize) -> Queues {
    let actors = std::mem::take(&mut tree.actors);
    let waiting = actors.into_iter().filter(|actor| actor.mailbox > Some(0)).take(limit);
    let queue = |actor: Actor| Queue {
        each_ms: actor.mean_ms(),
        drain_ms: drain_ms(&actor),
        rates: before.map(|before| before.until(&actor, &tree)),
        actor,
    };
    let window_ms = before.map(|before| before.before(&tree));
    let actors = waiting.map(queue).collect();
    Queues { taken_ms: tree.taken_ms, window_ms, total: tree.total, actors }
}

fn drain_ms(actor: &Actor) -> Option<u64> {
    Some((actor.mean_ms()? * actor.mailbox? as f64) as u64)
}

fn print(queues: &Queues, output: Output) -> Result<(), Failure> {
    let list = List {
        schema: "vitals.queues/1",
        row_schema: "vitals.queue/1",
        answer: queues,
        rows: &queues.actors,
        name: |queue| queue.actor.path.clone(),
        text: table(queues),
    };
    output.list(&list).map(|_reads| ())
}

fn table(queues: &Queues) -> String {
    if queues.actors.is_empty() {
        return "no messages wait\n".to_owned();
    }
    match queues.window_ms {
        None => text::table(&HEAD, queues.actors.iter().map(|queue| cells(&queue.actor))),
        Some(_) => {
            let head =
                ["LENGTH", "PEAK", "IN/s", "OUT/s", "OLDEST", "DROPPED", "EACH", "DRAIN", "PATH"];
            let row = |queue: &Queue| {
                let rates = queue.rates.unwrap_or_default();
                let mut row = cells(&queue.actor);
                let flow =
                    [rates.in_per_s, rates.out_per_s].map(|rate| known(rate.map(rates::shown)));
                row.splice(2..2, flow);
                row
            };
            text::table(&head, queues.actors.iter().map(row))
        }
    }
}

const HEAD: [&str; 7] = ["LENGTH", "PEAK", "OLDEST", "DROPPED", "EACH", "DRAIN", "PATH"];

/// Returns the figures of one queue, in the order of the head.
pub fn cells(actor: &Actor) -> Vec<String> {
    vec![
        known(actor.mailbox),
        known(actor.mailbox_peak),
        known(actor.oldest_ms.map(span)),
        known(actor.dropped),
        known(actor.mean_ms().map(|each| format!("{each:.1}ms"))),
        known(drain_ms(actor).map(span)),
        actor.path.clone(),
    ]
}
