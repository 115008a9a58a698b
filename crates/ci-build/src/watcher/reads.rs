//! Reading the forge: each read is an errand, and its result a message.

use std::time::Duration;

use ci_domain::forge::Timestamp;
use ci_domain::ids::PullNumber;
use ci_github::ForgeError;
use heights::regulator::Refused;
use heights::{Context, Fault, Recipient};

use crate::errand::{Lost, errand};
use crate::queues::FORGE_READ;
use crate::watcher::{Msg, Polling, Seen, Watcher};

impl Watcher {
    /// Reads everything that is open, and the comments since the last poll.
    pub(super) async fn poll(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        self.polling = Polling::UnderWay { again: false };
        self.moved.clear();
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

    /// Polls at once, or once more where a poll is under way that may have missed what happened.
    pub(super) fn look_soon(&mut self, cx: &mut Context<Msg>) {
        match self.polling {
            Polling::Soon => return,
            Polling::UnderWay { .. } => return self.polling = Polling::UnderWay { again: true },
            Polling::Later(timer) => cx.cancel(timer),
        }
        self.poll_soon(cx);
    }

    /// The poll that was under way has ended: there is another one later.
    pub(super) fn poll_after(&mut self, pause: Duration, cx: &mut Context<Msg>) {
        if self.polling == (Polling::UnderWay { again: true }) {
            return self.poll_soon(cx);
        }
        self.polling = Polling::Later(cx.send_after(pause, Msg::Poll));
    }

    fn poll_soon(&mut self, cx: &mut Context<Msg>) {
        self.polling = Polling::Soon;
        let _self = cx.myself().cast(Msg::Poll);
    }

    /// Reads one pull request by its number; where that is under way, once more after it, and on behalf of
    /// all who asked meanwhile.
    pub(super) async fn read(
        &mut self,
        number: PullNumber,
        done: Vec<Recipient<()>>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        if let Some(again) = self.reading.get_mut(&number) {
            again.get_or_insert_default().extend(done);
            return Ok(());
        }
        self.reading.insert(number, None);
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
pub(crate) fn refused(refused: Refused) -> ForgeError {
    ForgeError::Transient { reason: refused.to_string(), retry_after: None }
}

pub(crate) fn lost(lost: Lost) -> ForgeError {
    ForgeError::Transient { reason: lost.to_string(), retry_after: None }
}
