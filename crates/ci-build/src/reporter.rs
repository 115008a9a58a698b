//! Makes the forge say what each pull request and branch wants said; the only writer to the forge.
//!
//! Parent: the root supervisor. Children: none, each write is a task under `writes`. Restart: permanent.
//! Commands in: [`ReporterHandle`]. Facts out: none.
//!
//! Wishes are state: the newest of each pull request counts and older ones are never written. One write
//! at a time goes to each commit, each comment and each check run, so that their order survives retries.
//! Where an answer was lost, on the way or with the node, one looks before one writes again: for a comment by
//! its marker, for statuses at what stands on the commit, for a check run at how it stands. That something was first written is therefore on record
//! before it is.

mod book;
mod delivery;
mod sight;
mod store;
mod trouble;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ci_domain::ids::{CommitSha, RepoName};
use ci_domain::report::{Report, Voice};
use ci_domain::subject::Subject;
use ci_github::{Forge, ForgeError};
use heights::{
    ChildRef, ChildSpec, Context, Fault, Flow, Regulator, Server, StateView, TaskSupervisorRef,
};
use tokio::time::Instant;

use crate::directory::Directory;
use crate::ledger::LedgerHandle;
use crate::reporter::book::{Book, Due};
use crate::reporter::store::ReporterStore;
use crate::reporter::trouble::Troubles;
use crate::reporter::write::{Carried, Write};

pub use crate::reporter::write::{Findings, TailSource};

/// Words alone are rewritten at most this often; the contract with the people who read them.
const WORDS_INTERVAL: Duration = Duration::from_secs(30);

/// How long check runs may go on of which nobody speaks any more: whoever starts needs a while to speak.
const ABANDONED_INTERVAL: Duration = Duration::from_secs(600);

/// How others make a pull request's wishes known.
#[derive(Clone, Debug)]
pub struct ReporterHandle(ChildRef<Msg>);

impl ReporterHandle {
    /// Says what the forge should say about a pull request from now on.
    pub(crate) fn publish(&self, repo: &RepoName, report: impl Into<Arc<Report>>) {
        // A reporter that is being restarted takes the pull requests with it, which publish anew.
        let _restarting = self.0.cast(Msg::Publish(repo.clone(), report.into()));
    }

    /// Says that a pull request or branch is over once what is due about it has been written.
    pub(crate) fn forget(&self, repo: &RepoName, subject: Subject) {
        let _restarting = self.0.cast(Msg::Forget(repo.clone(), subject));
    }

    /// What could not be delivered, by repository, in words.
    ///
    /// # Errors
    /// The reporter does not answer.
    pub async fn undelivered(&self) -> Result<Vec<Undelivered>, heights::CallError> {
        self.0.call(Msg::Undelivered).await
    }
}

/// A write that the forge has not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// The repository.
    pub repo: RepoName,
    /// What was to be written.
    pub what: String,
    /// Why it was not taken.
    pub reason: String,
}

/// What a reporter is started with.
#[derive(Clone)]
pub(crate) struct ReporterArgs {
    pub(crate) voice: Voice,
    /// Whose forges are written to.
    pub(crate) forges: Directory<Arc<dyn Forge>>,
    pub(crate) ledger: LedgerHandle,
    pub(crate) writes: TaskSupervisorRef,
    /// How fast the forge is written to.
    pub(crate) regulator: Regulator,
    /// How much is read from the forge at once.
    pub(crate) reads: Regulator,
    pub(crate) tails: Arc<dyn TailSource>,
}

/// Describes the reporter as a child.
pub(crate) fn start(args: ReporterArgs) -> (ChildSpec, ReporterHandle) {
    let (spec, reference) = ChildSpec::server::<Reporter>("reporter", move || args.clone());
    (spec, ReporterHandle(reference))
}

/// Writes that must not overtake each other: all statuses of a commit, all versions of a comment, all that a
/// check run shows.
pub(crate) type Lane = (RepoName, String);

struct Reporter {
    args: ReporterArgs,
    store: ReporterStore,
    books: BTreeMap<RepoName, Book>,
    busy: BTreeSet<Lane>,
    troubles: Troubles,
    words_written: BTreeMap<(Lane, String), Instant>,
}

enum Msg {
    Publish(RepoName, Arc<Report>),
    Forget(RepoName, Subject),
    Ended(Box<Write>, Box<Result<Carried, ForgeError>>),
    /// Something that waited may be due now.
    Look(RepoName, CommitSha),
    /// Check runs may go on of which nobody speaks.
    EndAbandoned,
    Undelivered(heights::Reply<Vec<Undelivered>>),
}

