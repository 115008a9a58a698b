//! Commands that people give in comments: who may give them, and what they ask of a pull request.
//!
//! ```text
//! found, by webhook or poll ──► may its author command? ──► the pull request ──► answer, on record ──► given
//! ```
//!
//! A comment is found again by every poll until its answer is on record, and a pull request meets the
//! request of a comment once: so a command is neither lost with the node nor carried out twice.

use std::sync::Arc;

use ci_domain::forge::{CommentId, IssueCommand, PullComment};
use ci_domain::ids::{Login, RepoName};
use ci_domain::pull::{Refusal, Request};
use ci_domain::wording::{self, Reasons};
use ci_github::{Forge, ForgeError};
use heights::{Context, Fault};
use tracing::{info, warn};

use crate::errand::errand;
use crate::pull::PullHandle;
use crate::queues::FORGE_READ;
use crate::view::JobView;
use crate::watcher::answers::Answer;
use crate::watcher::known::KnownEvent;
use crate::watcher::reads::{lost, refused};
use crate::watcher::{Msg, Watcher};

/// How far a comment with a command has come.
pub(super) enum CommentNews {
    /// Whether its author may command.
    MayCommand(PullComment, Result<bool, ForgeError>),
    /// What is to be answered.
    Answered(PullComment, Answer),
    /// The pull request did not say; the next poll finds the comment again.
    Unanswered(CommentId),
    /// What came of giving the answer.
    Given(CommentId, Result<(), ForgeError>),
}

impl Watcher {
    /// Takes every comment since the last poll. Only a poll sees them all, so only a poll says up to
    /// where they have been read; and it does not while a command has no answer yet, or a forge or a pull
    /// request that did not answer would have that command forgotten.
    pub(super) async fn take_all_comments(
        &mut self,
        comments: Vec<PullComment>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let newest = comments.iter().map(|comment| comment.comment.created_at).max();
        self.take_comments(comments, cx).await?;
        let newest = newest.filter(|at| *at > self.known.comments_read());
        if let Some(at) = newest.filter(|_| self.asking.is_empty()) {
            self.known.record(&self.args.elders, KnownEvent::CommentsRead(at)).await?;
        }
        Ok(())
    }

