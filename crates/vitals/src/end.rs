//! `vitals stop` and `vitals kill`: ends an actor, after saying what that means.

use std::io::{self, BufRead, IsTerminal};

use heights_vitals::wire::{ControlOutcome, ControlRequest, Kind};
use heights_vitals::{Client, ClientError};

use crate::command::{EndArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::known;

/// Ending more actors than this at once has to be confirmed by name.
const MANY: usize = 10;

/// How many paths a list shows before it only counts.
const PATHS_SHOWN: usize = 5;

pub async fn stop(vitals: &Vitals, args: &EndArgs, output: Output) -> Result<(), Failure> {
    run(vitals, args, output, async |client, reference, request| {
        client.stop(reference, request).await
    })
    .await
}

pub async fn kill(vitals: &Vitals, args: &EndArgs, output: Output) -> Result<(), Failure> {
    run(vitals, args, output, async |client, reference, request| {
        client.kill(reference, request).await
    })
    .await
}

/// Foresees, asks, and ends exactly the life that was foreseen: if it is replaced meanwhile, the
/// process answers with its heir and nothing is done.
async fn run(
    vitals: &Vitals,
    args: &EndArgs,
    output: Output,
    end: impl AsyncFn(&Client, &str, &ControlRequest) -> Result<ControlOutcome, ClientError>,
) -> Result<(), Failure> {
    let client = vitals.client().await?;
    let mut request = ControlRequest { dry_run: true, reason: args.reason.clone() };
    let foreseen = end(&client, &args.reference, &request).await?;
    if args.dry_run {
        return output.print("vitals.control/1", &foreseen, |foreseen| {
            foresee(foreseen) + "nothing has been changed\n"
        });
    }
    if !args.yes {
        output.note(&foresee(&foreseen))?;
        confirm(&foreseen, output)?;
    }
    request.dry_run = false;
    let done = end(&client, &foreseen.pid, &request).await?;
    output.print("vitals.control/1", &done, |done| {
        format!("{} {} {}\n", told(done), done.pid, done.path)
    })?;
    output.note(&format!("next: vitals info {}\n", done.path))
}

fn foresee(outcome: &ControlOutcome) -> String {
    let ControlOutcome { action, pid, path, ends, .. } = outcome;
    let mut text =
        format!("{action} {pid} {path} would end {} now: {}\n", actors(ends.len()), list(ends));
    if outcome.messages_lost.is_none_or(|lost| lost > 0) {
        text.push_str(&format!("  lost      {} queued messages\n", known(outcome.messages_lost)));
    }
    if !outcome.siblings.is_empty() {
        text.push_str(&format!(
            "  along     {}, by the strategy of its supervisor\n",
            list(&outcome.siblings)
        ));
    }
    if let Some(left) = outcome.restarts_left {
        text.push_str(&format!("  restarts  {left} left before its supervisor gives up\n"));
    }
    for caution in &outcome.cautions {
        text.push_str(&format!("  caution   {caution}\n"));
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
    let name = foreseen.path.rsplit('/').next().unwrap_or(&foreseen.path);
    let grave =
        foreseen.kind == Kind::Supervisor || foreseen.ends.len() + foreseen.siblings.len() > MANY;
    let (question, answers) = if grave {
        (format!("type {name} to {} it: ", foreseen.action), vec![name])
    } else {
        (format!("{} it? [y/N] ", foreseen.action), vec!["y", "yes"])
    };
    output.note(&question)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Failure::Io)?;
    if answers.contains(&answer.trim()) { Ok(()) } else { Err(Failure::Declined) }
}

fn told(done: &ControlOutcome) -> &'static str {
    if done.action == "kill" { "killed" } else { "told to stop:" }
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
