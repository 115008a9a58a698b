//! One write to the forge: which it is, and how it is carried out.

use std::fmt;

use ci_domain::forge::{CommentId, StatusWrite};
use ci_domain::ids::{AttemptId, CommitSha, RepoName};
use ci_domain::report::{CommentContent, FailureEntry};
use ci_domain::subject::Subject;
use ci_domain::wording::{self, FailedJob};
use ci_github::{Forge, ForgeError};

use crate::reporter::Lane;
use crate::reporter::book::{Due, Posted, Told, fingerprint};

/// The lines of a log that a failure comment shows.
const TAIL_LINES: usize = 100;

/// Where the ends of logs are read.
pub trait TailSource: Send + Sync {
    /// The last `lines` lines of what the commands of an attempt printed, failures last.
    fn tail(&self, repo: &RepoName, attempt: &AttemptId, lines: usize) -> Vec<String>;
}

/// A write that is due, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) repo: RepoName,
    pub(super) head: CommitSha,
    pub(super) due: Due,
}

/// A write that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A status was set.
    Status { sha: CommitSha, status: StatusWrite },
    /// A comment is there.
    Comment { marker: String, posted: Posted },
}

/// A write together with what must be known to carry it out.
pub(super) struct Attempt {
    due: Due,
    head: CommitSha,
    posted: Option<CommentId>,
    look_up: bool,
}

impl Write {
    /// What it must not overtake.
    pub(super) fn lane(&self) -> Lane {
        let lane = match &self.due {
            Due::Status { sha, .. } => sha.to_string(),
            Due::Comment { marker, .. } => marker.clone(),
        };
        (self.repo.clone(), lane)
    }

    /// Gets ready to carry it out.
    pub(super) fn attempt(&self, told: Option<&Told>) -> Attempt {
        let marker = match &self.due {
            Due::Comment { marker, .. } => marker.as_str(),
            Due::Status { .. } => "",
        };
        Attempt {
            due: self.due.clone(),
            head: self.head.clone(),
            posted: told.and_then(|told| Some(told.comments.get(marker)?.id)),
            look_up: told.is_some_and(|told| told.attempted.contains(marker)),
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = self.head.short();
        match &self.due {
            Due::Status { status, .. } => {
                write!(f, "status {} {} on {head}", status.context, status.state.as_str())
            }
            Due::Comment { about: Subject::Pull(pull), .. } => {
                write!(f, "comment on #{pull} about {head}")
            }
            Due::Comment { about: Subject::Branch(_), .. } => write!(f, "comment on {head}"),
        }
    }
}

impl Attempt {
    /// The marker of a comment that is about to be posted for the first time.
    pub(super) fn first_of(&self) -> Option<&str> {
        match &self.due {
            Due::Comment { marker, .. } if self.posted.is_none() && !self.look_up => Some(marker),
            _ => None,
        }
    }

    /// Writes to the forge.
    pub(super) async fn carry_out(
        self,
        forge: &dyn Forge,
        repo: &RepoName,
        tails: &dyn TailSource,
    ) -> Result<Written, ForgeError> {
        match &self.due {
            Due::Status { sha, status, .. } => {
                forge.set_status(repo, sha, status).await?;
                Ok(Written::Status { sha: sha.clone(), status: status.clone() })
            }
            Due::Comment { about, marker, content } => {
                let body = format!("{}\n\n{marker}", self.text(repo, about, content, tails));
                let id = self.comment(forge, repo, about, &body).await?;
                let posted = Posted { id, content: fingerprint(content) };
                Ok(Written::Comment { marker: marker.clone(), posted })
            }
        }
    }

    async fn comment(
        &self,
        forge: &dyn Forge,
        repo: &RepoName,
        about: &Subject,
        body: &str,
    ) -> Result<CommentId, ForgeError> {
        let there = match self.posted {
            Some(id) => Some(id),
            None if self.look_up => self.find(forge, repo, about).await?,
            None => None,
        };
        match (there, about) {
            (Some(id), Subject::Pull(_)) => forge.edit_comment(repo, id, body).await.map(|()| id),
            (None, Subject::Pull(pull)) => forge.create_comment(repo, *pull, body).await,
            // What is said of a branch's tip is said once.
            (Some(id), Subject::Branch(_)) => Ok(id),
            (None, Subject::Branch(_)) => forge.commit_comment(repo, &self.head, body).await,
        }
    }

    /// Looks a comment up that may have been posted.
    async fn find(
        &self,
        forge: &dyn Forge,
        repo: &RepoName,
        about: &Subject,
    ) -> Result<Option<CommentId>, ForgeError> {
        let Due::Comment { marker, .. } = &self.due else { return Ok(None) };
        let ourselves = forge.identity().await?;
        let comments = match about {
            Subject::Pull(pull) => forge.comments(repo, *pull).await?,
            Subject::Branch(_) => forge.commit_comments(repo, &self.head).await?,
        };
        let is_it = |comment: &&ci_domain::forge::Comment| {
            comment.author == ourselves && comment.body.contains(marker)
        };
        Ok(comments.iter().find(is_it).map(|comment| comment.id))
    }

    fn text(
        &self,
        repo: &RepoName,
        about: &Subject,
        content: &CommentContent,
        tails: &dyn TailSource,
    ) -> String {
        let failed = |entry: &FailureEntry| FailedJob {
            job: entry.job.clone(),
            result: entry.result.clone(),
            log_url: entry.log_url.clone(),
            tail: entry
                .attempt
                .as_ref()
                .map(|attempt| tails.tail(repo, attempt, TAIL_LINES))
                .unwrap_or_default(),
        };
        match content {
            CommentContent::Text(text) => text.clone(),
            CommentContent::Failures(entries) => {
                let jobs: Vec<FailedJob> = entries.iter().map(failed).collect();
                wording::failures(about, &self.head, &jobs)
            }
        }
    }
}
