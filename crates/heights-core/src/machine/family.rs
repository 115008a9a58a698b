//! The children of a supervisor in start order, and what each is doing.

use crate::{
    Action, Backoff, ChildId, ChildKind, ChildPlan, ChildRun, Counts, Incarnation, Moment, Restart,
};

/// What a child is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildState {
    /// It does not run and nobody is about to start it.
    Stopped,
    /// It is being started.
    Starting(Incarnation),
    /// It runs.
    Running(Incarnation),
    /// It is being stopped.
    Stopping(Incarnation),
    /// It failed and waits for the retry with this ticket.
    Restarting(u64),
}

/// One child as seen from outside.
#[derive(Debug, Clone, Copy)]
pub struct ChildView<'a> {
    /// What the supervisor was told about it.
    pub plan: &'a ChildPlan,
    /// What it is doing.
    pub state: ChildState,
}

#[derive(Debug, Clone)]
pub(super) struct Family {
    members: Vec<Member>,
    incarnations: u64,
}

#[derive(Debug, Clone)]
struct Member {
    plan: ChildPlan,
    state: ChildState,
    attempts: u32,
    running_since: Option<Moment>,
}

impl Member {
    const fn new(plan: ChildPlan) -> Self {
        Self { plan, state: ChildState::Stopped, attempts: 0, running_since: None }
    }

    const fn is_running(&self) -> bool {
        matches!(self.state, ChildState::Running(_))
    }
}

impl Family {
    pub(super) fn new(plans: Vec<ChildPlan>) -> Self {
        Self { members: plans.into_iter().map(Member::new).collect(), incarnations: 0 }
    }

    pub(super) fn views(&self) -> impl Iterator<Item = ChildView<'_>> {
        self.members.iter().map(|member| ChildView { plan: &member.plan, state: member.state })
    }

    pub(super) fn ids(&self) -> impl DoubleEndedIterator<Item = ChildId> + '_ {
        self.members.iter().map(|member| member.plan.id.clone())
    }

    pub(super) fn running(&self) -> impl DoubleEndedIterator<Item = ChildId> + '_ {
        self.members.iter().filter(|member| member.is_running()).map(|m| m.plan.id.clone())
    }

    pub(super) fn position(&self, id: &ChildId) -> Option<usize> {
        self.members.iter().position(|member| member.plan.id == *id)
    }

    pub(super) fn plan(&self, id: &ChildId) -> Option<&ChildPlan> {
        self.get(id).map(|member| &member.plan)
    }

    pub(super) fn state(&self, id: &ChildId) -> Option<ChildState> {
        self.get(id).map(|member| member.state)
    }

    pub(super) fn counts(&self) -> Counts {
        let is_supervisor = |m: &&Member| m.plan.kind == ChildKind::Supervisor;
        let supervisors = self.members.iter().filter(is_supervisor).count();
        Counts {
            specs: self.members.len(),
            active: self.members.iter().filter(|member| member.is_running()).count(),
            supervisors,
            workers: self.members.len() - supervisors,
        }
    }

    /// Tells whether a start or a stop has been asked for and not been answered.
    pub(super) fn is_waiting(&self) -> bool {
        let waiting =
            |m: &Member| matches!(m.state, ChildState::Starting(_) | ChildState::Stopping(_));
        self.members.iter().any(waiting)
    }

    /// Tells whether a significant child runs or is about to.
    pub(super) fn has_significant(&self) -> bool {
        let alive = |member: &Member| member.state != ChildState::Stopped;
        self.members.iter().any(|member| member.plan.significant && alive(member))
    }

    pub(super) fn push(&mut self, plan: ChildPlan) {
        self.members.push(Member::new(plan));
    }

    pub(super) fn remove(&mut self, id: &ChildId) {
        self.members.retain(|member| member.plan.id != *id);
    }

    /// Removes a temporary child; `true` if it was one.
    pub(super) fn remove_if_temporary(&mut self, id: &ChildId) -> bool {
        let temporary = self.plan(id).is_some_and(|plan| plan.restart == Restart::Temporary);
        if temporary {
            self.remove(id);
        }
        temporary
    }

    pub(super) fn youngest(&self) -> Option<&ChildPlan> {
        self.members.last().map(|member| &member.plan)
    }

    pub(super) fn set_stopped(&mut self, id: &ChildId) {
        self.set(id, ChildState::Stopped);
    }

    pub(super) fn set_restarting(&mut self, id: &ChildId, ticket: u64) {
        self.set(id, ChildState::Restarting(ticket));
    }

    pub(super) fn set_running(&mut self, run: &ChildRun, now: Moment) {
        if let Some(member) = self.get_mut(&run.id) {
            member.state = ChildState::Running(run.incarnation);
            member.running_since = Some(now);
        }
    }

    /// Takes every start and restart that is under way as given up.
    pub(super) fn give_up_restarts(&mut self) {
        for member in &mut self.members {
            if matches!(member.state, ChildState::Restarting(_) | ChildState::Starting(_)) {
                member.state = ChildState::Stopped;
            }
        }
    }

    /// Takes the restarts that these wait for as given up.
    pub(super) fn give_up_restarts_of(&mut self, ids: &[ChildId]) {
        for id in ids {
            if matches!(self.state(id), Some(ChildState::Restarting(_))) {
                self.set_stopped(id);
            }
        }
    }

    /// Begins a start if the child is known and does not run.
    pub(super) fn begin_start(&mut self, id: &ChildId) -> Option<ChildRun> {
        let incarnation = Incarnation(self.incarnations + 1);
        let member = self.get_mut(id).filter(|member| !member.is_running())?;
        member.state = ChildState::Starting(incarnation);
        self.incarnations += 1;
        Some(ChildRun { id: id.clone(), incarnation })
    }

    /// Begins a stop if the child runs.
    pub(super) fn begin_stop(&mut self, id: &ChildId) -> Option<Action> {
        let member = self.get_mut(id)?;
        let ChildState::Running(incarnation) = member.state else { return None };
        member.state = ChildState::Stopping(incarnation);
        Some(Action::Stop(ChildRun { id: id.clone(), incarnation }, member.plan.shutdown))
    }

    /// Returns how many restarts in a row came before this one, and counts it.
    pub(super) fn next_attempt(&mut self, id: &ChildId, backoff: &Backoff, now: Moment) -> u32 {
        let Some(member) = self.get_mut(id) else { return 0 };
        let healthy = |since: Moment| backoff.is_healthy(now.saturating_sub(since));
        if member.running_since.take().is_some_and(healthy) {
            member.attempts = 0;
        }
        let attempt = member.attempts;
        member.attempts += 1;
        attempt
    }

    fn set(&mut self, id: &ChildId, state: ChildState) {
        if let Some(member) = self.get_mut(id) {
            member.state = state;
        }
    }

    fn get(&self, id: &ChildId) -> Option<&Member> {
        self.members.iter().find(|member| member.plan.id == *id)
    }

    fn get_mut(&mut self, id: &ChildId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.plan.id == *id)
    }
}
