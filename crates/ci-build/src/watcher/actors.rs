//! The actors of pull requests: started when one is open, ended when it is closed, left down in quarantine.

use ci_domain::forge::PullState;
use ci_domain::ids::PullNumber;
use ci_domain::pull::Observation;
use ci_domain::wording;
use heights::{Context, Exit, Fault, Report, ShutdownReason, StartChildError, SupervisorReport};
use tracing::{info, warn};

use crate::pull::{PullHandle, quarantine};
use crate::pull_tree;
use crate::subject_tree::faults::crash;
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
        let reports = cx.myself().recipient(|report| Msg::Report(Box::new(report)));
        let (spec, handle) = pull_tree::describe(&self.args.elders, number, (watcher, reports));
        match self.args.pulls.start_child(spec).await {
            Ok(_) => {}
            // What it begins with is what it cannot begin with; the next attempt would end no better.
            Err(StartChildError::Failed { cause, .. }) => {
                self.give_up(number, wording::actors_do_not_start(&cause.to_string())).await?;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
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
        self.crashes.remove(&pull_tree::name(number));
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
        let left = match report {
            Report::Left(left) => left,
            Report::Supervisor(report) => {
                self.note_crash(&report);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let gave_up = matches!(left.exit, Exit::Shutdown(ShutdownReason::ReachedMaxIntensity));
        let number = pull_tree::number(left.child.as_str());
        let number = match (gave_up, number) {
            (true, Some(number)) => number,
            (true, None) => return self.give_branch_up(left.child.as_str()).await,
            (false, _) => return Ok(()),
        };
        let last = self.crashes.remove(left.child.as_str());
        self.give_up(number, wording::actors_crashed_too_often(last.as_deref())).await
    }

    /// Takes note of how an actor crashed: it may have been one time too many.
    fn note_crash(&mut self, report: &SupervisorReport) {
        let tree = report.supervisor.rsplit('/').next().unwrap_or_default();
        if let Some(crash) = crash(report) {
            self.crashes.insert(tree.to_owned(), crash);
        }
    }

    /// Keeps a pull request's actors down, and has that said.
    async fn give_up(&mut self, number: PullNumber, reason: String) -> Result<(), Fault> {
        warn!(repo = %self.args.elders.repo, pull = %number, reason, "quarantined");
        if let Some(process) = self.args.pulls.process() {
            self.args.registry.unregister(&number, process.owner());
        }
        self.known
            .record(&self.args.elders, KnownEvent::Quarantined(number, reason.clone()))
            .await?;
        quarantine::give_up(&self.args.elders, number, &reason).await
    }

    pub(super) async fn lift_for_new_head(
        &mut self,
        number: PullNumber,
        seen: &Observation,
    ) -> Result<(), Fault> {
        let Some(reason) = self.known.quarantine(number).map(str::to_owned) else {
            return Ok(());
        };
        let pull = quarantine::remains(&self.args.elders, number).await?.pull;
        let head = pull.facts().map(|facts| &facts.head.sha);
        let is_new = head.is_some_and(|head| *head != seen.facts.head.sha);
        let is_over = seen.facts.state != PullState::Open;
        if is_new || is_over {
            self.known.record(&self.args.elders, KnownEvent::Lifted(number)).await?;
            quarantine::lift(&self.args.elders, number).await?;
        } else if head.is_none() {
            quarantine::note_head(&self.args.elders, number, (seen, &reason)).await?;
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
        quarantine::lift(&self.args.elders, number).await?;
        self.ensure(number, cx).await?;
        Ok(true)
    }
}
