//! The repository's policy: the one at the tip of the default branch, or the last that was valid.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use ci_config::{POLICY_FILE, parse_policy_granted};
use ci_domain::ids::{CommitSha, RepoName};
use ci_domain::policy::Policy;
use ci_git::{CommandError, Content, Mirror, Tree};
use ci_store::StreamId;
use heights::Fault;
use tracing::warn;

use crate::ledger::{LedgerHandle, policy_stream};
use crate::mirror::prepare::PrepareFault;
use crate::record::{policy_record, recorded_policy};

/// A policy file larger than this is refused.
const MAX_POLICY: u64 = 256 * 1024;

/// What holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// The file at the tip, or the defaults where there is none.
    Valid(Policy),
    /// The file is invalid; this earlier one goes on to hold.
    Earlier(Policy, Vec<String>),
    /// The file is invalid and there never was a valid one.
    Never(Vec<String>),
}

/// Reads policies and remembers the last valid one.
#[derive(Clone)]
pub(super) struct PolicyKeeper {
    repo: RepoName,
    ledger: LedgerHandle,
    stream: StreamId,
    granted: Arc<BTreeSet<String>>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    last_valid: Option<Policy>,
    read: Option<(CommitSha, Ruling)>,
}

impl PolicyKeeper {
    /// Reads the last valid policy of `repo` from the ledger.
    pub(super) async fn load(
        ledger: LedgerHandle,
        repo: &RepoName,
        granted: BTreeSet<String>,
    ) -> Result<Self, Fault> {
        let stream = policy_stream(repo);
        let replay = ledger.read(&stream).await?;
        let last = replay.records.last().map(|(_, record)| recorded_policy(record)).transpose()?;
        let known = Known { last_valid: last, read: None };
        let (known, granted) = (Arc::new(Mutex::new(known)), Arc::new(granted));
        Ok(Self { repo: repo.clone(), ledger, stream, granted, known })
    }

    /// Whether the policy at `tip` can be told without the mirror.
    pub(super) fn knows(&self, tip: &CommitSha) -> bool {
        self.lock().read.as_ref().is_some_and(|(commit, _)| commit == tip)
    }

    /// The policy that holds when `tip` is the tip of the default branch.
    pub(super) async fn at(&self, git: &Mirror, tip: &CommitSha) -> Result<Ruling, PrepareFault> {
        if let Some((commit, ruling)) = self.lock().read.clone()
            && commit == *tip
        {
            return Ok(ruling);
        }
        let ruling = match self.read(git, tip).await? {
            Ok(policy) => {
                self.keep(&policy).await?;
                Ruling::Valid(policy)
            }
            Err(findings) => match self.lock().last_valid.clone() {
                Some(policy) => Ruling::Earlier(policy, findings),
                None => Ruling::Never(findings),
            },
        };
        let before = self.lock().read.replace((tip.clone(), ruling.clone()));
        if before.is_none_or(|(commit, _)| commit != *tip) {
            self.log(&ruling, tip);
        }
        Ok(ruling)
    }

    async fn read(
        &self,
        git: &Mirror,
        tip: &CommitSha,
    ) -> Result<Result<Policy, Vec<String>>, PrepareFault> {
        Ok(self.of(git, &git.tree(tip).await?).await?)
    }

    /// The policy that `tree` has, or what is wrong with it. Nothing comes of that: the policy that holds
    /// is the one at the tip of the default branch.
    pub(super) async fn of(
        &self,
        git: &Mirror,
        tree: &Tree,
    ) -> Result<Result<Policy, Vec<String>>, CommandError> {
        let mut files = git.read_files(tree, |path| path == POLICY_FILE, MAX_POLICY).await?;
        Ok(match files.pop().map(|(_, content)| content) {
            None => Ok(Policy::default()),
            Some(Content::Bytes(bytes)) => parse_policy_granted(&bytes, &self.granted)
                .map_err(|findings| findings.iter().map(ToString::to_string).collect()),
            Some(Content::TooLarge { size }) => {
                Err(vec![format!("{POLICY_FILE}:1: it has {size} bytes, the most is {MAX_POLICY}")])
            }
            Some(Content::Symlink | Content::Submodule) => {
                Err(vec![format!("{POLICY_FILE}:1: it must be a regular file")])
            }
        })
    }

    fn log(&self, ruling: &Ruling, tip: &CommitSha) {
        let (Ruling::Earlier(_, findings) | Ruling::Never(findings)) = ruling else { return };
        for finding in findings {
            warn!(repo = %self.repo, tip = tip.short(), %finding, "the policy is invalid");
        }
    }

    async fn keep(&self, policy: &Policy) -> Result<(), PrepareFault> {
        if self.lock().last_valid.as_ref() == Some(policy) {
            return Ok(());
        }
        let appended = self.ledger.append(&self.stream, vec![policy_record(policy)]).await;
        appended.map_err(|error| PrepareFault::Later(error.to_string()))?;
        self.lock().last_valid = Some(policy.clone());
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
