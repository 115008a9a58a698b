//! Who may be started or stopped now.

use heights_core::{ChildId, ChildRun, Shutdown};

use super::{Pending, Turn};
use crate::world::{Life, Stimulus, Subject};

impl<S: Subject> Turn<S> {
    pub(super) fn start(&mut self, run: ChildRun) -> Result<Pending, String> {
        let at = self.world.position(&run.id).ok_or_else(|| format!("{run:?} is unknown"))?;
        if self.world.ending.is_some() {
            return Err(format!("starts {run:?} after the end has begun"));
        }
        if !self.may_start(&run.id) {
            return Err(format!("starts {run:?}, which nobody asked for"));
        }
        if self.world.members[at].life != Life::Down {
            return Err(format!("a second life: {run:?} and {:?}", self.world.members[at].life));
        }
        if run.incarnation <= self.world.incarnation {
            return Err(format!("{run:?} had its number before"));
        }
        if self.last_start.is_some_and(|last| last >= at) {
            return Err(format!("starts {run:?} out of order"));
        }
        if let Some(missing) = self.world.missing_to(&self.world.members[at].plan) {
            return Err(format!("starts {run:?} without {missing}"));
        }
        if let Some(old) = self.in_the_way(at) {
            return Err(format!("starts {run:?} while {old} still runs"));
        }
        self.world.incarnation = run.incarnation;
        self.last_start = Some(at);
        self.last_stop = None;
        self.started.push(run.clone());
        Ok(Pending::Start(run))
    }

    fn may_start(&self, id: &ChildId) -> bool {
        match &self.stimulus {
            Stimulus::Boot => true,
            Stimulus::Hear(..) | Stimulus::Fire(_) => self.fellows.contains(id),
            Stimulus::Restart(asked) => asked == id || self.world.dependants(asked).contains(id),
            Stimulus::Add(asked) => asked.id == *id,
            _ => false,
        }
    }

    /// Returns who must be gone before the child at this place starts, and is not.
    fn in_the_way(&self, at: usize) -> Option<ChildId> {
        let is_new = |id: &ChildId| self.started.iter().any(|run| run.id == *id);
        let others =
            self.world.members.iter().enumerate().filter(|(_, m)| m.life.running().is_some());
        let mut in_the_way = others.filter(|(place, member)| match self.stimulus {
            Stimulus::Boot => *place > at,
            Stimulus::Hear(..) | Stimulus::Fire(_) => {
                let id = &member.plan.id;
                self.fellows.contains(id) && !is_new(id)
            }
            _ => false,
        });
        in_the_way.next().map(|(_, member)| member.plan.id.clone())
    }

    pub(super) fn stop(&mut self, run: ChildRun, shutdown: Shutdown) -> Result<Pending, String> {
        let at = self.world.position(&run.id).ok_or_else(|| format!("{run:?} is unknown"))?;
        let member = &self.world.members[at];
        if member.life.running() != Some(run.incarnation) || member.plan.shutdown != shutdown {
            return Err(format!("stops {run:?} by {shutdown:?}, which is {member:?}"));
        }
        if self.last_stop.is_some_and(|last| last <= at) {
            return Err(format!("stops {run:?} out of order"));
        }
        if !self.may_stop(at) {
            return Err(format!("stops {run:?}, which does not share that fate"));
        }
        self.last_stop = Some(at);
        self.last_start = None;
        Ok(Pending::Stop(run))
    }

    fn may_stop(&self, at: usize) -> bool {
        let id = &self.world.members[at].plan.id;
        let asked = matches!(&self.stimulus, Stimulus::Terminate(asked) if asked == id);
        let shares = self.fellows.contains(id) || self.along.contains(id);
        asked || shares || self.world.ending.is_some()
    }
}
