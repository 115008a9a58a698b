//! Turns a snapshot of the hub into wire types.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heights_supervisor::{
    AutoShutdown, ChildKind, ForeignInfo, GiveUp, MessageCount, ProcessId, ProcessInfo,
    ProcessState, Restart, RestartLimit, Shape, Strategy, TreeSnapshot, WaitingInfo,
};

use crate::server::LongTurn;
use crate::spans::SeenActor;
use crate::{crash, wire};

/// Puts all actors in the order of the tree: depth first, children in the order of their start.
pub(crate) fn tree(snapshot: &TreeSnapshot, long: &[LongTurn]) -> wire::Tree {
    let mut by_parent: BTreeMap<Option<ProcessId>, Vec<&ProcessInfo>> = BTreeMap::new();
    for process in &snapshot.processes {
        by_parent.entry(process.parent).or_default().push(process);
    }
    let mut actors = Vec::with_capacity(snapshot.processes.len() + snapshot.waiting.len());
    let mut walk = Walk { by_parent, waiting: &snapshot.waiting, actors: &mut actors };
    walk.below(None, 0);
    mark_blocking(&mut actors, long);
    wire::Tree { taken_ms: since_1970(snapshot.at), total: actors.len(), actors }
}

/// Lists the first actors in some order, those whose path contains `filter` where one is given.
pub(crate) fn top(
    snapshot: &TreeSnapshot,
    (sort, limit, filter): (wire::Sort, usize, Option<&str>),
    long: &[LongTurn],
) -> wire::Tree {
    let meant = |path: &str| filter.is_none_or(|filter| path.contains(filter));
    let mut first: Vec<&ProcessInfo> =
        snapshot.processes.iter().filter(|process| meant(&process.path)).collect();
    match sort {
        wire::Sort::Tree => {}
        wire::Sort::Mailbox => first.sort_by_key(|process| Reverse(process.figures.queued)),
        wire::Sort::Wait => first.sort_by_key(|process| Reverse(process.figures.head_age)),
        wire::Sort::Busy => {
            let message =
                |process: &ProcessInfo| process.figures.working.filter(|_| has_messages(process));
            first.sort_by_key(|process| Reverse(message(process).map(|work| work.since)));
        }
        wire::Sort::Restarts => first.sort_by_key(|process| Reverse(process.restarts())),
        wire::Sort::Age => first.sort_by_key(|process| process.age),
    }
    let depth = |path: &str| path.matches('/').count();
    let living = first.into_iter().map(|process| living(process, depth(&process.path)));
    // Of those that have no process nothing is known that they could have most of.
    let waiting = snapshot.waiting.iter().filter(|child| meant(&child.path));
    let waiting = waiting.map(|child| without_process(child, None, depth(&child.path)));
    let mut actors: Vec<wire::Actor> = living.chain(waiting).take(limit).collect();
    mark_blocking(&mut actors, long);
    let total = snapshot.processes.len() + snapshot.waiting.len();
    wire::Tree { taken_ms: since_1970(snapshot.at), total, actors }
}

/// Says of those that keep a thread for how long.
fn mark_blocking(actors: &mut [wire::Actor], long: &[LongTurn]) {
    for turn in long {
        let pid = turn.pid.to_string();
        let actor = actors.iter_mut().find(|actor| actor.pid.as_ref() == Some(&pid));
        if let Some(working) = actor.and_then(|actor| actor.working.as_mut()) {
            working.blocks_ms = Some(millis(turn.lasted));
        }
    }
}

/// Tells which threads are kept, and by whom.
pub(crate) fn blocked(tree: &wire::Tree, long: &[LongTurn]) -> Vec<wire::Blocked> {
    let told = long.iter().map(|turn| {
        let pid = turn.pid.to_string();
        let actor = tree.actors.iter().find(|actor| actor.pid.as_ref() == Some(&pid));
        wire::Blocked {
            thread: turn.thread.to_string(),
            path: actor.map(|actor| actor.path.clone()),
            label: actor.and_then(|actor| Some(actor.working.as_ref()?.label.clone())),
            pid,
            since_ms: millis(turn.lasted),
        }
    });
    told.collect()
}

