//! What actors said last, for pages, which wait for nobody who is busy.
//!
//! The API waits for as long as an actor may take. A page is looked at by somebody who waits: it takes what
//! is answered at once, and in the place of what is not, what was answered before, and says of when that is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use ci_build::{AskError, BranchView, PastBuild, PullView, Undelivered, WatcherView};
use ci_domain::ids::{BranchName, BuildNumber, PullNumber, RepoName};
use ci_domain::subject::Subject;
use tokio::time::Instant;

use crate::problem::Problem;
use crate::site::Site;

/// Answers of each kind that are remembered: the pull requests of a large node, at a few kilobytes each.
const MOST: usize = 4096;
/// Histories that are remembered, at dozens of kilobytes each.
const MOST_HISTORIES: usize = 256;

/// What actors said last.
pub(crate) struct Seen {
    watchers: Memory<RepoName, WatcherView>,
    pulls: Memory<(RepoName, PullNumber), PullView>,
    branches: Memory<(RepoName, BranchName), Option<BranchView>>,
    builds: Memory<(RepoName, Subject, u64), Vec<PastBuild>>,
    undelivered: Memory<(), Vec<Undelivered>>,
}

/// The last answers to one kind of question, each with its time.
struct Memory<K, V> {
    all: Mutex<BTreeMap<K, (SystemTime, Arc<V>)>>,
    most: usize,
}

/// One look at the node, which ends soon.
pub(crate) struct Glance {
    began: SystemTime,
    until: Instant,
    gaps: Mutex<Gaps>,
}

/// What was not answered in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gaps {
    /// When the oldest of what is shown in its place was true.
    pub(crate) as_of: Option<SystemTime>,
    /// Whether there is something that was never answered.
    pub(crate) is_unknown: bool,
}

/// Why nothing is known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unseen {
    /// There is no such thing, or whoever should say does not.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// There is no answer yet, and there was none before.
    #[error("ask the node: it is busy, and has not said this before")]
    Busy,
}

/// The site, for a handler that waits for nobody.
pub(crate) struct Hasty(pub(crate) Site);

impl FromRequestParts<Site> for Hasty {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, site: &Site) -> Result<Self, Self::Rejection> {
        Ok(Self(site.glancing()))
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            watchers: Memory::new(MOST),
            pulls: Memory::new(MOST),
            branches: Memory::new(MOST),
            builds: Memory::new(MOST_HISTORIES),
            undelivered: Memory::new(1),
        }
    }
}

impl<K: Ord + Clone, V> Memory<K, V> {
    fn new(most: usize) -> Self {
        Self { all: Mutex::default(), most }
    }

    fn keep(&self, key: K, value: Arc<V>) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key, (SystemTime::now(), value));
        if all.len() > self.most {
            let oldest = all.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            oldest.and_then(|key| all.remove(&key));
        }
    }

    fn last(&self, key: &K) -> Option<(SystemTime, Arc<V>)> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn forget(&self, key: &K) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl Glance {
    /// A look that ends after `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        let (began, until) = (SystemTime::now(), Instant::now() + patience);
        Self { began, until, gaps: Mutex::default() }
    }

    /// What was not answered in time so far, if anything.
    pub(crate) fn gaps(&self) -> Option<Gaps> {
        let gaps = *self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        (gaps != Gaps::default()).then_some(gaps)
    }

    /// What is answered in time. Who has waited in vain before asks nobody: their mailboxes are full enough.
    async fn wait_for<T>(&self, asked: impl Future<Output = T>) -> Option<T> {
        if self.until <= Instant::now() {
            return None;
        }
        tokio::time::timeout_at(self.until, asked).await.ok()
    }

    /// What was answered since this look began.
    fn heard<K: Ord + Clone, V>(&self, memory: &Memory<K, V>, key: &K) -> Option<Arc<V>> {
        memory.last(key).filter(|(at, _)| *at >= self.began).map(|(_, value)| value)
    }

    /// What was answered last.
    fn remember<K: Ord + Clone, V>(
        &self,
        memory: &Memory<K, V>,
        key: &K,
    ) -> Result<Arc<V>, Unseen> {
        let last = memory.last(key);
        self.note(last.as_ref().map(|(at, _)| *at));
        last.map(|(_, value)| value).ok_or(Unseen::Busy)
    }

    fn note(&self, known: Option<SystemTime>) {
        let mut gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        match known {
            Some(at) => gaps.as_of = Some(gaps.as_of.map_or(at, |other| other.min(at))),
            None => gaps.is_unknown = true,
        }
    }
}

