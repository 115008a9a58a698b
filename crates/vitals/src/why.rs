//! `vitals why`: follows what an actor waits for to the cause.

use heights_vitals::wire::{Cause, Fact, Link, Verdict, Why};

use crate::command::{InfoArgs, Vitals};
use crate::failure::Failure;
use crate::meant::worker_below;
use crate::output::Output;
use crate::text::{known, span};

pub async fn run(vitals: &Vitals, args: &InfoArgs, output: Output) -> Result<(), Failure> {
    let source = vitals.source().await?;
    let why = source.why(&args.reference).await?;
    output.print("vitals.why/1", &why, tell)?;
    if let Some(next) = next(&why.verdict) {
        return output.note(&format!("next: {next}\n"));
    }
    // Whoever asks why a supervisor does nothing often means the worker that it is named for.
    match worker_below(&source.actor(&why.verdict.path).await?) {
        Some(worker) => output.note(&format!("next: vitals why {worker}\n")),
        None => Ok(()),
    }
}

pub fn tell(why: &Why) -> String {
    let mut text = String::new();
    let last = why.links.len().saturating_sub(1);
    for (depth, link) in why.links.iter().enumerate() {
        let branch = if depth == 0 { String::new() } else { "   ".repeat(depth - 1) + " └ " };
        let mark = if depth == last && has_cause(&why.verdict) { "   ◄ cause" } else { "" };
        text.push_str(&format!("{branch}{}{mark}\n", line(link)));
    }
    text + &verdict(&why.verdict)
}

fn has_cause(verdict: &Verdict) -> bool {
    !matches!(verdict.cause, Cause::Nothing | Cause::Deadlock | Cause::Unknown)
}

fn line(link: &Link) -> String {
    let facts: Vec<String> = link.facts.iter().filter_map(fact).collect();
    format!("{} {}: {}", known(link.pid.clone()), link.path, facts.join("; "))
}

fn fact(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::Backlog { waiting, oldest_ms, drain_ms } => {
            let oldest =
                oldest_ms.map(|age| format!(", the oldest for {}", span(age))).unwrap_or_default();
            let drain =
                drain_ms.map(|time| format!(", about {} of work", span(time))).unwrap_or_default();
            format!("{waiting} messages wait{oldest}{drain}")
        }
        Fact::Handling { label, since_ms } => {
            format!("has been handling {label} for {}", span(*since_ms))
        }
        Fact::Blocking { thread, since_ms } => {
            format!("has not given {thread} back for {}", span(*since_ms))
        }
        Fact::NoThread => "has no thread to run on: all are blocked".to_owned(),
        Fact::Awaiting { path } => format!("awaits the answer of {path}"),
        Fact::AwaitingGone { pid } => format!("awaits the answer of {pid}, which has ended"),
        Fact::Serving => "took that call".to_owned(),
        Fact::InLine { ahead, wait_ms } => {
            let wait = wait_ms.map(|time| format!(", about {}", span(time))).unwrap_or_default();
            format!("that call waits behind at most {ahead} messages{wait}")
        }
        Fact::Restarting { in_ms, exit, crashes } => {
            let when = in_ms.map(|time| format!(" in {}", span(time))).unwrap_or_default();
            let exit = exit.as_ref().map(|exit| format!(" after {exit}")).unwrap_or_default();
            let times = if *crashes > 1 { format!(", {crashes} crashes") } else { String::new() };
            format!("is started again{when}{exit}{times}")
        }
        Fact::Suspended => "is suspended".to_owned(),
        Fact::Starting { since_ms } => {
            let since = since_ms.map(|time| format!(" for {}", span(time))).unwrap_or_default();
            format!("has been starting{since}")
        }
        Fact::Stopping => "has been told to end".to_owned(),
        Fact::Child { path } => format!("waits for its child {path}"),
        Fact::Running => "is a task, and runs".to_owned(),
        Fact::Idle => "has nothing to do".to_owned(),
        // A newer process may know more than this program; what it does know is shown.
        _ => return None,
    })
}

fn verdict(verdict: &Verdict) -> String {
    let Verdict { cause, path, cycle, waiting } = verdict;
    if *cause == Cause::Deadlock {
        let first = cycle.first().map(String::as_str).unwrap_or_default();
        return format!("Deadlock: {} → {first}\n", cycle.join(" → "));
    }
    let waiting = match waiting.as_slice() {
        [] => String::new(),
        [one] => format!(" {one} is the only actor that waits for {path}."),
        several => format!(" {} actors wait for {path}.", several.len()),
    };
    match cause {
        Cause::Nothing => format!("Nothing keeps it.{waiting}\n"),
        Cause::Gone => "Not a deadlock: nobody is there to answer.\n".to_owned(),
        _ => format!("Not a deadlock.{waiting}\n"),
    }
}

/// What to do about it.
fn next(verdict: &Verdict) -> Option<String> {
    let path = &verdict.path;
    Some(match verdict.cause {
        Cause::Suspended => format!("vitals resume {path}"),
        Cause::Restarting => format!("vitals crashes {path}"),
        Cause::Handling | Cause::Blocking | Cause::Backlog | Cause::Stopping | Cause::Starting => {
            format!("vitals info {path}    vitals kill {path} --dry-run")
        }
        Cause::Deadlock => format!("vitals kill {path} --dry-run"),
        Cause::Gone => format!("vitals info {path}"),
        Cause::Nothing | Cause::Unknown => return None,
    })
}
