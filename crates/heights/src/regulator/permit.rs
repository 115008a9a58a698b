//! What is given back by dropping it.

use super::Regulator;

/// Allows one piece of work; dropping it lets the next in line go on.
#[derive(Debug)]
#[must_use = "the permit is given back when it is dropped"]
pub struct Permit(Regulator);

/// Keeps a queue from admitting anything new; dropping it lets admission go on.
#[derive(Debug)]
#[must_use = "admission goes on when the hold is dropped"]
pub struct Hold(Regulator);

impl Permit {
    pub(super) fn new(regulator: Regulator) -> Self {
        Self(regulator)
    }

    /// Returns the queue that gave the permit.
    pub fn regulator(&self) -> &Regulator {
        &self.0
    }
}

impl Hold {
    pub(super) fn new(regulator: Regulator) -> Self {
        Self(regulator)
    }

    /// Lets admission go on, the same as dropping the hold.
    pub fn resume(self) {
        drop(self);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.family.release(self.0.queue);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.family.unhold(self.0.queue);
    }
}
