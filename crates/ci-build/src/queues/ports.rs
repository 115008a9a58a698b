//! The ports that jobs may listen on: each running job has a block of its own.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Ports that each running job has for itself.
const PORTS_PER_JOB: u16 = 20;
/// The first port of the first job; below it are well-known services, above the last the kernel's
/// ephemeral ports (32768 and up on Linux).
pub(super) const FIRST_PORT: u16 = 20_000;
/// How many jobs have ports of their own at once; later ones share those of the first.
const PORT_SLOTS: u16 = 600;

/// The first port of people's shells, after those of all jobs.
pub(crate) const SHELL_PORTS: u16 = FIRST_PORT + PORT_SLOTS * PORTS_PER_JOB;

/// Which blocks of ports are taken.
#[derive(Default)]
pub(super) struct Ports(Mutex<BTreeSet<u16>>);

/// A block of ports, free again when it is dropped.
pub(super) struct PortSlot {
    ports: Arc<Ports>,
    pub(super) base: u16,
}

impl Ports {
    /// A block that nobody has, or the first where all are taken.
    pub(super) fn claim(ports: &Arc<Self>) -> PortSlot {
        let bases = (0..PORT_SLOTS).map(|slot| FIRST_PORT + slot * PORTS_PER_JOB);
        let mut taken = ports.0.lock().unwrap_or_else(PoisonError::into_inner);
        let base = bases.into_iter().find(|base| !taken.contains(base)).unwrap_or(FIRST_PORT);
        taken.insert(base);
        drop(taken);
        PortSlot { ports: Arc::clone(ports), base }
    }

    /// The block of a job that has it already.
    pub(super) fn claim_again(ports: &Arc<Self>, base: u16) -> PortSlot {
        ports.0.lock().unwrap_or_else(PoisonError::into_inner).insert(base);
        PortSlot { ports: Arc::clone(ports), base }
    }
}

impl Drop for PortSlot {
    fn drop(&mut self) {
        self.ports.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.base);
    }
}
