//! What a dynamic supervisor knows of its children, and what it tells the machine about them.

mod deadlines;
mod perform;

use std::sync::Arc;

use heights_core::{
    ChildKey, DynamicAction, DynamicEvent, DynamicMachine, Incarnation, Rows, SpecError, Verdict,
};
use tokio::time::Instant;

use self::deadlines::Deadlines;
use super::builder::Config;
use super::office::Office;
use super::run::Msg;
use crate::admin::{AdminError, ChildInfo, ChildStarted, ChildStatus, StartChildError};
use crate::exit::Exit;
use crate::keeper::{Keeper, StartFailure};
use crate::process::{Process, ProcessId};
use crate::reply::Reply;
use crate::report::ReportContext;
use crate::reporter::Voice;
use crate::spec::ChildSpec;
use crate::timer::Alarms;
use crate::zombie::remains_of;

pub(super) struct State {
    office: Office,
    process: Process,
    machine: DynamicMachine,
    /// On the heap one by one, so that a table that grows moves hardly anything.
    children: Rows<ChildKey, Box<Child>>,
    keys: Rows<ProcessId, ChildKey>,
    /// Empty, but for its room.
    actions: Vec<DynamicAction>,
    origin: Instant,
    deadlines: Deadlines,
    alarms: Alarms,
    voice: Voice,
    /// The process is not gone before this is, whoever is at work with it.
    _keeper: Arc<Keeper>,
}

struct Child {
    spec: ChildSpec,
    lives: u32,
    incarnation: Incarnation,
    process: Option<Process>,
    /// The life that ended last, which may have left something below it.
    last: Option<Process>,
    /// Whether it has ever waited to be started again.
    waited: bool,
    on_started: Option<Reply<Result<ChildStarted, StartChildError>>>,
    on_terminated: Vec<Reply<Result<(), AdminError>>>,
    /// By when it has to be gone, if it was told to end.
    deadline: Option<Instant>,
}

impl State {
    pub(super) fn new(
        config: &Config,
        office: Office,
        keeper: &Arc<Keeper>,
    ) -> Result<Self, SpecError> {
        let process = keeper.process().clone();
        let machine = DynamicMachine::new(config.flags, config.max_children)?
            .with_seed(process.pid().number());
        Ok(Self {
            office,
            machine,
            children: Rows::default(),
            keys: Rows::default(),
            actions: Vec::new(),
            origin: Instant::now(),
            deadlines: Deadlines::default(),
            alarms: Alarms::default(),
            voice: Voice::new(process.clone(), config.reporter.clone()),
            process,
            _keeper: Arc::clone(keeper),
        })
    }

    /// Deals with one message; returns how the supervisor ends if that is its end.
    pub(super) fn handle(&mut self, message: Msg) -> Option<Verdict> {
        match message {
            Msg::StartChild(spec, reply) => self.start_child(spec, reply),
            Msg::TerminateChild(pid, reply) => self.terminate_child(pid, reply),
            Msg::GetChildSpec(pid, reply) => {
                reply.send(self.spec(pid).ok_or(AdminError::NotFound));
            }
            Msg::WhichChildren(reply) => reply.send(self.which_children()),
            Msg::CountChildren(reply) => reply.send(self.machine.counts()),
            Msg::Started(pid, outcome) => {
                let (key, incarnation) = self.life_of(pid)?;
                return self.started(key, incarnation, outcome);
            }
            Msg::NotFree(key, incarnation) => {
                return self.started(key, incarnation, Err(StartFailure::Zombie));
            }
            Msg::Exited { pid, exit, .. } => {
                let (key, incarnation) = self.life_of(pid)?;
                return self.exited(key, incarnation, exit);
            }
            Msg::Retry(key, ticket) => return self.feed(DynamicEvent::Retry(key, ticket)),
            Msg::Overdue => self.overdue(),
        }
        None
    }

    fn start_child(
        &mut self,
        spec: ChildSpec,
        reply: Reply<Result<ChildStarted, StartChildError>>,
    ) {
        let (key, start) = match self.machine.start_child(Arc::clone(&spec.plan)) {
            Ok(taken) => taken,
            Err(refusal) => return reply.send(Err(refusal.into())),
        };
        let child = Child {
            spec,
            lives: 0,
            incarnation: Incarnation(0),
            process: None,
            last: None,
            waited: false,
            on_started: Some(reply),
            on_terminated: Vec::new(),
            deadline: None,
        };
        self.children.insert(key, Box::new(child));
        self.perform(start);
    }

