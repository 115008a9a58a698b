//! `vitals crashes`: what has crashed, one by one or put together.

use std::collections::{BTreeMap, BTreeSet};

use heights_vitals::wire::{Crash, Crashes};
use serde::Serialize;

use crate::command::{CrashesArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{self, known, span};

#[derive(Debug, Serialize)]
struct Groups<'a> {
    taken_ms: u64,
    groups: Vec<Group<'a>>,
}

/// Crashes that are the same again.
#[derive(Debug, Serialize)]
struct Group<'a> {
    fingerprint: &'a str,
    count: usize,
    /// Those it happened to.
    paths: BTreeSet<&'a str>,
    /// The latest one.
    latest: &'a Crash,
}

pub async fn run(vitals: &Vitals, args: &CrashesArgs, output: Output) -> Result<(), Failure> {
    let source = vitals.source().await?;
    let mut crashes = source.crashes().await?;
    if let Some(reference) = &args.reference {
        let path = source.actor(reference).await?.actor.path;
        crashes.crashes.retain(|crash| crash.path == path);
    }
    if let Some(fingerprint) = &args.show {
        let found = crashes.crashes.iter().find(|crash| crash.fingerprint == *fingerprint);
        let missing = || Failure::NoProcess(format!("no crash {fingerprint} is remembered"));
        return output
            .print("vitals.crash/1", &found.ok_or_else(missing)?, |crash| describe(crash));
    }
    if args.group {
        let mut groups = together(&crashes.crashes);
        groups.truncate(args.limit);
        return output.print(
            "vitals.crash-groups/1",
            &Groups { taken_ms: crashes.taken_ms, groups },
            group_table,
        );
    }
    crashes.crashes.truncate(args.limit);
    output.print("vitals.crashes/1", &crashes, table)
}

/// Puts the crashes of each fingerprint together, the most frequent first.
fn together(crashes: &[Crash]) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    // The latest crash comes first, so it is the one that makes the group.
    for crash in crashes {
        let fingerprint = &*crash.fingerprint;
        let group = groups.entry(fingerprint).or_insert_with(|| Group {
            fingerprint,
            count: 0,
            paths: BTreeSet::new(),
            latest: crash,
        });
        group.count += 1;
        group.paths.insert(&crash.path);
    }
    let mut groups: Vec<Group<'_>> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.count, group.latest.at_ms)));
    groups
}

fn table(crashes: &Crashes) -> String {
    let head = ["AGO", "PID", "LIFE", "MESSAGE", "FINGERPRINT", "PATH", "EXIT"];
    let head = head.map(str::to_owned).to_vec();
    let row = |crash: &Crash| {
        vec![
            span(crashes.taken_ms.saturating_sub(crash.at_ms)),
            crash.pid.clone(),
            crash.incarnation.to_string(),
            known(crash.message.clone()),
            crash.fingerprint.clone(),
            crash.path.clone(),
            crash.exit.clone(),
        ]
    };
    text::columns(&std::iter::once(head).chain(crashes.crashes.iter().map(row)).collect::<Vec<_>>())
}

fn group_table(groups: &Groups<'_>) -> String {
    let head = ["COUNT", "LATEST", "MESSAGE", "FINGERPRINT", "PATH", "EXIT"];
    let head = head.map(str::to_owned).to_vec();
    let row = |group: &Group<'_>| {
        let path = match group.paths.len() {
            1 => group.latest.path.clone(),
            several => format!("{} and {} more", group.latest.path, several - 1),
        };
        vec![
            group.count.to_string(),
            span(groups.taken_ms.saturating_sub(group.latest.at_ms)),
            known(group.latest.message.clone()),
            group.fingerprint.to_owned(),
            path,
            group.latest.exit.clone(),
        ]
    };
    text::columns(&std::iter::once(head).chain(groups.groups.iter().map(row)).collect::<Vec<_>>())
}

fn describe(crash: &Crash) -> String {
    let line = |name: &str, value: String| vec![name.to_owned(), value];
    text::columns(&[
        line("path", crash.path.clone()),
        line("type", known(crash.type_name.clone())),
        line("life", format!("{} (pid {})", crash.incarnation, crash.pid)),
        line("lasted", known(crash.age_ms.map(span))),
        line("exit", crash.exit.clone()),
        line("place", known(crash.site.clone())),
        line("message", known(crash.message.clone())),
        line("contents", known(crash.last_message.clone())),
        line("handled", known(crash.handled)),
        line("waiting", known(crash.queued)),
        line("fingerprint", crash.fingerprint.clone()),
    ])
}
