//! What a branch does once it is on record.

use ci_domain::branch::BranchEffect;
use ci_domain::subject::Subject;
use heights::{Context, Fault};

use crate::branch::{BranchActor, Msg};
use crate::origin::{JobKind, Origin};

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
                let is_night = self.branch.build().is_some_and(|build| build.night.is_some());
                let kind = if is_night { JobKind::Nightly } else { JobKind::OnPush };
                let origin = Origin::branch(&self.branch, kind);
                self.builds.start(origin, spec).await?;
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
        let (subject, myself) = (Subject::Branch(self.args.name.clone()), cx.myself());
        let freed = move || {
            // An actor that is gone frees again in its next life.
            let _gone = myself.cast(Msg::Freed);
        };
        self.chronicle.free(subject, freed).await
    }

    /// Says what the forge should say now.
    pub(super) fn publish(&mut self) {
        self.chronicle.publish(self.branch.report(&self.args.elders.voice));
    }
}
