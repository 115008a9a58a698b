//! What GitHub should be told about a pull request, from nothing but what GitHub shows in the end: a
//! second opinion, which knows neither builds nor events nor how it came to be.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::forge::{PullFacts, ReviewState};
use ci_domain::ids::Login;

/// The files of a commit, by path.
pub type Tree = BTreeMap<String, String>;

/// What there is to judge.
pub struct Model {
    pub facts: PullFacts,
    /// Who may write.
    pub writers: BTreeSet<Login>,
    /// Where head and base have parted.
    pub fork: Tree,
    pub head: Tree,
    pub base: Tree,
    /// Whether the head was there before the node first looked.
    pub is_older: bool,
    /// Whether it comes from elsewhere.
    pub is_fork: bool,
}

/// Whatever a component may say.
const ANYTHING: [&str; 5] = ["pending", "success", "failure", "error", "none"];

/// What should have been said.
pub struct Verdict {
    /// As `state description`.
    pub umbrella: String,
    /// The states that each affected component may have.
    pub components: BTreeMap<String, Vec<&'static str>>,
    /// How many comments there are of each kind, where that follows from how things stand.
    pub comments: BTreeMap<&'static str, usize>,
}

impl Model {
    pub fn verdict(&self) -> Verdict {
        let Some(merged) = self.merged() else {
            let umbrella = "failure there are merge conflicts".to_owned();
            return Verdict { umbrella, components: BTreeMap::new(), comments: BTreeMap::new() };
        };
        let affected = self.affected(&merged);
        if self.is_fork && !self.has_leave() && !affected.is_empty() {
            return self.awaits_leave(affected);
        }
        let failed: BTreeSet<String> =
            affected.iter().filter_map(|component| failure(&merged, component)).collect();
        let states = |component: &String| match failure(&merged, component) {
            Some(_) => vec!["failure"],
            // What has run while there was an approval says so when that is taken back, too.
            None if component == "c0" && !self.is_approved() => vec!["pending", "success"],
            None => vec!["success"],
        };
        let components = affected.iter().map(|name| (name.clone(), states(name))).collect();
        let umbrella = self.umbrella(&failed);
        let can_be_merged = umbrella.starts_with("success");
        let mut comments = BTreeMap::new();
        if self.is_older {
            comments.extend(["failures:", "mergeable:", "tests-passed:"].map(|topic| (topic, 0)));
        } else if !failed.is_empty() {
            comments.insert("failures:", 1);
        } else if can_be_merged {
            comments.insert("mergeable:", 1);
        } else if !affected.is_empty() && !self.is_approved() {
            comments.insert("tests-passed:", 1);
        }
        Verdict { umbrella, components, comments }
    }

    /// What had leave before and has run says so; nothing runs now, and nothing is judged by it.
    fn awaits_leave(&self, affected: BTreeSet<String>) -> Verdict {
        let umbrella = format!("pending awaiting approval to run {}", self.facts.head.sha.short());
        let components = affected.into_iter().map(|name| (name, ANYTHING.into())).collect();
        Verdict { umbrella, components, comments: BTreeMap::new() }
    }

    /// Whether somebody who may write has approved this very head.
    fn has_leave(&self) -> bool {
        self.facts.reviews.iter().any(|review| {
            review.state == ReviewState::Approved
                && self.writers.contains(&review.author)
                && review.commit.as_ref() == Some(&self.facts.head.sha)
        })
    }

    /// The first row that applies.
    fn umbrella(&self, failed: &BTreeSet<String>) -> String {
        if !failed.is_empty() {
            let names: Vec<&str> = failed.iter().map(String::as_str).collect();
            return format!("failure {} failed", names.join(", "));
        }
        let latest = self.latest();
        let are = |state: ReviewState| latest.values().filter(|last| **last == state).count();
        if self.facts.draft {
            "pending draft".to_owned()
        } else if are(ReviewState::ChangesRequested) > 0 {
            "pending changes requested".to_owned()
        } else if are(ReviewState::Approved) == 0 {
            "pending awaiting approval".to_owned()
        } else {
            "success pull request can be merged".to_owned()
        }
    }

    /// The latest decisive word of each person who may write.
    fn latest(&self) -> BTreeMap<&Login, ReviewState> {
        let decisive =
            [ReviewState::Approved, ReviewState::ChangesRequested, ReviewState::Dismissed];
        let reviews = self.facts.reviews.iter().filter(|review| decisive.contains(&review.state));
        let of_writers = reviews.filter(|review| self.writers.contains(&review.author));
        of_writers.map(|review| (&review.author, review.state)).collect()
    }

    fn is_approved(&self) -> bool {
        let latest = self.latest();
        let is = |state: ReviewState| latest.values().any(|last| *last == state);
        is(ReviewState::Approved) && !is(ReviewState::ChangesRequested)
    }

    /// Both sides' changes together, unless they have changed the same file to different things.
    fn merged(&self) -> Option<Tree> {
        let paths: BTreeSet<&String> =
            self.fork.keys().chain(self.head.keys()).chain(self.base.keys()).collect();
        let mut merged = Tree::new();
        for path in paths {
            let (fork, head, base) =
                (self.fork.get(path), self.head.get(path), self.base.get(path));
            let content = match (head == fork, base == fork) {
                (true, _) => base,
                (false, true) => head,
                (false, false) if head == base => head,
                (false, false) => return None,
            };
            merged.extend(content.map(|content| (path.clone(), content.clone())));
        }
        Some(merged)
    }

    /// The components whose files differ from the base, and those that depend on them.
    fn affected(&self, merged: &Tree) -> BTreeSet<String> {
        let paths: BTreeSet<&String> = merged.keys().chain(self.base.keys()).collect();
        let changed = paths.into_iter().filter(|path| merged.get(*path) != self.base.get(*path));
        let component = |path: &String| Some(path.split_once('/')?.0.to_owned());
        let mut affected: BTreeSet<String> =
            changed.filter_map(component).filter(|name| name.starts_with('c')).collect();
        if affected.contains("c1") {
            affected.insert("c2".to_owned());
        }
        affected
    }
}

/// The job of a component that fails.
fn failure(tree: &Tree, component: &str) -> Option<String> {
    let has = |word: &str| {
        let inside = format!("{component}/p");
        tree.iter().any(|(path, content)| path.starts_with(&inside) && content.starts_with(word))
    };
    if has("broken") {
        Some(format!("{component}:compile"))
    } else {
        has("bad").then(|| format!("{component}:test"))
    }
}

/// What is compared of an umbrella: words alone are told up to half a minute later.
pub fn in_short(umbrella: &str) -> String {
    match umbrella.split_once(' ') {
        Some(("pending", _)) if std::env::var_os("CHAOS_WORDS").is_none() => "pending".to_owned(),
        _ => umbrella.to_owned(),
    }
}
