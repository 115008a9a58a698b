//! How the reporter carries out what is due, and what it makes of the answers.

use ci_domain::ids::RepoName;
use ci_github::ForgeError;
use heights::{Context, Fault};
use tokio::time::Instant;
use tracing::warn;

use crate::errand::{Lost, errand};
use crate::reporter::book::Due;
use crate::reporter::write::{Before, Carried, Write, Written};
use crate::reporter::{Lane, Msg, Reporter, WORDS_INTERVAL};

impl Reporter {
    /// Starts a write or a look; its end is a message.
    pub(super) async fn begin(&mut self, write: Write, cx: &mut Context<Msg>) -> Result<(), Fault> {
        let Some(forge) = self.args.forges.get(&write.repo) else { return Ok(()) };
        let Some(book) = self.books.get_mut(&write.repo) else { return Ok(()) };
        let attempt = write.attempt(&book.told);
        match attempt.before() {
            Some(Before::Comment(marker)) => {
                self.store.attempted(&write.repo, marker).await?;
                book.told.attempted.insert(marker.to_owned());
            }
            Some(Before::Status(sha)) => {
                self.store.begun(&write.repo, sha).await?;
                book.told.begin(sha.clone());
            }
            Some(Before::Check(key)) => {
                self.store.check_begun(&write.repo, key).await?;
                book.told.checks.unanswered.insert(key.clone());
            }
            None => {}
        }
        self.busy.insert(write.lane());
        let regulator = match &write.due {
            Due::Look { .. } | Due::LookAtCheck(_) => self.args.reads.clone(),
            Due::Status { .. } | Due::Comment { .. } | Due::Check(_) => self.args.regulator.clone(),
        };
        let tails = self.args.tails.clone();
        let (repo, myself) = (write.repo.clone(), cx.myself());
        errand(
            &self.args.writes,
            "write",
            async move {
                let _permit = regulator.acquire().await.map_err(|refused| {
                    ForgeError::Transient { reason: refused.to_string(), retry_after: None }
                })?;
                attempt.carry_out(&*forge, &repo, &*tails).await
            },
            move |result| {
                let lost = |lost: Lost| {
                    Err(ForgeError::Transient { reason: lost.to_string(), retry_after: None })
                };
                // A reporter that is gone has forgotten the write; its next life looks again.
                let result = Box::new(result.unwrap_or_else(lost));
                let _gone = myself.cast(Msg::Ended(Box::new(write), result));
            },
        )
        .await?;
        Ok(())
    }

    /// Notes how a write or a look went.
    pub(super) async fn note(
        &mut self,
        write: Write,
        result: Result<Carried, ForgeError>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let lane = write.lane();
        self.busy.remove(&lane);
        match result {
            Ok(carried) => self.note_carried(&write.repo, lane, carried).await,
            Err(error) => {
                self.note_trouble(write, &error, cx);
                Ok(())
            }
        }
    }

    async fn note_carried(
        &mut self,
        repo: &RepoName,
        lane: Lane,
        carried: Carried,
    ) -> Result<(), Fault> {
        let Some(book) = self.books.get_mut(repo) else { return Ok(()) };
        match carried {
            Carried::Written(written) => {
                self.store.written(repo, std::slice::from_ref(&written)).await?;
                self.troubles.end(&lane);
                if let Written::Status { status, .. } = &written {
                    let now = Instant::now();
                    self.words_written.retain(|_, written| *written + WORDS_INTERVAL > now);
                    self.words_written.insert((lane, status.context.clone()), now);
                }
                book.told.note(written);
            }
            Carried::Unsaid { marker } => {
                book.told.attempted.remove(&marker);
                self.troubles.end(&lane);
            }
            Carried::SawCheck { key, seen } => {
                let seen_again = seen.clone().map(|told| Written::Check { key: key.clone(), told });
                self.store.written(repo, seen_again.as_slice()).await?;
                book.saw_check(&key, seen);
            }
            Carried::Saw { sha, standing } => {
                let node = &self.args.voice.node;
                let news = book.news(&sha, standing, node);
                self.store.written(repo, &news).await?;
                book.saw(&sha, news);
                // Else a write is still owed, and waits the longer the more often it failed.
                if book.due_statuses(&sha, node).is_empty() {
                    self.troubles.end(&lane);
                }
            }
        }
        self.store.condense(repo, &book.told).await
    }

    fn note_trouble(&mut self, write: Write, error: &ForgeError, cx: &mut Context<Msg>) {
        warn!(repo = %write.repo, head = %write.head, %error, "the forge did not take a write");
        if let Some(book) = self.books.get_mut(&write.repo) {
            match &write.due {
                Due::Status { sha, .. } if error.may_have_been_applied() => book.doubt(sha),
                Due::Status { sha, .. } => book.refused(sha),
                Due::Look { sha } => book.looked_in_vain(sha, error.is_passing()),
                Due::Comment { .. } => {}
                Due::Check(due) if error.may_have_been_applied() => {
                    book.doubt_check(due.key.clone());
                }
                Due::Check(due) => drop(book.told.checks.unanswered.remove(&due.key)),
                // Then it is written without: a check run that is there twice harms less than none.
                Due::LookAtCheck(key) if !error.is_passing() => book.saw_check(key, None),
                Due::LookAtCheck(_) => {}
            }
        }
        let look = Msg::Look(write.repo.clone(), write.head.clone());
        if let Some(wait) = self.troubles.note(write, error, Instant::now()) {
            let _timer = cx.send_after(wait, look);
        }
    }
}
