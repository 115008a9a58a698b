//! `vitals stop`, `kill`, `restart`, `suspend`, `resume`: acts on an actor, after saying what that
//! means.

use std::io::{self, BufRead, IsTerminal};

use heights_vitals::wire::{ControlOutcome, ControlRequest, Kind};

use crate::command::{ActArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::known;

/// Ending more actors than this at once has to be confirmed by name.
const MANY: usize = 10;

/// How many paths a list shows before it only counts.
const PATHS_SHOWN: usize = 5;

/// Foresees, asks, and acts on exactly the life that was foreseen: if it is replaced meanwhile, the
/// process answers with its heir and nothing is done.
pub async fn run(
    vitals: &Vitals,
    action: &str,
    args: &ActArgs,
    output: Output,
) -> Result<(), Failure> {
    let client = vitals.client().await?;
    let mut request = ControlRequest { dry_run: true, reason: args.reason.clone() };
    let foreseen = client.act(action, &args.reference, &request).await?;
    if args.dry_run {
        return output.print("vitals.control/1", &foreseen, |foreseen| {
            foresee(foreseen) + "nothing has been changed\n"
        });
    }
    // Nothing is lost by letting a server go on.
    if !args.yes && action != "resume" {
        output.note(&foresee(&foreseen))?;
        confirm(&foreseen, output)?;
    }
    request.dry_run = false;
    let acted = client.act(action, &foreseen.pid, &request).await?;
    output.print("vitals.control/1", &acted, done)?;
    output.note(&format!("next: vitals info {}\n", acted.path))
}

/// Tells what would be done.
pub fn foresee(outcome: &ControlOutcome) -> String {
    let ControlOutcome { action, pid, path, ends, .. } = outcome;
    let mut text = format!("{action} {pid} {path}");
    if ends.is_empty() {
        text.push_str(" would end nobody\n");
    } else {
        text.push_str(&format!(" would end {} now: {}\n", actors(ends.len()), list(ends)));
        if outcome.messages_lost.is_none_or(|lost| lost > 0) {
            text.push_str(&format!(
                "  lost      {} queued messages\n",
                known(outcome.messages_lost)
            ));
        }
        text.push_str(&aftermath(outcome));
    }
    for caution in &outcome.cautions {
        text.push_str(&format!("  caution   {caution}\n"));
    }
    text
}

/// What follows from the end of an actor.
fn aftermath(outcome: &ControlOutcome) -> String {
    let mut text = String::new();
    if !outcome.siblings.is_empty() {
        let siblings = list(&outcome.siblings);
        text.push_str(&format!("  along     {siblings}, by the strategy of its supervisor\n"));
    }
    if !outcome.escalates.is_empty() {
        let supervisors = list(&outcome.escalates);
        text.push_str(&format!("  gives up  {supervisors}: no restart left\n"));
    }
    if outcome.restarts.is_empty() {
        text.push_str("  restarts  nobody\n");
    } else {
        text.push_str(&format!("  restarts  {}", list(&outcome.restarts)));
        if let Some(left) = outcome.restarts_left.filter(|_| outcome.escalates.is_empty()) {
            text.push_str(&format!("; {left} left before its supervisor gives up"));
        }
        text.push('\n');
    }
    text
}

/// Asks a person; a script has to say `--yes`.
fn confirm(foreseen: &ControlOutcome, output: Output) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "not a terminal: say --yes to do it, or --dry-run to look".to_owned(),
        ));
    }
    output.note(&question(foreseen))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Failure::Io)?;
    if is_confirmed(foreseen, &answer) { Ok(()) } else { Err(Failure::Declined) }
}

/// Returns what a person is asked before it is done.
pub fn question(foreseen: &ControlOutcome) -> String {
    match grave(foreseen) {
        Some(name) => format!("type {name} to {} it: ", foreseen.action),
        None => format!("{} it? [y/N] ", foreseen.action),
    }
}

/// Tells whether the answer means yes.
pub fn is_confirmed(foreseen: &ControlOutcome, answer: &str) -> bool {
    let answer = answer.trim();
    grave(foreseen).map_or_else(|| ["y", "yes"].contains(&answer), |name| answer == name)
}

/// Returns the name that has to be typed where much would end.
fn grave(foreseen: &ControlOutcome) -> Option<&str> {
    let many = foreseen.ends.len() + foreseen.siblings.len() > MANY;
    let grave = !foreseen.ends.is_empty() && foreseen.kind == Kind::Supervisor;
    let name = foreseen.path.rsplit('/').next().unwrap_or(&foreseen.path);
    (grave || many || !foreseen.escalates.is_empty() || foreseen.ends_all).then_some(name)
}

/// Tells what was done.
pub fn done(outcome: &ControlOutcome) -> String {
    format!("{} {} {}\n", told(outcome), outcome.pid, outcome.path)
}

fn told(done: &ControlOutcome) -> &'static str {
    match done.action.as_str() {
        "kill" => "killed",
        "restart" => "restarting",
        "suspend" => "suspended",
        "resume" => "resumed",
        _ => "told to stop:",
    }
}

fn actors(count: usize) -> String {
    if count == 1 { "1 actor".to_owned() } else { format!("{count} actors") }
}

fn list(paths: &[String]) -> String {
    let shown = paths[..paths.len().min(PATHS_SHOWN)].join(", ");
    match paths.len().saturating_sub(PATHS_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
