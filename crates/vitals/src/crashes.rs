//! `vitals crashes`: what has crashed, one by one or put together.

use std::collections::{BTreeMap, BTreeSet};

use heights_vitals::wire::{Crash, Crashes};
use serde::Serialize;

use crate::command::{CrashesArgs, CrashesCommand, Vitals};
use crate::failure::Failure;
use crate::output::{List, Output};
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

/// One crash, and how often it happened.
#[derive(Debug, Serialize)]
pub struct Shown<'a> {
    #[serde(flatten)]
    crash: &'a Crash,
    /// The lives of the same actor that ended by the same, the latest last.
    incarnations: Vec<String>,
    /// How often it happened, to any actor.
    count: usize,
}

/// How many lives are shown; JSON has them all.
const LIVES_SHOWN: usize = 5;

pub async fn run(vitals: &Vitals, args: &CrashesArgs, output: Output) -> Result<(), Failure> {
    let source = vitals.source().await?;
    let mut crashes = source.crashes().await?;
    if let Some(CrashesCommand::Show { fingerprint }) = &args.show {
        return show(&crashes, fingerprint, output);
    }
    if let Some(reference) = &args.reference {
        let path = source.actor(reference).await?.actor.path;
        crashes.crashes.retain(|crash| crash.path == path);
    }
    if args.group {
        return print_groups(&crashes, args.limit, output);
    }
    crashes.crashes.truncate(args.limit);
    let list = List {
        schema: "vitals.crashes/1",
        row_schema: "vitals.crash/1",
        answer: &crashes,
        rows: &crashes.crashes,
        name: |crash| crash.fingerprint.clone(),
        text: table(&crashes),
    };
    output.list(&list).map(|_reads| ())
}

/// Shows the latest crash with a fingerprint, and the lives that ended by the same.
fn show(crashes: &Crashes, fingerprint: &str, output: Output) -> Result<(), Failure> {
    let mut same =
        crashes.crashes.iter().filter(|crash| crash.fingerprint.starts_with(fingerprint));
    let missing = || Failure::NoProcess(format!("no crash {fingerprint} is remembered"));
    let latest = same.next().ok_or_else(missing)?;
    output.print("vitals.crash/1", &Shown::of(latest, &crashes.crashes), describe)
}

impl<'a> Shown<'a> {
    /// Finds what is the same again among all crashes, of which the latest is the first.
    pub fn of(crash: &'a Crash, all: &[Crash]) -> Self {
        let alike: Vec<&Crash> =
            all.iter().filter(|other| other.fingerprint == crash.fingerprint).collect();
        let here = alike.iter().rev().filter(|other| other.path == crash.path);
        let incarnations = here.map(|other| other.pid.clone()).collect();
        Self { crash, incarnations, count: alike.len() }
    }
}

fn print_groups(crashes: &Crashes, limit: usize, output: Output) -> Result<(), Failure> {
    let mut groups = Groups { taken_ms: crashes.taken_ms, groups: together(&crashes.crashes) };
    groups.groups.truncate(limit);
    let list = List {
        schema: "vitals.crash-groups/1",
        row_schema: "vitals.crash-group/1",
        answer: &groups,
        rows: &groups.groups,
        name: |group| group.fingerprint.to_owned(),
        text: group_table(&groups),
    };
    output.list(&list).map(|_reads| ())
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
    text::table(&head, crashes.crashes.iter().map(row))
}

fn group_table(groups: &Groups<'_>) -> String {
    let head = ["COUNT", "LATEST", "MESSAGE", "FINGERPRINT", "PATH", "EXIT"];
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
    text::table(&head, groups.groups.iter().map(row))
}

pub fn describe(shown: &Shown<'_>) -> String {
    let Shown { crash, incarnations, count } = shown;
    let line = |name: &str, value: String| vec![name.to_owned(), value];
    let last = &incarnations[incarnations.len().saturating_sub(LIVES_SHOWN)..];
    let more = if last.len() < incarnations.len() { "… → " } else { "" };
    let mut rows = vec![
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
        line("so far", format!("{count}, the same here: {more}{}", last.join(" → "))),
    ];
    if crash.earlier_process_ms.is_some() {
        rows.push(line("process", "an earlier one of this program".to_owned()));
    }
    text::columns(&rows)
}
