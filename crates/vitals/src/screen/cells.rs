//! What stands in the columns of each view.

use heights_vitals::wire::{Actor, State};

use super::model::{Model, View};
use super::system;
use crate::text::{self, known, span};
use crate::{rates, trace};

/// A column of a view.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub head: &'static str,
    /// How wide it is; none is as wide as there is room.
    pub width: Option<usize>,
    /// The width of the screen from which it is shown.
    from: u16,
    /// Whether the end of what is too long says more than the beginning.
    pub ends: bool,
    /// Whether it takes what another one leaves of its room.
    pub grows: bool,
}

/// How wide a column that takes what room there is becomes where there is no end of room.
pub const ROOMY: usize = 64;

const fn column(head: &'static str, width: usize, from: u16) -> Column {
    Column { head, width: Some(width), from, ends: false, grows: false }
}

const fn open(head: &'static str, ends: bool) -> Column {
    Column { head, width: None, from: 0, ends, grows: false }
}

const fn growing(column: Column) -> Column {
    Column { grows: true, ..column }
}

const TREE: [Column; 6] = [
    open("ACTOR", false),
    column("PID", 7, 60),
    column("STATE", 16, 0),
    column("MBOX", 8, 50),
    column("RST", 5, 90),
    growing(column("REMARKS", 44, 120)),
];

const TOP: [Column; 12] = [
    column("PID", 7, 60),
    column("STATE", 16, 0),
    column("MBOX", 8, 0),
    column("PEAK", 8, 110),
    column("IN/s", 7, 76),
    column("OUT/s", 7, 70),
    column("WAITED", 7, 130),
    column("BUSY", 5, 80),
    column("HANDLED", 10, 140),
    column("RST", 5, 90),
    growing(column("HANDLING", 20, 120)),
    open("ACTOR", true),
];

const QUEUES: [Column; 9] = [
    column("LENGTH", 8, 0),
    column("PEAK", 8, 60),
    column("IN/s", 7, 76),
    column("OUT/s", 7, 76),
    column("OLDEST", 8, 0),
    column("DROPPED", 8, 90),
    column("EACH", 9, 70),
    column("DRAIN", 9, 50),
    open("ACTOR", true),
];

const CRASHES: [Column; 5] = [
    column("AGO", 8, 0),
    column("FINGERPRINT", 11, 100),
    column("MESSAGE", 14, 80),
    Column { ends: true, ..growing(column("ACTOR", 30, 60)) },
    open("EXIT", false),
];

const TRACE: [Column; 7] = [
    column("TIME", 13, 0),
    Column { ends: true, ..growing(column("FROM", 24, 90)) },
    column("MESSAGE", 16, 0),
    column("WAITED", 8, 50),
    column("TOOK", 8, 0),
    column("END", 6, 60),
    open("TEXT", false),
];

const SYSTEM: [Column; 2] = [column("FIGURE", 24, 0), open("VALUE", false)];

/// Returns the columns of a view that fit, with the number of the cell that belongs into each; those
/// that matter most stay.
pub fn columns(model: &Model, width: u16) -> Vec<(usize, Column)> {
    let all: &[Column] = match model.view {
        View::Tree => &TREE,
        View::Top => &TOP,
        View::Queues => &QUEUES,
        View::Crashes => &CRASHES,
        View::Trace => &TRACE,
        View::System => &SYSTEM,
    };
    let fits = all.iter().copied().enumerate();
    fits.filter(|(_, column)| model.wide || width >= column.from).collect()
}

/// Returns a cell for each column that there is, and whether the row deserves to be seen.
pub fn row(model: &Model, row: usize) -> (Vec<String>, bool) {
    let actor = || model.picture.tree.actors.get(row);
    let cells = match model.view {
        View::Tree => actor().map(|actor| (tree(model, actor), is_alarming(actor))),
        View::Top => actor().map(|actor| (top(model, actor), is_alarming(actor))),
        View::Queues => actor().map(|actor| (queue(model, actor), is_alarming(actor))),
        View::Crashes => crash(model, row).map(|cells| (cells, false)),
        View::Trace => traced(model, row),
        View::System => {
            let figure = system::figures(model).into_iter().nth(row);
            figure.map(|figure| (vec![figure.name.to_owned(), figure.value], figure.alarming))
        }
    };
    cells.unwrap_or_default()
}

fn is_alarming(actor: &Actor) -> bool {
    let blocks = actor.working.as_ref().is_some_and(|working| working.blocks_ms.is_some());
    blocks || matches!(actor.state, State::Restarting | State::Suspended)
}

/// Shows what an actor is doing, and for how long where that is long.
fn state(actor: &Actor) -> String {
    /// What takes less time needs none said.
    const LONG_MS: u64 = 1_000;
    let state = text::state(actor.state);
    let since = match actor.state {
        State::Busy | State::Waiting => actor.working.as_ref().map(|working| working.since_ms),
        State::Restarting => actor.restart_in_ms,
        _ => None,
    };
    match since.filter(|since| *since >= LONG_MS) {
        Some(since) => format!("{state} {}", text::brief(since)),
        None => state.to_owned(),
    }
}

fn tree(model: &Model, actor: &Actor) -> Vec<String> {
    let mark = match (actor.supervision.is_some(), model.folded.contains(&actor.path)) {
        (true, true) => "▸ ",
        (true, false) => "▾ ",
        (false, _) => "  ",
    };
    // Where only some are shown, what is above them is not to be seen.
    let name = if model.filter.is_empty() {
        format!("{}{mark}{}", "  ".repeat(actor.depth), actor.id)
    } else {
        actor.path.clone()
    };
    vec![
        name,
        known(actor.pid.clone()),
        state(actor),
        known(actor.mailbox),
        known(actor.restarts),
        text::remarks(actor).join("  "),
    ]
}

fn top(model: &Model, actor: &Actor) -> Vec<String> {
    let rates = model.before.until(actor, &model.picture.tree);
    vec![
        known(actor.pid.clone()),
        state(actor),
        known(actor.mailbox),
        known(actor.mailbox_peak),
        known(rates.in_per_s.map(rates::shown)),
        known(rates.out_per_s.map(rates::shown)),
        known(actor.waited_ms.map(span)),
        known(rates.busy.map(rates::percent)),
        known(actor.handled),
        known(actor.restarts),
        text::handling(actor),
        actor.path.clone(),
    ]
}

fn queue(model: &Model, actor: &Actor) -> Vec<String> {
    let rates = model.before.until(actor, &model.picture.tree);
    let mut cells = crate::queues::cells(actor);
    let flow = [rates.in_per_s, rates.out_per_s].map(|rate| known(rate.map(rates::shown)));
    cells.splice(2..2, flow);
    cells
}

fn crash(model: &Model, row: usize) -> Option<Vec<String>> {
    let crash = model.picture.crashes.get(row)?;
    Some(vec![
        span(model.picture.tree.taken_ms.saturating_sub(crash.at_ms)),
        crash.fingerprint.clone(),
        known(crash.message.clone()),
        crash.path.clone(),
        crash.exit.clone(),
    ])
}

fn traced(model: &Model, row: usize) -> Option<(Vec<String>, bool)> {
    let message = model.tracing.as_ref()?.message(row)?;
    let from = message.from_path.clone().or_else(|| message.from.clone());
    let cells = vec![
        text::time_of_day(message.at_ms),
        known(from),
        message.label.clone(),
        known(message.waited_us.map(trace::short)),
        trace::short(message.took_us),
        if message.well { "ok" } else { "FAILED" }.to_owned(),
        message.text.clone().unwrap_or_default(),
    ];
    Some((cells, !message.well))
}
