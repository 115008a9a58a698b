//! What follows from a child that ended by itself or did not come up.

use super::{ChildState, Machine, Op, Purpose};
use crate::{
    Action, Answer, AutoShutdown, Backoff, ChildId, ChildRun, ExitClass, GiveUp, Moment, Strategy,
    Verdict,
};

impl Machine {
    pub(super) fn exited(
        &mut self,
        now: Moment,
        run: &ChildRun,
        class: ExitClass,
        actions: &mut Vec<Action>,
    ) {
        // An exit of an earlier life, or of one that was stopped meanwhile, is old news.
        if self.family.state(&run.id) != Some(ChildState::Running(run.incarnation)) {
            return;
        }
        self.family.set_stopped(&run.id);
        let restarts = self.plan_of(&run.id).is_some_and(|p| p.restart.restarts_after(class));
        if !restarts {
            return self.left(run, actions);
        }
        match self.judge(now, &run.id) {
            Ok(()) => self.restart(&run.id),
            Err(give_up) => self.give_up(run, give_up, actions),
        }
    }

    /// Counts one restart; fails if it is one too many for the child or, then, the supervisor.
    fn judge(&mut self, now: Moment, id: &ChildId) -> Result<(), GiveUp> {
        if let Some(give_up) = self.family.admit(id, now) {
            return Err(give_up);
        }
        if self.window.admit(now) { Ok(()) } else { Err(GiveUp::Escalate) }
    }

    fn give_up(&mut self, run: &ChildRun, give_up: GiveUp, actions: &mut Vec<Action>) {
        match give_up {
            GiveUp::Escalate => self.exit(Verdict::ReachedMaxIntensity),
            GiveUp::RemoveChild => {
                let along = self.take_along(&run.id);
                let plan = self.family.remove(&run.id);
                actions.push(Action::Left(run.clone()));
                actions.push(Action::Forget(run.id.clone()));
                self.shut_down_if_over(plan.is_some_and(|plan| plan.significant), &along);
            }
        }
    }

    /// A child ended by itself and stays down, which may be the end of the supervisor too.
    fn left(&mut self, run: &ChildRun, actions: &mut Vec<Action>) {
        let significant = self.plan_of(&run.id).is_some_and(|plan| plan.significant);
        let along = self.take_along(&run.id);
        actions.push(Action::Left(run.clone()));
        if self.family.remove_if_temporary(&run.id) {
            actions.push(Action::Forget(run.id.clone()));
        }
        self.shut_down_if_over(significant, &along);
    }

    /// Plans the stop of those that are bound to a child which stays down, and lists them.
    pub(super) fn take_along(&mut self, id: &ChildId) -> Vec<ChildId> {
        let along = self.family.dependants(id);
        self.family.give_up_restarts_of(&along);
        self.plan.retain(|op| !matches!(op, Op::Start(id) if along.contains(id)));
        self.plan.extend(along.iter().rev().cloned().map(Op::Stop));
        along
    }

    /// Plans the start of those that are bound to a child which has been started by request.
    pub(super) fn bring_along(&mut self, id: &ChildId) {
        let mut along = self.family.dependants(id);
        // Whoever waits for a retry comes back by that, and not before its delay is over.
        along.retain(|id| self.family.state(id) == Some(ChildState::Stopped));
        self.plan.extend(along.into_iter().map(Op::Start));
        self.purpose = Purpose::Restart;
    }

