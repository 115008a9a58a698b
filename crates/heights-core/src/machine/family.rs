//! The children of a supervisor in start order, and what each is doing.

mod bonds;
mod member;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use self::member::Member;
pub use self::member::{ChildState, ChildView};
use crate::{
    Action, Backoff, ChildId, ChildKind, ChildPlan, ChildRun, Counts, GiveUp, Incarnation, Moment,
    Restart,
};

/// The members sit in start order and are found by their id.
#[derive(Debug, Clone, Default)]
pub(super) struct Family {
    /// On the heap one by one, as the nodes of the map are half empty.
    members: BTreeMap<Seat, Box<Member>>,
    seats: HashMap<ChildId, Seat>,
    last_seat: Seat,
    incarnations: u64,
    /// How many starts and stops have been asked for and not been answered.
    waiting: usize,
    /// Those who wait for their restart, with the tickets of it: few of many, if any.
    restarting: BTreeMap<Seat, u64>,
    /// How many are bound to others: mostly none, and then there is nothing to look for.
    bound: usize,
}

type Seat = u64;

impl Family {
    pub(super) fn new(plans: Vec<Arc<ChildPlan>>) -> Self {
        let mut family = Self::default();
        for plan in plans {
            family.push(plan);
        }
        family
    }

    pub(super) fn views(&self) -> impl Iterator<Item = ChildView<'_>> {
        self.members.values().map(|member| ChildView { plan: &member.plan, state: member.state })
    }

    pub(super) fn ids(&self) -> impl DoubleEndedIterator<Item = ChildId> + '_ {
        self.members.values().map(|member| member.plan.id.clone())
    }

    /// Lists a child and those that were started after it.
    pub(super) fn from(&self, id: &ChildId) -> impl Iterator<Item = ChildId> + '_ {
        let seat = self.seats.get(id).copied().unwrap_or_default();
        self.members.range(seat..).map(|(_, member)| member.plan.id.clone())
    }

    /// Lists these in start order, each once.
    pub(super) fn in_order(&self, ids: &[ChildId]) -> Vec<ChildId> {
        let seats: BTreeSet<Seat> =
            ids.iter().filter_map(|id| self.seats.get(id).copied()).collect();
        let members = seats.iter().filter_map(|seat| self.members.get(seat));
        members.map(|member| member.plan.id.clone()).collect()
    }

    /// Lists those who wait for their restart, with the tickets of it.
    pub(super) fn restarting(&self) -> impl Iterator<Item = (&ChildId, u64)> {
        self.restarting
            .iter()
            .filter_map(|(seat, ticket)| Some((&self.members.get(seat)?.plan.id, *ticket)))
    }

    /// Tells whether a child is among those that were started after another, or is that one.
    pub(super) fn is_from(&self, id: &ChildId, first: &ChildId) -> bool {
        let (seat, first) = (self.seats.get(id), self.seats.get(first));
        seat.is_some_and(|seat| first.is_some_and(|first| seat >= first))
    }

    pub(super) fn running(&self) -> impl DoubleEndedIterator<Item = ChildId> + '_ {
        self.members.values().filter(|member| member.is_running()).map(|m| m.plan.id.clone())
    }

    pub(super) fn plan(&self, id: &ChildId) -> Option<&ChildPlan> {
        self.get(id).map(|member| &*member.plan)
    }

    pub(super) fn state(&self, id: &ChildId) -> Option<ChildState> {
        self.get(id).map(|member| member.state)
    }

    pub(super) fn counts(&self) -> Counts {
        let is_supervisor = |m: &&Member| m.plan.kind == ChildKind::Supervisor;
        let supervisors = self.members.values().map(Box::as_ref).filter(is_supervisor).count();
        Counts {
            specs: self.members.len(),
            active: self.members.values().filter(|member| member.is_running()).count(),
            supervisors,
            workers: self.members.len() - supervisors,
        }
    }

    /// Tells whether a start or a stop has been asked for and not been answered.
    pub(super) const fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Tells whether a significant child other than these runs or is about to.
    pub(super) fn has_significant_beside(&self, these: &[ChildId]) -> bool {
        let alive = |member: &Member| member.state != ChildState::Stopped;
        let counts = |member: &&Member| member.plan.significant && alive(member);
        self.members
            .values()
            .map(Box::as_ref)
            .filter(counts)
            .any(|member| !these.contains(&member.plan.id))
    }

    pub(super) fn push(&mut self, plan: impl Into<Arc<ChildPlan>>) {
        self.seat(Box::new(Member::new(plan.into())));
    }

    pub(super) fn remove(&mut self, id: &ChildId) -> Option<Arc<ChildPlan>> {
        let seat = self.seats.remove(id)?;
        let member = self.members.remove(&seat)?;
        self.restarting.remove(&seat);
        self.waiting -= usize::from(member.state.is_waiting());
        self.bound -= usize::from(member.is_bound());
        Some(member.plan)
    }

    /// Removes a temporary child; `true` if it was one.
    pub(super) fn remove_if_temporary(&mut self, id: &ChildId) -> bool {
        let temporary = self.plan(id).is_some_and(|plan| plan.restart == Restart::Temporary);
        temporary && self.remove(id).is_some()
    }

    /// Takes new plans in their order; children without one become the youngest.
    pub(super) fn reconfigure(&mut self, plans: Vec<ChildPlan>) {
        let mut before = std::mem::take(&mut self.members);
        let seats = std::mem::take(&mut self.seats);
        self.restarting.clear();
        self.bound = 0;
        for plan in plans {
            match seats.get(&plan.id).and_then(|seat| before.remove(seat)) {
                None => self.push(plan),
                Some(mut member) => {
                    member.replan(plan);
                    self.seat(member);
                }
            }
        }
        for member in before.into_values() {
            self.seat(member);
        }
    }

    pub(super) fn youngest(&self) -> Option<&ChildPlan> {
        self.members.last_key_value().map(|(_, member)| &*member.plan)
    }

    pub(super) fn set_stopped(&mut self, id: &ChildId) {
        self.set(id, ChildState::Stopped);
    }

    pub(super) fn set_restarting(&mut self, id: &ChildId, ticket: u64) {
        self.set(id, ChildState::Restarting(ticket));
    }

    pub(super) fn set_running(&mut self, run: &ChildRun, now: Moment) {
        self.set(&run.id, ChildState::Running(run.incarnation));
        if let Some(member) = self.get_mut(&run.id) {
            member.running_since = Some(now);
        }
    }

    /// Takes every start and restart that is under way as given up.
    pub(super) fn give_up_restarts(&mut self) {
        self.restarting.clear();
        for member in self.members.values_mut() {
            if matches!(member.state, ChildState::Restarting(_) | ChildState::Starting(_)) {
                self.waiting -= usize::from(member.state.is_waiting());
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

    /// Begins a start if the child is known, does not run, and has all that it is bound to.
    pub(super) fn begin_start(&mut self, id: &ChildId) -> Option<ChildRun> {
        let startable = self.get(id).is_some_and(|member| !member.is_running());
        if !startable || self.missing(id).is_some() {
            return None;
        }
        self.incarnations += 1;
        let incarnation = Incarnation(self.incarnations);
        self.set(id, ChildState::Starting(incarnation));
        Some(ChildRun { id: id.clone(), incarnation })
    }

    /// Begins a stop if the child runs.
    pub(super) fn begin_stop(&mut self, id: &ChildId) -> Option<Action> {
        let member = self.get(id)?;
        let ChildState::Running(incarnation) = member.state else { return None };
        let shutdown = member.plan.shutdown;
        self.set(id, ChildState::Stopping(incarnation));
        Some(Action::Stop(ChildRun { id: id.clone(), incarnation }, shutdown))
    }

    /// Counts one restart of this child; tells what its own limit makes of one too many.
    pub(super) fn admit(&mut self, id: &ChildId, now: Moment) -> Option<GiveUp> {
        let member = self.get_mut(id)?;
        let (window, limit) = (member.window.as_mut()?, member.plan.limit.as_ref()?);
        (!window.admit(now)).then_some(limit.then)
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

    /// Gives a member the place of the youngest.
    fn seat(&mut self, member: Box<Member>) {
        self.last_seat += 1;
        self.bound += usize::from(member.is_bound());
        if let ChildState::Restarting(ticket) = member.state {
            self.restarting.insert(self.last_seat, ticket);
        }
        self.seats.insert(member.plan.id.clone(), self.last_seat);
        self.members.insert(self.last_seat, member);
    }

    fn set(&mut self, id: &ChildId, state: ChildState) {
        let Some(seat) = self.seats.get(id) else { return };
        let Some(member) = self.members.get_mut(seat) else { return };
        let before = std::mem::replace(&mut member.state, state);
        if let ChildState::Restarting(ticket) = state {
            self.restarting.insert(*seat, ticket);
        } else if matches!(before, ChildState::Restarting(_)) {
            self.restarting.remove(seat);
        }
        self.waiting += usize::from(state.is_waiting());
        self.waiting -= usize::from(before.is_waiting());
    }

    fn get(&self, id: &ChildId) -> Option<&Member> {
        self.members.get(self.seats.get(id)?).map(Box::as_ref)
    }

    fn get_mut(&mut self, id: &ChildId) -> Option<&mut Member> {
        self.members.get_mut(self.seats.get(id)?).map(Box::as_mut)
    }
}
