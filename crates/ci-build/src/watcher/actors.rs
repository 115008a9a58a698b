//! The actors of pull requests: started when one is open, ended when it is closed, left down in quarantine.

use ci_domain::forge::PullState;
use ci_domain::ids::PullNumber;
use ci_domain::pull::Observation;
use heights::{Context, Exit, Fault, Report, ShutdownReason};
use tracing::{info, warn};

use crate::pull::{PullHandle, quarantine};
use crate::pull_tree;
use crate::watcher::known::KnownEvent;
use crate::watcher::{Msg, Watcher};

impl Watcher {
    /// Starts a pull request's actors unless they are there; none for one in quarantine.
    pub(super) async fn ensure(
        &mut self,
        number: PullNumber,
        cx: &mut Context<Msg>,
    ) -> Result<Option<PullHandle>, Fault> {
        if self.known.is_quarantined(number) {
            return Ok(None);
        }
        if let Some(handle) = self.args.registry.lookup(&number) {
            return Ok(Some(handle));
        }
        let watcher = cx.myself().recipient(Msg::Fact);
        let (spec, handle) = pull_tree::describe(&self.args.elders, number, watcher);
        self.args.pulls.start_child(spec).await?;
        if let Some(process) = self.args.pulls.process() {
            // Kept until the pull request ends: the handle stays valid when its actors are restarted.
            self.args
                .registry
                .register(number, handle.clone(), process.owner())
                .map_err(|_| format!("start pull request {number}: it was started twice"))?;
        }
        Ok(Some(handle))
    }

    /// A closed pull request has freed everything: its actors end, unless it was reopened meanwhile.
    pub(super) async fn end(&mut self, number: PullNumber) -> Result<(), Fault> {
        if !self.known.is_open(number) || self.known.facts(number).is_some() {
            return Ok(());
        }
        info!(repo = %self.args.elders.repo, pull = %number, "closed");
        self.known.record(&self.args.elders, KnownEvent::Ended(number)).await?;
        self.stop_pull(number).await;
        Ok(())
    }

    async fn stop_pull(&mut self, number: PullNumber) {
        if let Some(process) = self.args.pulls.process() {
            self.args.registry.unregister(&number, process.owner());
        }
        let name = pull_tree::name(number);
        for child in self.args.pulls.which_children().await {
            if child.id.as_str() == name
                && let Some(process) = child.process()
            {
                // One that is gone already needs no ending.
                let _gone = self.args.pulls.terminate_child(&process.pid()).await;
            }
        }
    }

    /// A pull request whose actors crashed too often stays down until someone, or a new head, lifts it.
    pub(super) async fn take_report(
        &mut self,
        report: Report,
        _cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let Report::Left(left) = report else { return Ok(()) };
        let gave_up = matches!(left.exit, Exit::Shutdown(ShutdownReason::ReachedMaxIntensity));
        let number = pull_tree::number(left.child.as_str());
        let number = match (gave_up, number) {
            (true, Some(number)) => number,
            (true, None) => return self.give_branch_up(left.child.as_str()).await,
            (false, _) => return Ok(()),
        };
        let reason = "its actors crashed too often".to_owned();
        warn!(repo = %self.args.elders.repo, pull = %number, reason, "quarantined");
        if let Some(process) = self.args.pulls.process() {
            self.args.registry.unregister(&number, process.owner());
        }
        self.known
            .record(&self.args.elders, KnownEvent::Quarantined(number, reason.clone()))
            .await?;
        quarantine(&self.args.elders, number, &reason).await
    }

    pub(super) async fn lift_for_new_head(
        &mut self,
        number: PullNumber,
        seen: &Observation,
    ) -> Result<(), Fault> {
        if !self.known.is_quarantined(number) {
            return Ok(());
        }
        let (pull, _) = crate::pull::replay(&self.args.elders, number).await?;
        let is_new = pull.facts().is_none_or(|facts| facts.head.sha != seen.facts.head.sha);
        let is_over = seen.facts.state != PullState::Open;
        if is_new || is_over {
            self.known.record(&self.args.elders, KnownEvent::Lifted(number)).await?;
            crate::pull::lift(&self.args.elders, number).await?;
        }
        Ok(())
    }

    pub(super) async fn lift(
        &mut self,
        number: PullNumber,
        cx: &mut Context<Msg>,
    ) -> Result<bool, Fault> {
        if !self.known.is_quarantined(number) {
            return Ok(false);
        }
        info!(repo = %self.args.elders.repo, pull = %number, "the quarantine was lifted");
        self.known.record(&self.args.elders, KnownEvent::Lifted(number)).await?;
        crate::pull::lift(&self.args.elders, number).await?;
        self.ensure(number, cx).await?;
        Ok(true)
    }
}
