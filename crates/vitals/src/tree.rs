//! `vitals tree`: the supervision tree.

use heights_vitals::wire::{Actor, Kind, Tree};

use crate::command::{TreeArgs, Vitals};
use crate::failure::Failure;
use crate::output::{List, Output};
use crate::text;

pub async fn run(vitals: &Vitals, args: &TreeArgs, output: Output) -> Result<(), Failure> {
    let source = vitals.source().await?;
    let mut tree = source.tree().await?;
    if let Some(reference) = &args.reference {
        let root = source.actor(reference).await?.actor;
        tree.actors = below(&root.path, tree.actors);
    }
    let top = tree.actors.first().map_or(0, |actor| actor.depth);
    let deepest = args.depth.map_or(usize::MAX, |levels| top.saturating_add(levels));
    tree.actors.retain(|actor| actor.depth <= deepest);
    let all = tree.actors.len();
    tree.actors.retain(|actor| args.foreign || actor.kind != Some(Kind::Foreign));
    let foreign = all - tree.actors.len();
    let list = List {
        schema: "vitals.tree/1",
        row_schema: "vitals.actor/1",
        answer: &tree,
        rows: &tree.actors,
        name: |actor| actor.path.clone(),
        text: draw(&tree, foreign),
    };
    output.list(&list).map(|_reads| ())
}

fn below(path: &str, actors: Vec<Actor>) -> Vec<Actor> {
    let inside = |actor: &Actor| {
        actor.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    actors.into_iter().filter(inside).collect()
}

fn draw(tree: &Tree, foreign: usize) -> String {
    let top = tree.actors.first().map_or(0, |actor| actor.depth);
    let rows = tree.actors.iter().enumerate().map(|(at, actor)| {
        let branch = branch(&tree.actors, at, top);
        row(actor, format!("{branch}{} {}", sign(actor), actor.id))
    });
    let mut text = text::columns(&rows.collect::<Vec<_>>());
    if foreign > 0 {
        text.push_str(&format!("{foreign} foreign not shown (--foreign)\n"));
    }
    let hidden = tree.total.saturating_sub(tree.actors.len() + foreign);
    if hidden > 0 {
        text.push_str(&format!("{hidden} more not shown\n"));
    }
    text
}

fn row(actor: &Actor, name: String) -> Vec<String> {
    let mailbox = format!("mbox {}", text::known(actor.mailbox));
    vec![
        name,
        text::known(actor.pid.clone()),
        text::known(actor.restart.map(text::restart)),
        if actor.supervision.is_some() { String::new() } else { mailbox },
        text::remarks(actor).join("  "),
    ]
}

fn sign(actor: &Actor) -> &'static str {
    text::state(actor.state).split(' ').next().unwrap_or("?")
}

/// Draws the lines that lead to an actor: one stroke per level, by whether more follows there.
fn branch(actors: &[Actor], at: usize, top: usize) -> String {
    let depth = actors[at].depth;
    let more_at = |level: usize| {
        let mut later = actors[at + 1..].iter().take_while(|actor| actor.depth >= level);
        later.any(|actor| actor.depth == level)
    };
    let strokes = (top + 1..=depth).map(|level| match (level == depth, more_at(level)) {
        (true, true) => "├─ ",
        (true, false) => "└─ ",
        (false, true) => "│  ",
        (false, false) => "   ",
    });
    strokes.collect()
}
