//! What a pull request asks the forge about people.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::pull::Question;
use heights::{Context, Fault};

use crate::errand::errand;
use crate::pull::{Msg, PullActor};
use crate::queues::FORGE_READ;
use crate::watcher::reads::{lost, refused};

impl PullActor {
    /// Asks which reviewers belong to which owners.
    pub(super) async fn ask(
        &self,
        questions: BTreeSet<Question>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let (forge, repo) = (self.args.elders.forge.clone(), self.args.elders.repo.clone());
        let (queues, myself) = (self.args.elders.queues.clone(), cx.myself());
        errand(
            &self.args.elders.errands,
            "owners",
            async move {
                let mut answers = BTreeMap::new();
                for question in questions {
                    let _permit = queues.required(FORGE_READ).acquire().await.map_err(refused)?;
                    let Question { login, owner } = &question;
                    let belongs = forge.belongs(&repo, login, owner).await?;
                    answers.insert(question, belongs);
                }
                Ok(answers)
            },
            move |result| {
                let result = result.unwrap_or_else(|error| Err(lost(error)));
                // A pull request that is gone asks again in its next life.
                let _gone = myself.cast(Msg::Belonging(result));
            },
        )
        .await
    }
}
