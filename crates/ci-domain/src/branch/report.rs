//! What the forge should say about a branch.

use std::collections::BTreeMap;

use crate::branch::{Branch, NightRun};
use crate::forge::{StatusState, StatusWrite};
use crate::ids::{ComponentName, JobId};
use crate::report::{
    CommentContent, CommentWish, FailureEntry, Place, Report, Topic, Voice, component_statuses,
    failure, failures,
};
use crate::subject::{Subject, escaped};
use crate::wording;

impl Branch {
    /// What the forge should say about the tip; `None` while the forge has not been read.
    #[must_use]
    pub fn report(&self, voice: &Voice) -> Option<Report> {
        let tip = self.tip()?;
        Some(Report {
            subject: Subject::Branch(self.config.name.clone()),
            head: tip.commit.clone(),
            open: !self.memory.gone,
            umbrella: tip.queued.is_some().then(|| self.umbrella(voice)),
            components: self.component_statuses(voice),
            checks: self.checks(&self.place(voice)),
            comments: self.comments(voice),
        })
    }

    /// The umbrella of a head of the merge queue, which is merged once it is green.
    fn umbrella(&self, voice: &Voice) -> StatusWrite {
        let (state, standing) = self.standing();
        let description = match state {
            StatusState::Success => wording::CAN_BE_MERGED,
            _ => standing.as_str(),
        };
        StatusWrite {
            context: wording::umbrella_context(&voice.node),
            state,
            description: wording::cut(description),
            target_url: Some(self.place(voice).url),
        }
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

    /// Each nightly job that failed on the tip is told of as soon as it has, and by itself. That the tip
    /// may be older than the node changes nothing: its night is not.
    fn nightly_comments(&self, voice: &Voice) -> Vec<CommentWish> {
        let runs = self.nights().runs.iter().flat_map(|(job, runs)| {
            runs.iter().filter(|run| self.is_tip(&run.commit)).map(move |run| (job, run))
        });
        let place = self.place(voice);
        let wish = |(job, run): (&JobId, &NightRun)| {
            let entry = failure(job, &run.outcome, &place)?;
            let (day, mention) = (run.night.day, run.night.mention.clone());
            let content = CommentContent::Nightly { day, mention, entry };
            Some(CommentWish { topic: Topic::Nightly(run.outcome.build), content })
        };
        runs.filter_map(wish).collect()
    }

    /// Failures are told once, so they are told when nothing runs any more; but those of a head of the merge
    /// queue at once, as GitHub gives it up then, and in a comment that can be edited.
    fn comments(&self, voice: &Voice) -> Vec<CommentWish> {
        let mut comments = self.nightly_comments(voice);
        let Some(tip) = self.tip() else { return comments };
        let is_time = self.is_built() || tip.queued.is_some();
        if !tip.preexisting && self.outline().is_some() && is_time {
            let content = CommentContent::Failures(self.failures(voice));
            comments.push(CommentWish { topic: Topic::Failures, content });
        }
        comments
    }

    fn place<'a>(&self, voice: &'a Voice) -> Place<'a> {
        let (repo, name) = (&self.config.repo, escaped(&self.config.name));
        Place { voice, url: format!("{}/{repo}/branch/{name}", voice.public_url) }
    }
}