/// Adds the actors that no supervisor of ours has started, behind all others: those that ractor knows,
/// and those that only their spans tell of.
pub(crate) fn add_foreign(tree: &mut wire::Tree, foreign: &[ForeignInfo], seen: &[SeenActor]) {
    let known = foreign.iter().map(|actor| {
        let seen = seen.iter().find(|seen| seen.id == actor.id);
        let state = match actor.state {
            ProcessState::Starting => wire::State::Starting,
            ProcessState::Running => foreign_state(seen),
            ProcessState::Stopping => wire::State::Stopping,
        };
        let id = actor.name.as_ref().unwrap_or(&actor.id);
        let parent = actor.parent.map(|parent| parent.to_string());
        wire::Actor { state, parent, ..foreigner(id, seen) }
    });
    let others = seen.iter().filter(|seen| foreign.iter().all(|actor| actor.id != seen.id));
    let others = others.map(|seen| wire::Actor {
        state: foreign_state(Some(seen)),
        ..foreigner(seen.name.as_ref().unwrap_or(&seen.id), Some(seen))
    });
    let before = tree.actors.len();
    tree.actors.extend(known.chain(others));
    tree.total += tree.actors.len() - before;
}

fn foreigner(id: &str, seen: Option<&SeenActor>) -> wire::Actor {
    wire::Actor {
        kind: Some(wire::Kind::Foreign),
        depth: 0,
        id: id.to_owned(),
        age_ms: seen.map(|seen| millis(seen.age)),
        busy_ms: seen.map(|seen| millis(seen.busy)),
        ..wire::Actor::at(format!("ractor:{id}"))
    }
}

/// What it does ractor does not say, and its spans say only whether it runs right now.
fn foreign_state(seen: Option<&SeenActor>) -> wire::State {
    if seen.is_some_and(|seen| seen.runs) { wire::State::Busy } else { wire::State::Running }
}

/// Returns the remembered crashes, the latest first.
pub(crate) fn crashes(snapshot: &TreeSnapshot) -> Vec<wire::Crash> {
    snapshot.crashes.iter().rev().map(crash::describe).collect()
}

pub(crate) fn since_1970(at: SystemTime) -> u64 {
    millis(at.duration_since(UNIX_EPOCH).unwrap_or_default())
}

struct Walk<'a> {
    by_parent: BTreeMap<Option<ProcessId>, Vec<&'a ProcessInfo>>,
    waiting: &'a [WaitingInfo],
    actors: &'a mut Vec<wire::Actor>,
}

impl Walk<'_> {
    fn below(&mut self, parent: Option<ProcessId>, depth: usize) {
        for process in self.by_parent.remove(&parent).unwrap_or_default() {
            self.actors.push(living(process, depth));
            self.below(Some(process.pid), depth + 1);
            let waiting =
                self.waiting.iter().filter(|child| parent_path(&child.path) == Some(&process.path));
            let parent = Some(process.pid);
            self.actors.extend(waiting.map(|child| without_process(child, parent, depth + 1)));
        }
    }
}

