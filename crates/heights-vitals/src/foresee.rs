//! Tells what an action would do, from what can be seen of a tree.

use std::collections::BTreeSet;

use crate::wire::{Actor, ControlOutcome, Kind, Restart, State};

/// A handler that has run this long without end may well be one that never yields.
const SUSPICIOUS_MS: u64 = 1_000;

/// What is done to an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It ends in good order.
    Stop,
    /// It takes no more messages, and ends when it has handled those that wait.
    Drain,
    /// It ends at once.
    Kill,
    /// It ends in a way after which its supervisor starts it again.
    Restart,
    /// It leaves its messages waiting.
    Suspend,
    /// It goes on.
    Resume,
}

impl Action {
    const NAMED: [(&'static str, Self); 6] = [
        ("stop", Self::Stop),
        ("drain", Self::Drain),
        ("kill", Self::Kill),
        ("restart", Self::Restart),
        ("suspend", Self::Suspend),
        ("resume", Self::Resume),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, action)| *action)
    }

    pub(crate) fn as_str(self) -> &'static str {
        Self::NAMED.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }

    /// Tells whether the actor ends by it, and if so, whether abnormally.
    fn end(self, target: &Actor) -> Option<End> {
        match self {
            Self::Stop | Self::Drain => Some(End::Orderly),
            Self::Kill => Some(End::Abnormal),
            // After a stop a transient child would stay down.
            Self::Restart if target.restart == Some(Restart::Transient) => Some(End::Abnormal),
            Self::Restart => Some(End::Orderly),
            Self::Suspend | Self::Resume => None,
        }
    }

    /// Tells whether the actor ends by it.
    pub(crate) fn ends(self, target: &Actor) -> bool {
        self.end(target).is_some()
    }

    /// Tells whether the actor is killed rather than asked.
    pub(crate) fn kills(self, target: &Actor) -> bool {
        self.end(target) == Some(End::Abnormal)
    }
}

/// Why an action cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Impossible {
    /// The actor waits to be started again.
    NoProcess,
    /// Nobody would start it again.
    NotRestarted,
    /// Only servers can be suspended and drained.
    NoServer,
}

impl Impossible {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NoProcess => "it waits to be started again, so there is nothing to act on",
            Self::NotRestarted => "nobody would start it again: it is temporary, or the root",
            Self::NoServer => "only servers can be suspended or drained: it has no mailbox",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Orderly,
    Abnormal,
}

/// Tells what an action would do.
pub(crate) fn foresee(
    action: Action,
    target: &Actor,
    actors: &[Actor],
    dry_run: bool,
) -> Result<ControlOutcome, Impossible> {
    let pid = target.pid.clone().ok_or(Impossible::NoProcess)?;
    let mut outcome = ControlOutcome {
        action: action.as_str().to_owned(),
        dry_run,
        pid,
        path: target.path.clone(),
        kind: target.kind.unwrap_or(Kind::Unknown),
        ends: Vec::new(),
        messages_lost: None,
        siblings: Vec::new(),
        restarts: Vec::new(),
        escalates: Vec::new(),
        ends_all: false,
        restarts_left: None,
        cautions: Vec::new(),
        ended: None,
    };
    match action.end(target) {
        None if target.mailbox.is_none() => return Err(Impossible::NoServer),
        Some(_) if action == Action::Drain && target.mailbox.is_none() => {
            return Err(Impossible::NoServer);
        }
        None => {}
        Some(_) if action == Action::Restart && !is_restarted(target, End::Abnormal) => {
            return Err(Impossible::NotRestarted);
        }
        Some(end) => Fall { actors, outcome: &mut outcome }.of(target, end),
    }
    if action == Action::Drain {
        // Its own messages are handled before it ends.
        let lost = outcome.messages_lost.map(|lost| lost - target.mailbox.unwrap_or(0).min(lost));
        outcome.messages_lost = lost;
    }
    outcome.cautions = cautions(action, target, &outcome);
    Ok(outcome)
}

/// Follows an end through the tree by the rules of the supervisors that it meets.
struct Fall<'a> {
    actors: &'a [Actor],
    outcome: &'a mut ControlOutcome,
}

impl<'a> Fall<'a> {
    fn of(self, target: &'a Actor, end: End) {
        self.outcome.ends = paths(self.within(target));
        let supervisor = self.parent(target);
        self.outcome.restarts_left =
            supervisor.and_then(|actor| actor.supervision.as_ref()?.restarts_left);
        let mut down: BTreeSet<&str> = self.within(target).map(|actor| &*actor.path).collect();
        let (mut fallen, mut end) = (target, end);
        let again = loop {
            let Some(supervisor) = self.parent(fallen) else {
                self.outcome.ends_all = true;
                break Vec::new();
            };
            if !is_restarted(fallen, end) {
                break Vec::new();
            }
            let left = supervisor.supervision.as_ref().and_then(|shape| shape.restarts_left);
            if left != Some(0) {
                break self.along(fallen, supervisor, &mut down);
            }
            // It gives up: all its children end, and its own supervisor has to deal with that.
            self.outcome.escalates.push(supervisor.path.clone());
            down.extend(self.within(supervisor).map(|actor| &*actor.path));
            (fallen, end) = (supervisor, End::Orderly);
        };
        let ends: BTreeSet<&str> = self.outcome.ends.iter().map(String::as_str).collect();
        let siblings = again.iter().filter(|path| !ends.contains(*path) && **path != fallen.path);
        let siblings: Vec<String> = siblings.map(|path| (*path).to_owned()).collect();
        let lost = self.actors.iter().filter(|actor| down.contains(&*actor.path));
        let queues: Vec<u64> = lost.filter_map(|actor| actor.mailbox).collect();
        self.outcome.restarts = again.into_iter().map(str::to_owned).collect();
        self.outcome.siblings = siblings;
        self.outcome.messages_lost = (!queues.is_empty()).then(|| queues.iter().sum());
    }

