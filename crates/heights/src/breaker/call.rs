//! A call under way.

use heights_core::{Outcome, Pass};

use super::Breaker;

/// Tells the breaker how a call went, also if nobody waits for its end.
pub(super) struct Call<'a> {
    breaker: &'a Breaker,
    pass: Pass,
    told: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(breaker: &'a Breaker, pass: Pass) -> Self {
        Self { breaker, pass, told: false }
    }

    pub(super) fn tell(&mut self, outcome: Outcome) {
        self.told = true;
        self.breaker.change(|state, now| state.machine.tell(now, &self.pass, outcome));
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.told {
            let panics = std::thread::panicking();
            self.tell(if panics { Outcome::Failure } else { Outcome::Unknown });
        }
    }
}
