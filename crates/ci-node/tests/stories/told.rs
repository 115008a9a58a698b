//! What the node has told GitHub, as stories compare it.

use std::collections::BTreeMap;

use ci_domain::forge::StatusWrite;
use ci_domain::ids::PullNumber;
use ci_github::fake::{CommentedOn, FakeComment, FakeGitHub};

use crate::world::World;

impl World {
    /// Every status of a pull request's head as `context: state description`, oldest first.
    pub fn statuses(&self, pull: PullNumber) -> Vec<String> {
        self.repo.statuses(&self.head(pull)).iter().map(shown).collect()
    }

    /// What each context of a pull request's head has said, oldest first.
    pub fn histories(&self, pull: PullNumber) -> BTreeMap<String, Vec<String>> {
        let mut histories: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for status in self.statuses(pull) {
            let (context, text) = status.split_once(": ").unwrap();
            histories.entry(context.to_owned()).or_default().push(text.to_owned());
        }
        histories
    }

    /// The umbrella as `state description`.
    pub fn umbrella(&self, pull: PullNumber) -> String {
        let statuses = self.statuses(pull);
        let last = statuses.iter().rev().find_map(|text| text.strip_prefix("mergeable: "));
        last.unwrap_or("none").to_owned()
    }

    /// Waits until the umbrella of a pull request says this.
    pub async fn says(&self, pull: PullNumber, umbrella: &str) {
        let what = format!("pull request {pull} to say: {umbrella}");
        self.until(&what, || self.umbrella(pull) == umbrella).await;
    }

    /// Waits until the node has said that the standard tests of a pull request's head have passed.
    ///
    /// The umbrella says so too, but words alone follow up to half a minute later.
    pub async fn tested(&self, pull: PullNumber) {
        let head = self.head(pull).to_string();
        let is_it = |comment: &FakeComment| {
            comment.body.starts_with("Standard tests have passed") && comment.body.contains(&head)
        };
        let what = format!("the tests of pull request {pull} to pass");
        self.until(&what, || self.comments(pull).iter().any(is_it)).await;
    }

    /// The comments of a pull request.
    pub fn comments(&self, pull: PullNumber) -> Vec<FakeComment> {
        self.repo.comments(&CommentedOn::Pull(pull))
    }

    /// The visible text of what the node has commented, oldest first.
    pub fn said(&self, pull: PullNumber) -> Vec<String> {
        let ours = |comment: &FakeComment| comment.author.as_str() == FakeGitHub::LOGIN;
        let text = |comment: FakeComment| {
            comment.body.split("\n\n<!--").next().unwrap_or_default().to_owned()
        };
        self.comments(pull).into_iter().filter(ours).map(text).collect()
    }
}

fn shown(status: &StatusWrite) -> String {
    let context = status.context.strip_prefix("continuous-integration/ci/").unwrap();
    format!("{context}: {} {}", status.state.as_str(), status.description)
}
