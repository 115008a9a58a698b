//! How the runtime leads a process through its life.

use std::sync::Arc;
use std::time::Duration;

use heights_core::{ChildId, Shutdown};
use ractor::ActorCell;

use super::milestones::Milestone;
use super::{Activity, Mailroom, Process, ProcessId, StartInfo};
use crate::exit::Exit;
use crate::hub::Shape;
use crate::keeper::StartFailure;
use crate::spec::Limits;
use crate::thread::Site;
use crate::zombie::ZombiePolicy;

impl Process {
    fn limits(&self) -> &Limits {
        self.0.birth.spec.patience.with(self.kind())
    }

    pub(crate) fn activity(&self) -> &Activity {
        &self.0.activity
    }

    pub(crate) fn shared_path(&self) -> Arc<str> {
        Arc::clone(self.whole_path())
    }

    pub(super) fn whole_path(&self) -> &Arc<str> {
        self.occasions().path.get_or_init(|| match self.parent() {
            Some(parent) => parent.path_of(self.id()),
            None => Arc::from(self.id().as_str()),
        })
    }

    /// Returns the path of a child of this process.
    pub(crate) fn path_of(&self, child: &ChildId) -> Arc<str> {
        Arc::from([self.path(), child.as_str()].join("/"))
    }

    /// Returns how a supervisor treats its children, and how many restarts count right now.
    pub(crate) fn shape(&self) -> Option<Shape> {
        self.0.reign.as_ref().map(|reign| reign.shape())
    }

    /// Notes how many restarts the supervisor has counted so far.
    pub(crate) fn note_restarts(&self, total: u64) {
        if let Some(reign) = &self.0.reign {
            reign.note_restarts(total);
        }
    }

    /// Tells whether its supervisor will start another life after this exit, unless it gives up.
    pub(crate) fn expects_restart(&self, exit: &Exit) -> bool {
        let rule = self.restart().is_some_and(|restart| restart.restarts_after(exit.class()));
        let ordered = self.0.milestones.passed(Milestone::Ordered);
        rule && !ordered && !self.parent().is_some_and(Self::is_stopping)
    }

    /// Makes the mailbox known, so that the process can be stopped and killed.
    pub(crate) fn attach(&self, cell: ActorCell) {
        // A process is attached once, at the start of its only life.
        let _attached_before = self.0.cell.set(cell);
    }

    /// Makes the queue of a server known, so that it can be counted and held back.
    pub(crate) fn serve(&self, mailroom: Arc<dyn Mailroom>) {
        // A process serves one queue, from the start of its only life.
        let _served_before = self.0.mailroom.set(mailroom);
    }

    /// Tells whether a server is to leave what waits alone: it is to stop, or is suspended.
    pub(crate) fn is_held_back(&self) -> bool {
        self.0.milestones.is_held_back()
    }

    pub(crate) fn cell(&self) -> Option<&ActorCell> {
        self.0.cell.get()
    }

    /// Keeps what the process wants whoever started it to know; what was said first stays.
    pub(crate) fn inform_starter(&self, info: StartInfo) {
        self.occasions().start_info.get_or_init(|| info);
    }

    pub(crate) fn start_info(&self) -> Option<StartInfo> {
        self.0.occasions.get()?.start_info.get().cloned()
    }

    /// Asks the process to stop; the first reason given is the one it leaves with.
    pub(crate) fn stop_with(&self, exit: Exit) {
        self.set_farewell(exit);
        self.0.milestones.pass(Milestone::Stopping);
        if let Some(cell) = self.cell() {
            cell.stop(None);
        }
    }

    pub(crate) fn set_farewell(&self, exit: Exit) {
        self.occasions().farewell.get_or_init(|| exit);
    }

    /// The exit to leave with if nothing goes wrong on the way out.
    pub(crate) fn farewell(&self) -> Exit {
        self.occasions().farewell.get().cloned().unwrap_or(Exit::Normal)
    }

    /// Settles how the process ended; the first answer stays.
    pub(crate) fn settle(&self, exit: Exit) -> Exit {
        self.occasions().exit.get_or_init(|| exit).clone()
    }

