//! What a pull request does once it is on record.

use ci_domain::build::BuildSpec;
use ci_domain::ids::BuildNumber;
use ci_domain::pull::PullEffect;
use ci_domain::subject::Subject;
use heights::{Context, Fault};
use tracing::{info, warn};

use crate::build::{self, BuildArgs, BuildFact, Progress};
use crate::errand::errand;
use crate::origin::Origin;
use crate::pull::{Msg, PullActor, RunningBuild};

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
            PullEffect::StartBuild(spec) => self.start_build(spec, cx).await?,
            PullEffect::Order { index, order } => {
                if let Some(build) = &self.build {
                    build.handle.order(index, order);
                }
            }
            PullEffect::Supersede => {
                if let Some(build) = &self.build {
                    build.handle.supersede();
                }
            }
            PullEffect::AbandonBuild(number) => self.abandon(number, cx).await?,
            PullEffect::EndBuild(number) => self.end_build(number).await,
            PullEffect::Close => self.close(cx).await?,
        }
        Ok(())
    }

    async fn start_build(&mut self, spec: BuildSpec, cx: &mut Context<Msg>) -> Result<(), Fault> {
        let number = spec.number;
        info!(repo = %self.args.elders.repo, pull = %self.args.number, build = %number, "build");
        let (child, handle) = build::start(BuildArgs {
            elders: self.args.elders.clone(),
            origin: Origin::pull(self.args.number, self.pull.facts(), &self.args.elders.repo),
            spec,
            parent: cx.myself().recipient(Msg::Build),
        });
        let started = self.args.builds.start_child(child).await?;
        let progress = Progress::default();
        self.build = Some(RunningBuild { number, pid: started.pid, handle, progress });
        Ok(())
    }

    /// Ends what a build has left running, without a look at its stream.
    async fn abandon(&mut self, number: BuildNumber, cx: &mut Context<Msg>) -> Result<(), Fault> {
        self.end_build(number).await;
        let prefix = format!("{}-b{number}-", self.pull.config().prefix);
        let (runs, myself) = (self.args.elders.runs.clone(), cx.myself());
        errand(
            &self.args.elders.errands,
            "abandon",
            async move { runs.end_all(&prefix).await },
            move |result| {
                if let Ok(Err(error)) = &result {
                    warn!(build = %number, %error, "failed to end what a build left");
                }
                let fact = BuildFact::Finished { build: number, orders: 0 };
                let _gone = myself.cast(Msg::Build(fact));
            },
        )
        .await
    }

    async fn end_build(&mut self, number: BuildNumber) {
        if let Some(build) = self.build.take_if(|build| build.number == number) {
            // A build that is gone already needs no ending.
            let _gone = self.args.builds.terminate_child(&build.pid).await;
        }
    }

    /// Frees what the pull request holds on the disk; then it is over.
    async fn close(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        if self.freeing.is_some() {
            return Ok(());
        }
        self.freeing = Some(Vec::new());
        // The last wish first: one that came later would be remembered for ever.
        self.publish();
        let elders = &self.args.elders;
        let (number, myself) = (self.args.number, cx.myself());
        let (workspaces, mirror) = (elders.workspaces.clone(), elders.mirror.clone());
        let subject = Subject::Pull(number);
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
                    warn!(pull = %number, %error, "failed to free a workspace; the janitor will");
                }
                // An actor that is gone frees again in its next life.
                let _gone = myself.cast(Msg::Freed);
            },
        )
        .await
    }
}
