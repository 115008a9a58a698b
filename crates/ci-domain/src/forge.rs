//! What a forge (GitHub, or a folder of git references) says about a repository, and what is said to it.
//!
//! These are plain values. How they travel over the wire is the business of the crate that talks to the forge.

mod check;
mod command;

use crate::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};

pub use check::{CheckAgain, CheckId, CheckState, CheckWrite, StandingCheck};
pub use command::{CommandError, ForceTarget, IssueCommand, ShaPrefix};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

/// The forge's number of a comment; unique among those on pull requests, and among those on commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommentId(pub u64);

/// The forge's number of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReviewId(pub u64);

/// Everything about one pull request that a decision can depend on, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullFacts {
    /// Its number.
    pub number: PullNumber,
    /// Its title, hostile like all that people write.
    pub title: String,
    /// Who opened it; `ghost` where the account is gone.
    pub author: Login,
    /// What is proposed.
    pub head: Head,
    /// Whether that lives where it shall be merged into.
    pub kinship: Kinship,
    /// The branch it shall be merged into.
    pub base: BranchName,
    /// The tip of that branch; `None` where the branch is gone.
    pub base_sha: Option<CommitSha>,
    /// Whether it is marked as not ready.
    pub draft: bool,
    /// Whether it is open.
    pub state: PullState,
    /// Its decisive reviews, oldest first; all of them, not the latest page.
    pub reviews: Vec<Review>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anything about it changed last.
    pub updated_at: Timestamp,
}

/// The proposed commit and where it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The commit.
    pub sha: CommitSha,
    /// The branch in `repo`, named by whoever opened the pull request.
    pub branch: BranchName,
    /// The repository the branch is in; `None` where that is deleted or hidden.
    pub repo: Option<RepoName>,
}

/// Whether a head lives in the repository it shall be merged into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kinship {
    /// The numbers that the forge gives to repositories say so. A name can be given up and taken by
    /// somebody else, a number cannot.
    Same,
    /// They say that it does not.
    Other,
    /// There are no numbers: the names tell.
    #[default]
    ByName,
}

/// Whether a pull request is open, and if not, how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PullState {
    /// Open, draft or not.
    Open,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
}

/// One person's review of one head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The forge's number for it.
    pub id: ReviewId,
    /// Who reviewed; `ghost` where the account is gone.
    pub author: Login,
    /// What was decided.
    pub state: ReviewState,
    /// The head it was given on; `None` where that commit is gone.
    pub commit: Option<CommitSha>,
    /// When it was given.
    pub submitted_at: Timestamp,
    /// Whether the author may write to the repository now.
    pub writer: bool,
}

/// What a review says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReviewState {
    /// The change is fine.
    Approved,
    /// The change must not be merged as it is.
    ChangesRequested,
    /// Was decisive and has been taken back.
    Dismissed,
    /// A remark without a decision.
    Commented,
    /// A state this program does not know; decides nothing.
    Unknown,
}

/// A branch and the commit it points to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BranchTip {
    /// The branch.
    pub name: BranchName,
    /// Its tip.
    pub sha: CommitSha,
}

/// The open pull requests and the branches of one repository.
///
/// A pull request that is missing here is not thereby closed: it may have been opened between two
/// pages, or be among `skipped`. Ask the forge for it by its number before ending anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoSnapshot {
    /// Every open pull request, oldest first.
    pub pulls: Vec<PullFacts>,
    /// Every branch.
    pub branches: Vec<BranchTip>,
    /// The default branch; `None` in a repository without commits.
    pub default_branch: Option<BranchName>,
    /// What the forge listed and could not be read: one bad entry must not hide the others.
    pub skipped: Vec<Skipped>,
}

/// Something the forge listed that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What it was, such as `pull request 7`.
    pub what: String,
    /// Why it could not be read.
    pub why: String,
}

/// A comment in the conversation of a pull request, or on a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The forge's number for it.
    pub id: CommentId,
    /// Who wrote it; `ghost` where the account is gone.
    pub author: Login,
    /// The text, hostile like all that people write.
    pub body: String,
    /// When it was written first.
    pub created_at: Timestamp,
}

/// A comment together with the number of what it was made on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullComment {
    /// The pull request; where a poll found the comment it may also be an issue.
    pub pull: PullNumber,
    /// The comment.
    pub comment: Comment,
}

/// A commit status as it shall read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatusWrite {
    /// Which of the commit's statuses; a later one of the same context replaces it.
    pub context: String,
    /// How it stands.
    pub state: StatusState,
    /// The words beside it, at most 140 characters.
    pub description: String,
    /// Where the details are.
    pub target_url: Option<String>,
}

/// How a commit status stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusState {
    /// Not decided yet.
    Pending,
    /// Good.
    Success,
    /// Bad, and the change is to blame.
    Failure,
    /// Bad, and the machinery is to blame.
    Error,
}

