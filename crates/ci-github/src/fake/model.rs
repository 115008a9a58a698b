//! What GitHub remembers, and what each call reads or changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ci_domain::code_owners::Owner;
use ci_domain::forge::{
    BranchTip, Comment, CommentId, PullFacts, PullState, Reaction, RepoSnapshot, ReviewState,
    StatusWrite, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};

use super::FakeGitHub;
use super::app::App;
use super::checks::FakeCheck;
use super::deliveries::SignedDelivery;
use super::hooks::Attempt;
use super::oauth::OAuth;
use crate::forge::ForgeError;
use crate::standing::Standing;

/// The clock of a new fake: late enough that tests can go back.
const START: Timestamp = Timestamp(1_700_000_000);
/// GitHub's largest page.
const PAGE_SIZE: usize = 100;

/// A comment with everything that ever happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FakeComment {
    /// Its number.
    pub id: CommentId,
    /// What it is on.
    pub on: CommentedOn,
    /// Who wrote it.
    pub author: Login,
    /// How it reads now.
    pub body: String,
    /// How it read before each edit, oldest first.
    pub earlier: Vec<String>,
    /// What was reacted.
    pub reactions: Vec<Reaction>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was written or edited last.
    pub updated_at: Timestamp,
}

/// What a comment is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentedOn {
    /// The conversation of a pull request.
    Pull(PullNumber),
    /// A commit.
    Commit(CommitSha),
}

/// What the HTTP side has answered, by what GitHub counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// REST calls but those whose answer had not changed.
    pub calls: usize,
    /// Points of GraphQL.
    pub points: usize,
    /// Bytes of bodies, before they are compressed.
    pub bytes: usize,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) clock: Timestamp,
    pub(super) outbox: Vec<SignedDelivery>,
    pub(super) faults: VecDeque<ForgeError>,
    pub(super) drop_answer_after: Option<usize>,
    pub(super) offline: bool,
    pub(super) read_only: bool,
    pub(super) page_size: usize,
    pub(super) calls: usize,
    pub(super) spent: Spent,
    pub(super) hook: Option<String>,
    pub(super) app: Option<App>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) belongings: BTreeSet<(Login, Owner)>,
    pub(super) oauth: OAuth,
    repos: BTreeMap<RepoName, Repo>,
    last_id: u64,
}

#[derive(Debug)]
pub(super) struct Repo {
    pub(super) default_branch: BranchName,
    pub(super) branches: BTreeMap<BranchName, CommitSha>,
    /// Whether a reviewer may write and where the base is are filled in when a pull request is read.
    pub(super) pulls: BTreeMap<PullNumber, PullFacts>,
    pub(super) writers: BTreeSet<Login>,
    /// What was said of people, above what follows from their being writers.
    pub(super) standings: BTreeMap<Login, Standing>,
    pub(super) is_private: bool,
    pub(super) statuses: Vec<(CommitSha, StatusWrite)>,
    pub(super) comments: Vec<FakeComment>,
    pub(super) checks: Vec<FakeCheck>,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            clock: START,
            outbox: Vec::new(),
            faults: VecDeque::new(),
            drop_answer_after: None,
            offline: false,
            read_only: false,
            page_size: PAGE_SIZE,
            calls: 0,
            spent: Spent::default(),
            hook: None,
            app: None,
            attempts: Vec::new(),
            belongings: BTreeSet::new(),
            oauth: OAuth::default(),
            repos: BTreeMap::new(),
            last_id: 0,
        }
    }

    pub(super) fn add_repo(&mut self, name: RepoName, default: BranchName, tip: CommitSha) {
        let repo = Repo {
            branches: BTreeMap::from([(default.clone(), tip)]),
            default_branch: default,
            pulls: BTreeMap::new(),
            writers: BTreeSet::from([our_login()]),
            standings: BTreeMap::new(),
            is_private: false,
            statuses: Vec::new(),
            comments: Vec::new(),
            checks: Vec::new(),
        };
        self.repos.insert(name, repo);
    }

    /// Whether the answer to a write is lost that has just taken effect.
    pub(super) fn loses_answer(&mut self) -> bool {
        let left = self.drop_answer_after.take();
        self.drop_answer_after = left.and_then(|left| left.checked_sub(1));
        left == Some(0)
    }

    /// Counts a call and fails it if a fault is due.
    pub(super) fn admit(&mut self) -> Result<(), ForgeError> {
        self.calls += 1;
        if self.offline {
            return Err(transient("the network is gone"));
        }
        self.faults.pop_front().map_or(Ok(()), Err)
    }

    pub(super) fn belongs(&self, login: &Login, owner: &Owner) -> bool {
        let is_so = || self.belongings.contains(&(login.clone(), owner.clone()));
        owner.is(login).unwrap_or_else(is_so)
    }

    /// The address that an account shows.
    pub(super) fn email(&self, login: &Login) -> Option<&str> {
        self.belongings.iter().find_map(|(whose, owner)| match owner {
            Owner::Email(address) if whose == login => Some(address.as_str()),
            _ => None,
        })
    }

    pub(super) fn repo(&self, name: &RepoName) -> Result<&Repo, ForgeError> {
        self.repos.get(name).ok_or_else(|| not_found(name))
    }

    pub(super) fn repo_mut(&mut self, name: &RepoName) -> Result<&mut Repo, ForgeError> {
        self.repos.get_mut(name).ok_or_else(|| not_found(name))
    }

    /// Moves the clock on; nothing happens at the same second as something else.
    pub(super) fn tick(&mut self) -> Timestamp {
        self.clock.0 += 1;
        self.clock
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn add_comment(
        &mut self,
        name: &RepoName,
        on: CommentedOn,
        author: Login,
        body: &str,
    ) -> Result<&FakeComment, ForgeError> {
        let (id, created_at) = (CommentId(self.next_id()), self.tick());
        let repo = self.repo_mut(name)?;
        repo.must_exist(&on)?;
        repo.comments.push(FakeComment {
            id,
            on,
            author,
            body: body.to_owned(),
            earlier: Vec::new(),
            reactions: Vec::new(),
            created_at,
            updated_at: created_at,
        });
        Ok(&repo.comments[repo.comments.len() - 1])
    }

    pub(super) fn edit(
        &mut self,
        name: &RepoName,
        id: CommentId,
        body: &str,
    ) -> Result<&FakeComment, ForgeError> {
        let now = self.tick();
        let comment = self.repo_mut(name)?.pull_comment(id)?;
        let earlier = std::mem::replace(&mut comment.body, body.to_owned());
        comment.earlier.push(earlier);
        comment.updated_at = now;
        Ok(comment)
    }
}

