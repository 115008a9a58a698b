//! A supervisor whose children come and go, as a state machine.
//!
//! Children know nothing of each other, so they start and stop side by side: any number of
//! starts and stops may be under way at once. Every `Start` is answered by `Started`,
//! `StartFailed` or `Ignored`; every end of a child, asked for or not, by `Exited`.

mod lives;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::{
    ChildKind, ChildPlan, Counts, Dice, ExitClass, Flags, Incarnation, Moment, RestartWindow, Rows,
    Shutdown, SpecError, Verdict,
};

/// Which child: ids are labels here and may repeat, keys never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChildKey(pub u64);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DynamicEvent {
    /// The child runs.
    Started(ChildKey, Incarnation),
    /// The child did not come up.
    StartFailed(ChildKey, Incarnation),
    /// The child found nothing to do; that is not a failure.
    Ignored(ChildKey, Incarnation),
    /// The child is gone.
    Exited(ChildKey, Incarnation, ExitClass),
    /// A retry that was asked for is due.
    Retry(ChildKey, u64),
    /// Somebody wants the child stopped and forgotten.
    Terminate(ChildKey),
    /// The supervisor is to stop.
    Stop,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DynamicAction {
    /// Start this child.
    Start(ChildKey, Incarnation),
    /// Stop this child, or give its start up.
    Stop(ChildKey, Incarnation, Shutdown),
    /// Come back with this ticket after this delay.
    Retry {
        /// The child to start again.
        key: ChildKey,
        /// What to put into the `Retry` event.
        ticket: u64,
        /// How long to wait.
        after: Duration,
    },
    /// A child ended by itself and stays down.
    Left(ChildKey),
    /// Drop what is kept for this child.
    Forget(ChildKey),
    /// End the supervisor: all children are gone.
    Exit(Verdict),
}

/// Why a child is not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DynamicRefusal {
    /// There are as many children as there may be.
    MaxChildren,
    /// The supervisor is about to end.
    Ending,
    /// The spec itself is wrong.
    Invalid(SpecError),
}

/// Decides for a supervisor whose children come and go.
///
/// ```
/// use std::time::Duration;
/// use heights_core::{ChildPlan, DynamicAction, DynamicEvent, DynamicMachine, ExitClass, Flags};
///
/// let mut machine = DynamicMachine::new(Flags::default(), Some(10))?;
/// let Ok((key, DynamicAction::Start(_, first))) = machine.start_child(ChildPlan::worker("room")) else {
///     panic!("there is room for ten");
/// };
/// let now = Duration::ZERO;
/// machine.step(now, DynamicEvent::Started(key, first));
/// let actions = machine.step(now, DynamicEvent::Exited(key, first, ExitClass::Abnormal));
/// assert!(matches!(actions[..], [DynamicAction::Retry { after: Duration::ZERO, .. }]));
/// # Ok::<(), heights_core::SpecError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DynamicMachine {
    flags: Flags,
    window: RestartWindow,
    max_children: Option<usize>,
    dice: Dice,
    /// On the heap one by one, so that a table that grows moves hardly anything.
    children: Rows<ChildKey, Box<Child>>,
    ending: Option<Verdict>,
    ended: bool,
    keys: u64,
    tickets: u64,
    incarnations: u64,
}

#[derive(Debug, Clone)]
struct Child {
    plan: Arc<ChildPlan>,
    state: State,
    attempts: u32,
    started: Option<Moment>,
    /// On the heap, as most have none.
    window: Option<Box<RestartWindow>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting { incarnation: Incarnation, first: bool },
    Running(Incarnation),
    Restarting(u64),
    Stopping(Incarnation),
}

impl DynamicMachine {
    /// Makes a machine without children; rejects a wrong intensity.
    pub fn new(flags: Flags, max_children: Option<usize>) -> Result<Self, SpecError> {
        Ok(Self {
            flags,
            window: RestartWindow::new(flags.intensity.validate()?),
            max_children,
            dice: Dice::new(0),
            children: Rows::default(),
            ending: None,
            ended: false,
            keys: 0,
            tickets: 0,
            incarnations: 0,
        })
    }

