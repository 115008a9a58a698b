//! What follows from children that come up, do not, or end.

use std::time::Duration;

use super::{Child, ChildKey, DynamicAction, DynamicMachine, State};
use crate::{AutoShutdown, Backoff, Dice, ExitClass, GiveUp, Incarnation, Moment, Verdict};

impl DynamicMachine {
    pub(super) fn started(&mut self, now: Moment, key: ChildKey, incarnation: Incarnation) {
        if let Some(child) = self.children.get_mut(key)
            && matches!(child.state, State::Starting { incarnation: current, .. } if current == incarnation)
        {
            child.state = State::Running(incarnation);
            child.started = Some(now);
        }
    }

    pub(super) fn start_failed(
        &mut self,
        now: Moment,
        key: ChildKey,
        incarnation: Incarnation,
        actions: &mut Vec<DynamicAction>,
    ) {
        match self.children.get(key).map(|child| child.state) {
            Some(State::Starting { incarnation: current, first: false })
                if current == incarnation =>
            {
                self.restart(now, key, actions);
            }
            Some(State::Starting { incarnation: current, .. } | State::Stopping(current))
                if current == incarnation =>
            {
                self.forget(key, actions);
            }
            _ => {}
        }
    }

    pub(super) fn ignored(
        &mut self,
        key: ChildKey,
        incarnation: Incarnation,
        actions: &mut Vec<DynamicAction>,
    ) {
        if let Some(State::Starting { incarnation: current, .. } | State::Stopping(current)) =
            self.children.get(key).map(|child| child.state)
            && current == incarnation
        {
            self.forget(key, actions);
        }
    }

    pub(super) fn exited(
        &mut self,
        now: Moment,
        (key, incarnation): (ChildKey, Incarnation),
        class: ExitClass,
        actions: &mut Vec<DynamicAction>,
    ) {
        let Some(child) = self.children.get(key) else { return };
        match child.state {
            State::Stopping(current) if current == incarnation => self.forget(key, actions),
            State::Running(current) if current == incarnation => {
                if child.plan.restart.restarts_after(class) {
                    self.restart(now, key, actions);
                } else {
                    self.left(key, actions);
                }
            }
            _ => {}
        }
    }

    /// A child ended by itself and stays down, which may be the end of the supervisor too.
    fn left(&mut self, key: ChildKey, actions: &mut Vec<DynamicAction>) {
        let significant = self.children.get(key).is_some_and(|child| child.plan.significant);
        actions.push(DynamicAction::Left(key));
        self.forget(key, actions);
        let over = match self.flags.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => significant,
            AutoShutdown::AllSignificant => significant && !self.has_significant(),
        };
        if over {
            self.exit(Verdict::AutoShutdown, actions);
        }
    }

    /// Tells whether a significant child runs or is about to. One that is being stopped does not:
    /// whether it is gone already must not make a difference.
    fn has_significant(&self) -> bool {
        let lives = |child: &&Child| !matches!(child.state, State::Stopping(_));
        self.children.values().map(Box::as_ref).filter(lives).any(|child| child.plan.significant)
    }

    pub(super) fn retry(&mut self, key: ChildKey, ticket: u64, actions: &mut Vec<DynamicAction>) {
        let incarnation = self.next_incarnation();
        if let Some(child) = self.children.get_mut(key)
            && child.state == State::Restarting(ticket)
        {
            child.state = State::Starting { incarnation, first: false };
            actions.push(DynamicAction::Start(key, incarnation));
        }
    }

    /// Counts a failure and plans the next attempt, or gives up.
    fn restart(&mut self, now: Moment, key: ChildKey, actions: &mut Vec<DynamicAction>) {
        match self.judge(now, key) {
            Ok(()) => {}
            Err(GiveUp::RemoveChild) => return self.left(key, actions),
            Err(GiveUp::Escalate) => {
                self.forget(key, actions);
                return self.exit(Verdict::ReachedMaxIntensity, actions);
            }
        }
        self.tickets += 1;
        let ticket = self.tickets;
        let Some(child) = self.children.get_mut(key) else { return };
        child.state = State::Restarting(ticket);
        let after = match child.plan.backoff.as_deref().copied().or(self.flags.backoff) {
            None => Duration::ZERO,
            Some(backoff) => child.delay(now, &backoff, &mut self.dice),
        };
        actions.push(DynamicAction::Retry { key, ticket, after });
    }

    /// Counts one restart; fails if it is one too many for the child or, then, the supervisor.
    fn judge(&mut self, now: Moment, key: ChildKey) -> Result<(), GiveUp> {
        if let Some(child) = self.children.get_mut(key)
            && let (Some(window), Some(limit)) = (&mut child.window, &child.plan.limit)
            && !window.admit(now)
        {
            return Err(limit.then);
        }
        if self.window.admit(now) { Ok(()) } else { Err(GiveUp::Escalate) }
    }
}

impl Child {
    fn delay(&mut self, now: Moment, backoff: &Backoff, dice: &mut Dice) -> Duration {
        let healthy = |since: Moment| backoff.is_healthy(now.saturating_sub(since));
        if self.started.take().is_some_and(healthy) {
            self.attempts = 0;
        }
        let delay = backoff.delay(self.attempts, dice);
        self.attempts += 1;
        delay
    }
}