    fn terminate_child(&mut self, pid: ProcessId, reply: Reply<Result<(), AdminError>>) {
        let Some(key) = self.keys.get(pid).copied() else {
            let alive = self.process.hub().process(pid).is_some();
            return reply.send(if alive { Err(AdminError::NotFound) } else { Ok(()) });
        };
        if let Some(child) = self.children.get_mut(key) {
            child.on_terminated.push(reply);
        }
        self.feed(DynamicEvent::Terminate(key));
    }

    fn started(
        &mut self,
        key: ChildKey,
        incarnation: Incarnation,
        outcome: Result<(), StartFailure>,
    ) -> Option<Verdict> {
        match outcome {
            Ok(()) => {
                let verdict = self.feed(DynamicEvent::Started(key, incarnation));
                self.announce(key);
                verdict
            }
            Err(StartFailure::Ignored) => {
                self.ignored(key);
                self.feed(DynamicEvent::Ignored(key, incarnation))
            }
            Err(failure) => {
                self.did_not_start(key, failure);
                self.feed(DynamicEvent::StartFailed(key, incarnation))
            }
        }
    }

    pub(super) fn exited(
        &mut self,
        key: ChildKey,
        incarnation: Incarnation,
        exit: Exit,
    ) -> Option<Verdict> {
        if let Some(child) = self.children.get_mut(key)
            && let Some(process) = child.process.take()
        {
            let stopping = self.machine.is_stopping(key);
            let restarts = child.spec.plan.restart.restarts_after(exit.class()) && !stopping;
            child.spec.place.set_restarting(restarts);
            let (id, shutdown) = (child.spec.id(), child.spec.plan.shutdown);
            if stopping {
                self.voice.stopped(id, process.pid(), shutdown, &exit);
            } else if restarts || exit.is_abnormal() {
                let context = ReportContext::ChildTerminated;
                self.voice.complain(context, id, Some(process.pid()), &exit);
            }
            child.last = Some(process);
        }
        self.feed(DynamicEvent::Exited(key, incarnation, exit.class()))
    }

    /// Finds the child whose present life this is.
    fn life_of(&self, pid: ProcessId) -> Option<(ChildKey, Incarnation)> {
        let key = *self.keys.get(pid)?;
        let child = self.children.get(key)?;
        let present = child.process.as_ref().is_some_and(|process| process.pid() == pid);
        present.then_some((key, child.incarnation))
    }

    /// Returns the spec of a child, as it holds from its next start on.
    fn spec(&self, pid: ProcessId) -> Option<ChildSpec> {
        let child = self.children.get(*self.keys.get(pid)?)?;
        Some(child.spec.clone())
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    fn which_children(&self) -> Vec<ChildInfo> {
        let describe = |(key, plan, running): (ChildKey, &heights_core::ChildPlan, bool)| {
            let process = self.children.get(key).and_then(|child| child.process.clone());
            let status = match process {
                _ if self.machine.is_restarting(key) => ChildStatus::Restarting,
                Some(process) if running => ChildStatus::Running(process),
                _ => ChildStatus::Changing,
            };
            ChildInfo { id: plan.id.clone(), kind: plan.kind, restart: plan.restart, status }
        };
        self.machine.children().map(describe).collect()
    }

    pub(super) fn feed(&mut self, event: DynamicEvent) -> Option<Verdict> {
        let restarts = self.machine.window().total();
        let mut actions = std::mem::take(&mut self.actions);
        self.machine.step_into(self.origin.elapsed(), event, &mut actions);
        if self.machine.window().total() != restarts {
            self.process.note_restarts(self.machine.window().total());
        }
        let perform = |verdict, action| self.perform(action).or(verdict);
        let verdict = actions.drain(..).fold(None, perform);
        self.actions = actions;
        verdict
    }

    /// Tells whether the end has begun.
    pub(super) const fn is_ending(&self) -> bool {
        self.machine.is_ending()
    }
}

impl Child {
    /// Lists what is left of earlier lives and forbids another one.
    fn remains(&self) -> Vec<Process> {
        self.last.iter().flat_map(remains_of).collect()
    }
}
