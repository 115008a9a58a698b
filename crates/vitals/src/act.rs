//! `vitals stop`, `drain`, `kill`, `restart`, `suspend`, `resume`: acts on an actor, after saying what that
//! means.

use std::io::{self, BufRead};
use std::time::Duration;

use heights_vitals::Client;
use heights_vitals::wire::{ControlOutcome, ControlRequest, Kind, State};
use tokio::time::{Instant, sleep};

use crate::command::{ActArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{known, span};

/// Ending more actors than this at once has to be confirmed by name.
const MANY: usize = 10;

/// How long to wait for what was begun unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often to look whether it has happened.
const PAUSE: Duration = Duration::from_millis(50);

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
    output.check()?;
    let client = vitals.client().await?;
    let mut request = ControlRequest { dry_run: true, reason: args.reason.clone() };
    let foreseen = client.act(action, &args.reference, &request).await?;
    if args.dry_run {
        return output.print("vitals.control/1", &foreseen, |foreseen| {
            foresee(foreseen) + "nothing has been changed\n"
        });
    }
    approve(&foreseen, args, output)?;
    request.dry_run = false;
    let patience = vitals.timeout.unwrap_or(PATIENCE);
    let acted = match action {
        "suspend" | "resume" => {
            let acted = client.act(action, &foreseen.pid, &request).await?;
            if args.wait {
                settled(&client, &acted, action == "suspend", patience).await?;
            }
            acted
        }
        _ if args.wait => {
            let acted = client.act_and_wait(action, &foreseen.pid, &request, patience).await?;
            if acted.ended == Some(false) {
                return Err(not_yet(&client, &acted, patience).await);
            }
            acted
        }
        _ => client.act(action, &foreseen.pid, &request).await?,
    };
    output.print("vitals.control/1", &acted, done)?;
    output.note(&format!("next: vitals info {}\n", acted.path))
}

/// Waits until a server leaves its messages waiting, or does so no more.
async fn settled(
    client: &Client,
    acted: &ControlOutcome,
    suspended: bool,
    patience: Duration,
) -> Result<(), Failure> {
    let deadline = Instant::now() + patience;
    while (client.actor(&acted.pid).await?.actor.state == State::Suspended) != suspended {
        if Instant::now() >= deadline {
            return Err(not_yet(client, acted, patience).await);
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

/// Says what keeps an actor from doing what it was told to.
async fn not_yet(client: &Client, acted: &ControlOutcome, patience: Duration) -> Failure {
    let working = match client.actor(&acted.pid).await {
        Ok(detail) => detail.actor.working,
        // What cannot be said does not matter beside what did not happen.
        Err(_) => None,
    };
    let path = &acted.path;
    let mut against = vec![format!("{} {path} is accepted, and not done yet", acted.action)];
    against.extend(working.map(|working| {
        format!("{path} has been handling {} for {}", working.label, span(working.since_ms))
    }));
    if acted.action != "kill" {
        against.push(format!("next: vitals kill {path} --dry-run"));
    }
    Failure::NotYet { patience, against }
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
        let below = match outcome.along.saturating_sub(outcome.siblings.len()) {
            0 => String::new(),
            below => format!(", and {} below them", actors(below)),
        };
        text.push_str(&format!(
            "  along     {siblings}{below}, by the strategy of its supervisor\n"
        ));
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

/// Makes sure that it is meant: a person is asked, a script has said so.
fn approve(foreseen: &ControlOutcome, args: &ActArgs, output: Output) -> Result<(), Failure> {
    // Nothing is lost by letting a server go on.
    if foreseen.action == "resume" {
        return Ok(());
    }
    let name = grave(foreseen);
    match (&args.confirm, name) {
        (Some(given), Some(name)) if given == name => return Ok(()),
        (Some(given), Some(name)) => {
            let text = format!("--confirm {given} is not {name}: nothing was done");
            return Err(Failure::Usage(text));
        }
        (_, None) if args.yes || args.confirm.is_some() => return Ok(()),
        _ => {}
    }
    output.note(&foresee(foreseen))?;
    if !output.asks() {
        let word = name.map_or("--yes".to_owned(), |name| format!("--confirm {name}"));
        return Err(Failure::Usage(format!(
            "nobody can be asked: say {word} to do it, or --dry-run to look"
        )));
    }
    output.say(&question(foreseen))?;
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
    let along = foreseen.along.max(foreseen.siblings.len());
    let many = foreseen.ends.len() + along > MANY;
    let grave = !foreseen.ends.is_empty() && foreseen.kind == Kind::Supervisor;
    let name = foreseen.path.rsplit('/').next().unwrap_or(&foreseen.path);
    (grave || many || !foreseen.escalates.is_empty() || foreseen.ends_all).then_some(name)
}

/// Tells what was done.
pub fn done(outcome: &ControlOutcome) -> String {
    format!("{} {} {}\n", told(outcome), outcome.pid, outcome.path)
}

fn told(done: &ControlOutcome) -> &'static str {
    match (done.action.as_str(), done.ended) {
        ("kill", _) => "killed",
        ("restart", None) => "restarting",
        ("restart", Some(_)) => "restarted",
        ("suspend", _) => "suspended",
        ("resume", _) => "resumed",
        ("drain", None) => "told to stop once it has handled what waits:",
        (_, Some(_)) => "stopped",
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
