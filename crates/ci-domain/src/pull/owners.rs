//! The owners of what is changed: whether they approve, and what must be asked to know that.

use std::collections::{BTreeMap, BTreeSet};

use crate::code_owners::{Owned, Owner};
use crate::forge::Review;
use crate::ids::Login;
use crate::pull::{Pull, PullEffect, PullStep};

/// Whether a reviewer belongs to an owner, which only the forge can say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// The reviewer.
    pub login: Login,
    /// A team, or an address.
    pub owner: Owner,
}

impl Pull {
    /// The changed paths whose owners have not approved and must.
    #[must_use]
    pub fn awaited_owners(&self) -> Vec<&Owned> {
        let approvers = self.approvers();
        let approve = |owned: &&Owned| {
            let any_is = |owner| approvers.iter().any(|login| self.belongs(login, owner));
            owned.owners.iter().any(any_is)
        };
        self.owned().iter().filter(|owned| !approve(owned)).collect()
    }

    /// Asks what must be known about those who approve and has not been asked since anything changed.
    /// What was answered before holds until then.
    pub(super) fn decide_questions(&mut self, step: &mut PullStep) {
        let open: BTreeSet<Question> = self.questions().difference(&self.asked).cloned().collect();
        if !open.is_empty() {
            self.asked.extend(open.iter().cloned());
            step.effects.push(PullEffect::Ask(open));
        }
    }

    /// Takes answers to heart; what nobody asks any more is forgotten.
    pub(super) fn note_belonging(&mut self, answers: BTreeMap<Question, bool>) {
        let questions = self.questions();
        self.belonging.retain(|question, _| questions.contains(question));
        self.belonging.extend(answers);
    }

    /// The reviews as they were seen last.
    pub(super) fn reviews(&self) -> &[Review] {
        self.facts().map(|facts| facts.reviews.as_slice()).unwrap_or_default()
    }

    fn questions(&self) -> BTreeSet<Question> {
        let owners: BTreeSet<&Owner> =
            self.owned().iter().flat_map(|owned| &owned.owners).collect();
        let ask = |login: &Login| {
            let unknown = owners.iter().filter(|owner| owner.is(login).is_none());
            let question =
                |owner: &&Owner| Question { login: login.clone(), owner: (*owner).clone() };
            unknown.map(question).collect::<Vec<_>>()
        };
        self.approvers().iter().flat_map(ask).collect()
    }

    fn owned(&self) -> &[Owned] {
        let is_asked = self.prepared().is_some_and(|made| made.policy.mergeable.code_owners);
        let outline = self.outline().filter(|_| is_asked);
        outline.map(|outline| outline.owned.as_slice()).unwrap_or_default()
    }

    fn belongs(&self, login: &Login, owner: &Owner) -> bool {
        owner.is(login).unwrap_or_else(|| {
            let question = Question { login: login.clone(), owner: owner.clone() };
            self.belonging.get(&question) == Some(&true)
        })
    }
}
