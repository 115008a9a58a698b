//! One write to the forge: which it is, and how it is carried out.

mod check;

use std::fmt;

use ci_domain::annotation::Annotation;
use ci_domain::forge::{CommentId, StatusWrite};
use ci_domain::ids::{AttemptId, CommitSha, RepoName};
use ci_domain::report::{CommentContent, FailureEntry};
use ci_domain::subject::Subject;
use ci_domain::wording::{self, FailedJob};
use ci_github::{Forge, ForgeError};

use crate::reporter::Lane;
use crate::reporter::book::{CheckKey, Due, Posted, Told, ToldCheck, fingerprint};

/// The lines of a log that a failure comment shows.
const TAIL_LINES: usize = 100;

/// Where the ends of logs are read, and what was found in them.
pub trait TailSource: Send + Sync {
    /// The last `lines` lines of what the commands of an attempt printed, failures last.
    fn tail(&self, repo: &RepoName, attempt: &AttemptId, lines: usize) -> Vec<String>;

    /// The marks on lines of code that an attempt has left, always the same in the same order.
    fn findings(&self, attempt: &AttemptId) -> Findings;
}

/// The marks that an attempt has left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Those that are shown, the worst first.
    pub marks: Vec<Annotation>,
    /// How many there were.
    pub found: usize,
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
    /// A check run shows this.
    Check { key: CheckKey, told: ToldCheck },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Carried {
    /// Something was written.
    Written(Written),
    /// Nothing was written: these statuses stand on the commit.
    Saw { sha: CommitSha, standing: Vec<StatusWrite> },
    /// Nothing was written: a comment that might have been posted is not there, and is needless by now.
    Unsaid { marker: String },
    /// Nothing was written: so a check run stands, if it is there.
    SawCheck { key: CheckKey, seen: Option<ToldCheck> },
}

/// What has to be on record before it is written: should the answer be lost, one has to know to look.
pub(super) enum Before<'a> {
    /// The comment with this marker.
    Comment(&'a str),
    /// A status of this commit.
    Status(&'a CommitSha),
    /// A check run.
    Check(&'a CheckKey),
}

/// A write together with what must be known to carry it out.
pub(super) struct Attempt {
    due: Due,
    head: CommitSha,
    posted: Option<CommentId>,
    look_up: bool,
    is_on_record: bool,
}

impl Write {
    /// What it must not overtake.
    pub(super) fn lane(&self) -> Lane {
        let lane = match &self.due {
            Due::Look { sha } | Due::Status { sha, .. } => sha.to_string(),
            Due::Comment { marker, .. } => marker.clone(),
            Due::LookAtCheck((sha, name)) => format!("{sha} {name}"),
            Due::Check(due) => format!("{} {}", due.key.0, due.key.1),
        };
        (self.repo.clone(), lane)
    }

    /// Gets ready to carry it out.
    pub(super) fn attempt(&self, told: &Told) -> Attempt {
        let (mut posted, mut look_up) = (None, false);
        let is_on_record = match &self.due {
            Due::Look { .. } | Due::LookAtCheck(_) => true,
            Due::Check(due) => told.checks.unanswered.contains(&due.key),
            Due::Status { sha, .. } => told.unanswered.contains(sha),
            Due::Comment { marker, .. } => {
                posted = told.comments.get(marker).map(|posted| posted.id);
                look_up = told.attempted.contains(marker);
                // An edit says the same however often it is made.
                posted.is_some() || look_up
            }
        };
        Attempt { due: self.due.clone(), head: self.head.clone(), posted, look_up, is_on_record }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = self.head.short();
        match &self.due {
            Due::Look { .. } => write!(f, "look at the statuses of {head}"),
            Due::Status { status, .. } => {
                write!(f, "status {} {} on {head}", status.context, status.state.as_str())
            }
            Due::Comment { about, .. } => match about.conversation() {
                Some(pull) => write!(f, "comment on #{pull} about {head}"),
                None => write!(f, "comment on {head}"),
            },
            Due::LookAtCheck((_, name)) => write!(f, "look at the check run {name} of {head}"),
            Due::Check(due) => {
                let state = due.wish.stands.state().as_str();
                write!(f, "check run {} {state} on {head}", due.key.1)
            }
        }
    }
}

impl Attempt {
    /// What has to be recorded before this is carried out.
    pub(super) fn before(&self) -> Option<Before<'_>> {
        match &self.due {
            _ if self.is_on_record => None,
            Due::Comment { marker, .. } => Some(Before::Comment(marker)),
            Due::Status { sha, .. } => Some(Before::Status(sha)),
            Due::Check(due) => Some(Before::Check(&due.key)),
            Due::Look { .. } | Due::LookAtCheck(_) => None,
        }
    }

    /// Writes to the forge, or looks at it.
    pub(super) async fn carry_out(
        self,
        forge: &dyn Forge,
        repo: &RepoName,
        tails: &dyn TailSource,
    ) -> Result<Carried, ForgeError> {
        let written = match &self.due {
            Due::Look { sha } => {
                let standing = forge.statuses(repo, sha).await?;
                return Ok(Carried::Saw { sha: sha.clone(), standing });
            }
            Due::LookAtCheck(key) => {
                let seen = forge.standing_check(repo, &key.0, &key.1).await?;
                let (key, seen) = (key.clone(), seen.map(ToldCheck::from));
                return Ok(Carried::SawCheck { key, seen });
            }
            Due::Check(due) => check::carry_out(due, forge, repo, tails).await?,
            Due::Status { sha, status, .. } => {
                forge.set_status(repo, sha, status).await?;
                Written::Status { sha: sha.clone(), status: status.clone() }
            }
            Due::Comment { about, marker, content } => {
                let body = format!("{}\n\n{marker}", self.text(repo, about, content, tails));
                let is_needless =
                    matches!(content, CommentContent::Failures(all) if all.is_empty());
                let there = self.there(forge, repo, about).await?;
                if is_needless && there.is_none() {
                    return Ok(Carried::Unsaid { marker: marker.clone() });
                }
                let id = self.comment(forge, repo, (about, there), &body).await?;
                let posted = Posted { id, content: fingerprint(content) };
                Written::Comment { marker: marker.clone(), posted }
            }
        };
        Ok(Carried::Written(written))
    }

    async fn comment(
        &self,
        forge: &dyn Forge,
        repo: &RepoName,
        (about, there): (&Subject, Option<CommentId>),
        body: &str,
    ) -> Result<CommentId, ForgeError> {
        match (there, about.conversation()) {
            (Some(id), Some(_)) => forge.edit_comment(repo, id, body).await.map(|()| id),
            (None, Some(pull)) => forge.create_comment(repo, pull, body).await,
            // What is said of a branch's tip is said once.
            (Some(id), None) => Ok(id),
            (None, None) => forge.commit_comment(repo, &self.head, body).await,
        }
    }

    /// The comment, if it has been posted.
    async fn there(
        &self,
        forge: &dyn Forge,
        repo: &RepoName,
        about: &Subject,
    ) -> Result<Option<CommentId>, ForgeError> {
        match self.posted {
            Some(id) => Ok(Some(id)),
            None if self.look_up => self.find(forge, repo, about).await,
            None => Ok(None),
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
        let comments = match about.conversation() {
            Some(pull) => forge.comments(repo, pull).await?,
            None => forge.commit_comments(repo, &self.head).await?,
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
            CommentContent::Nightly { day, mention, entry } => {
                let night = (*day, mention.as_ref());
                wording::nightly_failure(about, &self.head, night, &failed(entry))
            }
        }
    }
}
