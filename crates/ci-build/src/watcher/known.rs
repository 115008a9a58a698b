//! What a watcher knows of its repository: which pull requests are open, and where branches are.

mod owed;

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::forge::{CommentId, PullFacts, PullState, RepoSnapshot, Timestamp};
use ci_domain::ids::{BranchName, CommitSha, PullNumber};
use ci_store::Record;
use heights::Fault;
use serde::{Deserialize, Serialize};

use crate::elders::Elders;
use crate::ledger::repo_stream;
use crate::record::{self, RecordError};
use crate::watcher::answers::Owed;
use crate::watcher::known::owed::StoredOwed;

/// Comments whose commands are remembered as carried out.
const REMEMBERED_COMMENTS: usize = 10_000;

/// What a watcher knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    open: BTreeSet<PullNumber>,
    quarantined: BTreeMap<PullNumber, String>,
    seen: bool,
    /// The branches that are built.
    built: BTreeSet<BranchName>,
    branches_seen: bool,
    comments: BTreeSet<CommentId>,
    comments_read: Timestamp,
    /// Answers that are not known to have been given.
    owed: BTreeMap<CommentId, Owed>,
    /// The last facts of each open pull request; not on record.
    facts: BTreeMap<PullNumber, PullFacts>,
    /// The tips of branches; not on record.
    tips: BTreeMap<BranchName, CommitSha>,
    default_branch: Option<BranchName>,
}

/// What must survive a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KnownEvent {
    /// The repository was read for the first time.
    Seen,
    /// A pull request is watched from now on.
    Opened(PullNumber),
    /// A pull request is over.
    Ended(PullNumber),
    /// A pull request's actors were given up.
    Quarantined(PullNumber, String),
    /// They are started again.
    Lifted(PullNumber),
    /// Branches were looked at for the first time.
    BranchesSeen,
    /// A branch is built from now on.
    BranchBuilt(BranchName),
    /// A branch is not built any more.
    BranchEnded(BranchName),
    /// The command of a comment was carried out, or answered.
    Heeded(CommentId),
    /// A command is answered so; that is on record before the answer is given.
    Owed(CommentId, Owed),
    /// The answer was given, or never will be.
    Given(CommentId),
    /// Comments up to this time have been read.
    CommentsRead(Timestamp),
}

#[derive(Serialize, Deserialize)]
struct Number {
    pull: u64,
}

#[derive(Serialize, Deserialize)]
struct Branch {
    branch: String,
}

#[derive(Serialize, Deserialize)]
struct Given {
    pull: u64,
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct Until {
    at: u64,
}

#[derive(Serialize, Deserialize)]
struct Comment {
    id: u64,
}

impl Known {
    /// Reads what is on record.
    pub(super) async fn load(elders: &Elders) -> Result<Self, Fault> {
        let replay = elders.ledger.read(&repo_stream(&elders.repo)).await?;
        let mut known = Self::default();
        for (_, record) in &replay.records {
            known.fold(event(record)?);
        }
        Ok(known)
    }

    /// Records `event` and takes it to heart.
    pub(super) async fn record(&mut self, elders: &Elders, event: KnownEvent) -> Result<(), Fault> {
        elders.ledger.append(&repo_stream(&elders.repo), vec![recorded(&event)]).await?;
        self.fold(event);
        Ok(())
    }

    /// The pull requests that are watched.
    pub(super) fn open(&self) -> impl Iterator<Item = PullNumber> + '_ {
        self.open.iter().copied()
    }

    pub(super) fn is_open(&self, number: PullNumber) -> bool {
        self.open.contains(&number)
    }

    /// Why a pull request's actors were given up, where they were.
    pub(super) fn quarantine(&self, number: PullNumber) -> Option<&str> {
        self.quarantined.get(&number).map(String::as_str)
    }

    /// The answers that are not known to have been given.
    pub(super) fn owed(&self) -> Vec<(CommentId, Owed)> {
        self.owed.iter().map(|(id, owed)| (*id, owed.clone())).collect()
    }

    pub(super) fn is_quarantined(&self, number: PullNumber) -> bool {
        self.quarantined.contains_key(&number)
    }

    pub(super) fn quarantined(&self) -> Vec<(PullNumber, String)> {
        self.quarantined.iter().map(|(number, reason)| (*number, reason.clone())).collect()
    }

    /// Whether the repository has been read before.
    pub(super) fn is_seen(&self) -> bool {
        self.seen
    }

    /// The branches that are built.
    pub(super) fn built(&self) -> impl Iterator<Item = &BranchName> {
        self.built.iter()
    }

    pub(super) fn is_built(&self, branch: &BranchName) -> bool {
        self.built.contains(branch)
    }

    /// Whether branches have been looked at before.
    pub(super) fn has_seen_branches(&self) -> bool {
        self.branches_seen
    }

    pub(super) fn has_heeded(&self, comment: CommentId) -> bool {
        self.comments.contains(&comment)
    }

    /// The time up to which comments have been read.
    pub(super) fn comments_read(&self) -> Timestamp {
        self.comments_read
    }

    pub(super) fn note(&mut self, facts: PullFacts) {
        if facts.state == PullState::Open {
            self.facts.insert(facts.number, facts);
        } else {
            self.facts.remove(&facts.number);
        }
    }

    pub(super) fn facts(&self, number: PullNumber) -> Option<&PullFacts> {
        self.facts.get(&number)
    }

