//! Ending actors: what it would do, and doing it.

use heights_supervisor::Hub;

use super::peer::Peer;
use super::refusal::Refusal;
use crate::wire::{Actor, ControlOutcome, Kind, Restart};

/// A handler that has run this long without end may well be one that never yields.
const SUSPICIOUS_MS: u64 = 1_000;

/// How an actor is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// In good order.
    Stop,
    /// At once.
    Kill,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Kill => "kill",
        }
    }
}

/// Tells what ending an actor would do; `None` if it has no process to end.
pub(crate) fn foresee(
    action: Action,
    target: &Actor,
    actors: &[Actor],
    dry_run: bool,
) -> Option<ControlOutcome> {
    let pid = target.pid.clone()?;
    let supervisor = actors.iter().find(|actor| actor.pid.is_some() && actor.pid == target.parent);
    let siblings = affected_siblings(target, supervisor, actors);
    let lost = |actor: &&Actor| {
        is_within(actor, target) || siblings.iter().any(|sibling| is_within(actor, sibling))
    };
    let queues: Vec<u64> = actors.iter().filter(lost).filter_map(|actor| actor.mailbox).collect();
    Some(ControlOutcome {
        action: action.as_str().to_owned(),
        dry_run,
        pid,
        path: target.path.clone(),
        kind: target.kind.unwrap_or(Kind::Unknown),
        ends: actors
            .iter()
            .filter(|actor| is_within(actor, target))
            .map(|actor| actor.path.clone())
            .collect(),
        messages_lost: (!queues.is_empty()).then(|| queues.iter().sum()),
        siblings: siblings.iter().map(|sibling| sibling.path.clone()).collect(),
        restarts_left: supervisor.and_then(|actor| actor.supervision.as_ref()?.restarts_left),
        cautions: cautions(action, target, supervisor),
    })
}

/// Does what was foreseen, and says so in the log.
pub(crate) fn perform(
    action: Action,
    hub: &Hub,
    outcome: &ControlOutcome,
    peer: Peer,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    let (pid, path) = (&outcome.pid, &outcome.path);
    let done = pid.parse().is_ok_and(|pid| match action {
        Action::Stop => hub.stop(pid),
        Action::Kill => hub.kill(pid),
    });
    let action = action.as_str();
    let (uid, os_pid) = (peer.uid, peer.os_pid);
    tracing::warn!(target: "heights_vitals::audit", action, %pid, %path, done, ?uid, ?os_pid, ?reason, "control call");
    if done { Ok(()) } else { Err(Refusal::not_found(format!("{path} ended by itself just now"))) }
}

/// Says in the log that someone was not allowed to.
pub(crate) fn note_refusal(action: Action, reference: &str, peer: Peer, reason: Option<&str>) {
    let action = action.as_str();
    let (uid, os_pid) = (peer.uid, peer.os_pid);
    tracing::warn!(target: "heights_vitals::audit", action, reference, ?uid, ?os_pid, ?reason, "control call refused");
}

/// Finds those that share the fate of the target by the strategy of its supervisor.
fn affected_siblings<'a>(
    target: &Actor,
    supervisor: Option<&Actor>,
    actors: &'a [Actor],
) -> Vec<&'a Actor> {
    let Some(supervision) = supervisor.and_then(|actor| actor.supervision.as_ref()) else {
        return Vec::new();
    };
    if target.restart == Some(Restart::Temporary) {
        return Vec::new();
    }
    let siblings = actors.iter().filter(|actor| actor.parent == target.parent);
    match supervision.strategy.as_deref() {
        Some("one_for_all") => siblings.filter(|actor| actor.path != target.path).collect(),
        Some("rest_for_one") => {
            siblings.skip_while(|actor| actor.path != target.path).skip(1).collect()
        }
        _ => Vec::new(),
    }
}

fn is_within(actor: &Actor, root: &Actor) -> bool {
    actor.path.strip_prefix(&root.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn cautions(action: Action, target: &Actor, supervisor: Option<&Actor>) -> Vec<String> {
    let mut cautions = Vec::new();
    let Some(supervisor) = supervisor else {
        return vec!["it is the root: the whole tree ends, and with it the application".to_owned()];
    };
    if supervisor.supervision.as_ref().and_then(|supervision| supervision.restarts_left) == Some(0)
        && target.restart != Some(Restart::Temporary)
    {
        cautions.push(format!("{} has no restart left: it ends too", supervisor.path));
    }
    if target.restart == Some(Restart::Temporary) {
        cautions.push("it is temporary: it will not be started again".to_owned());
    }
    if action == Action::Stop && target.restart == Some(Restart::Transient) {
        cautions.push("it is transient: after a stop it will not be started again".to_owned());
    }
    if let Some(working) =
        target.working.as_ref().filter(|working| working.since_ms > SUSPICIOUS_MS)
        && target.kind == Some(Kind::Worker)
    {
        let seconds = working.since_ms / 1000;
        let when = if action == Action::Stop { "when it returns" } else { "where it next awaits" };
        cautions.push(format!(
            "it has been handling {} for {seconds} s: it ends {when}",
            working.label
        ));
    }
    cautions
}
