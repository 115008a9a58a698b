//! Which rows a view has, and which of them is selected.
//!
//! A row is the number of an actor, a crash, a line or a figure: its text is made when it is drawn,
//! so that a view of a hundred thousand actors costs no more to draw than one of twenty.

use std::cmp::Reverse;

use heights_vitals::wire::{Actor, Kind};

use super::model::{Model, Order, View};
use super::system;

/// The rows of a view.
#[derive(Debug, Default)]
pub struct Listing {
    rows: Vec<usize>,
    /// The selected row.
    at: usize,
    /// What is selected, by what stays the same when it moves.
    key: Option<String>,
}

impl Listing {
    /// Finds the rows of a model's view, and what was selected among them.
    pub fn of(model: &Model) -> Self {
        let rows = match model.view {
            View::Tree => tree(model),
            View::Top => top(model),
            View::Queues => queues(model),
            View::Crashes => crashes(model),
            View::Trace => (0..model.tracing.as_ref().map_or(0, |tracing| tracing.len())).collect(),
            View::System => (0..system::figures(model).len()).collect(),
        };
        let (key, at) = (model.listing.key.clone(), model.listing.at);
        let last = rows.len().saturating_sub(1);
        let found = key.as_ref().and_then(|key| {
            rows.iter().position(|row| model.key_of(*row).is_some_and(|of| of == *key))
        });
        let at = match found {
            Some(at) => at,
            // What was selected is gone: what is there now is looked at instead.
            None => at.min(last),
        };
        Self { rows, at, key }
    }

    /// Selects the first row, unless what was selected is found among the rows of another view.
    pub fn begin(&mut self) {
        self.at = 0;
    }

    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Returns which of the rows is selected.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns what the selected row stands for.
    pub fn selected(&self) -> Option<usize> {
        self.rows.get(self.at).copied()
    }
}

impl Model {
    /// Selects another row.
    pub fn step(&mut self, by: usize, down: bool) {
        let last = self.listing.rows.len().saturating_sub(1);
        let at = self.listing.at;
        let to = if down { at.saturating_add(by).min(last) } else { at.saturating_sub(by) };
        self.listing.at = to;
        let key = self.listing.selected().and_then(|row| self.key_of(row)).map(str::to_owned);
        self.listing.key = key;
    }

    /// Shows what has been told of a trace; whoever looks at the latest message stays with it.
    pub fn follow(&mut self) {
        if self.view != View::Trace {
            return;
        }
        let at_end = self.listing.at + 1 >= self.listing.rows.len();
        self.relist();
        if at_end {
            self.listing.at = self.listing.rows.len().saturating_sub(1);
        }
    }

    /// Returns what stays the same when a row moves.
    fn key_of(&self, row: usize) -> Option<&str> {
        match self.view {
            View::Tree | View::Top | View::Queues => {
                self.picture.tree.actors.get(row).map(|actor| actor.path.as_str())
            }
            View::Crashes => self.picture.crashes.get(row).map(|crash| crash.pid.as_str()),
            View::Trace | View::System => None,
        }
    }

    /// Tells whether the filter lets a path through; a filter that begins with `!` holds back.
    fn is_meant(&self, path: &str) -> bool {
        match self.filter.strip_prefix('!') {
            Some(held) => held.is_empty() || !path.contains(held),
            None => path.contains(&self.filter),
        }
    }
}

fn tree(model: &Model) -> Vec<usize> {
    let mut hidden_below: Option<&str> = None;
    let mut rows = Vec::new();
    for (row, actor) in model.picture.tree.actors.iter().enumerate() {
        if let Some(path) = hidden_below {
            if actor.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')) {
                continue;
            }
            hidden_below = None;
        }
        if model.folded.contains(&actor.path) {
            hidden_below = Some(&actor.path);
        }
        if model.is_meant(&actor.path) {
            rows.push(row);
        }
    }
    rows
}

/// Returns those actors that are meant, those first that have most of something.
fn sorted(model: &Model, figure: impl Fn(&Actor) -> Option<u64>) -> Vec<usize> {
    let actors = &model.picture.tree.actors;
    let meant = actors.iter().enumerate().filter(|(_, actor)| model.is_meant(&actor.path));
    let mut rows: Vec<(Option<u64>, usize)> =
        meant.map(|(row, actor)| (figure(actor), row)).collect();
    rows.sort_by_key(|(figure, _)| Reverse(*figure));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn top(model: &Model) -> Vec<usize> {
    let tree = &model.picture.tree;
    let thousandths = |part: Option<f64>| part.map(|part| (part * 1_000.0) as u64);
    let since = |actor: &Actor| {
        let handles = !matches!(actor.kind, Some(Kind::Supervisor | Kind::Task));
        let working = actor.working.as_ref().filter(|_| handles);
        working.map(|working| working.since_ms)
    };
    let mut rows = sorted(model, |actor| match model.order {
        Order::Mailbox => actor.mailbox,
        Order::Wait => actor.oldest_ms,
        Order::Busy => thousandths(model.before.until(actor, tree).busy).or(since(actor)),
        Order::Rate => thousandths(model.before.until(actor, tree).out_per_s),
        Order::Restarts => actor.restarts.map(u64::from),
    });
    if model.reversed {
        rows.reverse();
    }
    rows
}

fn queues(model: &Model) -> Vec<usize> {
    let mut rows = sorted(model, |actor| actor.mailbox);
    rows.retain(|row| model.picture.tree.actors[*row].mailbox > Some(0));
    rows
}

fn crashes(model: &Model) -> Vec<usize> {
    let crashes = model.picture.crashes.iter().enumerate();
    crashes.filter(|(_, crash)| model.is_meant(&crash.path)).map(|(row, _)| row).collect()
}