    /// Finds the children that a supervisor starts again with one that fell, it included, and adds
    /// to those that are down whom it stops for that.
    fn along(
        &self,
        fallen: &'a Actor,
        supervisor: &'a Actor,
        down: &mut BTreeSet<&'a str>,
    ) -> Vec<&'a str> {
        let strategy = supervisor.supervision.as_ref().and_then(|shape| shape.strategy.as_deref());
        let siblings = self.actors.iter().filter(|actor| actor.parent == fallen.parent);
        let group: Vec<&Actor> = match strategy {
            Some("one_for_all") => siblings.collect(),
            Some("rest_for_one") => {
                siblings.skip_while(|actor| actor.path != fallen.path).collect()
            }
            _ => vec![fallen],
        };
        for member in &group {
            down.extend(self.within(member).map(|actor| &*actor.path));
        }
        // A temporary child is stopped with the others and is not started again.
        let again = group.into_iter().filter(|actor| actor.restart != Some(Restart::Temporary));
        again.map(|actor| &*actor.path).collect()
    }

    fn parent(&self, actor: &Actor) -> Option<&'a Actor> {
        let parent = actor.parent.as_deref()?;
        self.actors.iter().find(|other| other.pid.as_deref() == Some(parent))
    }

    fn within(&self, root: &'a Actor) -> impl Iterator<Item = &'a Actor> + use<'a> {
        self.actors.iter().filter(|actor| actor.pid.is_some() && is_within(actor, root))
    }
}

fn paths<'a>(actors: impl Iterator<Item = &'a Actor>) -> Vec<String> {
    actors.map(|actor| actor.path.clone()).collect()
}

fn is_restarted(actor: &Actor, end: End) -> bool {
    match actor.restart {
        Some(Restart::Permanent) => true,
        Some(Restart::Transient) => end == End::Abnormal,
        Some(Restart::Temporary | Restart::Unknown) | None => false,
    }
}

fn is_within(actor: &Actor, root: &Actor) -> bool {
    actor.path.strip_prefix(&root.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn cautions(action: Action, target: &Actor, outcome: &ControlOutcome) -> Vec<String> {
    let mut cautions = Vec::new();
    if action == Action::Resume && target.state != State::Suspended {
        cautions.push("it is not suspended: nothing changes".to_owned());
    }
    if action == Action::Suspend {
        let waiting = target.mailbox.unwrap_or(0);
        cautions.push(format!("its {waiting} messages wait, and so does whoever calls it"));
    }
    if let Some(last) = outcome.escalates.last() {
        cautions.push(format!("{last} has no restart left: it ends too"));
    }
    if outcome.ends_all {
        cautions.push("the root ends: the whole tree, and with it the application".to_owned());
    }
    if action.end(target).is_some() && target.restart == Some(Restart::Temporary) {
        cautions.push("it is temporary: it will not be started again".to_owned());
    }
    if matches!(action, Action::Stop | Action::Drain) && target.restart == Some(Restart::Transient)
    {
        cautions.push("it is transient: after a stop it will not be started again".to_owned());
    }
    if action == Action::Drain {
        cautions
            .push("until it is started again, whoever calls it is told that it is gone".to_owned());
        if target.state == State::Suspended {
            cautions.push("it is suspended: it handles nothing before it is resumed".to_owned());
        }
    }
    if action == Action::Restart && action.kills(target) {
        cautions
            .push("it is transient: it is killed, for after a stop it would stay down".to_owned());
    }
    cautions.extend(busy(action, target));
    cautions
}

/// Warns of a handler that may keep an actor for longer.
fn busy(action: Action, target: &Actor) -> Option<String> {
    let working = target.working.as_ref().filter(|_| target.kind == Some(Kind::Worker))?;
    if working.since_ms <= SUSPICIOUS_MS || action == Action::Resume {
        return None;
    }
    let seconds = working.since_ms / 1000;
    let when = match action {
        Action::Suspend => "it rests when it returns",
        _ if action.kills(target) => "it ends where it next awaits",
        _ => "it ends when it returns",
    };
    Some(format!("it has been handling {} for {seconds} s: {when}", working.label))
}

#[cfg(test)]
mod tests;
