//! Where branches are. Pushes overtake each other on their way, so only one that follows on what is known is
//! taken at its word; where one does not, the forge is asked where the branch is now.
//!
//! Not all machines of a forge hear of a push at once: an answer from before the push is asked for again,
//! ever more slowly. The next poll has the last word.

use std::time::Duration;

use ci_domain::forge::{FormerTip, RepoSnapshot};
use ci_domain::ids::{BranchName, CommitSha};
use ci_github::ForgeError;
use heights::{Context, Fault, Recipient};
use tracing::warn;

use crate::errand::errand;
use crate::queues::FORGE_READ;
use crate::watcher::reads::{lost, refused};
use crate::watcher::stale::pause_after;
use crate::watcher::{Msg, Watcher};

/// Where a branch was, as far as anybody knew; `None` where it was not there.
type Tip = Option<CommitSha>;

/// What a push says.
#[derive(Clone, Debug)]
pub(super) struct Push {
    pub(super) branch: BranchName,
    pub(super) former: FormerTip,
    pub(super) sha: Tip,
}

/// How far the question has come where a branch is.
pub(super) enum TipNews {
    /// What the forge says.
    Read(BranchName, Result<Tip, ForgeError>),
    /// It may know more by now.
    Again(BranchName),
}

/// A branch of which there is news that did not follow on what was known.
#[derive(Debug)]
pub(super) struct Sought {
    /// Where it was before each of the pushes that are told; an answer that says so is older than they are.
    before: Vec<Tip>,
    /// Where the latest of them says that it is.
    told: Tip,
    tries: u32,
    /// Whether something was told since it was asked.
    again: bool,
    done: Vec<Recipient<()>>,
}

impl Watcher {
    /// Takes a push at its word, or asks where the branch is.
    pub(super) async fn take_push(
        &mut self,
        push: Push,
        done: Vec<Recipient<()>>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let known = self.known.tip(&push.branch);
        if !push.follows(known.as_ref()) || self.sought.contains_key(&push.branch) {
            return self.seek(push, known, done, cx).await;
        }
        self.moved.insert(push.branch.clone());
        self.branch_moved(&push.branch, push.sha, cx).await?;
        done.iter().for_each(|done| done.tell(()));
        Ok(())
    }

    /// Takes the branches of a snapshot; of those that moved while it was read it may tell what was before.
    pub(super) async fn take_branches(
        &mut self,
        snapshot: &RepoSnapshot,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let moved = std::mem::take(&mut self.moved);
        let tips = moved.into_iter().filter_map(|branch| Some((self.known.tip(&branch)?, branch)));
        let tips: Vec<(CommitSha, BranchName)> = tips.collect();
        self.known.learn_branches(snapshot);
        for (sha, branch) in tips {
            let seen = self.known.tip(&branch);
            if seen.as_ref() == Some(&sha) {
                continue;
            }
            self.known.set_tip(&branch, Some(sha.clone()));
            let former = seen.clone().map_or(FormerTip::Absent, FormerTip::At);
            let push = Push { branch, former, sha: Some(sha) };
            self.seek(push, seen, Vec::new(), cx).await?;
        }
        Ok(())
    }

    pub(super) async fn take_tip_news(
        &mut self,
        news: TipNews,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        match news {
            TipNews::Again(branch) => self.ask_for_tip(branch, cx).await,
            TipNews::Read(branch, result) => self.take_tip(branch, result, cx).await,
        }
    }

    /// Asks where a branch is; where that is under way, once more after it, and on behalf of all who asked.
    async fn seek(
        &mut self,
        push: Push,
        known: Tip,
        done: Vec<Recipient<()>>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let Push { branch, former, sha } = push;
        let is_asked = self.sought.contains_key(&branch);
        let sought = self.sought.entry(branch.clone()).or_insert_with(Sought::new);
        sought.hear(&former, known, sha);
        sought.again = is_asked;
        sought.done.extend(done);
        if is_asked { Ok(()) } else { self.ask_for_tip(branch, cx).await }
    }

    async fn ask_for_tip(
        &mut self,
        branch: BranchName,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        if let Some(sought) = self.sought.get_mut(&branch) {
            sought.again = false;
        }
        let (forge, repo) = (self.args.elders.forge.clone(), self.args.elders.repo.clone());
        let queue = self.args.elders.queues.required(FORGE_READ).clone();
        let (myself, asked) = (cx.myself(), branch.clone());
        errand(
            &self.args.elders.errands,
            "tip",
            async move {
                let _permit = queue.acquire().await.map_err(refused)?;
                forge.branch_tip(&repo, &asked).await
            },
            move |result| {
                let result = result.unwrap_or_else(|error| Err(lost(error)));
                let _gone = myself.cast(Msg::Tip(TipNews::Read(branch, result)));
            },
        )
        .await
    }

    async fn take_tip(
        &mut self,
        branch: BranchName,
        result: Result<Tip, ForgeError>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let Some(sought) = self.sought.get_mut(&branch) else { return Ok(()) };
        if sought.again {
            return self.ask_for_tip(branch, cx).await;
        }
        if let Ok(tip) = &result
            && let Some(pause) = sought.judge(tip)
        {
            let _timer = cx.send_after(pause, Msg::Tip(TipNews::Again(branch)));
            return Ok(());
        }
        let Some(sought) = self.sought.remove(&branch) else { return Ok(()) };
        let tip = match result {
            Ok(tip) => tip,
            // The push is all that is known, until the next poll reads everything.
            Err(error) => {
                warn!(repo = %self.args.elders.repo, %branch, %error, "failed to read");
                self.unheeded.extend(sought.done);
                return self.branch_moved(&branch, sought.told, cx).await;
            }
        };
        self.moved.insert(branch.clone());
        self.branch_moved(&branch, tip, cx).await?;
        sought.done.iter().for_each(|done| done.tell(()));
        Ok(())
    }
}

impl Push {
    /// Whether it goes on from what is known, or tells nothing new.
    fn follows(&self, known: Option<&CommitSha>) -> bool {
        let is_known = known == self.sha.as_ref();
        is_known
            || match &self.former {
                FormerTip::Unsaid => true,
                FormerTip::Absent => known.is_none(),
                FormerTip::At(commit) => known == Some(commit),
            }
    }
}

impl Sought {
    fn new() -> Self {
        Self { before: Vec::new(), told: None, tries: 0, again: false, done: Vec::new() }
    }

    fn hear(&mut self, former: &FormerTip, known: Tip, told: Tip) {
        let former = (*former != FormerTip::Unsaid).then(|| former.commit().cloned());
        for tip in former.into_iter().chain([known]) {
            if !self.before.contains(&tip) {
                self.before.push(tip);
            }
        }
        self.told = told;
        self.tries = 0;
    }

    /// How long to wait before it is asked again, where this is from before what was told.
    fn judge(&mut self, tip: &Tip) -> Option<Duration> {
        if !self.before.contains(tip) {
            return None;
        }
        let pause = pause_after(self.tries)?;
        self.tries += 1;
        Some(pause)
    }
}

#[cfg(test)]
mod tests;