impl Site {
    /// What the watcher of a repository knows.
    pub(crate) async fn watcher(&self, repo: &RepoName) -> Result<Arc<WatcherView>, Unseen> {
        let asked = self.node().watcher(repo);
        self.recall(&self.seen().watchers, repo.clone(), asked).await
    }

    /// One pull request.
    pub(crate) async fn pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<Arc<PullView>, Unseen> {
        let asked = self.node().pull(repo, number);
        self.recall(&self.seen().pulls, (repo.clone(), number), asked).await
    }

    /// One branch; `None` where it is not built on push.
    pub(crate) async fn branch(
        &self,
        repo: &RepoName,
        name: &BranchName,
    ) -> Result<Arc<Option<BranchView>>, Unseen> {
        let asked = self.node().branch(repo, name);
        self.recall(&self.seen().branches, (repo.clone(), name.clone()), asked).await
    }

    /// The builds of `subject` up to number `last`, the newest first and no more than `most`.
    pub(crate) async fn builds(
        &self,
        repo: &RepoName,
        subject: &Subject,
        (last, most): (u64, u64),
    ) -> Result<Arc<Vec<PastBuild>>, Unseen> {
        let asked = self.node().builds(repo, subject, BuildNumber(last), most);
        self.recall(&self.seen().builds, (repo.clone(), subject.clone(), most), asked).await
    }

    /// What the forge has not taken.
    pub(crate) async fn undelivered(&self) -> Result<Arc<Vec<Undelivered>>, Unseen> {
        let asked = async { Ok(self.node().reporter().undelivered().await?) };
        self.recall(&self.seen().undelivered, (), asked).await
    }

    /// What is answered, or in a hurry, what was answered last.
    async fn recall<K: Ord + Clone, V>(
        &self,
        memory: &Memory<K, V>,
        key: K,
        asked: impl Future<Output = Result<V, AskError>>,
    ) -> Result<Arc<V>, Unseen> {
        let answer = match self.glance() {
            None => asked.await,
            // Nobody is asked twice in one look.
            Some(glance) if let Some(value) = glance.heard(memory, &key) => return Ok(value),
            Some(glance) => match glance.wait_for(asked).await {
                Some(answer) => answer,
                None => return glance.remember(memory, &key),
            },
        };
        match answer {
            Ok(value) => {
                let value = Arc::new(value);
                memory.keep(key, value.clone());
                Ok(value)
            }
            Err(error @ (AskError::NoRepo(_) | AskError::NoPull(..))) => {
                memory.forget(&key);
                Err(error.into())
            }
            Err(error @ (AskError::Call(_) | AskError::Ledger(_))) => match self.glance() {
                Some(glance) => glance.remember(memory, &key),
                None => Err(error.into()),
            },
        }
    }
}

impl From<Unseen> for Problem {
    fn from(unseen: Unseen) -> Self {
        match unseen {
            Unseen::Ask(error) => error.into(),
            Unseen::Busy => Self::busy(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_glance_lasts_as_long_as_it_may_and_then_asks_nobody() {
        let began = Instant::now();
        let glance = Glance::new(Duration::from_millis(300));
        assert_eq!(glance.wait_for(ready(1)).await, Some(1));
        assert_eq!(glance.wait_for(pending::<u8>()).await, None);
        assert_eq!(began.elapsed().as_millis(), 300);
        assert_eq!(glance.wait_for(ready(2)).await, None);
        assert_eq!(began.elapsed().as_millis(), 300);
    }

    #[test]
    fn what_was_answered_last_is_remembered_with_its_time() {
        let memory: Memory<u8, u8> = Memory::new(2);
        let glance = Glance::new(Duration::ZERO);
        assert!(matches!(glance.remember(&memory, &1), Err(Unseen::Busy)));
        assert_eq!(glance.gaps(), Some(Gaps { as_of: None, is_unknown: true }));
        let before = SystemTime::now();
        for key in [1, 2, 3] {
            memory.keep(key, Arc::new(key * 10));
        }
        assert!(memory.last(&1).is_none(), "the oldest made room");
        assert_eq!(*glance.remember(&memory, &3).unwrap(), 30);
        assert_eq!(glance.heard(&memory, &3).as_deref(), Some(&30));
        let began = SystemTime::now() + Duration::from_secs(1);
        let later = Glance { began, ..Glance::new(Duration::ZERO) };
        assert_eq!(later.heard(&memory, &3), None);
        let as_of = glance.gaps().unwrap().as_of.unwrap();
        assert!((before..=SystemTime::now()).contains(&as_of));
        memory.forget(&3);
        assert!(memory.last(&3).is_none());
    }
}