    /// Takes every comment with a command that was not heeded before.
    pub(super) async fn take_comments(
        &mut self,
        comments: Vec<PullComment>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        for comment in comments {
            let id = comment.comment.id;
            let is_command = IssueCommand::parse(&comment.comment.body).is_some();
            let is_known = self.known.is_open(comment.pull);
            let is_new = is_command && is_known && !self.known.has_heeded(id);
            if is_new && self.asking.insert(id) {
                self.ask_for(comment, cx).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn take_comment_news(
        &mut self,
        news: CommentNews,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        match news {
            CommentNews::MayCommand(comment, result) => {
                self.take_permission(comment, result, cx).await?;
            }
            CommentNews::Answered(comment, answer) => self.owe(&comment, answer, cx).await?,
            CommentNews::Unanswered(id) => drop(self.asking.remove(&id)),
            CommentNews::Given(id, result) => self.take_given(id, result).await?,
        }
        Ok(())
    }

    /// Asks whether the author of a comment may command, unless that was asked a moment ago.
    async fn ask_for(&mut self, comment: PullComment, cx: &mut Context<Msg>) -> Result<(), Fault> {
        let who = comment.comment.author.clone();
        if let Some(may) = self.permissions.of(&who, (self.args.now)()) {
            return self.take_permission(comment, Ok(may), cx).await;
        }
        let (forge, repo) = (self.args.elders.forge.clone(), self.args.elders.repo.clone());
        let queue = self.args.elders.queues.required(FORGE_READ);
        let myself = cx.myself();
        errand(
            &self.args.elders.errands,
            "permission",
            async move {
                let _permit = queue.acquire().await.map_err(refused)?;
                may_command(&forge, &repo, &who).await
            },
            move |result| {
                let result = result.unwrap_or_else(|error| Err(lost(error)));
                // A watcher that is gone finds the comment again.
                let _gone = myself.cast(Msg::Comment(CommentNews::MayCommand(comment, result)));
            },
        )
        .await
    }

    /// Carries out a command of someone who may give it.
    async fn take_permission(
        &mut self,
        comment: PullComment,
        result: Result<bool, ForgeError>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let (repo, who) = (&self.args.elders.repo, &comment.comment.author);
        let may = match result {
            Ok(may) => {
                self.permissions.note(who.clone(), may, (self.args.now)());
                may
            }
            Err(error) if error.is_passing() => {
                warn!(%repo, %who, %error, "failed to ask who gave a command; the next poll asks again");
                self.asking.remove(&comment.comment.id);
                return Ok(());
            }
            Err(error) => {
                warn!(%repo, %who, %error, "failed to ask who gave a command");
                false
            }
        };
        let command = IssueCommand::parse(&comment.comment.body);
        let (true, Some(command)) = (may, command) else {
            info!(%repo, %who, "a command by someone without write access was not heeded");
            return self.leave(comment.comment.id).await;
        };
        match command {
            Err(error) => self.owe(&comment, Answer::Say(error.to_string()), cx).await,
            Ok(command) => self.carry_out(comment, command, cx).await,
        }
    }

    /// Says nothing to a comment, now or later.
    async fn leave(&mut self, id: CommentId) -> Result<(), Fault> {
        self.asking.remove(&id);
        self.known.record(&self.args.elders, KnownEvent::Heeded(id)).await
    }

    async fn carry_out(
        &mut self,
        comment: PullComment,
        command: IssueCommand,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        if let Some(reason) = self.known.quarantine(comment.pull) {
            let refusal = Refusal::Quarantined(reason.to_owned());
            return self.owe(&comment, Answer::Say(refusal.to_string()), cx).await;
        }
        let Some(pull) = self.args.registry.lookup(&comment.pull) else {
            return self.leave(comment.comment.id).await;
        };
        let request = match self.request(&comment, command) {
            Ok(request) => request,
            Err(answer) => return self.owe(&comment, answer, cx).await,
        };
        let myself = cx.myself();
        errand(
            &self.args.elders.errands,
            "command",
            async move {
                match answer(&pull, request, &comment).await {
                    Some(answer) => CommentNews::Answered(comment, answer),
                    None => CommentNews::Unanswered(comment.comment.id),
                }
            },
            move |result| {
                if let Ok(news) = result {
                    let _gone = myself.cast(Msg::Comment(news));
                }
            },
        )
        .await
    }

    /// What a command asks of the pull request, or the answer where it asks nothing of it.
    fn request(
        &self,
        comment: &PullComment,
        command: IssueCommand,
    ) -> Result<Option<Request>, Answer> {
        Ok(Some(match command {
            IssueCommand::Retry(job) => Request::Retry(job),
            IssueCommand::Force(target) => Request::Force(target),
            IssueCommand::Cancel => Request::Cancel(None),
            IssueCommand::Why => return Ok(None),
            IssueCommand::Run(prefix) => match self.known.facts(comment.pull) {
                Some(facts) if prefix.matches(&facts.head.sha) => {
                    Request::ApproveRun(facts.head.sha.clone())
                }
                _ => return Err(Answer::Say("that commit is not the head".to_owned())),
            },
        }))
    }
}

/// Only people with write access give commands, and we never do.
pub(super) async fn may_command(
    forge: &Arc<dyn Forge>,
    repo: &RepoName,
    who: &Login,
) -> Result<bool, ForgeError> {
    if forge.identity().await? == *who {
        return Ok(false);
    }
    forge.can_write(repo, who).await
}

/// What the pull request says; `None` where it does not answer.
async fn answer(
    pull: &PullHandle,
    request: Option<Request>,
    comment: &PullComment,
) -> Option<Answer> {
    let Some(request) = request else {
        let view = pull.view().await.ok()?;
        let waiting: Vec<String> = view.jobs.iter().filter_map(JobView::waits).collect();
        let why = wording::why(Reasons {
            verdict: &view.verdict,
            waiting: &waiting,
            findings: &view.findings,
            policy_error: view.policy_error.as_deref(),
        });
        return Some(Answer::Say(why));
    };
    let who = comment.comment.author.clone();
    Some(match pull.request(request, who, Some(comment.comment.id)).await.ok()? {
        Ok(jobs) => Answer::React(wording::heeded(&jobs)),
        Err(refusal) => Answer::Say(refusal.to_string()),
    })
}
