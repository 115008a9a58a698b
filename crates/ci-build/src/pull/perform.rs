//! What a pull request does once it is on record.

use ci_domain::origin::Origin;
use ci_domain::pull::PullEffect;
use ci_domain::subject::Subject;
use heights::{Context, Fault};

use crate::pull::{Msg, PullActor};

impl PullActor {
    /// Does what was decided and is on record.
    pub(super) async fn perform(
        &mut self,
        effect: PullEffect,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        match effect {
            PullEffect::Prepare(basis) => {
                let subject = Subject::Pull(self.args.number);
                let answer = cx.myself().recipient(|(basis, result)| Msg::Prepared(basis, result));
                self.args.elders.mirror.prepare(subject, basis, answer);
            }
            PullEffect::Ask(questions) => self.ask(questions, cx).await?,
            PullEffect::StartBuild(spec) => {
                self.builds.start(Origin::pull(&self.pull, &spec.head), spec).await?;
            }
            PullEffect::Order { index, order } => self.builds.order(index, order),
            PullEffect::Supersede => self.builds.supersede(),
            PullEffect::AbandonBuild(number) => {
                let prefix = format!("{}-b{number}-", self.pull.config().prefix);
                self.builds.abandon(number, prefix).await?;
            }
            PullEffect::EndBuild(number) => self.builds.end(number).await,
            PullEffect::Close => self.close(cx).await?,
        }
        Ok(())
    }

    /// Frees what the pull request holds on the disk; then it is over.
    async fn close(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        if self.freeing.is_some() {
            return Ok(());
        }
        self.freeing = Some(Vec::new());
        // The last wish first: one that came later would be remembered for ever.
        self.publish();
        let (subject, myself) = (Subject::Pull(self.args.number), cx.myself());
        let freed = move || {
            // An actor that is gone frees again in its next life.
            let _gone = myself.cast(Msg::Freed);
        };
        self.chronicle.free(subject, freed).await
    }
}
