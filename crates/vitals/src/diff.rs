//! `vitals diff`: what has changed between two pictures.

use std::collections::{BTreeMap, BTreeSet};

use heights_vitals::wire::{Actor, Kind, Picture};
use serde::Serialize;

use crate::command::{DiffArgs, Vitals};
use crate::failure::Failure;
use crate::kept::read;
use crate::output::Output;
use crate::text::{self, known, span};

#[derive(Debug, Serialize)]
struct Difference {
    /// The time between the two pictures.
    apart_ms: u64,
    /// The paths that are only in the later one.
    started: Vec<String>,
    /// The paths that are only in the earlier one.
    ended: Vec<String>,
    /// Actors that are in both and are not the same.
    changed: Vec<Change>,
    /// The later crashes, the latest first.
    crashes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Change {
    path: String,
    /// What has changed: a word, and the values before and after.
    figures: Vec<(&'static str, String, String)>,
}

pub async fn run(vitals: &Vitals, args: &DiffArgs, output: Output) -> Result<(), Failure> {
    let before = read(&args.before)?.picture;
    let after = match &args.after {
        Some(file) => read(file)?.picture,
        None => vitals.source().await?.picture().await?,
    };
    output.print("vitals.diff/1", &compare(&before, &after), tell)
}

fn compare(before: &Picture, after: &Picture) -> Difference {
    let (old, new) = (by_path(before), by_path(after));
    let seen: BTreeSet<(&str, u64)> =
        before.crashes.iter().map(|crash| (crash.pid.as_str(), crash.at_ms)).collect();
    let fresh =
        after.crashes.iter().filter(|crash| !seen.contains(&(crash.pid.as_str(), crash.at_ms)));
    let missing = |from: &BTreeMap<&str, &Actor>, other: &BTreeMap<&str, &Actor>| {
        let only = from.keys().filter(|path| !other.contains_key(*path));
        only.map(|path| (*path).to_owned()).collect()
    };
    let changed = new.iter().filter_map(|(path, new)| change(old.get(path)?, new));
    Difference {
        apart_ms: after.tree.taken_ms.abs_diff(before.tree.taken_ms),
        started: missing(&new, &old),
        ended: missing(&old, &new),
        changed: changed.collect(),
        crashes: fresh.map(|crash| format!("{}: {}", crash.path, crash.exit)).collect(),
    }
}

fn by_path(picture: &Picture) -> BTreeMap<&str, &Actor> {
    picture.tree.actors.iter().map(|actor| (actor.path.as_str(), actor)).collect()
}

/// Compares what says something about an actor; its age and the like change all the time.
fn change(old: &Actor, new: &Actor) -> Option<Change> {
    // What a supervisor handles is the doings of its children, which are compared themselves.
    let handled = |actor: &Actor| actor.handled.filter(|_| actor.kind != Some(Kind::Supervisor));
    let handling = |actor: &Actor| actor.working.as_ref().map(|working| working.label.clone());
    let figures = [
        ("pid", known(old.pid.clone()), known(new.pid.clone())),
        ("state", old.state.as_str().to_owned(), new.state.as_str().to_owned()),
        ("restarts", known(old.restarts), known(new.restarts)),
        ("mailbox", known(old.mailbox), known(new.mailbox)),
        ("handled", known(handled(old)), known(handled(new))),
        ("failed", known(old.failed), known(new.failed)),
        ("dropped", known(old.dropped), known(new.dropped)),
        ("handling", known(handling(old)), known(handling(new))),
        ("waiting for", known(old.waiting_for.clone()), known(new.waiting_for.clone())),
    ];
    let figures: Vec<_> = figures.into_iter().filter(|(_, old, new)| old != new).collect();
    (!figures.is_empty()).then(|| Change { path: new.path.clone(), figures })
}

fn tell(difference: &Difference) -> String {
    let Difference { apart_ms, started, ended, changed, crashes } = difference;
    let row = |sign: &str, path: &str, text: String| vec![sign.to_owned(), path.to_owned(), text];
    let mut rows: Vec<Vec<String>> =
        started.iter().map(|path| row("+", path, String::new())).collect();
    rows.extend(ended.iter().map(|path| row("-", path, String::new())));
    for change in changed {
        let figures: Vec<String> =
            change.figures.iter().map(|(name, old, new)| format!("{name} {old} → {new}")).collect();
        rows.push(row("~", &change.path, figures.join("  ")));
    }
    let crashes: String = crashes.iter().map(|crash| format!("crashed  {crash}\n")).collect();
    if rows.is_empty() && crashes.is_empty() {
        return String::new();
    }
    format!("{} apart\n{}{crashes}", span(*apart_ms), text::columns(&rows))
}
