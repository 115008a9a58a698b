//! Answers to commands: on record before they are given, and given again, without being doubled, where it
//! is not known that they were.

use std::sync::Arc;

use ci_domain::forge::{CommentId, PullComment, Reaction};
use ci_domain::ids::{PullNumber, RepoName};
use ci_domain::wording;
use ci_github::{Forge, ForgeError};
use heights::{Context, Fault};
use tracing::warn;

use crate::errand::errand;
use crate::queues::FORGE_WRITE;
use crate::watcher::comments::CommentNews;
use crate::watcher::known::KnownEvent;
use crate::watcher::reads::{lost, refused};
use crate::watcher::{Msg, Watcher};

/// What is answered to a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A thumb that points up, or these words where the forge does not take it.
    React(String),
    /// These words.
    Say(String),
}

/// An answer that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owed {
    pub(super) pull: PullNumber,
    pub(super) answer: Answer,
}

/// An answer on its way.
struct Letter {
    to: CommentId,
    owed: Owed,
    /// By which it is found again.
    marker: String,
    /// Whether it may have been given before.
    look_up: bool,
}

impl Watcher {
    /// Puts an answer on record, by which its comment is heeded, and gives it.
    pub(super) async fn owe(
        &mut self,
        comment: &PullComment,
        answer: Answer,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let id = comment.comment.id;
        let owed = Owed { pull: comment.pull, answer };
        self.known.record(&self.args.elders, KnownEvent::Owed(id, owed.clone())).await?;
        self.asking.remove(&id);
        self.give(id, owed, false, cx).await
    }

    /// Gives every answer that is owed and not on its way.
    pub(super) async fn give_owed(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        for (id, owed) in self.known.owed() {
            if !self.giving.contains(&id) {
                self.give(id, owed, true, cx).await?;
            }
        }
        Ok(())
    }

    /// Takes note of what came of it: an answer that may come to be given later stays owed.
    pub(super) async fn take_given(
        &mut self,
        id: CommentId,
        result: Result<(), ForgeError>,
    ) -> Result<(), Fault> {
        self.giving.remove(&id);
        match result {
            Err(error) if error.is_passing() || error.may_have_been_applied() => {
                warn!(repo = %self.args.elders.repo, %error, "failed to answer a command; it is tried again");
                return Ok(());
            }
            Err(error) => {
                warn!(repo = %self.args.elders.repo, %error, "failed to answer a command");
            }
            Ok(()) => {}
        }
        self.known.record(&self.args.elders, KnownEvent::Given(id)).await
    }

    async fn give(
        &mut self,
        to: CommentId,
        owed: Owed,
        look_up: bool,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        self.giving.insert(to);
        let (forge, repo) = (self.args.elders.forge.clone(), self.args.elders.repo.clone());
        let (queues, myself) = (self.args.elders.queues.clone(), cx.myself());
        let marker = wording::answer_marker(&self.args.elders.voice.node, to);
        let letter = Letter { to, owed, marker, look_up };
        errand(
            &self.args.elders.errands,
            "answer",
            async move {
                // Answers are writes like all others, and take their turn among them.
                let turn = queues.required(FORGE_WRITE).acquire().await;
                let _turn = turn.map_err(refused)?;
                letter.post(&forge, &repo).await
            },
            move |result| {
                let result = result.unwrap_or_else(|error| Err(lost(error)));
                // A watcher that is gone finds on record that it is owed.
                let _gone = myself.cast(Msg::Comment(CommentNews::Given(to, result)));
            },
        )
        .await
    }
}