impl Repo {
    pub(super) fn snapshot(&self) -> RepoSnapshot {
        let open = |pull: &&PullFacts| pull.state == PullState::Open;
        let tip = |(name, sha): (&BranchName, &CommitSha)| BranchTip {
            name: name.clone(),
            sha: sha.clone(),
        };
        RepoSnapshot {
            pulls: self.pulls.values().filter(open).map(|pull| self.completed(pull)).collect(),
            branches: self.branches.iter().map(tip).collect(),
            default_branch: Some(self.default_branch.clone()),
            skipped: Vec::new(),
        }
    }

    pub(super) fn pull(&self, number: PullNumber) -> Option<PullFacts> {
        self.pulls.get(&number).map(|pull| self.completed(pull))
    }

    pub(super) fn comments(&self, on: &CommentedOn) -> Result<Vec<&FakeComment>, ForgeError> {
        self.must_exist(on)?;
        Ok(self.comments.iter().filter(|found| found.on == *on).collect())
    }

    /// The comments on pull requests written or, as GitHub counts, edited since then.
    pub(super) fn touched_comments(&self, since: Timestamp) -> Vec<&FakeComment> {
        let on_pull = |on: &CommentedOn| matches!(on, CommentedOn::Pull(_));
        let touched = |found: &&FakeComment| on_pull(&found.on) && found.updated_at >= since;
        self.comments.iter().filter(touched).collect()
    }

    pub(super) fn set_status(&mut self, sha: &CommitSha, status: &StatusWrite) {
        self.statuses.push((sha.clone(), status.clone()));
    }

    /// The newest status of each context of a commit.
    pub(super) fn latest_statuses(&self, sha: &CommitSha) -> Vec<StatusWrite> {
        let mut latest = BTreeMap::new();
        for (_, status) in self.statuses.iter().filter(|(on, _)| on == sha) {
            latest.insert(&status.context, status);
        }
        latest.into_values().cloned().collect()
    }

    pub(super) fn react(&mut self, id: CommentId, reaction: Reaction) -> Result<(), ForgeError> {
        let comment = self.pull_comment(id)?;
        if !comment.reactions.contains(&reaction) {
            comment.reactions.push(reaction);
        }
        Ok(())
    }

    pub(super) fn can_write(&self, login: &Login) -> bool {
        self.writers.contains(login)
    }

    fn pull_comment(&mut self, id: CommentId) -> Result<&mut FakeComment, ForgeError> {
        let on_pull = |on: &CommentedOn| matches!(on, CommentedOn::Pull(_));
        self.comments
            .iter_mut()
            .find(|found| found.id == id && on_pull(&found.on))
            .ok_or_else(|| ForgeError::NotFound { what: format!("comment {}", id.0) })
    }

    /// Any commit will do: the fake has no git.
    fn must_exist(&self, on: &CommentedOn) -> Result<(), ForgeError> {
        match on {
            CommentedOn::Pull(number) if !self.pulls.contains_key(number) => Err(not_found(number)),
            _ => Ok(()),
        }
    }

    fn completed(&self, pull: &PullFacts) -> PullFacts {
        let mut pull = pull.clone();
        pull.base_sha = self.branches.get(&pull.base).cloned();
        pull.reviews.retain(|review| is_decisive(review.state));
        for review in &mut pull.reviews {
            review.writer = self.can_write(&review.author);
        }
        pull
    }
}

impl FakeComment {
    pub(super) fn is_edited(&self) -> bool {
        self.updated_at != self.created_at
    }

    pub(super) fn plain(&self) -> Comment {
        Comment {
            id: self.id,
            author: self.author.clone(),
            body: self.body.clone(),
            created_at: self.created_at,
        }
    }
}

fn is_decisive(state: ReviewState) -> bool {
    matches!(state, ReviewState::Approved | ReviewState::ChangesRequested | ReviewState::Dismissed)
}

pub(super) fn our_login() -> Login {
    Login::new(FakeGitHub::LOGIN).expect("the constant is a login")
}

pub(super) fn transient(reason: &str) -> ForgeError {
    ForgeError::Transient { reason: reason.to_owned(), retry_after: None }
}

fn not_found(what: &impl ToString) -> ForgeError {
    ForgeError::NotFound { what: what.to_string() }
}
