//! Commands that people give in comments: who may give them, what they do, and the answer.

use std::sync::Arc;

use ci_domain::forge::{IssueCommand, PullComment, Reaction};
use ci_domain::ids::{Login, RepoName};
use ci_domain::pull::Request;
use ci_domain::wording;
use ci_github::{Forge, ForgeError};
use heights::{Context, Fault};
use tracing::{info, warn};

use crate::errand::errand;
use crate::pull::PullHandle;
use crate::queues::{FORGE_READ, FORGE_WRITE};
use crate::watcher::known::KnownEvent;
use crate::watcher::reads::{lost, refused};
use crate::watcher::{Msg, Watcher};

/// What is answered to a comment.
enum Answer {
    /// A reaction, or these words where the forge does not take it.
    React(Reaction, String),
    Say(String),
}

impl Watcher {
    /// Takes every comment since the last poll. Only a poll sees them all, so only a poll says up to
    /// where they have been read; and it does not while it is being asked who gave a command, or a
    /// forge that did not answer would have that command forgotten.
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

    /// Asks of every comment with a command that was not heeded before whether its author may command.
    pub(super) async fn take_comments(
        &mut self,
        comments: Vec<PullComment>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        for comment in comments {
            let id = comment.comment.id;
            let is_command = IssueCommand::parse(&comment.comment.body).is_some();
            let is_known = self.args.registry.lookup(&comment.pull).is_some();
            let is_new = is_command && is_known && !self.known.has_heeded(id);
            if is_new && self.asking.insert(id) {
                self.ask_for(comment, cx).await?;
            }
        }
        Ok(())
    }

    async fn ask_for(&self, comment: PullComment, cx: &mut Context<Msg>) -> Result<(), Fault> {
        let (forge, repo) = (self.args.elders.forge.clone(), self.args.elders.repo.clone());
        let queue = self.args.elders.queues.required(FORGE_READ).clone();
        let (who, myself) = (comment.comment.author.clone(), cx.myself());
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
                let _gone = myself.cast(Msg::MayCommand(Box::new(comment), result));
            },
        )
        .await
    }

    /// Carries out a command of someone who may give it.
    pub(super) async fn take_permission(
        &mut self,
        comment: PullComment,
        result: Result<bool, ForgeError>,
    ) -> Result<(), Fault> {
        self.asking.remove(&comment.comment.id);
        let (repo, who) = (&self.args.elders.repo, &comment.comment.author);
        let may = match result {
            Ok(may) => may,
            Err(error) if error.is_passing() => {
                warn!(%repo, %who, %error, "failed to ask who gave a command; the next poll asks again");
                return Ok(());
            }
            Err(error) => {
                warn!(%repo, %who, %error, "failed to ask who gave a command");
                false
            }
        };
        if !may {
            info!(%repo, %who, "a command by someone without write access was not heeded");
        }
        // On record before it is carried out: a command that is lost with the node can be given
        // again, one that is carried out twice cannot be taken back.
        self.known.record(&self.args.elders, KnownEvent::Heeded(comment.comment.id)).await?;
        let command = IssueCommand::parse(&comment.comment.body);
        let pull = self.args.registry.lookup(&comment.pull);
        let (true, Some(command), Some(pull)) = (may, command, pull) else { return Ok(()) };
        let command = match command {
            Ok(command) => self.request(&comment, command),
            Err(error) => Err(Answer::Say(error.to_string())),
        };
        self.carry_out(comment, command, pull).await
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
                let answer = match request {
                    Ok(request) => answer(&pull, request, &comment).await,
                    Err(answer) => answer,
                };
                // Answers are writes like all others, and take their turn among them.
                let turn = queues.required(FORGE_WRITE).acquire().await;
                let _turn = turn.map_err(refused)?;
                give(&forge, &repo, &comment, answer).await
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

async fn answer(pull: &PullHandle, request: Option<Request>, comment: &PullComment) -> Answer {
    let Some(request) = request else {
        return match pull.view().await {
            Ok(view) => Answer::Say(wording::why(&view.verdict, view.policy_error.as_deref())),
            Err(error) => Answer::Say(format!("the pull request's actor does not answer: {error}")),
        };
    };
    let who = comment.comment.author.clone();
    match pull.request(request, who, Some(comment.comment.id)).await {
        Ok(Ok(jobs)) => Answer::React(Reaction::ThumbsUp, wording::heeded(&jobs)),
        Ok(Err(refusal)) => Answer::Say(refusal.to_string()),
        Err(error) => Answer::Say(format!("the pull request's actor does not answer: {error}")),
    }
}

async fn give(
    forge: &Arc<dyn Forge>,
    repo: &RepoName,
    comment: &PullComment,
    answer: Answer,
) -> Result<(), ForgeError> {
    let text = match answer {
        Answer::Say(text) => text,
        Answer::React(reaction, text) => {
            let Err(error) = forge.react(repo, comment.comment.id, reaction).await else {
                return Ok(());
            };
            warn!(%repo, %error, "failed to react to a command; it is answered in words");
            text
        }
    };
    forge.create_comment(repo, comment.pull, &text).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use ci_domain::forge::{Comment, Head};
    use ci_domain::ids::{BranchName, CommitSha};
    use ci_github::fake::{CommentedOn, FakeGitHub, NewPull};

    use super::*;

    #[tokio::test]
    async fn an_answer_whose_reaction_is_refused_is_given_in_words() {
        let (github, ada) = (FakeGitHub::new(), Login::new("ada").unwrap());
        let (name, main) = (RepoName::new("acme/shop").unwrap(), BranchName::new("main").unwrap());
        let sha = CommitSha::new("a".repeat(40)).unwrap();
        let repo = github.add_repo(name.clone(), main.clone(), sha.clone());
        let head = Head { sha, branch: main.clone(), repo: Some(name.clone()) };
        let (title, author) = ("Change".to_owned(), ada.clone());
        let pull = repo.open_pull(NewPull { title, author, head, base: main, draft: false });
        let id = repo.comment(pull, &ada, "/ci retry");
        let (body, author) = ("/ci retry".to_owned(), ada);
        let created_at = ci_domain::forge::Timestamp(0);
        let comment = PullComment { pull, comment: Comment { id, author, body, created_at } };
        let forge: Arc<dyn Forge> = Arc::new(github.clone());
        let done = || Answer::React(Reaction::ThumbsUp, "Done: air:test.".to_owned());
        let said = || -> Vec<String> {
            let comments = repo.comments(&CommentedOn::Pull(pull));
            comments[1..].iter().map(|comment| comment.body.clone()).collect()
        };
        give(&forge, &name, &comment, done()).await.unwrap();
        assert_eq!(repo.comments(&CommentedOn::Pull(pull))[0].reactions, [Reaction::ThumbsUp]);
        assert_eq!(said(), Vec::<String>::new());
        github.fail_next(ForgeError::Rejected { status: 422, message: "no".to_owned() });
        give(&forge, &name, &comment, done()).await.unwrap();
        assert_eq!(said(), ["Done: air:test."]);
    }
}
