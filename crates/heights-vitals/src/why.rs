//! Follows what an actor waits for to where the cause is.
//!
//! An actor can be kept by one thing at a time: by the answer it awaits, by a child that has to
//! come up or to go, or by itself. So the causes of a delay are a chain, and it has an end: an
//! actor that is kept by itself, or one that is in the chain already.

use std::collections::HashMap;

use crate::wire::{Actor, Cause, Crash, Fact, Kind, Link, Picture, State, Verdict, Why};

/// A queue of fewer messages is no backlog: they are in flight.
const BACKLOG: u64 = 10;

/// Follows the chain that begins with an actor of the picture.
pub(crate) fn why(picture: &Picture, asked: &Actor) -> Why {
    let actors = &picture.tree.actors;
    let by_pid = actors.iter().filter_map(|actor| Some((actor.pid.as_deref()?, actor))).collect();
    let culprits = culprits(picture);
    let (crashes, links, seen) = (&picture.crashes[..], Vec::new(), Vec::new());
    let mut chain = Chain { actors, by_pid, crashes, culprits, links, seen };
    let verdict = chain.follow(asked);
    Why { taken_ms: picture.tree.taken_ms, links: chain.links, verdict }
}

/// Finds those who block all threads of the runtime; nobody where some thread is left.
fn culprits(picture: &Picture) -> Vec<&Actor> {
    let Some(runtime) = &picture.runtime else { return Vec::new() };
    if runtime.workers == 0 || runtime.blocked.len() < runtime.workers {
        return Vec::new();
    }
    let actor =
        |pid: &str| picture.tree.actors.iter().find(|actor| actor.pid.as_deref() == Some(pid));
    runtime.blocked.iter().filter_map(|blocked| actor(&blocked.pid)).collect()
}

struct Chain<'a> {
    actors: &'a [Actor],
    by_pid: HashMap<&'a str, &'a Actor>,
    crashes: &'a [Crash],
    /// Those who block the threads, if all threads are blocked; the longest first.
    culprits: Vec<&'a Actor>,
    links: Vec<Link>,
    seen: Vec<&'a Actor>,
}

/// What keeps one actor.
enum Kept<'a> {
    /// Another actor, which is the next link.
    By(&'a Actor),
    /// Something at this actor.
    Here(Cause),
}

impl<'a> Chain<'a> {
    fn follow(&mut self, asked: &'a Actor) -> Verdict {
        let mut actor = asked;
        loop {
            let (facts, kept) = self.look(actor);
            self.links.push(Link { path: actor.path.clone(), pid: actor.pid.clone(), facts });
            self.seen.push(actor);
            match kept {
                Kept::Here(cause) => return self.verdict(cause, actor, &[]),
                Kept::By(next) => match self.seen.iter().position(|seen| seen.path == next.path) {
                    Some(at) => {
                        return self.verdict(Cause::Deadlock, next, &self.seen[at..]);
                    }
                    None => actor = next,
                },
            }
        }
    }

    fn look(&self, actor: &'a Actor) -> (Vec<Fact>, Kept<'a>) {
        let mut facts: Vec<Fact> = self.call(actor).into_iter().chain(backlog(actor)).collect();
        let kept = match actor.state {
            State::Restarting => {
                facts.push(self.restarting(actor));
                Kept::Here(Cause::Restarting)
            }
            State::Suspended => {
                facts.push(Fact::Suspended);
                Kept::Here(Cause::Suspended)
            }
            State::Starting => {
                facts.push(Fact::Starting { since_ms: actor.age_ms });
                self.child(actor, State::Starting, Cause::Starting, &mut facts)
            }
            State::Stopping => {
                facts.push(Fact::Stopping);
                match self.child(actor, State::Stopping, Cause::Stopping, &mut facts) {
                    Kept::Here(otherwise) => {
                        self.message(actor, &mut facts).unwrap_or(Kept::Here(otherwise))
                    }
                    child => child,
                }
            }
            _ => self.work(actor, &mut facts),
        };
        (facts, kept)
    }

    /// What became of the call that the actor before made to this one.
    fn call(&self, actor: &Actor) -> Option<Fact> {
        let caller = self.seen.last()?;
        if caller.waiting_for.is_none() || caller.waiting_for != actor.pid {
            return None;
        }
        let working = actor.working.as_ref()?;
        if working.from.is_some() && working.from == caller.pid {
            return Some(Fact::Serving);
        }
        let ahead = actor.mailbox?;
        Some(Fact::InLine { ahead, wait_ms: at_its_pace(actor, ahead) })
    }

