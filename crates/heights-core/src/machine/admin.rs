//! What somebody asks a supervisor to do with its children.

use super::{ChildState, Machine, Op, Purpose};
use crate::{Action, Answer, ChildId, ChildPlan, ChildRun, Refusal, SpecError, check_child_plans};

impl Machine {
    pub(super) fn start_child(&mut self, plan: ChildPlan, actions: &mut Vec<Action>) {
        let id = plan.id.clone();
        match self.family.state(&id) {
            Some(ChildState::Running(incarnation)) => {
                refuse(actions, Refusal::AlreadyStarted(ChildRun { id, incarnation }));
            }
            Some(_) => refuse(actions, Refusal::AlreadyPresent),
            None => match self.check(&plan) {
                Err(error) => refuse(actions, Refusal::Invalid(error)),
                Ok(()) => self.add(plan, actions),
            },
        }
    }

    fn check(&self, plan: &ChildPlan) -> Result<(), SpecError> {
        plan.check(self.flags.auto_shutdown)?;
        plan.check_bonds(|id| self.family.state(id).is_some())
    }

    fn add(&mut self, plan: ChildPlan, actions: &mut Vec<Action>) {
        let id = plan.id.clone();
        self.break_promises_to(&id);
        self.family.push(plan);
        match self.family.missing(&id).cloned() {
            None => self.perform(Op::Start(id), Purpose::Add),
            Some(on) => {
                self.family.remove(&id);
                refuse(actions, Refusal::DependencyDown(on));
            }
        }
    }

    pub(super) fn terminate_child(&mut self, id: &ChildId, actions: &mut Vec<Action>) {
        self.break_promises_to(id);
        match self.family.state(id) {
            None => refuse(actions, Refusal::NotFound),
            Some(ChildState::Running(_)) => {
                self.take_along(id);
                self.perform(Op::Stop(id.clone()), Purpose::Terminate);
            }
            Some(_) => {
                // The ticket of a pending retry dies with the state.
                self.family.set_stopped(id);
                if self.family.remove_if_temporary(id) {
                    actions.push(Action::Forget(id.clone()));
                }
                actions.push(Action::Answer(Answer::Done));
            }
        }
    }

    pub(super) fn restart_child(&mut self, id: &ChildId, actions: &mut Vec<Action>) {
        match self.startable(id) {
            Ok(()) => {
                self.break_promises_to(id);
                self.perform(Op::Start(id.clone()), Purpose::StartAgain(id.clone()));
            }
            Err(refusal) => refuse(actions, refusal),
        }
    }

    pub(super) fn delete_child(&mut self, id: &ChildId, actions: &mut Vec<Action>) {
        match self.idle(id) {
            Ok(()) => {
                self.family.remove(id);
                actions.push(Action::Forget(id.clone()));
                actions.push(Action::Answer(Answer::Done));
            }
            Err(refusal) => refuse(actions, refusal),
        }
    }

    pub(super) fn reconfigure(&mut self, plans: Vec<ChildPlan>, actions: &mut Vec<Action>) {
        match check_child_plans(&plans, self.flags.auto_shutdown) {
            Err(error) => refuse(actions, Refusal::Invalid(error)),
            Ok(()) => {
                self.promise_returns();
                self.family.reconfigure(plans);
                actions.push(Action::Answer(Answer::Done));
            }
        }
    }

    pub(super) fn answer_youngest(&self, actions: &mut Vec<Action>) {
        if let Some(id) = self.family.youngest().map(|plan| plan.id.clone()) {
            self.answer_started(&id, actions);
        }
    }

    pub(super) fn answer_started(&self, id: &ChildId, actions: &mut Vec<Action>) {
        if let Some(ChildState::Running(incarnation)) = self.family.state(id) {
            let run = ChildRun { id: id.clone(), incarnation };
            actions.push(Action::Answer(Answer::Started(run)));
        }
    }

    fn startable(&self, id: &ChildId) -> Result<(), Refusal> {
        self.idle(id)?;
        self.family.missing(id).cloned().map_or(Ok(()), |on| Err(Refusal::DependencyDown(on)))
    }

    fn idle(&self, id: &ChildId) -> Result<(), Refusal> {
        match self.family.state(id) {
            None => Err(Refusal::NotFound),
            Some(ChildState::Restarting(_)) => Err(Refusal::Restarting),
            Some(ChildState::Stopped) => Ok(()),
            Some(_) => Err(Refusal::Running),
        }
    }

    fn perform(&mut self, op: Op, purpose: Purpose) {
        self.plan.push_back(op);
        self.purpose = purpose;
    }
}

fn refuse(actions: &mut Vec<Action>, refusal: Refusal) {
    actions.push(Action::Answer(Answer::Refused(refusal)));
}
