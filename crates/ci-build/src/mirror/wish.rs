//! What somebody wants of the mirror, and how far it has come.

use ci_domain::ids::CommitSha;
use ci_domain::outline::{Basis, Prepared};
use ci_domain::policy::Policy;
use ci_domain::subject::Subject;
use heights::Recipient;

use crate::mirror::{Answer, PolicyRead};

/// Something that is wanted.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// What it is about; its head is what a fetch asks for.
    pub(super) subject: Subject,
    pub(super) ask: Ask,
    pub(super) effort: Effort,
}

/// What is asked for, and who is told.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Prepare(Basis, Recipient<Answer>),
    Policy(CommitSha, Recipient<PolicyRead>),
}

/// A wish that was carried out.
#[derive(Debug)]
pub(super) enum Granted {
    Prepared(Recipient<Answer>, Box<Prepared>),
    Policy(Recipient<PolicyRead>, CommitSha, Box<Policy>),
}

/// What was done so that the wish can be carried out. It only grows, so each wish is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effort {
    /// Nothing.
    None,
    /// What it lacked was fetched.
    Fetched,
    /// The mirror was looked at after git had failed.
    Looked,
    /// And what it lacked was fetched since.
    FetchedAgain,
}

impl Wish {
    pub(super) fn new(subject: Subject, ask: Ask) -> Self {
        Self { subject, ask, effort: Effort::None }
    }

    /// The commit that it is about.
    pub(super) fn head(&self) -> &CommitSha {
        match &self.ask {
            Ask::Prepare(basis, _) => &basis.head,
            Ask::Policy(tip, _) => tip,
        }
    }

    /// Whether nobody waits for `other` any more once this one is there.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        let both_prepare = matches!((&self.ask, &other.ask), (Ask::Prepare(..), Ask::Prepare(..)));
        both_prepare && self.subject == other.subject
    }

    /// Whether another fetch may help.
    pub(super) fn may_fetch(&self) -> bool {
        matches!(self.effort, Effort::None | Effort::Looked)
    }

    /// Whether it may help to look at the mirror.
    pub(super) fn may_look(&self) -> bool {
        self.effort < Effort::Looked
    }

    /// Tells whoever wanted it why nothing comes of it.
    pub(super) fn refuse(self, reason: String) {
        match self.ask {
            Ask::Prepare(basis, answer) => answer.tell((basis, Err(reason))),
            Ask::Policy(tip, answer) => answer.tell((tip, Err(reason))),
        }
    }
}

impl Granted {
    /// Tells whoever wanted it.
    pub(super) fn tell(self) {
        match self {
            Self::Prepared(answer, prepared) => answer.tell((prepared.basis.clone(), Ok(prepared))),
            Self::Policy(answer, tip, policy) => answer.tell((tip, Ok(policy))),
        }
    }
}