    fn work(&self, actor: &'a Actor, facts: &mut Vec<Fact>) -> Kept<'a> {
        if let Some(culprit) = self.starved(actor) {
            facts.extend(handling(actor));
            facts.push(Fact::NoThread);
            return Kept::By(culprit);
        }
        if let Some(kept) = self.message(actor, facts) {
            return kept;
        }
        if actor.kind == Some(Kind::Supervisor) {
            let kept = self.child(actor, State::Restarting, Cause::Nothing, facts);
            facts.extend(matches!(kept, Kept::Here(_)).then_some(Fact::Idle));
            return kept;
        }
        if facts.iter().any(|fact| matches!(fact, Fact::Backlog { .. })) {
            return Kept::Here(Cause::Backlog);
        }
        facts.push(if actor.state == State::Running { Fact::Running } else { Fact::Idle });
        Kept::Here(Cause::Nothing)
    }

    /// Finds who keeps an actor from running that could: it has something to do, and every thread
    /// is blocked by others.
    fn starved(&self, actor: &Actor) -> Option<&'a Actor> {
        let waits = actor.waiting_for.is_some();
        let idle = actor.working.is_none() && actor.mailbox.is_none_or(|waiting| waiting == 0);
        let runs = actor.working.as_ref().is_some_and(|working| working.thread.is_some());
        if waits || idle || runs {
            return None;
        }
        self.culprits.first().copied()
    }

    /// Tells what keeps an actor in the message that it handles, if it handles one.
    fn message(&self, actor: &'a Actor, facts: &mut Vec<Fact>) -> Option<Kept<'a>> {
        let handling = handling(actor);
        let handles = handling.is_some();
        facts.extend(handling);
        let Some(pid) = &actor.waiting_for else {
            let Some(blocking) = blocking(actor) else {
                return handles.then_some(Kept::Here(Cause::Handling));
            };
            facts.push(blocking);
            return Some(Kept::Here(Cause::Blocking));
        };
        Some(match self.by_pid.get(pid.as_str()) {
            Some(other) => {
                facts.push(Fact::Awaiting { path: other.path.clone() });
                Kept::By(other)
            }
            None => {
                facts.push(Fact::AwaitingGone { pid: pid.clone() });
                Kept::Here(Cause::Gone)
            }
        })
    }

    /// A supervisor starts and stops one child at a time.
    fn child(
        &self,
        actor: &'a Actor,
        state: State,
        otherwise: Cause,
        facts: &mut Vec<Fact>,
    ) -> Kept<'a> {
        let parent = actor.pid.as_deref();
        let child = parent.and_then(|_| {
            self.actors
                .iter()
                .find(|child| child.parent.as_deref() == parent && child.state == state)
        });
        match child {
            Some(child) => {
                facts.push(Fact::Child { path: child.path.clone() });
                Kept::By(child)
            }
            None => Kept::Here(otherwise),
        }
    }

    fn restarting(&self, actor: &Actor) -> Fact {
        let mut own = self.crashes.iter().filter(|crash| crash.path == actor.path).peekable();
        Fact::Restarting {
            in_ms: actor.restart_in_ms,
            exit: own.peek().map(|crash| crash.exit.clone()),
            crashes: own.count() as u64,
        }
    }

    fn verdict(&self, cause: Cause, at: &Actor, cycle: &[&Actor]) -> Verdict {
        let waits = |actor: &&Actor| actor.waiting_for.is_some() && actor.waiting_for == at.pid;
        Verdict {
            cause,
            path: at.path.clone(),
            cycle: cycle.iter().map(|actor| actor.path.clone()).collect(),
            waiting: self.actors.iter().filter(waits).map(|actor| actor.path.clone()).collect(),
        }
    }
}

fn handling(actor: &Actor) -> Option<Fact> {
    // A supervisor's own messages are requests of its children's, which are told by the children;
    // a task handles none, it runs.
    let handles = !matches!(actor.kind, Some(Kind::Supervisor | Kind::Task));
    let working = actor.working.as_ref().filter(|_| handles)?;
    Some(Fact::Handling { label: working.label.clone(), since_ms: working.since_ms })
}

fn blocking(actor: &Actor) -> Option<Fact> {
    let working = actor.working.as_ref()?;
    let (thread, since_ms) = (working.thread.clone()?, working.blocks_ms?);
    Some(Fact::Blocking { thread, since_ms })
}

fn backlog(actor: &Actor) -> Option<Fact> {
    let waiting = actor.mailbox.filter(|waiting| *waiting >= BACKLOG)?;
    let drain_ms = at_its_pace(actor, waiting);
    Some(Fact::Backlog { waiting, oldest_ms: actor.oldest_ms, drain_ms })
}

/// Says how long an actor takes for so many messages, if it goes on as it did in this life.
fn at_its_pace(actor: &Actor, messages: u64) -> Option<u64> {
    actor.mean_ms().map(|mean| (mean * messages as f64) as u64)
}

#[cfg(test)]
mod tests;
