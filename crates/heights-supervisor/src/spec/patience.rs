//! How long a child is waited for, beyond what its supervisor decides by.

use std::sync::Arc;
use std::time::Duration;

use heights_core::ChildKind;

use crate::zombie::ZombiePolicy;

/// How long a worker may take to come up, unless its spec says otherwise: long enough to replay
/// a large state from a slow disk, short enough to be noticed.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a killed child may take to be gone before it is reported as a zombie, unless its spec
/// says otherwise. Killing takes effect at the next await; what computes for longer is found.
const KILL_GRACE: Duration = Duration::from_secs(5);

static OF_WORKERS: Limits = Limits::usual(Some(START_TIMEOUT));

/// As long as their children take.
static OF_SUPERVISORS: Limits = Limits::usual(None);

/// How long a child is waited for, and what becomes of it after that.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Until it has come up.
    pub(crate) start_timeout: Option<Duration>,
    /// Until it is gone when it has been killed.
    pub(crate) kill_grace: Duration,
    pub(crate) zombie_policy: ZombiePolicy,
}

impl Limits {
    const fn usual(start_timeout: Option<Duration>) -> Self {
        Self { start_timeout, kill_grace: KILL_GRACE, zombie_policy: ZombiePolicy::Wait }
    }
}

/// The limits of a child; as those of most are the usual ones, it mostly takes no room for them.
#[derive(Clone, Default)]
pub(crate) struct Patience(Option<Arc<Limits>>);

impl Patience {
    pub(crate) fn with(&self, kind: ChildKind) -> &Limits {
        self.0.as_deref().unwrap_or(usual(kind))
    }

    pub(super) fn set(&mut self, kind: ChildKind, change: impl FnOnce(&mut Limits)) {
        change(Arc::make_mut(self.0.get_or_insert_with(|| Arc::new(*usual(kind)))));
    }
}

const fn usual(kind: ChildKind) -> &'static Limits {
    match kind {
        ChildKind::Supervisor => &OF_SUPERVISORS,
        ChildKind::Worker | ChildKind::Task => &OF_WORKERS,
    }
}
