//! What another policy would say that this one does not, for people who propose to change it.

use std::fmt::Display;

use crate::policy::{BaseMoved, Demand, Expose, Forks, Network, Policy, StaleApprovals, Unowned};

impl Policy {
    /// One line for each key that would say something else.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let pairs = self.lines().into_iter().zip(other.lines());
        let differ = pairs.filter(|((_, now), (_, then))| now != then);
        let mut told: Vec<String> =
            differ.map(|((key, now), (_, then))| format!("{key}: {then} (now {now})")).collect();
        if self.nightly != other.nightly {
            told.push("nightly: other hours".to_owned());
        }
        if self.mention_on_nightly_failure != other.mention_on_nightly_failure {
            told.push("notify: somebody else".to_owned());
        }
        told
    }

    /// What is said of each key that can be told in a few words, in the order of the file.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = self.lines_of_gate();
        let secret =
            |(name, expose): (&String, &Expose)| format!("{name} for {}", word_of(*expose));
        let sandbox = self.sandbox;
        lines.extend([
            ("base_moved", word_of(self.base_moved)),
            ("branches", list(&self.branches)),
            ("ignore", list(&self.ignore)),
            ("unowned", word_of(self.unowned)),
            ("forks", word_of(self.forks)),
            ("secrets", list(&self.secrets.iter().map(secret).collect::<Vec<_>>())),
            ("sandbox.isolation", sandbox.isolation.map_or("the node's", Demand::word).to_owned()),
            ("sandbox.network", word_of(sandbox.network)),
            ("sandbox.forks_network", word_of(sandbox.forks_network)),
        ]);
        lines
    }

    fn lines_of_gate(&self) -> Vec<(&'static str, String)> {
        let gate = &self.mergeable;
        vec![
            ("mergeable.approvals", gate.approvals.to_string()),
            ("mergeable.block_on_changes_requested", gate.block_on_changes_requested.to_string()),
            ("mergeable.stale_approvals", word_of(gate.stale_approvals)),
            ("mergeable.code_owners", gate.code_owners.to_string()),
            ("mergeable.optional", list(&gate.optional)),
            ("mergeable.required", list(&gate.required)),
        ]
    }
}

/// What a policy file calls something.
trait Word {
    fn word(self) -> &'static str;
}

impl Word for StaleApprovals {
    fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Dismiss => "dismiss",
        }
    }
}

impl Word for BaseMoved {
    fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Rerun => "rerun",
        }
    }
}

impl Word for Unowned {
    fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::None => "none",
        }
    }
}

impl Word for Forks {
    fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::AfterApproval => "after_approval",
            Self::Always => "always",
        }
    }
}

impl Word for Expose {
    fn word(self) -> &'static str {
        match self {
            Self::Branches => "branches",
            Self::Internal => "internal",
        }
    }
}

impl Word for Network {
    fn word(self) -> &'static str {
        match self {
            Self::Shared => "true",
            Self::None => "false",
        }
    }
}

fn word_of(word: impl Word) -> String {
    word.word().to_owned()
}

fn list(items: &[impl Display]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_that_differs_is_told() {
        let now = Policy::default();
        assert_eq!(now.differences(&now), Vec::<String>::new());
        let mut then = now.clone();
        then.mergeable.approvals = 0;
        then.mergeable.required = vec!["air:test".parse().unwrap()];
        then.forks = Forks::Always;
        then.secrets = [("KEY".to_owned(), Expose::Internal)].into();
        then.sandbox.forks_network = Network::Shared;
        assert_eq!(
            now.differences(&then),
            [
                "mergeable.approvals: 0 (now 1)",
                "mergeable.required: [air:test] (now [])",
                "forks: always (now after_approval)",
                "secrets: [KEY for internal] (now [])",
                "sandbox.forks_network: true (now false)",
            ]
        );
    }
}
