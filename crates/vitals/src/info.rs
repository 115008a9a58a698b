//! `vitals info`: one actor.

use heights_vitals::wire::{Actor, ActorDetail, Crash, MessageFigures};

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
    let mut text = text::columns(&rows);
    if !detail.actor.messages.is_empty() {
        text.push('\n');
        text.push_str(&kinds(&detail.actor));
    }
    text
}

/// What it has done, by kind of message, those first that took most of its time.
fn kinds(actor: &Actor) -> String {
    let mut kinds: Vec<&MessageFigures> = actor.messages.iter().collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse((kind.busy_us, kind.handled)));
    let row = |kind: &&MessageFigures| {
        let done = kind.handled + kind.failed;
        vec![
            kind.label.clone(),
            kind.handled.to_string(),
            kind.failed.to_string(),
            span(kind.busy_us / 1_000),
            known((done > 0).then(|| crate::trace::short(kind.busy_us / done.max(1)))),
        ]
    };
    text::table(&["MESSAGE", "HANDLED", "FAILED", "BUSY", "EACH"], kinds.iter().map(row))
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
    let blocks = actor.working.as_ref().and_then(|working| {
        let (thread, since) = (working.thread.as_ref()?, working.blocks_ms?);
        Some(line("blocks", format!("{thread} for {}", span(since))))
    });
    let mut rows = vec![
        line("mailbox", mailbox(actor)),
        line("handled", format!("{} ({} failed)", known(actor.handled), known(actor.failed))),
        line("busy", known(actor.busy_ms.map(span))),
        line(
            "waited",
            known(
                actor.waited_ms.map(|waited| format!("{} before the latest message", span(waited))),
            ),
        ),
        line("handling", handling.unwrap_or_else(|| "nothing".to_owned())),
        line("waiting for", actor.waiting_for.clone().unwrap_or_else(|| "nobody".to_owned())),
    ];
    rows.extend(blocks);
    rows
}

fn mailbox(actor: &Actor) -> String {
    let oldest =
        actor.oldest_ms.map(|age| format!(", the oldest for {}", span(age))).unwrap_or_default();
    let dropped = actor.dropped.filter(|dropped| *dropped > 0);
    let dropped = dropped.map(|dropped| format!(", {dropped} dropped")).unwrap_or_default();
    let (waiting, peak) = (known(actor.mailbox), known(actor.mailbox_peak));
    format!("{waiting} (peak {peak}{oldest}{dropped})")
}

fn crashed(crash: &Crash) -> String {
    let message =
        crash.message.as_ref().map(|message| format!(" in {message}")).unwrap_or_default();
    format!("{} (life {}){message}: {}", crash.pid, crash.incarnation, crash.exit)
}

fn line(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}
