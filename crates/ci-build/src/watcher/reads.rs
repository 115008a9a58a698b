//! Reading the forge: each read is an errand, and its result a message.

use ci_domain::forge::Timestamp;
use ci_domain::ids::PullNumber;
use ci_github::ForgeError;
use heights::regulator::Refused;
use heights::{Context, Fault, Recipient};

use crate::errand::{Lost, errand};
use crate::queues::FORGE_READ;
use crate::watcher::{Msg, Seen, Watcher};

impl Watcher {
    /// Reads everything that is open, and the comments since the last poll.
    pub(super) async fn poll(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        let (forge, repo) = (self.args.elders.forge.clone(), self.args.elders.repo.clone());
        let queue = self.args.elders.queues.required(FORGE_READ).clone();
        let (since, myself) = (self.known.comments_read(), cx.myself());
        errand(
            &self.args.elders.errands,
            "poll",
            async move {
                let _permit = queue.acquire().await.map_err(refused)?;
                let snapshot = forge.snapshot(&repo).await?;
                let comments = match since {
                    Timestamp(0) => Vec::new(),
                    since => forge.recent_comments(&repo, since).await?,
                };
                Ok(Box::new(Seen { snapshot, comments }))
            },
            move |result| {
                // A watcher that is gone polls first thing in its next life.
                let _gone =
                    myself.cast(Msg::Snapshot(result.unwrap_or_else(|error| Err(lost(error)))));
            },
        )
        .await
    }

    /// Reads one pull request by its number.
    pub(super) async fn read(
        &mut self,
        number: PullNumber,
        done: Vec<Recipient<()>>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let (forge, repo) = (self.args.elders.forge.clone(), self.args.elders.repo.clone());
        let queue = self.args.elders.queues.required(FORGE_READ).clone();
        let myself = cx.myself();
        errand(
            &self.args.elders.errands,
            "read",
            async move {
                let _permit = queue.acquire().await.map_err(refused)?;
                Ok(forge.pull(&repo, number).await?.map(Box::new))
            },
            move |result| {
                let result = result.unwrap_or_else(|error| Err(lost(error)));
                let _gone = myself.cast(Msg::Read(number, result, done));
            },
        )
        .await
    }
}

/// A queue that did not move is no worse than a forge that does not answer.
pub(super) fn refused(refused: Refused) -> ForgeError {
    ForgeError::Transient { reason: refused.to_string(), retry_after: None }
}

pub(super) fn lost(lost: Lost) -> ForgeError {
    ForgeError::Transient { reason: lost.to_string(), retry_after: None }
}
