//! The origin of what is built, as those see it who run commands of it: always the newest.

use tokio::sync::watch;

pub(crate) use ci_domain::origin::{JobKind, Origin, Party};

/// Tells those who run commands of a build where its code comes from.
#[derive(Debug)]
pub(crate) struct OriginTeller(watch::Sender<Origin>);

/// The newest origin that was told. It is read where a command is about to be spawned, and by then a
/// review may have been taken back, or a policy changed, since its build began.
#[derive(Clone, Debug)]
pub(crate) struct OriginView(watch::Receiver<Origin>);

impl OriginTeller {
    pub(crate) fn new(origin: Origin) -> Self {
        Self(watch::Sender::new(origin))
    }

    pub(crate) fn tell(&self, origin: Origin) {
        self.0.send_replace(origin);
    }

    pub(crate) fn view(&self) -> OriginView {
        OriginView(self.0.subscribe())
    }
}

impl OriginView {
    /// One that never changes.
    pub(crate) fn of(origin: Origin) -> Self {
        OriginTeller::new(origin).view()
    }

    pub(crate) fn newest(&self) -> Origin {
        self.0.borrow().clone()
    }
}