/// A short answer to a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reaction {
    /// 👍, done.
    ThumbsUp,
    /// 👎, refused.
    ThumbsDown,
    /// 👀, seen and being worked on.
    Eyes,
    /// 😕, not understood.
    Confused,
    /// 🚀, started.
    Rocket,
}

/// Where a branch was before it moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FormerTip {
    /// Nothing was said of it.
    #[default]
    Unsaid,
    /// The branch was not there.
    Absent,
    /// At this commit.
    At(CommitSha),
}

/// What a webhook or a poll says has happened.
///
/// An event is a hint to look, in any order and any number of times. Decisions rest on [`PullFacts`]
/// and [`RepoSnapshot`], which are read from the forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForgeEvent {
    /// Something about a pull request changed: its head, title, base, state, or a review of it.
    PullChanged {
        /// The pull request.
        number: PullNumber,
        /// What is known about it.
        news: PullNews,
    },
    /// A branch moved.
    Pushed {
        /// The branch.
        branch: BranchName,
        /// Where it was before.
        former: FormerTip,
        /// Its tip; `None` where the branch was deleted.
        sha: Option<CommitSha>,
    },
    /// Somebody wrote a new comment on a pull request.
    Commented(PullComment),
    /// Somebody wants what was checked of a commit checked again.
    Rerequested {
        /// The commit.
        sha: CommitSha,
        /// Who.
        by: Login,
        /// The check run that is meant; without it, all that was checked of the commit.
        check: Option<CheckAgain>,
    },
    /// The name of the repository changed, its default branch, or what may be seen of it: read it all.
    RepositoryChanged {
        /// What it was called before, where that is what changed.
        was: Option<RepoName>,
    },
    /// The forge tried whether it reaches us.
    Ping,
    /// Nothing of interest.
    Ignored {
        /// Why not.
        reason: String,
    },
}

/// How much is known about a pull request that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullNews {
    /// All there is to know, read from the forge.
    Facts(Box<PullFacts>),
    /// Only that it changed: read it.
    Hint {
        /// When it changed, as far as that was told; what is read and is older is not the news.
        as_of: Option<Timestamp>,
    },
}

impl PullFacts {
    /// Whether the head comes from outside `repo`, the repository it shall be merged into.
    ///
    /// A head whose repository is gone counts as a fork: nobody can say who could push to it.
    #[must_use]
    pub fn from_fork(&self, repo: &RepoName) -> bool {
        let same = |head: &RepoName| head.as_str().eq_ignore_ascii_case(repo.as_str());
        match self.kinship {
            Kinship::Same => false,
            Kinship::Other => true,
            Kinship::ByName => !self.head.repo.as_ref().is_some_and(same),
        }
    }
}

impl FormerTip {
    /// The commit that the branch was at.
    #[must_use]
    pub fn commit(&self) -> Option<&CommitSha> {
        match self {
            Self::At(commit) => Some(commit),
            Self::Unsaid | Self::Absent => None,
        }
    }
}

impl ForgeEvent {
    /// The event of having read a pull request.
    #[must_use]
    pub fn read(facts: PullFacts) -> Self {
        Self::PullChanged { number: facts.number, news: PullNews::Facts(Box::new(facts)) }
    }
}

impl StatusState {
    /// The word that GitHub's API uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }

    /// The state of that word, if it is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Success, Self::Failure, Self::Error]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_from_a_fork_unless_its_repository_is_known_to_be_ours() {
        let ours = RepoName::new("acme/shop").unwrap();
        for (head, from_fork) in [
            (Some("acme/shop"), false),
            (Some("Acme/Shop"), false),
            (Some("mallory/shop"), true),
            (None, true),
        ] {
            let mut facts = facts();
            facts.head.repo = head.map(|name| RepoName::new(name).unwrap());
            assert_eq!(facts.from_fork(&ours), from_fork, "{head:?}");
            facts.kinship = Kinship::Same;
            assert!(!facts.from_fork(&ours), "a renamed repository is the same");
            facts.kinship = Kinship::Other;
            assert!(facts.from_fork(&ours), "a name that was given up is anybody's");
        }
    }

    fn facts() -> PullFacts {
        PullFacts {
            number: PullNumber(1),
            title: "Add a cart".to_owned(),
            author: Login::new("ada").unwrap(),
            head: Head {
                sha: CommitSha::new("a".repeat(40)).unwrap(),
                branch: BranchName::new("cart").unwrap(),
                repo: None,
            },
            kinship: Kinship::ByName,
            base: BranchName::new("main").unwrap(),
            base_sha: None,
            draft: false,
            state: PullState::Open,
            reviews: Vec::new(),
            created_at: Timestamp(1),
            updated_at: Timestamp(1),
        }
    }
}
