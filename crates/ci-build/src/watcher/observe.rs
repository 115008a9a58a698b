//! The one door: however something was heard of, by delivery, read or poll, this is how it comes to the
//! actors of pull requests.

use ci_domain::forge::{ForgeEvent, PullFacts, PullNews, PullState};
use ci_domain::ids::{BranchName, CommitSha, PullNumber};
use ci_domain::pull::Observation;
use ci_github::ForgeError;
use heights::{Context, Fault, Recipient};
use tracing::{debug, warn};

use crate::watcher::known::KnownEvent;
use crate::watcher::rerequests::Wanted;
use crate::watcher::tips::Push;
use crate::watcher::{Msg, Watcher};

impl Watcher {
    /// Looks at what a delivery is about.
    pub(super) async fn take_hint(
        &mut self,
        event: ForgeEvent,
        done: Option<Recipient<()>>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let done: Vec<Recipient<()>> = done.into_iter().collect();
        match event {
            ForgeEvent::PullChanged { number, news: PullNews::Hint { as_of } } => {
                self.await_news(number, as_of);
                return self.read(number, done, cx).await;
            }
            ForgeEvent::PullChanged { news: PullNews::Facts(facts), .. } => {
                return self.observe(*facts, done.into_iter().next(), cx).await;
            }
            ForgeEvent::Pushed { branch, former, sha } => {
                return self.take_push(Push { branch, former, sha }, done, cx).await;
            }
            ForgeEvent::Commented(comment) => self.take_comments(vec![comment], cx).await?,
            ForgeEvent::Rerequested { sha, by, check } => {
                return self.rerequest(Wanted { sha, by, check }, done).await;
            }
            ForgeEvent::RepositoryChanged { .. } => self.look_soon(cx),
            ForgeEvent::Ping | ForgeEvent::Ignored { .. } => {}
        }
        done.iter().for_each(|done| done.tell(()));
        Ok(())
    }

    /// Takes in what was read of one pull request.
    pub(super) async fn take_read(
        &mut self,
        number: PullNumber,
        result: Result<Option<Box<PullFacts>>, ForgeError>,
        done: Vec<Recipient<()>>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let again = self.reading.remove(&number).flatten();
        match result {
            Ok(Some(facts)) => {
                if let Some(pause) = self.pause_if_stale(&facts) {
                    let waiting = done.into_iter().chain(again.into_iter().flatten()).collect();
                    let _timer = cx.send_after(pause, Msg::ReadAgain(number, waiting));
                    return self.observe(*facts, None, cx).await;
                }
                let mut done = done.into_iter();
                let first = done.next();
                self.observe(*facts, first, cx).await?;
                done.for_each(|done| done.tell(()));
            }
            Ok(None) => {
                debug!(repo = %self.args.elders.repo, %number, "there is no such pull request");
                done.iter().for_each(|done| done.tell(()));
            }
            // The delivery stays pending until the next poll, which reads everything.
            Err(error) => {
                warn!(repo = %self.args.elders.repo, %number, %error, "failed to read");
                self.unheeded.extend(done);
            }
        }
        match again {
            Some(done) => self.read(number, done, cx).await,
            None => Ok(()),
        }
    }

    /// The one door: whatever was heard of a pull request, this is how its actor learns of it.
    pub(super) async fn observe(
        &mut self,
        mut facts: PullFacts,
        done: Option<Recipient<()>>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let number = facts.number;
        let is_known = self.known.is_open(number);
        let Some(policy) = self.known.policy_tip() else {
            // The first poll has not been answered; it will tell of this pull request too.
            self.unheeded.extend(done);
            return Ok(());
        };
        // Reads overtake each other: what is older than what is known tells nothing.
        let known = self.known.facts(number);
        if let Some(newer) = known.filter(|known| known.updated_at > facts.updated_at) {
            facts = newer.clone();
        }
        if facts.state != PullState::Open && !is_known {
            done.iter().for_each(|done| done.tell(()));
            return Ok(());
        }
        if let Some(tip) = self.known.tip(&facts.base) {
            facts.base_sha = Some(tip);
        }
        let preexisting = !self.known.is_seen() && !is_known;
        if !is_known {
            self.known.record(&self.args.elders, KnownEvent::Opened(number)).await?;
        }
        let observation = Observation { facts: facts.clone(), policy, preexisting };
        self.known.note(facts);
        self.lift_for_new_head(number, &observation).await?;
        if let Some(pull) = self.ensure(number, cx).await? {
            pull.observe(observation, done);
        } else {
            done.iter().for_each(|done| done.tell(()));
        }
        Ok(())
    }

    /// A moved branch is the base of some pull requests, and may bring a new policy to all.
    pub(super) async fn branch_moved(
        &mut self,
        branch: &BranchName,
        sha: Option<CommitSha>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let is_default = self.known.set_tip(branch, sha);
        let touched = self.known.facts_of(|facts| is_default || facts.base == *branch);
        for facts in touched {
            self.observe(facts, None, cx).await?;
        }
        // That a branch is gone is believed when the next poll does not find it.
        self.look_at_branches(false, cx).await
    }
}
