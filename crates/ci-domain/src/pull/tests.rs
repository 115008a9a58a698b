//! What happens to pull requests, as stories and at random.

mod convergence;
mod stories;
mod trust;

use super::*;

impl Pull {
    /// What a restart would find again.
    pub(crate) fn without_volatile_parts(mut self) -> Self {
        self.preparing = None;
        self.trouble = None;
        self.asked.clear();
        self.disk = Disk::Ok;
        self.doubted = false;
        self
    }
}
