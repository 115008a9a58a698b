//! A supervisor with a fixed order of children, as a state machine.
//!
//! Whoever runs it performs the actions in order. `Start` and `Stop` come last in a step and are
//! answered by exactly one of `Started`, `StartFailed`, `Ignored` or `Stopped` before any other event goes
//! in, except `Stop`, which may interrupt a start that was given up.

mod action;
mod admin;
mod event;
mod family;
mod promises;
mod restart;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub use self::action::{Action, Answer, Refusal, Verdict};
pub use self::event::{ChildRun, Event, Incarnation};
use self::family::Family;
pub use self::family::{ChildState, ChildView};
use crate::{
    ChildId, ChildPlan, Counts, Dice, Flags, Moment, RestartWindow, SpecError, Strategy,
    check_child_plans,
};

/// Decides for a supervisor with a fixed order of children.
///
/// ```
/// use heights_core::{
///     Action, ChildPlan, ChildState, Event, ExitClass, Flags, Machine, Moment, Strategy,
/// };
///
/// let plans = ["database", "web"].map(ChildPlan::worker);
/// let mut machine = Machine::new(Strategy::RestForOne, Flags::default(), plans)?;
/// let now = Moment::ZERO;
/// let mut actions = machine.step(now, Event::Boot);
/// while let Some(Action::Start(child)) = actions.pop() {
///     actions = machine.step(now, Event::Started(child));
/// }
///
/// let Some(ChildState::Running(incarnation)) = machine.state_of(&"database".into()) else {
///     panic!("it has been started");
/// };
/// let database = heights_core::ChildRun { id: "database".into(), incarnation };
/// let actions = machine.step(now, Event::Exited(database, ExitClass::Abnormal));
/// // What was started after it goes first, then both are started again, in order.
/// assert!(matches!(&actions[..], [Action::Stop(child, _)] if child.id.as_str() == "web"));
/// # Ok::<(), heights_core::SpecError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Machine {
    strategy: Strategy,
    flags: Flags,
    window: RestartWindow,
    dice: Dice,
    family: Family,
    plan: VecDeque<Op>,
    purpose: Purpose,
    tickets: u64,
    /// By the ticket of a retry: who comes back with it although new specs have parted them.
    promised: BTreeMap<u64, Vec<ChildId>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Op {
    Start(ChildId),
    Stop(ChildId),
}

/// What the running plan is for, and so what its end or a failed start means.
#[derive(Debug, Clone, PartialEq)]
enum Purpose {
    Nothing,
    Boot,
    Restart,
    /// A retry for this child, with those who come back with it whatever the strategy says.
    Delay(ChildId, Vec<ChildId>),
    Add,
    StartAgain(ChildId),
    Terminate,
    Exit(Verdict),
    Ended,
}

impl Machine {
    /// Makes a machine that has done nothing yet; rejects wrong specs.
    pub fn new(
        strategy: Strategy,
        flags: Flags,
        children: impl IntoIterator<Item = impl Into<Arc<ChildPlan>>>,
    ) -> Result<Self, SpecError> {
        let children: Vec<Arc<ChildPlan>> = children.into_iter().map(Into::into).collect();
        check_child_plans(&children, flags.auto_shutdown)?;
        Ok(Self {
            strategy,
            flags,
            window: RestartWindow::new(flags.intensity.validate()?),
            dice: Dice::new(0),
            family: Family::new(children),
            plan: VecDeque::new(),
            purpose: Purpose::Nothing,
            tickets: 0,
            promised: BTreeMap::new(),
        })
    }

