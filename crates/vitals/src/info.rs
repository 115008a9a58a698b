//! `vitals info`: one actor.

use heights_vitals::wire::{Actor, ActorDetail, Crash};

use crate::command::{InfoArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{self, known, span};

/// How many of the remembered crashes are shown; JSON has them all.
const CRASHES_SHOWN: usize = 5;

pub async fn run(vitals: &Vitals, args: &InfoArgs, output: Output) -> Result<(), Failure> {
    let detail = vitals.source().await?.actor(&args.reference).await?;
    output.print("vitals.info/1", &detail, describe)
}

pub fn describe(detail: &ActorDetail) -> String {
    let actor = &detail.actor;
    let mut rows = meta(actor);
    rows.extend(work(actor));
    rows.push(line(
        "children",
        if detail.children.is_empty() { "none".to_owned() } else { detail.children.join(" ") },
    ));
    rows.extend(
        detail.crashes.iter().take(CRASHES_SHOWN).map(|crash| line("crash", crashed(crash))),
    );
    text::columns(&rows)
}

fn meta(actor: &Actor) -> Vec<Vec<String>> {
    let mut rows = vec![
        line("path", actor.path.clone()),
        line("pid", known(actor.pid.clone())),
        line("kind", known(actor.kind.map(text::kind))),
        line("type", known(actor.type_name.clone())),
        line("state", text::state(actor.state).to_owned()),
        line("restart", known(actor.restart.map(text::restart))),
        line("age", known(actor.age_ms.map(span))),
        line("life", format!("{} ({} restarts)", known(actor.incarnation), known(actor.restarts))),
    ];
    rows.extend(text::supervision(actor).map(|text| line("children", text)));
    rows.extend(actor.restart_in_ms.map(|millis| line("restarts in", span(millis))));
    rows
}

fn work(actor: &Actor) -> Vec<Vec<String>> {
    let handling =
        actor.working.as_ref().map(|work| format!("{} for {}", work.label, span(work.since_ms)));
    vec![
        line("mailbox", format!("{} (peak {})", known(actor.mailbox), known(actor.mailbox_peak))),
        line("handled", format!("{} ({} failed)", known(actor.handled), known(actor.failed))),
        line("handling", handling.unwrap_or_else(|| "nothing".to_owned())),
        line("waiting for", actor.waiting_for.clone().unwrap_or_else(|| "nobody".to_owned())),
    ]
}

fn crashed(crash: &Crash) -> String {
    let message =
        crash.message.as_ref().map(|message| format!(" in {message}")).unwrap_or_default();
    format!("{} (life {}){message}: {}", crash.pid, crash.incarnation, crash.exit)
}

fn line(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}