    /// Asks the process to end by the rules of a child spec, or kills it if they say so. The first
    /// order stands; when its limit has passed, whoever gave it has to see to it.
    pub(crate) fn order_shutdown(&self, shutdown: Shutdown) {
        let order = *self.occasions().order.get_or_init(|| shutdown);
        self.0.milestones.pass(Milestone::Ordered);
        match order {
            Shutdown::Brutal => self.kill(),
            Shutdown::Timeout(_) | Shutdown::Infinity => self.stop(),
        }
    }

    /// Tells whether it was told to end by the rules of a child spec.
    pub(crate) fn was_told_to_end(&self) -> bool {
        self.0.milestones.passed(Milestone::Ordered)
    }

    /// Tells whether it was killed because its spec says that it is stopped by killing it.
    pub(crate) fn was_killed_in_order(&self, exit: &Exit) -> bool {
        matches!(exit, Exit::Killed) && self.occasions().order.get() == Some(&Shutdown::Brutal)
    }

    pub(crate) async fn shutdown_ordered(&self) -> Shutdown {
        self.0.milestones.reached(Milestone::Ordered).await;
        self.occasions().order.get().copied().unwrap_or(Shutdown::Infinity)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.milestones.is_ending()
    }

    pub(crate) fn stop_requested(&self) -> impl Future<Output = ()> {
        self.0.milestones.reached(Milestone::Stopping)
    }

    pub(crate) fn kill_requested(&self) -> impl Future<Output = ()> {
        self.0.milestones.reached(Milestone::Killing)
    }

    /// Returns how long the process may take to come up.
    pub(crate) fn start_timeout(&self) -> Option<Duration> {
        self.limits().start_timeout
    }

    /// Returns how long the process may take to be gone once it has been killed.
    pub(crate) fn kill_grace(&self) -> Duration {
        self.limits().kill_grace
    }

    pub(crate) fn zombie_policy(&self) -> ZombiePolicy {
        self.limits().zombie_policy
    }

    /// Returns where its code runs.
    pub(crate) fn site(&self) -> &Site {
        &self.0.site
    }

    pub(crate) fn set_up(&self) {
        self.0.milestones.pass(Milestone::Up);
    }

    /// Tells whether it has come up.
    pub(crate) fn is_up(&self) -> bool {
        self.0.milestones.passed(Milestone::Up)
    }

    /// Waits until it is up, or did not come up and nothing is left of it.
    pub(crate) async fn up(&self) -> Result<(), StartFailure> {
        self.0.milestones.decided().await;
        if self.is_up() { Ok(()) } else { Err(self.start_failure()) }
    }

    /// Keeps why it does not come up.
    pub(crate) fn set_start_failure(&self, failure: StartFailure) {
        self.occasions().failure.get_or_init(|| failure);
    }

    /// Returns why it did not come up; one of which nothing is known was killed before.
    pub(crate) fn start_failure(&self) -> StartFailure {
        self.occasions().failure.get().cloned().unwrap_or(StartFailure::Stopped)
    }

    pub(crate) fn set_failed(&self) {
        self.0.milestones.pass(Milestone::Failed);
    }

    pub(crate) fn set_zombie(&self) {
        self.0.milestones.pass(Milestone::Zombie);
    }

    /// Tells whether it has been reported that the process does not end.
    pub(crate) fn is_zombie(&self) -> bool {
        self.0.milestones.passed(Milestone::Zombie)
    }

    /// Ends its token, which runs the hooks of others.
    pub(crate) fn end_ownership(&self) {
        self.occasions().ownership.end();
    }

    pub(crate) fn set_gone(&self) {
        self.0.milestones.pass(Milestone::Gone);
    }

    pub(crate) fn tell_downs(&self, exit: &Exit) {
        self.occasions().downs.tell(self.0.pid, exit);
    }

    pub(crate) fn adopt(&self, child: Self) {
        if let Some(reign) = &self.0.reign {
            reign.adopt(child);
        }
    }

    pub(crate) fn disown(&self, child: ProcessId) {
        if let Some(reign) = &self.0.reign {
            reign.disown(child);
        }
    }

    pub(crate) fn children(&self) -> Vec<Self> {
        self.0.reign.as_ref().map_or_else(Vec::new, |reign| reign.children())
    }
}