    /// Sets what the jitter of back-offs is drawn from.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.dice = Dice::new(seed);
        self
    }

    /// Takes in what happened at `now` and returns what to do, in this order.
    pub fn step(&mut self, now: Moment, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.purpose == Purpose::Ended {
            return actions;
        }
        match event {
            Event::Boot => self.boot(),
            Event::Started(run) => self.family.set_running(&run, now),
            Event::StartFailed(run) => self.start_failed(now, &run, &mut actions),
            Event::Ignored(run) => self.ignored(&run, &mut actions),
            Event::Stopped(run) => self.stopped(&run, &mut actions),
            Event::Exited(run, class) => self.exited(now, &run, class, &mut actions),
            Event::Retry { id, ticket } => self.retry(&id, ticket),
            Event::StartChild(plan) => self.start_child(plan, &mut actions),
            Event::TerminateChild(id) => self.terminate_child(&id, &mut actions),
            Event::RestartChild(id) => self.restart_child(&id, &mut actions),
            Event::DeleteChild(id) => self.delete_child(&id, &mut actions),
            Event::Reconfigure(plans) => self.reconfigure(plans, &mut actions),
            Event::Stop => self.exit(Verdict::Stopped),
        }
        self.advance(now, &mut actions);
        actions
    }

    /// Lists the children in start order.
    pub fn children(&self) -> impl Iterator<Item = ChildView<'_>> {
        self.family.views()
    }

    /// Returns the plan of one child.
    pub fn plan_of(&self, id: &ChildId) -> Option<&ChildPlan> {
        self.family.plan(id)
    }

    /// Returns what one child is doing.
    pub fn state_of(&self, id: &ChildId) -> Option<ChildState> {
        self.family.state(id)
    }

    /// Returns the restarts that count.
    pub const fn window(&self) -> &RestartWindow {
        &self.window
    }

    /// Lists those that are bound to a child, directly or through others, in start order.
    pub fn dependants_of(&self, id: &ChildId) -> Vec<ChildId> {
        self.family.dependants(id)
    }

    /// Tells whether a child that does not run is started again when a pending retry is due.
    pub fn comes_back(&self, id: &ChildId) -> bool {
        self.family.restarting().any(|(waiting, ticket)| {
            let promised = self.promised.get(&ticket).is_some_and(|ids| ids.contains(id));
            promised || self.is_fellow(id, waiting)
        })
    }

    /// Counts the children.
    pub fn counts(&self) -> Counts {
        self.family.counts()
    }

    fn boot(&mut self) {
        self.plan = self.family.ids().map(Op::Start).collect();
        self.purpose = Purpose::Boot;
    }

    /// Plans the end: everything that runs is stopped in reverse order.
    fn exit(&mut self, verdict: Verdict) {
        if matches!(self.purpose, Purpose::Exit(_)) {
            return;
        }
        self.family.give_up_restarts();
        self.plan = self.family.running().rev().map(Op::Stop).collect();
        self.purpose = Purpose::Exit(verdict);
    }

    /// Performs the plan up to the next thing that has to be waited for.
    fn advance(&mut self, now: Moment, actions: &mut Vec<Action>) {
        if self.family.is_waiting() {
            return;
        }
        while let Some(op) = self.plan.pop_front() {
            let action = match op {
                Op::Start(id) => self.family.begin_start(&id).map(Action::Start),
                Op::Stop(id) => self.family.begin_stop(&id),
            };
            if let Some(action) = action {
                actions.push(action);
                return;
            }
        }
        self.finish(now, actions);
    }

    fn finish(&mut self, now: Moment, actions: &mut Vec<Action>) {
        match std::mem::replace(&mut self.purpose, Purpose::Nothing) {
            Purpose::Boot => self.plan.shrink_to_fit(),
            Purpose::Nothing | Purpose::Restart | Purpose::Ended => {}
            Purpose::Delay(id, promised) => self.arm_retry(now, id, promised, actions),
            Purpose::Add => self.answer_youngest(actions),
            Purpose::StartAgain(id) => {
                self.answer_started(&id, actions);
                self.bring_along(&id);
                self.advance(now, actions);
            }
            Purpose::Terminate => actions.push(Action::Answer(Answer::Done)),
            Purpose::Exit(verdict) => {
                actions.push(Action::Exit(verdict.clone()));
                self.purpose = Purpose::Ended;
            }
        }
    }
}