    /// The last facts of the pull requests that `is_meant` picks.
    pub(super) fn facts_of(&self, is_meant: impl Fn(&PullFacts) -> bool) -> Vec<PullFacts> {
        self.facts.values().filter(|facts| is_meant(facts)).cloned().collect()
    }

    pub(super) fn learn_branches(&mut self, snapshot: &RepoSnapshot) {
        let tips = snapshot.branches.iter();
        self.tips = tips.map(|branch| (branch.name.clone(), branch.sha.clone())).collect();
        self.default_branch.clone_from(&snapshot.default_branch);
    }

    /// Notes that a branch moved or is gone; says whether it is the default branch.
    pub(super) fn set_tip(&mut self, branch: &BranchName, sha: Option<CommitSha>) -> bool {
        match sha {
            Some(sha) => self.tips.insert(branch.clone(), sha),
            None => self.tips.remove(branch),
        };
        self.default_branch.as_ref() == Some(branch)
    }

    pub(super) fn tip(&self, branch: &BranchName) -> Option<CommitSha> {
        self.tips.get(branch).cloned()
    }

    /// Every branch that is known to be there.
    pub(super) fn branches(&self) -> impl Iterator<Item = &BranchName> {
        self.tips.keys()
    }

    /// The commit that the policy is read from; unknown before the first poll.
    pub(super) fn policy_tip(&self) -> Option<CommitSha> {
        self.tip(self.default_branch.as_ref()?)
    }

    pub(super) fn default_branch(&self) -> Option<&BranchName> {
        self.default_branch.as_ref()
    }

    fn heed(&mut self, comment: CommentId) {
        self.comments.insert(comment);
        if self.comments.len() > REMEMBERED_COMMENTS {
            self.comments.pop_first();
        }
    }

    fn fold(&mut self, event: KnownEvent) {
        match event {
            KnownEvent::Seen => self.seen = true,
            KnownEvent::Opened(number) => {
                self.open.insert(number);
            }
            KnownEvent::Ended(number) => {
                self.open.remove(&number);
                self.quarantined.remove(&number);
                self.facts.remove(&number);
            }
            KnownEvent::Quarantined(number, reason) => {
                self.quarantined.insert(number, reason);
            }
            KnownEvent::Lifted(number) => {
                self.quarantined.remove(&number);
            }
            KnownEvent::BranchesSeen => self.branches_seen = true,
            KnownEvent::BranchBuilt(branch) => {
                self.built.insert(branch);
            }
            KnownEvent::BranchEnded(branch) => {
                self.built.remove(&branch);
            }
            KnownEvent::Heeded(comment) => self.heed(comment),
            KnownEvent::Owed(comment, owed) => {
                self.heed(comment);
                self.owed.insert(comment, owed);
            }
            KnownEvent::Given(comment) => drop(self.owed.remove(&comment)),
            KnownEvent::CommentsRead(at) => self.comments_read = at,
        }
    }
}

fn recorded(event: &KnownEvent) -> Record {
    let number = |kind, pull: &PullNumber| record::record(kind, &Number { pull: pull.0 });
    let branch =
        |kind, branch: &BranchName| record::record(kind, &Branch { branch: branch.to_string() });
    match event {
        KnownEvent::BranchesSeen => record::record("branches-seen", &()),
        KnownEvent::BranchBuilt(name) => branch("branch-built", name),
        KnownEvent::BranchEnded(name) => branch("branch-ended", name),
        KnownEvent::Seen => record::record("seen", &()),
        KnownEvent::Opened(pull) => number("opened", pull),
        KnownEvent::Ended(pull) => number("ended", pull),
        KnownEvent::Quarantined(pull, reason) => {
            record::record("quarantined", &Given { pull: pull.0, reason: reason.clone() })
        }
        KnownEvent::Lifted(pull) => number("lifted", pull),
        KnownEvent::Heeded(comment) => record::record("heeded", &Comment { id: comment.0 }),
        KnownEvent::Owed(comment, owed) => record::record("owed", &StoredOwed::new(*comment, owed)),
        KnownEvent::Given(comment) => record::record("given", &Comment { id: comment.0 }),
        KnownEvent::CommentsRead(at) => record::record("comments-read", &Until { at: at.0 }),
    }
}

fn event(stored: &Record) -> Result<KnownEvent, RecordError> {
    let number = || Ok::<_, RecordError>(PullNumber(record::body::<Number>(stored)?.pull));
    let branch = || Ok::<_, RecordError>(BranchName::new(record::body::<Branch>(stored)?.branch)?);
    Ok(match stored.kind.as_str() {
        "seen" => KnownEvent::Seen,
        "branches-seen" => KnownEvent::BranchesSeen,
        "branch-built" => KnownEvent::BranchBuilt(branch()?),
        "branch-ended" => KnownEvent::BranchEnded(branch()?),
        "opened" => KnownEvent::Opened(number()?),
        "ended" => KnownEvent::Ended(number()?),
        "quarantined" => {
            let Given { pull, reason } = record::body(stored)?;
            KnownEvent::Quarantined(PullNumber(pull), reason)
        }
        "lifted" => KnownEvent::Lifted(number()?),
        "heeded" => KnownEvent::Heeded(CommentId(record::body::<Comment>(stored)?.id)),
        "owed" => {
            let (comment, owed) = record::body::<StoredOwed>(stored)?.read();
            KnownEvent::Owed(comment, owed)
        }
        "given" => KnownEvent::Given(CommentId(record::body::<Comment>(stored)?.id)),
        "comments-read" => KnownEvent::CommentsRead(Timestamp(record::body::<Until>(stored)?.at)),
        _ => return Err(record::unknown(stored)),
    })
}
