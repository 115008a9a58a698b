//! By when children that were told to end have to be gone.
//!
//! One alarm serves all of them: children come and go by the thousand, and hardly one is late.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{join, join_all};
use heights_core::{ChildKey, Shutdown, Verdict};
use tokio::time::{Instant, timeout_at};

use super::State;
use crate::desk::Inbox;
use crate::dynamic::Msg;
use crate::exit::Exit;
use crate::keeper::gone_within;
use crate::process::Process;
use crate::zombie::Zombie;

/// What is to be done about children that are late, the earliest first.
#[derive(Default)]
pub(super) struct Deadlines {
    next: BTreeMap<(Instant, ChildKey), Step>,
    /// When the alarm rings that was set last.
    rings: Option<Instant>,
}

/// What is done about a child that is late.
enum Step {
    Kill,
    /// It was killed and is still there.
    Report,
}

impl State {
    /// Tells a child to end, and sees to it that it does.
    pub(super) fn stop(&mut self, key: ChildKey, shutdown: Shutdown) {
        let Some(process) = self.process_of(key) else { return };
        process.order_shutdown(shutdown);
        match shutdown {
            Shutdown::Brutal => self.set_deadline(key, process.kill_grace(), Step::Report),
            Shutdown::Timeout(limit) => self.set_deadline(key, limit, Step::Kill),
            Shutdown::Infinity => self.alarms.watch(async move {
                // Reports a zombie, if others kill it; how it ended comes in as a message.
                let _ended = gone_within(&process, shutdown).await;
            }),
        }
    }

    /// Does what is to be done about those that are late.
    pub(in crate::dynamic) fn overdue(&mut self) {
        self.deadlines.rings = None;
        let now = Instant::now();
        while let Some(entry) = self.deadlines.next.first_entry()
            && entry.key().0 <= now
        {
            let ((_, key), step) = entry.remove_entry();
            self.press(key, &step);
        }
        self.set_alarm();
    }

    /// Waits until all children are gone, if the supervisor is ending.
    pub(in crate::dynamic) async fn wait_for_the_end(&mut self) -> Option<Verdict> {
        let patient = self.children.values().filter_map(|child| {
            let forever = child.spec.plan.shutdown == Shutdown::Infinity;
            child.process.clone().filter(|_| forever)
        });
        let patient: Vec<Process> = patient.collect();
        let patience = patient.iter().map(|process| gone_within(process, Shutdown::Infinity));
        join(self.wait_for_deadlines(), join_all(patience)).await;
        let last = self.children.iter().filter_map(|(key, child)| {
            let process = child.process.as_ref()?;
            // A zombie has been reported; the end does not wait for it any longer.
            let exit = process.exit().filter(|_| !process.is_alive()).unwrap_or(Exit::Killed);
            Some((key, child.incarnation, exit))
        });
        let last: Vec<_> = last.collect();
        let exited = last.into_iter().map(|(key, life, exit)| self.exited(key, life, exit));
        exited.fold(None, |verdict, next| next.or(verdict))
    }

    /// Waits for one child after the other; all have been told to end, so all end meanwhile.
    async fn wait_for_deadlines(&mut self) {
        while let Some(((at, key), step)) = self.deadlines.next.pop_first() {
            let Some(process) = self.process_of(key) else { continue };
            if timeout_at(at, process.gone()).await.is_err() {
                self.press(key, &step);
            }
        }
    }

    pub(super) fn forget_deadline(&mut self, key: ChildKey, at: Instant) {
        self.deadlines.next.remove(&(at, key));
    }

    fn press(&mut self, key: ChildKey, step: &Step) {
        let Some(process) = self.process_of(key).filter(Process::is_alive) else { return };
        match step {
            Step::Kill => {
                process.kill();
                self.set_deadline(key, process.kill_grace(), Step::Report);
            }
            Step::Report => drop(Zombie::report(&process)),
        }
    }

    fn set_deadline(&mut self, key: ChildKey, limit: Duration, step: Step) {
        // One that is too far away to reckon with is none.
        let Some(at) = Instant::now().checked_add(limit) else { return };
        let Some(child) = self.children.get_mut(key) else { return };
        child.deadline = Some(at);
        self.deadlines.next.insert((at, key), step);
        self.set_alarm();
    }

    /// Sets the alarm for the earliest deadline, unless it rings before that anyway.
    fn set_alarm(&mut self) {
        let Some(((at, _), _)) = self.deadlines.next.first_key_value() else { return };
        if self.deadlines.rings.is_some_and(|rings| rings <= *at) {
            return;
        }
        self.deadlines.rings = Some(*at);
        let (delay, office) = (at.saturating_duration_since(Instant::now()), self.office.clone());
        self.alarms.set_after(Vec::new(), delay, move || {
            // A supervisor that is gone has its children reaped.
            let _nobody = office.deliver(Msg::Overdue);
        });
    }

    fn process_of(&self, key: ChildKey) -> Option<Process> {
        self.children.get(key)?.process.clone()
    }
}