    /// Sets what the jitter of back-offs is drawn from.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.dice = Dice::new(seed);
        self
    }

    /// Takes in a new child.
    pub fn start_child(
        &mut self,
        plan: impl Into<Arc<ChildPlan>>,
    ) -> Result<(ChildKey, DynamicAction), DynamicRefusal> {
        let plan = plan.into();
        plan.check(self.flags.auto_shutdown).map_err(DynamicRefusal::Invalid)?;
        plan.check_bonds(|_| false).map_err(DynamicRefusal::Invalid)?;
        if self.ending.is_some() {
            return Err(DynamicRefusal::Ending);
        }
        if self.max_children.is_some_and(|max| self.children.len() >= max) {
            return Err(DynamicRefusal::MaxChildren);
        }
        self.keys += 1;
        let key = ChildKey(self.keys);
        let incarnation = self.next_incarnation();
        let state = State::Starting { incarnation, first: true };
        let limit = plan.limit.as_ref();
        let window = limit.map(|limit| Box::new(RestartWindow::new(limit.intensity)));
        let child = Child { plan, state, attempts: 0, started: None, window };
        self.children.insert(key, Box::new(child));
        Ok((key, DynamicAction::Start(key, incarnation)))
    }

    /// Takes in what happened at `now` and returns what to do.
    pub fn step(&mut self, now: Moment, event: DynamicEvent) -> Vec<DynamicAction> {
        let mut actions = Vec::new();
        self.step_into(now, event, &mut actions);
        actions
    }

    /// The same, for whoever has a list at hand that what to do is added to.
    pub fn step_into(
        &mut self,
        now: Moment,
        event: DynamicEvent,
        actions: &mut Vec<DynamicAction>,
    ) {
        match event {
            DynamicEvent::Started(key, incarnation) => self.started(now, key, incarnation),
            DynamicEvent::StartFailed(key, incarnation) => {
                self.start_failed(now, key, incarnation, actions);
            }
            DynamicEvent::Ignored(key, incarnation) => {
                self.ignored(key, incarnation, actions);
            }
            DynamicEvent::Exited(key, incarnation, class) => {
                self.exited(now, (key, incarnation), class, actions);
            }
            DynamicEvent::Retry(key, ticket) => self.retry(key, ticket, actions),
            DynamicEvent::Terminate(key) => self.terminate(key, actions),
            DynamicEvent::Stop => self.exit(Verdict::Stopped, actions),
        }
        if self.children.is_empty()
            && !self.ended
            && let Some(verdict) = self.ending.clone()
        {
            self.ended = true;
            actions.push(DynamicAction::Exit(verdict));
        }
    }

    /// Lists the plans of the children, with whether each runs.
    pub fn children(&self) -> impl Iterator<Item = (ChildKey, &ChildPlan, bool)> {
        let running = |child: &Child| matches!(child.state, State::Running(_));
        self.children.iter().map(move |(key, child)| (key, &*child.plan, running(child)))
    }

    /// Tells whether the end has begun.
    pub const fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// Tells whether the child waits to be started again.
    pub fn is_restarting(&self, key: ChildKey) -> bool {
        self.children.get(key).is_some_and(|child| match child.state {
            State::Restarting(_) => true,
            State::Starting { first, .. } => !first,
            State::Running(_) | State::Stopping(_) => false,
        })
    }

    /// Tells whether the child is being stopped, or its start given up.
    pub fn is_stopping(&self, key: ChildKey) -> bool {
        let state = self.children.get(key).map(|child| child.state);
        matches!(state, Some(State::Stopping(_)))
    }

    /// Returns the restarts that count.
    pub const fn window(&self) -> &RestartWindow {
        &self.window
    }

    /// Counts the children.
    pub fn counts(&self) -> Counts {
        let is_supervisor = |child: &&Child| child.plan.kind == ChildKind::Supervisor;
        let supervisors = self.children.values().map(Box::as_ref).filter(is_supervisor).count();
        Counts {
            specs: self.children.len(),
            active: self.children().filter(|(_, _, running)| *running).count(),
            supervisors,
            workers: self.children.len() - supervisors,
        }
    }

    fn terminate(&mut self, key: ChildKey, actions: &mut Vec<DynamicAction>) {
        let Some(child) = self.children.get_mut(key) else { return };
        match child.state {
            State::Running(incarnation) | State::Starting { incarnation, .. } => {
                child.state = State::Stopping(incarnation);
                actions.push(DynamicAction::Stop(key, incarnation, child.plan.shutdown));
            }
            State::Restarting(_) => self.forget(key, actions),
            State::Stopping(_) => {}
        }
    }

    fn exit(&mut self, verdict: Verdict, actions: &mut Vec<DynamicAction>) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(verdict);
        let keys: Vec<ChildKey> = self.children.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.terminate(key, actions);
        }
    }

    fn forget(&mut self, key: ChildKey, actions: &mut Vec<DynamicAction>) {
        self.children.remove(key);
        actions.push(DynamicAction::Forget(key));
    }

    fn next_incarnation(&mut self) -> Incarnation {
        self.incarnations += 1;
        Incarnation(self.incarnations)
    }
}