impl Letter {
    async fn post(self, forge: &Arc<dyn Forge>, repo: &RepoName) -> Result<(), ForgeError> {
        let text = match &self.owed.answer {
            Answer::Say(text) => text,
            Answer::React(text) => match forge.react(repo, self.to, Reaction::ThumbsUp).await {
                Ok(()) => return Ok(()),
                // Doing it twice changes nothing, so it is tried again as it is.
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => {
                    warn!(%repo, %error, "failed to react to a command; it is answered in words");
                    text
                }
            },
        };
        if self.look_up {
            let said = forge.comments(repo, self.owed.pull).await?;
            let us = forge.identity().await?;
            if said.iter().any(|said| said.author == us && said.body.contains(&self.marker)) {
                return Ok(());
            }
        }
        let body = wording::answer(text, &self.marker);
        forge.create_comment(repo, self.owed.pull, &body).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use ci_domain::forge::Head;
    use ci_domain::ids::{BranchName, CommitSha, Login};
    use ci_github::fake::{CommentedOn, FakeGitHub, FakeRepo, NewPull};

    use super::*;

    struct Scene {
        github: FakeGitHub,
        repo: FakeRepo,
        pull: PullNumber,
        to: CommentId,
    }

    impl Scene {
        fn new() -> Self {
            let (github, ada) = (FakeGitHub::new(), Login::new("ada").unwrap());
            let name = RepoName::new("acme/shop").unwrap();
            let main = BranchName::new("main").unwrap();
            let sha = CommitSha::new("a".repeat(40)).unwrap();
            let repo = github.add_repo(name.clone(), main.clone(), sha.clone());
            let head = Head { sha, branch: main.clone(), repo: Some(name) };
            let (title, author) = ("Change".to_owned(), ada.clone());
            let pull = repo.open_pull(NewPull { title, author, head, base: main, draft: false });
            let to = repo.comment(pull, &ada, "/ci retry");
            Self { github, repo, pull, to }
        }

        async fn post(&self, answer: Answer, look_up: bool) -> Result<(), ForgeError> {
            let owed = Owed { pull: self.pull, answer };
            let marker = wording::answer_marker("ci", self.to);
            let forge: Arc<dyn Forge> = Arc::new(self.github.clone());
            Letter { to: self.to, owed, marker, look_up }.post(&forge, self.repo.name()).await
        }

        fn said(&self) -> Vec<String> {
            let comments = self.repo.comments(&CommentedOn::Pull(self.pull));
            let first = |body: &str| body.lines().next().unwrap_or_default().to_owned();
            comments[1..].iter().map(|comment| first(&comment.body)).collect()
        }
    }

    fn done() -> Answer {
        Answer::React("Done: air:test.".to_owned())
    }

    #[tokio::test]
    async fn an_answer_whose_reaction_is_refused_is_given_in_words() {
        let scene = Scene::new();
        scene.post(done(), false).await.unwrap();
        let comments = scene.repo.comments(&CommentedOn::Pull(scene.pull));
        assert_eq!(comments[0].reactions, [Reaction::ThumbsUp]);
        assert_eq!(scene.said(), Vec::<String>::new());
        let refusal = ForgeError::Rejected { status: 422, message: "no".to_owned() };
        scene.github.fail_next(refusal);
        scene.post(done(), false).await.unwrap();
        assert_eq!(scene.said(), ["Done: air:test."]);
    }

    #[tokio::test]
    async fn an_answer_that_was_lost_on_its_way_back_is_not_given_twice() {
        let scene = Scene::new();
        let words = || Answer::Say("there is nothing to retry".to_owned());
        scene.github.drop_next_answer();
        assert!(scene.post(words(), false).await.unwrap_err().may_have_been_applied());
        scene.post(words(), true).await.unwrap();
        assert_eq!(scene.said(), ["there is nothing to retry"]);
    }

    #[tokio::test]
    async fn an_answer_that_never_arrived_is_given_again() {
        let scene = Scene::new();
        scene.github.set_offline(true);
        let words = || Answer::Say("there is nothing to retry".to_owned());
        assert!(scene.post(words(), false).await.unwrap_err().is_passing());
        assert!(scene.post(done(), false).await.unwrap_err().is_passing());
        scene.github.set_offline(false);
        scene.post(words(), true).await.unwrap();
        assert_eq!(scene.said(), ["there is nothing to retry"]);
    }
}
