//! What a branch does once it is on record.

use ci_domain::branch::BranchEffect;
use ci_domain::subject::Subject;
use heights::{Context, Fault};
use tracing::warn;

use crate::branch::{BranchActor, Msg};
use crate::errand::errand;
use crate::origin::Origin;

impl BranchActor {
    /// Does what was decided and is on record.
    pub(super) async fn perform(
        &mut self,
        effect: BranchEffect,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let name = self.args.name.clone();
        match effect {
            BranchEffect::Prepare(basis) => {
                let answer = cx.myself().recipient(|(basis, result)| Msg::Prepared(basis, result));
                self.args.elders.mirror.prepare(Subject::Branch(name), basis, answer);
            }
            BranchEffect::StartBuild(spec) => {
                self.builds.start(Origin::branch(name), spec).await?;
            }
            BranchEffect::Supersede => self.builds.supersede(),
            BranchEffect::AbandonBuild(number) => {
                let prefix = format!("{}-b{number}-", self.branch.config().prefix);
                self.builds.abandon(number, prefix).await?;
            }
            BranchEffect::EndBuild(number) => self.builds.end(number).await,
            BranchEffect::Close => self.close(cx).await?,
        }
        Ok(())
    }

    /// Frees what the branch holds on the disk; then it is over.
    async fn close(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        if self.freeing.is_some() {
            return Ok(());
        }
        self.freeing = Some(None);
        // The last wish first: one that came later would be remembered for ever.
        self.publish();
        let elders = &self.args.elders;
        let subject = Subject::Branch(self.args.name.clone());
        let (workspaces, mirror, myself) =
            (elders.workspaces.clone(), elders.mirror.clone(), cx.myself());
        elders.reporter.forget(&elders.repo, subject.clone());
        errand(
            &elders.errands,
            "free",
            async move {
                mirror.release(&subject).await?;
                workspaces.remove(&subject).await
            },
            move |result| {
                if let Ok(Err(error)) = &result {
                    warn!(%error, "failed to free the workspace of a branch; the janitor will");
                }
                // An actor that is gone frees again in its next life.
                let _gone = myself.cast(Msg::Freed);
            },
        )
        .await
    }

    /// Tells the reporter what has changed. A reporter that restarts takes us with it, so it never
    /// misses what was told to an earlier life.
    pub(super) fn publish(&mut self) {
        let report = self.branch.report(&self.args.elders.voice);
        if report == self.published {
            return;
        }
        if let Some(report) = &report {
            self.args.elders.reporter.publish(&self.args.elders.repo, report.clone());
        }
        self.published = report;
    }
}
