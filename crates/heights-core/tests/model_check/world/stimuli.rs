//! What may happen next.

use heights_core::{ChildId, ChildPlan, ExitClass};

use super::{Life, Subject, World};

/// What may happen next.
#[derive(Debug, Clone, PartialEq)]
pub enum Stimulus {
    Boot,
    Tick,
    Die(ChildId),
    /// The supervisor hears of an end.
    Hear(ChildId, ExitClass),
    Fire(ChildId),
    Stop,
    Terminate(ChildId),
    Restart(ChildId),
    Delete(ChildId),
    Add(ChildPlan),
    /// Somebody brings the list of specs with this number.
    Reconfigure(usize),
}

impl<S: Subject> World<S> {
    /// Lists what may happen now.
    pub fn stimuli(&self) -> Vec<Stimulus> {
        if self.ended {
            return Vec::new();
        }
        if self.history.is_empty() {
            return vec![Stimulus::Boot];
        }
        let mut stimuli = vec![Stimulus::Stop];
        if self.key().is_ageing() {
            stimuli.push(Stimulus::Tick);
        }
        stimuli.extend((0..self.setup.lists.len()).map(Stimulus::Reconfigure));
        for plan in self.setup.known() {
            let id = || plan.id.clone();
            stimuli.extend([Stimulus::Terminate(id()), Stimulus::Restart(id())]);
            match self.member(&plan.id).map(|member| member.life) {
                Some(Life::Up(_)) => stimuli.push(Stimulus::Die(id())),
                Some(Life::Dead(_)) => {
                    let classes = [ExitClass::Normal, ExitClass::Shutdown, ExitClass::Abnormal];
                    stimuli.extend(classes.map(|class| Stimulus::Hear(id(), class)));
                }
                Some(Life::Waiting(_)) => stimuli.push(Stimulus::Fire(id())),
                Some(Life::Down) | None => {}
            }
            if self.setup.edits {
                stimuli.extend([Stimulus::Delete(id()), Stimulus::Add(plan.clone())]);
            }
        }
        stimuli
    }
}
