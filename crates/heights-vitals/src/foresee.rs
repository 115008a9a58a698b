//! Tells what an action would do, from what can be seen of a tree.

mod fall;

use self::fall::Fall;
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
    /// Says why it cannot be done, and what can.
    pub(crate) fn tell(self, action: Action, target: &Actor) -> String {
        let (path, action) = (&target.path, action.as_str());
        match (self, target.kind) {
            (Self::NoProcess, _) => {
                format!("{path} waits to be started again, so there is nothing to act on")
            }
            (Self::NotRestarted, _) => {
                format!("nobody would start {path} again: it is temporary, or the root")
            }
            (Self::NoServer, Some(Kind::Supervisor)) => format!(
                "{path} is a supervisor, and only servers have messages: {action} those below it, or stop it"
            ),
            (Self::NoServer, Some(Kind::Task)) => {
                format!("{path} is a task, and only servers have messages to {action}: stop it")
            }
            (Self::NoServer, _) => format!(
                "{path} is an actor of ractor's, and only servers can be told to {action}: stop it"
            ),
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
        along: 0,
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
    cautions.extend(outcome.cautions.iter().cloned());
    if let Some(limit) = target.limit.as_ref().filter(|_| !outcome.restarts.is_empty()) {
        let then =
            if limit.then == "remove_child" { "it stays down" } else { "its supervisor ends" };
        let most = limit.max_restarts;
        cautions.push(format!("it has a limit of its own, {most} restarts: after those {then}"));
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
