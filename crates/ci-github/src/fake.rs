//! A GitHub in memory, for tests: people act on it by verbs, it sends webhooks, and it answers
//! either as a [`Forge`](crate::Forge) or, through [`FakeGitHub::answer`], as an HTTP API.

mod app;
mod checks;
mod deliveries;
mod examined;
mod graphql;
mod hooks;
mod http;
mod model;
mod oauth;
mod people;
mod port;
mod repo;
mod rest;
mod shown;
mod standing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ci_domain::code_owners::Owner;
use ci_domain::forge::Timestamp;
use ci_domain::ids::{BranchName, CommitSha, Login, RepoName};

pub use self::checks::FakeCheck;
pub use self::deliveries::SignedDelivery;
pub use self::http::{FakeRequest, FakeResponse};
use self::model::Model;
pub use self::model::{CommentedOn, FakeComment, Spent};
pub use self::repo::{FakeRepo, NewPull};
use crate::forge::ForgeError;

/// A handle to one GitHub in memory; clones share it.
#[derive(Clone, Debug)]
pub struct FakeGitHub {
    model: Arc<Mutex<Model>>,
}

impl FakeGitHub {
    /// The token that the HTTP side accepts.
    pub const TOKEN: &str = "fake-token";
    /// What deliveries are signed with.
    pub const WEBHOOK_SECRET: &str = "fake-webhook-secret";
    /// The login that our own comments carry.
    pub const LOGIN: &str = "ci-bot";

    /// A GitHub without repositories.
    #[must_use]
    pub fn new() -> Self {
        Self { model: Arc::new(Mutex::new(Model::new())) }
    }

    /// Adds a repository whose default branch is at `tip`.
    #[must_use]
    pub fn add_repo(&self, name: RepoName, default: BranchName, tip: CommitSha) -> FakeRepo {
        self.model().add_repo(name.clone(), default, tip);
        FakeRepo::new(self.clone(), name)
    }

    /// Takes the webhooks sent so far, oldest first. Drop, repeat or shuffle them as GitHub would.
    #[must_use]
    pub fn take_deliveries(&self) -> Vec<SignedDelivery> {
        std::mem::take(&mut self.model().outbox)
    }

    /// Makes the next call fail without effect; several are served in turn.
    pub fn fail_next(&self, error: ForgeError) {
        self.model().faults.push_back(error);
    }

    /// Makes the next write take effect and lose its answer.
    pub fn drop_next_answer(&self) {
        self.drop_answer_after(0);
    }

    /// Lets so many writes be answered before one takes effect and loses its answer.
    pub fn drop_answer_after(&self, writes: usize) {
        self.model().drop_answer_after = Some(writes);
    }

    /// Makes every call fail as if the network were gone, until it is back.
    pub fn set_offline(&self, offline: bool) {
        self.model().offline = offline;
    }

    /// Makes every write fail without effect while reads work, until it is mended.
    pub fn set_read_only(&self, read_only: bool) {
        self.model().read_only = read_only;
    }

    /// Makes pages shorter than GitHub's, so that a few entries need several.
    pub fn set_page_size(&self, size: usize) {
        self.model().page_size = size.max(1);
    }

    /// Sets the clock; each act moves it on by a second.
    pub fn set_clock(&self, now: Timestamp) {
        self.model().clock = now;
    }

    /// Puts a person into a team, or lets the account show an address.
    pub fn enrol(&self, login: &Login, owner: &Owner) {
        self.model().belongings.insert((login.clone(), owner.clone()));
    }

    /// Takes that back.
    pub fn expel(&self, login: &Login, owner: &Owner) {
        self.model().belongings.remove(&(login.clone(), owner.clone()));
    }

    /// How many calls were made, failed ones included.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.model().calls
    }

    /// What the HTTP side has answered so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.model().spent
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that changes nothing.
    fn read<T>(&self, call: impl FnOnce(&Model) -> Result<T, ForgeError>) -> Result<T, ForgeError> {
        let mut model = self.model();
        model.admit()?;
        call(&model)
    }

    /// A call that changes something, and whose answer may be lost.
    fn write<T>(
        &self,
        call: impl FnOnce(&mut Model) -> Result<T, ForgeError>,
    ) -> Result<T, ForgeError> {
        let mut model = self.model();
        model.admit()?;
        if model.read_only {
            return Err(model::transient("nothing can be written"));
        }
        let answer = call(&mut model)?;
        if model.loses_answer() {
            return Err(model::transient("the answer was lost"));
        }
        Ok(answer)
    }
}

impl Default for FakeGitHub {
    fn default() -> Self {
        Self::new()
    }
}