    /// Ends the supervisor if it was to end with a child that has just ended for good and took
    /// these along.
    fn shut_down_if_over(&mut self, significant: bool, along: &[ChildId]) {
        let over = match self.flags.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => significant,
            AutoShutdown::AllSignificant => {
                significant
                    && !self.family.has_significant_beside(along)
                    && !self.is_to_start_significant()
            }
        };
        if over {
            self.exit(Verdict::AutoShutdown);
        }
    }

    /// Whoever is stopped only to be started again has not ended.
    fn is_to_start_significant(&self) -> bool {
        self.plan.iter().any(|op| match op {
            Op::Start(id) => self.plan_of(id).is_some_and(|plan| plan.significant),
            Op::Stop(_) => false,
        })
    }

    pub(super) fn start_failed(&mut self, now: Moment, run: &ChildRun, actions: &mut Vec<Action>) {
        self.family.set_stopped(&run.id);
        match &self.purpose {
            Purpose::Boot => self.exit(Verdict::StartFailed(run.id.clone())),
            Purpose::Add => {
                self.abandon_plan();
                self.family.remove(&run.id);
                actions.push(Action::Forget(run.id.clone()));
                actions.push(Action::Answer(Answer::StartFailed(run.id.clone())));
            }
            Purpose::StartAgain(_) => {
                self.abandon_plan();
                actions.push(Action::Answer(Answer::StartFailed(run.id.clone())));
            }
            Purpose::Exit(_) => {}
            _ => match self.judge(now, &run.id) {
                Ok(()) => self.retry_later(now, &run.id, actions),
                // Those that share its fate go on without it.
                Err(give_up) => self.give_up(run, give_up, actions),
            },
        }
    }

    /// Keeps the spec without a process, unless the child is temporary, and goes on.
    pub(super) fn ignored(&mut self, run: &ChildRun, actions: &mut Vec<Action>) {
        self.family.set_stopped(&run.id);
        if self.family.remove_if_temporary(&run.id) {
            actions.push(Action::Forget(run.id.clone()));
        }
        if matches!(self.purpose, Purpose::Add | Purpose::StartAgain(_)) {
            self.abandon_plan();
            actions.push(Action::Answer(Answer::Ignored(run.id.clone())));
        }
    }

    pub(super) fn stopped(&mut self, run: &ChildRun, actions: &mut Vec<Action>) {
        self.family.set_stopped(&run.id);
        let ending = matches!(self.purpose, Purpose::Exit(_));
        if !ending && self.family.remove_if_temporary(&run.id) {
            actions.push(Action::Forget(run.id.clone()));
        }
    }

    pub(super) fn retry(&mut self, id: &ChildId, ticket: u64) {
        if self.family.state(id) == Some(ChildState::Restarting(ticket)) {
            // Whoever was started by request meanwhile stops once more: order before all.
            let (fellows, promised) = self.stop_fellows(id);
            self.start_together(fellows, promised);
        }
    }

    pub(super) fn arm_retry(
        &mut self,
        now: Moment,
        id: ChildId,
        promised: Vec<ChildId>,
        actions: &mut Vec<Action>,
    ) {
        self.tickets += 1;
        if !promised.is_empty() {
            self.promised.insert(self.tickets, promised);
        }
        let after = match self.backoff_of(&id) {
            None => Moment::ZERO,
            Some(backoff) => {
                let attempt = self.family.next_attempt(&id, &backoff, now);
                backoff.delay(attempt, &mut self.dice)
            }
        };
        self.family.set_restarting(&id, self.tickets);
        actions.push(Action::Retry { id, ticket: self.tickets, after });
    }

    /// Plans the restart of a failed child together with those that share its fate.
    fn restart(&mut self, failed: &ChildId) {
        let (fellows, promised) = self.stop_fellows(failed);
        if self.backoff_of(failed).is_some() {
            self.purpose = Purpose::Delay(failed.clone(), promised);
        } else {
            self.start_together(fellows, promised);
        }
    }

    /// Plans the start of children in their order.
    fn start_together(&mut self, mut fellows: Vec<ChildId>, promised: Vec<ChildId>) {
        if !promised.is_empty() {
            fellows.extend(promised);
            fellows = self.family.in_order(&fellows);
        }
        self.plan.extend(fellows.into_iter().map(Op::Start));
        self.purpose = Purpose::Restart;
    }

    /// Plans the stop of those that share the fate of a failed child, and lists all of them; beside
    /// them those who were promised to come back with one of them, and are still down.
    ///
    /// A restart that one of them waits for is given up: it comes back together with the others.
    fn stop_fellows(&mut self, failed: &ChildId) -> (Vec<ChildId>, Vec<ChildId>) {
        let fellows = self.fellows(failed);
        let promised = self.redeem_promises(&fellows);
        self.family.give_up_restarts_of(&fellows);
        self.plan = fellows.iter().rev().cloned().map(Op::Stop).collect();
        (fellows, promised)
    }

    /// Plans another attempt: through the queue, so that others get a turn in between.
    fn retry_later(&mut self, now: Moment, failed: &ChildId, actions: &mut Vec<Action>) {
        if self.strategy == Strategy::OneForOne {
            // Those that are bound to what failed before, but not to it, go on.
            return self.arm_retry(now, failed.clone(), Vec::new(), actions);
        }
        self.plan.clear();
        if self.strategy == Strategy::OneForAll {
            self.plan.extend(self.family.running().rev().map(Op::Stop));
        }
        self.purpose = Purpose::Delay(failed.clone(), Vec::new());
    }

    /// Lists a failed child and those that share its fate, in start order.
    pub(super) fn fellows(&self, failed: &ChildId) -> Vec<ChildId> {
        match self.strategy {
            Strategy::OneForOne => {
                let mut fellows = vec![failed.clone()];
                fellows.append(&mut self.family.dependants(failed));
                fellows
            }
            Strategy::OneForAll => self.family.ids().collect(),
            Strategy::RestForOne => self.family.from(failed).collect(),
        }
    }

    /// Tells whether a child shares the fate of a failed one, or is that one.
    pub(super) fn is_fellow(&self, id: &ChildId, failed: &ChildId) -> bool {
        match self.strategy {
            Strategy::OneForOne => id == failed || self.family.dependants(failed).contains(id),
            Strategy::OneForAll => self.family.state(id).is_some(),
            Strategy::RestForOne => self.family.is_from(id, failed),
        }
    }

    fn backoff_of(&self, id: &ChildId) -> Option<Backoff> {
        self.plan_of(id).and_then(|plan| plan.backoff.as_deref().copied()).or(self.flags.backoff)
    }

    fn abandon_plan(&mut self) {
        self.plan.clear();
        self.purpose = Purpose::Nothing;
    }
}
