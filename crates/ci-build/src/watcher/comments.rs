//! Commands that people give in comments: who may give them, what they do, and the answer.

use std::sync::Arc;

use ci_domain::forge::{IssueCommand, PullComment, Reaction};
use ci_domain::ids::{Login, RepoName};
use ci_domain::pull::Request;
use ci_github::{Forge, ForgeError};
use heights::Fault;
use tracing::{info, warn};

use crate::errand::errand;
use crate::pull::PullHandle;
use crate::queues::FORGE_WRITE;
use crate::watcher::Watcher;
use crate::watcher::known::KnownEvent;
use crate::watcher::reads::refused;

/// What is answered to a comment.
enum Answer {
    React(Reaction),
    Say(String),
}

impl Watcher {
    /// Carries out the commands among `comments` that were not carried out before.
    pub(super) async fn take_comments(&mut self, comments: Vec<PullComment>) -> Result<(), Fault> {
        let newest = comments.iter().map(|comment| comment.comment.created_at).max();
        if let Some(at) = newest.filter(|at| *at > self.known.comments_read()) {
            self.known.record(&self.args.elders, KnownEvent::CommentsRead(at)).await?;
        }
        for comment in comments {
            let command = IssueCommand::parse(&comment.comment.body);
            let pull = self.args.registry.lookup(&comment.pull);
            let (Some(command), Some(pull)) = (command, pull) else { continue };
            if self.known.has_heeded(comment.comment.id) {
                continue;
            }
            // On record before it is carried out: a command that is lost with the node can be given
            // again, one that is carried out twice cannot be taken back.
            self.known.record(&self.args.elders, KnownEvent::Heeded(comment.comment.id)).await?;
            let command = match command {
                Ok(command) => self.request(&comment, command),
                Err(error) => Err(Answer::Say(error.to_string())),
            };
            self.carry_out(comment, command, pull).await?;
        }
        Ok(())
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

    async fn carry_out(
        &self,
        comment: PullComment,
        request: Result<Option<Request>, Answer>,
        pull: PullHandle,
    ) -> Result<(), Fault> {
        let (forge, repo) = (self.args.elders.forge.clone(), self.args.elders.repo.clone());
        let queues = self.args.elders.queues.clone();
        errand(
            &self.args.elders.errands,
            "command",
            async move {
                let who = comment.comment.author.clone();
                // Answers are writes like all others, and take their turn among them.
                let turn = queues.required(FORGE_WRITE).acquire().await;
                let _turn = turn.map_err(refused)?;
                match may_command(&forge, &repo, &who).await {
                    Ok(true) => {
                        let answer = match request {
                            Ok(request) => answer(&pull, request, who, &comment).await,
                            Err(answer) => answer,
                        };
                        give(&forge, &repo, &comment, answer).await
                    }
                    Ok(false) => {
                        info!(%repo, %who, "a command by someone without write access was not heeded");
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            },
            |result| {
                if let Ok(Err(error)) = result {
                    warn!(%error, "failed to answer a command");
                }
            },
        )
        .await
    }
}

/// Only people with write access give commands, and we never do.
async fn may_command(
    forge: &Arc<dyn Forge>,
    repo: &RepoName,
    who: &Login,
) -> Result<bool, ForgeError> {
    if forge.identity().await? == *who {
        return Ok(false);
    }
    forge.can_write(repo, who).await
}

async fn answer(
    pull: &PullHandle,
    request: Option<Request>,
    who: Login,
    comment: &PullComment,
) -> Answer {
    let Some(request) = request else {
        return match pull.view().await {
            Ok(view) => Answer::Say(why(&view.verdict)),
            Err(error) => Answer::Say(format!("the pull request's actor does not answer: {error}")),
        };
    };
    match pull.request(request, who, Some(comment.comment.id)).await {
        Ok(Ok(_)) => Answer::React(Reaction::ThumbsUp),
        Ok(Err(refusal)) => Answer::Say(refusal.to_string()),
        Err(error) => Answer::Say(format!("the pull request's actor does not answer: {error}")),
    }
}

fn why(verdict: &ci_domain::gate::Verdict) -> String {
    if verdict.unmet.is_empty() {
        return verdict.description.clone();
    }
    let unmet = verdict.unmet.iter();
    unmet.map(|unmet| format!("- {}; met by: {}\n", unmet.condition, unmet.met_by)).collect()
}

async fn give(
    forge: &Arc<dyn Forge>,
    repo: &RepoName,
    comment: &PullComment,
    answer: Answer,
) -> Result<(), ForgeError> {
    match answer {
        Answer::React(reaction) => forge.react(repo, comment.comment.id, reaction).await,
        Answer::Say(text) => forge.create_comment(repo, comment.pull, &text).await.map(|_| ()),
    }
}
