//! What the forge should say about a branch.

use std::collections::BTreeMap;

use crate::branch::Branch;
use crate::forge::StatusWrite;
use crate::ids::ComponentName;
use crate::report::{
    CommentContent, CommentWish, FailureEntry, Place, Report, Topic, Voice, component_statuses,
    failures,
};
use crate::subject::{Subject, escaped};

impl Branch {
    /// What the forge should say about the tip; `None` while the forge has not been read.
    #[must_use]
    pub fn report(&self, voice: &Voice) -> Option<Report> {
        let tip = self.tip()?;
        Some(Report {
            subject: Subject::Branch(self.config.name.clone()),
            head: tip.commit.clone(),
            open: !self.memory.gone,
            umbrella: None,
            components: self.component_statuses(voice),
            comments: self.comments(voice),
        })
    }

    /// The jobs of the tip that did not pass, blocked ones left out.
    #[must_use]
    pub fn failures(&self, voice: &Voice) -> Vec<FailureEntry> {
        failures(self.outline(), self.outcomes(), &self.place(voice))
    }

    /// The status of each affected component that has jobs for branches.
    fn component_statuses(&self, voice: &Voice) -> Option<BTreeMap<ComponentName, StatusWrite>> {
        let outline = self.outline()?;
        let mut statuses = component_statuses(outline, self.outcomes(), true, &self.place(voice));
        statuses.retain(|name, _| outline.jobs.keys().any(|id| id.component == *name));
        Some(statuses)
    }

    /// Failures are told once, so they are told when nothing runs any more.
    fn comments(&self, voice: &Voice) -> Vec<CommentWish> {
        let is_silent = self.tip().is_none_or(|tip| tip.preexisting);
        if is_silent || !self.is_at_rest() {
            return Vec::new();
        }
        let content = CommentContent::Failures(self.failures(voice));
        vec![CommentWish { topic: Topic::Failures, content }]
    }

    fn place<'a>(&self, voice: &'a Voice) -> Place<'a> {
        let (repo, name) = (&self.config.repo, escaped(&self.config.name));
        Place { voice, url: format!("{}/{repo}/branch/{name}", voice.public_url) }
    }
}
