//! Doing what the machine of a dynamic supervisor decides.

use std::time::Duration;

use heights_core::{ChildKey, DynamicAction, Incarnation, Verdict};

use super::State;
use crate::admin::{ChildStarted, StartChildError};
use crate::desk::Inbox;
use crate::dynamic::Msg;
use crate::keeper::StartFailure;
use crate::launch::launch_child;
use crate::process::Process;
use crate::report::ReportContext;

impl State {
    pub(super) fn perform(&mut self, action: DynamicAction) -> Option<Verdict> {
        match action {
            DynamicAction::Start(key, incarnation) => self.launch(key, incarnation),
            DynamicAction::Stop(key, _, shutdown) => self.stop(key, shutdown),
            DynamicAction::Retry { key, ticket, after } => self.arm(key, ticket, after),
            DynamicAction::Left(key) => self.left(key),
            DynamicAction::Forget(key) => self.forget(key),
            DynamicAction::Exit(verdict) => {
                if verdict == Verdict::ReachedMaxIntensity {
                    self.voice.give_up();
                }
                return Some(verdict);
            }
        }
        None
    }

    fn launch(&mut self, key: ChildKey, incarnation: Incarnation) {
        let Some(child) = self.children.get_mut(key) else { return };
        child.incarnation = incarnation;
        if !child.remains().is_empty() {
            // A supervisor that is gone has no use for it.
            let _nobody = self.office.deliver(Msg::NotFree(key, incarnation));
            return;
        }
        child.lives += 1;
        let news = self.office.clone().into_news();
        let process = launch_child(&child.spec, &self.process, child.lives, news);
        if let Some(last) = &child.last {
            self.keys.remove(last.pid());
        }
        self.keys.insert(process.pid(), key);
        child.process = Some(process);
    }

    fn arm(&mut self, key: ChildKey, ticket: u64, after: Duration) {
        let Some(child) = self.children.get_mut(key) else { return };
        child.waited = true;
        child.spec.place.set_restarting(true);
        let path = self.process.path_of(child.spec.id());
        self.process.hub().waits(path, child.spec.id().clone(), after);
        let office = self.office.clone();
        let retry = move || {
            // A supervisor that is gone restarts nobody.
            let _nobody = office.deliver(Msg::Retry(key, ticket));
        };
        self.alarms.set_after(child.remains(), after, retry);
    }

    /// Tells everyone that a child is up.
    pub(super) fn announce(&mut self, key: ChildKey) {
        let Some(child) = self.children.get_mut(key) else { return };
        let Some(process) = child.process.clone() else { return };
        child.spec.forget_start_if_temporary();
        self.voice.progress(&process);
        if let Some(reply) = child.on_started.take() {
            reply.send(Ok(ChildStarted::of(process)));
        }
    }

    pub(super) fn ignored(&mut self, key: ChildKey) {
        let Some(child) = self.children.get_mut(key) else { return };
        if let Some(process) = child.process.take() {
            child.last = Some(process);
        }
        if let Some(reply) = child.on_started.take() {
            reply.send(Err(StartChildError::Ignored));
        }
    }

    pub(super) fn did_not_start(&mut self, key: ChildKey, failure: StartFailure) {
        let Some(child) = self.children.get_mut(key) else { return };
        let exit = failure.to_exit();
        let pid = child.process.as_ref().map(Process::pid);
        if let Some(process) = child.process.take() {
            child.last = Some(process);
        }
        let id = child.spec.id().clone();
        if !self.machine.is_stopping(key) {
            self.voice.complain(ReportContext::StartError, &id, pid, &exit);
        }
        if let Some(reply) = child.on_started.take() {
            reply.send(Err(StartChildError::Failed { id, cause: failure }));
        }
    }

    fn left(&self, key: ChildKey) {
        if let Some(child) = self.children.get(key)
            && let Some(process) = &child.last
            && let Some(exit) = process.exit()
        {
            self.voice.left(child.spec.id(), process.pid(), exit);
        }
    }

    fn forget(&mut self, key: ChildKey) {
        let Some(child) = self.children.remove(key).map(|child| *child) else { return };
        if let Some(pid) = child.process.map(|process| process.pid()) {
            self.keys.remove(pid);
        }
        if let Some(last) = child.last {
            self.keys.remove(last.pid());
        }
        if let Some(at) = child.deadline {
            self.forget_deadline(key, at);
        }
        child.spec.place.set_restarting(false);
        if child.waited {
            self.process.hub().waits_no_more(&self.process.path_of(child.spec.id()));
        }
        for reply in child.on_terminated {
            reply.send(Ok(()));
        }
    }
}
