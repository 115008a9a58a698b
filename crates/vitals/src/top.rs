//! `vitals top`: the actors that have most of something, now or in a window of time.

use std::cmp::Reverse;
use std::time::Duration;

use heights_vitals::wire::{Actor, Sort, Tree};
use serde::Serialize;
use tokio::time::sleep;

use crate::command::{By, TopArgs, Vitals};
use crate::failure::Failure;
use crate::output::{List, Output};
use crate::rates::{self, Rates, Sample};
use crate::source::Source;
use crate::text::{self, known, span};

/// The window of what can only be known of a window.
const WINDOW: Duration = Duration::from_secs(1);

/// The busiest, and what they did in the window.
#[derive(Debug, Serialize)]
struct Top {
    taken_ms: u64,
    /// Absent where it is about one moment.
    window_ms: Option<u64>,
    /// How many actors there are in all.
    total: usize,
    actors: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    actor: Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<Rates>,
}

pub async fn run(vitals: &Vitals, args: &TopArgs, output: Output) -> Result<(), Failure> {
    let output = if args.follow { output.following() } else { output };
    let source = vitals.source().await?;
    let rate = (args.sort == By::Rate || args.follow).then_some(WINDOW);
    let Some(window) = args.window.or(rate) else {
        let tree = source.top(order(args.sort), args.limit, args.filter.as_deref()).await?;
        return print(&now(tree), output).map(|_reads| ());
    };
    if source.living().is_none() {
        let reason = "a snapshot is one moment: leave --window, --follow and --sort rate out";
        return Err(Failure::Usage(reason.to_owned()));
    }
    let mut before = Sample::of(&source.tree().await?);
    loop {
        let tree = between(&source, window).await?;
        let next = Sample::of(&tree);
        let reads = print(&in_window(tree, &before, args), output)?;
        if !args.follow || !reads {
            return Ok(());
        }
        output.note("\n")?;
        before = next;
    }
}

async fn between(source: &Source, window: Duration) -> Result<Tree, Failure> {
    sleep(window).await;
    Ok(source.tree().await?)
}

/// How the process orders its actors by itself.
fn order(by: By) -> Sort {
    match by {
        By::Mailbox | By::Rate => Sort::Mailbox,
        By::Wait => Sort::Wait,
        By::Busy => Sort::Busy,
        By::Restarts => Sort::Restarts,
        By::Age => Sort::Age,
    }
}

fn now(tree: Tree) -> Top {
    let actors = tree.actors.into_iter().map(|actor| Row { actor, rates: None });
    let actors = actors.collect();
    Top { taken_ms: tree.taken_ms, window_ms: None, total: tree.total, actors }
}

fn in_window(mut tree: Tree, before: &Sample, args: &TopArgs) -> Top {
    let window_ms = Some(before.before(&tree));
    let actors = std::mem::take(&mut tree.actors);
    let meant = |actor: &Actor| args.filter.as_ref().is_none_or(|part| actor.path.contains(part));
    let rows = actors.into_iter().filter(meant).map(|actor| {
        let rates = Some(before.until(&actor, &tree));
        Row { actor, rates }
    });
    let mut rows: Vec<Row> = rows.collect();
    sort(&mut rows, args.sort);
    rows.truncate(args.limit);
    Top { taken_ms: tree.taken_ms, window_ms, total: tree.total, actors: rows }
}

fn sort(rows: &mut [Row], by: By) {
    let thousandths = |part: Option<f64>| part.map(|part| (part * 1_000.0) as u64);
    let figure = |row: &Row| {
        let (actor, rates) = (&row.actor, row.rates.unwrap_or_default());
        match by {
            By::Mailbox => actor.mailbox,
            By::Busy => thousandths(rates.busy),
            By::Rate => thousandths(rates.out_per_s),
            By::Wait => actor.oldest_ms,
            By::Restarts => actor.restarts.map(u64::from),
            By::Age => actor.age_ms.map(|age| u64::MAX - age),
        }
    };
    rows.sort_by_key(|row| Reverse(figure(row)));
}

/// Prints it; `false` if nobody reads.
fn print(top: &Top, output: Output) -> Result<bool, Failure> {
    let text = if top.window_ms.is_some() { windowed(top) } else { table(top) };
    let list = List {
        schema: "vitals.top/1",
        row_schema: "vitals.actor/1",
        answer: top,
        rows: &top.actors,
        name: |row| row.actor.path.clone(),
        text,
    };
    output.list(&list)
}

fn table(top: &Top) -> String {
    let head = ["PID", "STATE", "MBOX", "PEAK", "HANDLED", "RESTARTS", "AGE", "HANDLING", "PATH"];
    let row = |Row { actor, .. }: &Row| {
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
    };
    text::table(&head, top.actors.iter().map(row))
}

fn windowed(top: &Top) -> String {
    let head =
        ["PID", "STATE", "MBOX", "IN/s", "OUT/s", "WAITED", "BUSY", "RESTARTS", "HANDLING", "PATH"];
    let row = |Row { actor, rates }: &Row| {
        let rates = rates.unwrap_or_default();
        vec![
            known(actor.pid.clone()),
            text::state(actor.state).to_owned(),
            known(actor.mailbox),
            known(rates.in_per_s.map(rates::shown)),
            known(rates.out_per_s.map(rates::shown)),
            known(actor.waited_ms.map(span)),
            known(rates.busy.map(rates::percent)),
            known(actor.restarts),
            text::handling(actor),
            actor.path.clone(),
        ]
    };
    text::table(&head, top.actors.iter().map(row))
}