impl Server for Reporter {
    type Args = ReporterArgs;
    type Msg = Msg;

    const STATE: StateView<Self> = StateView::inspect();

    async fn init(args: ReporterArgs, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let mut reporter = Self {
            store: ReporterStore::new(args.ledger.clone()),
            books: BTreeMap::new(),
            busy: BTreeSet::new(),
            troubles: Troubles::default(),
            words_written: BTreeMap::new(),
            args,
        };
        for repo in reporter.args.forges.names() {
            reporter.open_book(&repo).await?;
        }
        let _timer = cx.send_after(ABANDONED_INTERVAL, Msg::EndAbandoned);
        Ok(reporter)
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Publish(repo, report) => {
                let head = report.head.clone();
                self.open_book(&repo).await?;
                if let Some(book) = self.books.get_mut(&repo) {
                    book.wish(report);
                }
                self.write_due(&repo, &head, cx).await?;
            }
            Msg::Forget(repo, subject) => {
                let head = self.books.get(&repo).and_then(|book| book.head_of(&subject));
                if let Some(book) = self.books.get_mut(&repo) {
                    book.forget(&subject);
                }
                if let Some(head) = head {
                    self.write_due(&repo, &head, cx).await?;
                }
            }
            Msg::Ended(write, result) => {
                let (repo, head) = (write.repo.clone(), write.head.clone());
                self.note(*write, *result, cx).await?;
                self.write_due(&repo, &head, cx).await?;
            }
            Msg::Look(repo, head) => self.write_due(&repo, &head, cx).await?,
            Msg::EndAbandoned => {
                let of = |(repo, book): (&RepoName, &Book)| {
                    book.abandoned()
                        .into_iter()
                        .map(|head| (repo.clone(), head))
                        .collect::<Vec<_>>()
                };
                let abandoned: Vec<_> = self.books.iter().flat_map(of).collect();
                for (repo, head) in abandoned {
                    self.write_due(&repo, &head, cx).await?;
                }
                let _timer = cx.send_after(ABANDONED_INTERVAL, Msg::EndAbandoned);
            }
            Msg::Undelivered(reply) => reply.send(self.troubles.undelivered()),
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Publish(..) => "publish",
            Msg::Forget(..) => "forget",
            Msg::Ended(..) => "ended",
            Msg::Look(..) => "look",
            Msg::EndAbandoned => "end abandoned",
            Msg::Undelivered(_) => "undelivered",
        }
    }
}

impl Reporter {
    /// Reads what was told about a repository, at the start or when it has come later.
    async fn open_book(&mut self, repo: &RepoName) -> Result<(), Fault> {
        if !self.books.contains_key(repo) {
            let told = self.store.load(repo).await?;
            self.books.insert(repo.clone(), Book::new(told));
        }
        Ok(())
    }

    /// Starts every write about `head` that is due and need not wait.
    async fn write_due(
        &mut self,
        repo: &RepoName,
        head: &CommitSha,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let node = &self.args.voice.node;
        let Some(book) = self.books.get(repo) else { return Ok(()) };
        let mut all = book.due(head, node);
        if self.args.forges.get(repo).is_some_and(|forge| forge.takes_checks(repo)) {
            all.extend(book.due_checks(head, node));
        }
        for due in all {
            let write = Write { repo: repo.clone(), head: head.clone(), due };
            if !self.busy.contains(&write.lane()) && !self.must_wait(&write, cx) {
                self.begin(write, cx).await?;
            }
        }
        Ok(())
    }

    /// Whether a write must wait, for a retry or because only its words change; sees to it that it is
    /// looked at again.
    fn must_wait(&mut self, write: &Write, cx: &mut Context<Msg>) -> bool {
        let now = Instant::now();
        if let Some(must_wait) = self.troubles.hold(write, now) {
            return must_wait;
        }
        let Due::Status { status, words_only: true, .. } = &write.due else { return false };
        let context = (write.lane(), status.context.clone());
        let Some(written) = self.words_written.get(&context) else { return false };
        let at = *written + WORDS_INTERVAL;
        if at > now {
            let _timer = cx.send_after(at - now, Msg::Look(write.repo.clone(), write.head.clone()));
        }
        at > now
    }
}

#[cfg(test)]
mod tests;
