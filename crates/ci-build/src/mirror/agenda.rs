//! What the mirror's actor does next, decided without doing it.
//!
//! ```text
//! wanted ─► waiting ─► carried out ──────────────────────► answered
//!             ▲  ▲        │    │                               ▲
//!             │  │  lacks │    │ git failed                    │
//!             │  └ fetch ◄┘    ▼                               │
//!             │         ▲   the mirror is looked at ── sound ──┤
//!             │         └───────── sound, nothing fetched ─────┘
//!             └─────────────────── replaced
//! ```
//!
//! There is one fetch at a time, which takes all that is lacking when it begins: however many heads
//! arrive while one is under way, the next brings them all. The mirror is looked at while nothing else
//! happens to it.

use std::collections::BTreeSet;

use ci_domain::ids::CommitSha;

use crate::mirror::prepare::PrepareFault;
use crate::mirror::wish::{Effort, Wish};

/// Wishes that are carried out at once for one repository.
const AT_ONCE: usize = 4;
/// What one fetch brings at most: all wait for the slowest, and each is on git's command line.
const TOGETHER: usize = 100;

/// What is to be done.
#[derive(Debug)]
pub(super) enum Step {
    /// Merge and plan, or read a policy.
    Carry(Wish),
    /// Fetch what these lack.
    Fetch(Vec<Wish>),
    /// Look whether the mirror is broken, and replace it then.
    Look,
}

/// Why a wish is not granted now, and whether that is the end of it.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is tried again, or somebody wants something newer.
    Again,
    /// Nothing will come of it; its owner has to be told.
    Refused(Wish, String),
}

/// Who waits for what.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    waiting: Vec<Wish>,
    lacking: Vec<Wish>,
    /// Git failed them, for the reason beside.
    doubtful: Vec<(Wish, String)>,
    carrying: usize,
    is_fetching: bool,
    is_looking: bool,
    /// Heads that were answered for; what is wanted for them again is less urgent.
    known: BTreeSet<CommitSha>,
}

impl Agenda {
    /// Takes up a wish. Of preparations, only the newest of each pull request or branch counts.
    pub(super) fn add(&mut self, wish: Wish) {
        self.waiting.retain(|older| !wish.replaces(older));
        self.lacking.retain(|older| !wish.replaces(older));
        self.doubtful.retain(|(older, _)| !wish.replaces(older));
        self.waiting.push(wish);
    }

    /// What to do next, if anything; it is under way then.
    pub(super) fn next(&mut self) -> Option<Step> {
        if self.is_looking {
            return None;
        }
        if !self.doubtful.is_empty() {
            self.is_looking = self.carrying == 0 && !self.is_fetching;
            return self.is_looking.then_some(Step::Look);
        }
        if !self.is_fetching && !self.lacking.is_empty() {
            self.is_fetching = true;
            let newest = self.lacking.len().saturating_sub(TOGETHER);
            return Some(Step::Fetch(self.lacking.split_off(newest)));
        }
        if self.carrying == AT_ONCE {
            return None;
        }
        let wish = self.most_urgent()?;
        self.carrying += 1;
        Some(Step::Carry(wish))
    }

    /// A wish was carried out.
    pub(super) fn granted(&mut self, wish: &Wish) {
        self.carrying -= 1;
        self.known.insert(wish.head().clone());
    }

    /// A wish could not be carried out.
    pub(super) fn failed(&mut self, wish: Wish, fault: PrepareFault) -> Verdict {
        self.carrying -= 1;
        match fault {
            PrepareFault::Lacks(_) if wish.may_fetch() => {
                self.queue(wish, |agenda| &mut agenda.lacking);
                Verdict::Again
            }
            fault => self.doubt(wish, fault),
        }
    }

    /// A fetch is over; each wish comes with what is in its way still.
    pub(super) fn fetched(
        &mut self,
        wishes: Vec<(Wish, Result<(), PrepareFault>)>,
    ) -> Vec<Verdict> {
        self.is_fetching = false;
        let settle = |(wish, result): (Wish, Result<(), PrepareFault>)| {
            let effort = match wish.effort {
                Effort::None | Effort::Fetched => Effort::Fetched,
                Effort::Looked | Effort::FetchedAgain => Effort::FetchedAgain,
            };
            let wish = Wish { effort, ..wish };
            match result {
                Ok(()) => {
                    self.queue(wish, |agenda| &mut agenda.waiting);
                    Verdict::Again
                }
                Err(fault) => self.doubt(wish, fault),
            }
        };
        wishes.into_iter().map(settle).collect()
    }

    /// The mirror was looked at, and maybe replaced by a new one.
    pub(super) fn looked(&mut self, is_new: bool) -> Vec<Verdict> {
        self.is_looking = false;
        let doubtful = std::mem::take(&mut self.doubtful);
        let settle = |(wish, reason): (Wish, String)| {
            let was_fetched = wish.effort == Effort::Fetched;
            let wish = Wish { effort: Effort::Looked, ..wish };
            match (is_new, was_fetched) {
                (true, _) => self.queue(wish, |agenda| &mut agenda.waiting),
                // Something that the commits refer to may be missing.
                (false, false) => self.queue(wish, |agenda| &mut agenda.lacking),
                (false, true) => return Verdict::Refused(wish, reason),
            }
            Verdict::Again
        };
        doubtful.into_iter().map(settle).collect()
    }

    /// Has the mirror looked at if git failed, unless that has been done for this wish.
    fn doubt(&mut self, wish: Wish, fault: PrepareFault) -> Verdict {
        match fault {
            PrepareFault::Git(reason) if wish.may_look() => {
                self.doubtful.push((wish, reason));
                Verdict::Again
            }
            fault => Verdict::Refused(wish, fault.to_string()),
        }
    }

    /// Puts a wish where it waits, unless a newer one does.
    fn queue(&mut self, wish: Wish, place: impl Fn(&mut Self) -> &mut Vec<Wish>) {
        let all = self.waiting.iter().chain(&self.lacking);
        if !all.into_iter().any(|newer| newer.replaces(&wish)) {
            place(self).push(wish);
        }
    }

    /// The newest wish for a head that is new, else the oldest for a moved base.
    fn most_urgent(&mut self) -> Option<Wish> {
        let newest = self.waiting.iter().rposition(|wish| !self.known.contains(wish.head()));
        let index = newest.or((!self.waiting.is_empty()).then_some(0))?;
        Some(self.waiting.remove(index))
    }
}

#[cfg(test)]
mod tests;
