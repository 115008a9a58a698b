//! What those who look in may ask of a process, beside its figures.

use std::sync::Arc;
use std::time::Duration;

use heights_core::{ChildKind, ChildPlan};
use heights_registry::Owner;

use super::{Process, Tracer, TracerId};
use crate::inspect::{Exhibition, Sight};

impl Process {
    /// Looks at the state of a server or task, in at most about so many bytes; a server is waited
    /// for, for so long at most.
    ///
    /// It answers between two messages, in front of all that wait; so does one that is suspended.
    pub async fn look(&self, bytes: usize, patience: Duration) -> Sight {
        let exhibit = match self.activity().exhibition() {
            Some(Exhibition::OnRequest(exhibit)) => exhibit,
            Some(Exhibition::Open(window)) => return window.look(bytes),
            None => return Sight::Hidden,
        };
        let wake = || {
            if let Some(mailroom) = self.0.mailroom.get() {
                mailroom.wake();
            }
        };
        exhibit.look(bytes, patience, wake).await
    }

    /// Has a tracer hear of every message, from the one that is being handled on, until it is
    /// taken back.
    pub fn trace(&self, tracer: Arc<dyn Tracer>) -> TracerId {
        self.activity().trace(tracer)
    }

    /// Takes a tracer back.
    pub fn untrace(&self, id: TracerId) {
        self.activity().untrace(id);
    }

    /// Makes a server end when it has handled what waits; nothing more is taken, and whoever sends
    /// is told that there is no process. Its supervisor then reacts as to a stop.
    ///
    /// A suspended server handles nothing before it is resumed. Whatever is no server is not
    /// drained, and `false` is returned.
    pub fn drain(&self) -> bool {
        let mailroom = self.0.mailroom.get();
        mailroom.inspect(|mailroom| mailroom.drain()).is_some()
    }

    /// Returns the token of the process, if somebody has asked for it.
    pub fn known_owner(&self) -> Option<&Owner> {
        self.0.occasions.get()?.ownership.known()
    }

    /// Returns what its supervisor was told about it.
    pub(crate) fn plan(&self) -> &ChildPlan {
        &self.0.birth.spec.plan
    }

    /// Tells whether it is an actor that has nothing of ours inside.
    pub(crate) fn runs_a_plain_actor(&self) -> bool {
        self.kind() == ChildKind::Worker && self.0.mailroom.get().is_none()
    }

    /// Tells whether it takes no more messages, and ends when it has handled what waits.
    pub fn is_draining(&self) -> bool {
        self.0.mailroom.get().is_some_and(|mailroom| mailroom.is_draining())
    }
}