fn parent_path(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

fn living(process: &ProcessInfo, depth: usize) -> wire::Actor {
    let figures = &process.figures;
    wire::Actor {
        pid: Some(process.pid.to_string()),
        path: process.path.to_string(),
        id: process.id.to_string(),
        parent: process.parent.map(|parent| parent.to_string()),
        depth,
        kind: Some(kind(process.kind)),
        type_name: Some(process.type_name.to_owned()),
        state: state(process),
        restart: process.restart.map(restart),
        incarnation: Some(process.incarnation),
        restarts: Some(process.restarts()),
        age_ms: Some(millis(process.age)),
        mailbox: figures.queued,
        mailbox_peak: figures.peak,
        handled: has_messages(process).then_some(figures.handled),
        failed: has_messages(process).then_some(figures.failed),
        // Only a server has a mailbox of ours, whose messages can be counted and timed.
        dropped: figures.queued.map(|_| figures.dropped),
        oldest_ms: figures.head_age.map(millis),
        waited_ms: figures.queued.map(|_| millis(figures.waited)),
        busy_ms: figures.queued.map(|_| millis(figures.busy)),
        working: figures.working.map(|working| wire::Working {
            label: working.label.to_owned(),
            since_ms: millis(working.since),
            from: working.from.map(|from| from.to_string()),
            // A supervisor's own messages are short.
            thread: process.thread.as_ref().map(ToString::to_string),
            blocks_ms: None,
        }),
        waiting_for: figures.waiting_for.map(|other| other.to_string()),
        restart_in_ms: None,
        supervision: process.shape.map(supervision),
        binds_to: process.binds_to.iter().map(ToString::to_string).collect(),
        significant: process.significant,
        limit: process.limit.map(limit),
        messages: figures.messages.iter().map(messages).collect(),
    }
}

/// Tells whether it is something that handles messages; a task runs, and handles none.
fn has_messages(process: &ProcessInfo) -> bool {
    process.kind != ChildKind::Task
}

fn limit(limit: RestartLimit) -> wire::Limit {
    wire::Limit {
        max_restarts: limit.intensity.restarts,
        period_ms: millis(limit.intensity.period),
        then: match limit.then {
            GiveUp::Escalate => "escalate".to_owned(),
            GiveUp::RemoveChild => "remove_child".to_owned(),
        },
    }
}

fn messages(count: &MessageCount) -> wire::MessageFigures {
    wire::MessageFigures {
        label: count.label.to_owned(),
        handled: count.handled,
        failed: count.failed,
        busy_us: u64::try_from(count.busy.as_micros()).unwrap_or(u64::MAX),
    }
}

/// Describes a child that has no process: nothing can be counted, so nothing is claimed.
fn without_process(child: &WaitingInfo, parent: Option<ProcessId>, depth: usize) -> wire::Actor {
    wire::Actor {
        id: child.id.to_string(),
        parent: parent.map(|parent| parent.to_string()),
        depth,
        state: wire::State::Restarting,
        restart_in_ms: Some(millis(child.remaining)),
        ..wire::Actor::at(&*child.path)
    }
}

fn state(process: &ProcessInfo) -> wire::State {
    // A supervisor's waits are its children's, so it is never "busy".
    let works = process.kind == ChildKind::Worker && process.figures.working.is_some();
    match process.state {
        ProcessState::Stopping => wire::State::Stopping,
        ProcessState::Starting => wire::State::Starting,
        ProcessState::Running if process.suspended => wire::State::Suspended,
        ProcessState::Running if process.figures.waiting_for.is_some() => wire::State::Waiting,
        ProcessState::Running if works => wire::State::Busy,
        ProcessState::Running if process.kind == ChildKind::Task => wire::State::Running,
        ProcessState::Running => wire::State::Idle,
    }
}

fn kind(kind: ChildKind) -> wire::Kind {
    match kind {
        ChildKind::Supervisor => wire::Kind::Supervisor,
        ChildKind::Worker => wire::Kind::Worker,
        ChildKind::Task => wire::Kind::Task,
    }
}

fn restart(restart: Restart) -> wire::Restart {
    match restart {
        Restart::Permanent => wire::Restart::Permanent,
        Restart::Transient => wire::Restart::Transient,
        Restart::Temporary => wire::Restart::Temporary,
    }
}

fn supervision(shape: Shape) -> wire::Supervision {
    let strategy = shape.strategy.map(|strategy| match strategy {
        Strategy::OneForOne => "one_for_one",
        Strategy::OneForAll => "one_for_all",
        Strategy::RestForOne => "rest_for_one",
    });
    let auto_shutdown = match shape.auto_shutdown {
        AutoShutdown::Never => None,
        AutoShutdown::AnySignificant => Some("any_significant"),
        AutoShutdown::AllSignificant => Some("all_significant"),
    };
    wire::Supervision {
        strategy: strategy.map(str::to_owned),
        max_restarts: shape.intensity.restarts,
        period_ms: millis(shape.intensity.period),
        restarts_left: Some(restarts_left(shape)),
        auto_shutdown: auto_shutdown.map(str::to_owned),
    }
}

fn restarts_left(shape: Shape) -> u32 {
    let used = u32::try_from(shape.restarts_used).unwrap_or(u32::MAX);
    shape.intensity.restarts.saturating_sub(used)
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
