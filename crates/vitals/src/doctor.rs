//! `vitals doctor`: whether the process and its inspector are in order.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use heights_vitals::wire::{Actor, Kind, Picture, Runtime, Tier};
use serde::Serialize;

use crate::command::Vitals;
use crate::failure::Failure;
use crate::output::Output;
use crate::source::Source;
use crate::text::{self, span};

/// A runtime that is silent for longer has its threads blocked.
const SILENT_MS: u64 = 1_000;

/// The part of one core that the inspector may use without being mentioned, in percent.
const COST: f64 = 1.0;

#[derive(Debug, Serialize)]
struct Examination {
    healthy: bool,
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// Prints what was found; `false` if something is wrong.
pub async fn run(vitals: &Vitals, output: Output) -> Result<bool, Failure> {
    let source = vitals.source().await?;
    let asked = Instant::now();
    let picture = source.picture().await?;
    let mut findings = Vec::new();
    if let Source::Living(_) = source {
        let millis = asked.elapsed().as_secs_f64() * 1_000.0;
        let text = format!("the inspector answers in {millis:.1} ms");
        findings.push(Finding { level: Level::Ok, text });
        if vitals.host.is_none() {
            findings.extend(place(&vitals.meant(vitals.process.as_deref())?));
        }
    }
    findings.push(tier(&picture));
    findings.extend(runtime(&picture));
    findings.extend(cost(&picture));
    let healthy = findings.iter().all(|finding| finding.level < Level::Fail);
    output.print("vitals.doctor/1", &Examination { healthy, findings }, tell)?;
    Ok(healthy)
}

/// Nobody else may get at the socket.
fn place(socket: &Path) -> Option<Finding> {
    let directory = socket.parent()?.metadata().ok()?;
    let (mode, uid) = (directory.mode() & 0o777, directory.uid());
    let text = format!("the socket is in a directory of mode {mode:03o} of uid {uid}");
    let level = if mode & 0o077 == 0 { Level::Ok } else { Level::Fail };
    Some(Finding { level, text })
}

fn tier(picture: &Picture) -> Finding {
    let text = match picture.hello.tier {
        Tier::Control => "it lets its user and root act on its actors",
        Tier::Trace | Tier::Read => "it can be looked into, and not acted on: its tier says so",
    };
    Finding { level: Level::Ok, text: text.to_owned() }
}

fn runtime(picture: &Picture) -> Vec<Finding> {
    let Some(runtime) = &picture.runtime else {
        let text = "the runtime's pulse is not known: the inspector was started outside a runtime";
        return vec![Finding { level: Level::Warn, text: text.to_owned() }];
    };
    let mut findings = vec![pulse(picture, runtime)];
    let blocked = runtime.blocked.iter();
    findings.extend(blocked.map(|blocked| {
        let text = format!("blocked thread: {}", text::blocks(blocked));
        Finding { level: Level::Fail, text }
    }));
    findings
}

fn pulse(picture: &Picture, runtime: &Runtime) -> Finding {
    let (silent, workers) = (runtime.silent_ms, runtime.workers);
    if silent <= SILENT_MS {
        let text = format!("the runtime lives: {workers} threads, {} tasks", runtime.tasks);
        return Finding { level: Level::Ok, text };
    }
    let suspects: Vec<String> = suspects(picture, silent).map(accused).collect();
    let by = match (runtime.blocked.is_empty(), suspects.is_empty()) {
        // Each of them has a line of its own.
        (false, _) => String::new(),
        (true, true) => ", by nobody that can be named".to_owned(),
        (true, false) => format!(", by {}", suspects.join(", ")),
    };
    let silence = span(silent);
    let text = format!(
        "the runtime gives no sign of life for {silence}: all {workers} threads are blocked{by}"
    );
    Finding { level: Level::Fail, text }
}

/// Those that have been in a handler for as long as the runtime is silent, and await nobody.
fn suspects(picture: &Picture, silent_ms: u64) -> impl Iterator<Item = &Actor> {
    /// The pulse and the clock of a handler are read one after the other.
    const APART_MS: u64 = 200;
    let guilty = move |actor: &&Actor| {
        let since = actor.working.as_ref().map_or(0, |working| working.since_ms);
        actor.kind == Some(Kind::Worker)
            && actor.waiting_for.is_none()
            && since + APART_MS >= silent_ms
    };
    picture.tree.actors.iter().filter(guilty)
}

fn accused(actor: &Actor) -> String {
    let label = actor.working.as_ref().map_or("", |working| &working.label);
    format!("{} in {label}", actor.path)
}

/// What the inspector costs now and may cost, or where that is not told, what it has cost so far.
fn cost(picture: &Picture) -> Option<Finding> {
    let runtime = picture.runtime.as_ref()?;
    if let Some(cost) = &runtime.cost {
        let level = if cost.cpu_ppm > cost.budget_ppm { Level::Warn } else { Level::Ok };
        let (now, most) = (text::share(cost.cpu_ppm), text::share(cost.budget_ppm));
        let text = format!(
            "the inspector costs {now} of one core, and {most} at most; {} clients",
            cost.clients
        );
        return Some(Finding { level, text });
    }
    let used = runtime.inspector_cpu_us?;
    let life = picture.tree.taken_ms.saturating_sub(picture.hello.started_ms);
    let percent = used as f64 / 10.0 / life.max(1) as f64;
    let level = if percent > COST { Level::Warn } else { Level::Ok };
    let text = format!("the inspector has used {percent:.3} % of one core so far");
    Some(Finding { level, text })
}

fn tell(examination: &Examination) -> String {
    let rows = examination.findings.iter().map(|finding| {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        vec![level.to_owned(), finding.text.clone()]
    });
    text::columns(&rows.collect::<Vec<_>>())
}
