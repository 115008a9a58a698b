//! A forge without a server: a bare git repository on this disk and a book beside it.
//!
//! Branches are `refs/heads/*`; pull requests are `refs/pull/N/head`, so that `git push` updates or
//! opens one. What git does not know (titles, reviews, comments, statuses) is in `ci-forge/book.json`.
//! There are no webhooks: whoever watches polls.

mod book;
mod port;
mod record;
mod refs;
mod status;

use std::io;
use std::path::{Path, PathBuf};

use ci_domain::forge::CommentId;
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};

use self::book::BookFile;
use self::record::{
    CommentRecord, PullRecord, PullStateWord, ReviewRecord, ReviewStateWord, Subject,
};
use self::refs::Refs;
use crate::forge::ForgeError;
use crate::moment::now;

/// Why a folder cannot be used as a forge.
#[derive(Debug, thiserror::Error)]
pub enum LocalForgeError {
    /// It is not a bare git repository.
    #[error("use {0} as a local forge: it is not a bare git repository")]
    NotARepository(PathBuf),
    /// The folder for the book cannot be made.
    #[error("make {0}")]
    Io(PathBuf, #[source] io::Error),
}

/// A bare git repository with pull requests.
#[derive(Clone, Debug)]
pub struct LocalForge {
    repository: PathBuf,
    book: BookFile,
}

/// A pull request to open.
#[derive(Clone, Debug)]
pub struct NewLocalPull {
    /// Its title.
    pub title: String,
    /// Who opens it.
    pub author: Login,
    /// Where it shall go.
    pub base: BranchName,
    /// What is proposed; the repository must have the commit.
    pub head: CommitSha,
    /// How the author calls the branch.
    pub head_branch: BranchName,
    /// Whether it is not ready.
    pub draft: bool,
    /// The fork it comes from; `None` where it comes from this repository.
    pub fork: Option<RepoName>,
}

impl LocalForge {
    /// The login that our own comments carry.
    pub const LOGIN: &str = "ci-node";

    /// Uses the bare repository at `repository`.
    ///
    /// # Errors
    /// There is no bare repository, or no book can be kept in it.
    pub fn open(repository: PathBuf) -> Result<Self, LocalForgeError> {
        if !Self::is_there(&repository) {
            return Err(LocalForgeError::NotARepository(repository));
        }
        let folder = repository.join("ci-forge");
        std::fs::create_dir_all(&folder)
            .map_err(|error| LocalForgeError::Io(folder.clone(), error))?;
        Ok(Self { repository, book: BookFile::new(folder) })
    }

    /// Whether there is a bare repository that could be one.
    #[must_use]
    pub fn is_there(repository: &Path) -> bool {
        repository.join("HEAD").is_file() && repository.join("objects").is_dir()
    }

    /// Opens a pull request.
    ///
    /// # Errors
    /// The repository has no such commit, or the book cannot be written.
    pub async fn open_pull(&self, new: NewLocalPull) -> Result<PullNumber, ForgeError> {
        refs::must_have(&self.repository, &new.head).await?;
        let refs = self.refs().await?;
        let (head, now) = (new.head.clone(), now());
        let number = self
            .book
            .change(move |book| {
                let number = book.next_pull(&refs);
                book.pulls.insert(number.0, PullRecord::new(new, now));
                Ok(number)
            })
            .await?;
        refs::set_pull_head(&self.repository, number, &head).await?;
        Ok(number)
    }

    /// Approves the present head of a pull request.
    ///
    /// # Errors
    /// There is no such pull request, or the book cannot be written.
    pub async fn approve(&self, pull: PullNumber, by: Login) -> Result<(), ForgeError> {
        self.review(pull, by, ReviewStateWord::Approved).await
    }

    /// Requests changes to the present head of a pull request.
    ///
    /// # Errors
    /// There is no such pull request, or the book cannot be written.
    pub async fn request_changes(&self, pull: PullNumber, by: Login) -> Result<(), ForgeError> {
        self.review(pull, by, ReviewStateWord::ChangesRequested).await
    }

    /// Comments on a pull request as `author`.
    ///
    /// # Errors
    /// There is no such pull request, or the book cannot be written.
    pub async fn comment(
        &self,
        pull: PullNumber,
        author: Login,
        body: &str,
    ) -> Result<CommentId, ForgeError> {
        self.add_comment(Subject::Pull(pull.0), author, body).await
    }

    /// Closes a pull request without a merge.
    ///
    /// # Errors
    /// There is no such pull request, or the book cannot be written.
    pub async fn close_pull(&self, pull: PullNumber) -> Result<(), ForgeError> {
        self.change_pull(pull, |record, _, _| record.state = PullStateWord::Closed).await
    }

    /// Gives `login` write access: the reviews and commands of others count for nothing.
    ///
    /// # Errors
    /// The book cannot be written.
    pub async fn grant(&self, login: Login) -> Result<(), ForgeError> {
        self.book
            .change(move |book| {
                book.writers.insert(login.to_string());
                Ok(())
            })
            .await
    }

    async fn review(
        &self,
        pull: PullNumber,
        by: Login,
        state: ReviewStateWord,
    ) -> Result<(), ForgeError> {
        let change = move |record: &mut PullRecord, id: u64, head: Option<&CommitSha>| {
            record.reviews.push(ReviewRecord {
                id,
                author: by.to_string(),
                state,
                commit: head.map(CommitSha::to_string),
                submitted_at: now().0,
            });
        };
        self.change_pull(pull, change).await
    }

    /// Changes a pull request; `change` also gets a fresh id and the present head.
    async fn change_pull(
        &self,
        pull: PullNumber,
        change: impl FnOnce(&mut PullRecord, u64, Option<&CommitSha>) + Send + 'static,
    ) -> Result<(), ForgeError> {
        let refs = self.refs().await?;
        self.book
            .change(move |book| {
                let id = book.next_id();
                let record = book.pull_mut(pull, &refs)?;
                change(record, id, refs.pulls.get(&pull).map(|tip| &tip.sha));
                record.updated_at = now().0;
                Ok(())
            })
            .await
    }

    async fn add_comment(
        &self,
        subject: Subject,
        author: Login,
        body: &str,
    ) -> Result<CommentId, ForgeError> {
        let (body, refs) = (body.to_owned(), self.refs().await?);
        self.book
            .change(move |book| {
                if let Subject::Pull(number) = subject {
                    book.pull_mut(PullNumber(number), &refs)?;
                }
                let id = book.next_id();
                let (author, created_at) = (author.to_string(), now().0);
                let reactions = Vec::new();
                book.comments.push(CommentRecord {
                    id,
                    subject,
                    author,
                    body,
                    created_at,
                    reactions,
                });
                Ok(CommentId(id))
            })
            .await
    }

    async fn refs(&self) -> Result<Refs, ForgeError> {
        refs::read(&self.repository).await
    }
}
