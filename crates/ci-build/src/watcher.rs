//! Watches one repository: keeps an actor for every open pull request and for every branch that is
//! built, and tells it what the forge says.
//!
//! Parent: `repo`. Children: none; pull requests and branches are started under `pulls` and `branches`,
//! its elder siblings.
//! Restart: permanent. Commands in: [`WatcherHandle`]. Facts in: [`PullFact`], reports of `pulls`.
//!
//! First, before any network, there is a pull request's actor for each that the ledger knows to be open.
//! Then a poll reads the forge, and webhooks make it look sooner: both end in the same place, with
//! [`Watcher::observe`]. A pull request that a snapshot lacks is read by its number before it is
//! believed to be closed.

mod actors;
mod answers;
mod branches;
mod comments;
mod known;
mod observe;
mod permissions;
mod queue;
pub(crate) mod reads;
mod redeliver;
mod rerequests;
mod snapshot;
mod stale;
mod tips;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ci_domain::forge::{CommentId, ForgeEvent, PullComment, PullFacts, RepoSnapshot, Timestamp};
use ci_domain::ids::{BranchName, CommitSha, PullNumber};
use ci_domain::may_run::Disk;
use ci_github::ForgeError;
use heights::registry::Registry;
use heights::{
    CallError, ChildRef, ChildSpec, Context, DynamicRef, Fault, Flow, Recipient, Reply, Report,
    Server, TimerId,
};

use crate::branch::{BranchFact, BranchHandle};
use crate::elders::Elders;
use crate::mirror::PolicyRead;
use crate::nightly::NightRules;
use crate::pull::{PullFact, PullHandle};
use crate::watcher::branches::Rule;
use crate::watcher::comments::CommentNews;
use crate::watcher::known::Known;
use crate::watcher::permissions::Permissions;
use crate::watcher::stale::Awaited;
use crate::watcher::tips::{Sought, TipNews};

/// The pull requests of a repository that have actors.
pub(crate) type Pulls = Registry<PullNumber, PullHandle>;

/// The branches of a repository that have actors.
pub(crate) type Branches = Registry<BranchName, BranchHandle>;

/// How others speak to a watcher.
#[derive(Clone, Debug)]
pub(crate) struct WatcherHandle(ChildRef<Msg>);

impl WatcherHandle {
    /// Tells of an event of the forge; `done` is told once what it says has been looked at and is on
    /// record.
    pub(crate) fn hint(&self, event: ForgeEvent, done: Option<Recipient<()>>) {
        // Deliveries stay pending while the watcher is being restarted, and the first poll sees it all.
        let _restarting = self.0.cast(Msg::Hint(Box::new(event), done));
    }

    /// What is known of the repository.
    ///
    /// # Errors
    /// The watcher does not answer.
    pub(crate) async fn view(&self) -> Result<WatcherView, CallError> {
        self.0.call(Msg::View).await
    }

    /// Lifts the quarantine of a pull request; answers whether there was one.
    ///
    /// # Errors
    /// The watcher does not answer.
    pub(crate) async fn lift(&self, pull: PullNumber) -> Result<bool, CallError> {
        self.0.call(|reply| Msg::Lift(pull, reply)).await
    }
}

/// What is known of a repository, for people.
#[derive(Clone, Debug, Default)]
pub struct WatcherView {
    /// The pull requests that were given up, with the reason.
    pub quarantined: Vec<(PullNumber, String)>,
    /// Why the last poll did not work.
    pub trouble: Option<String>,
    /// The pull requests that are watched.
    pub open: Vec<PullNumber>,
    /// The branches that are built on push.
    pub branches: Vec<BranchName>,
    /// Polls that worked since the node started.
    pub polls: u64,
    /// What the policy says of nightly jobs, once it has been read.
    pub night_rules: Option<NightRules>,
}

/// What a watcher is started with.
#[derive(Clone)]
pub(crate) struct WatcherArgs {
    pub(crate) elders: Arc<Elders>,
    pub(crate) pulls: DynamicRef,
    pub(crate) registry: Pulls,
    pub(crate) branches: DynamicRef,
    pub(crate) branch_registry: Branches,
    pub(crate) poll_interval: Duration,
    pub(crate) now: fn() -> Timestamp,
}

/// Describes a watcher as a child. `reports` is filled with the way for the reports of `pulls` and
/// `branches`.
pub(crate) fn start(
    args: WatcherArgs,
    reports: &Arc<OnceLock<Recipient<Report>>>,
) -> (ChildSpec, WatcherHandle) {
    let (spec, reference) = ChildSpec::server::<Watcher>("watcher", move || args.clone());
    // Filled once: a watcher is described once in the life of its repository's tree.
    let _first = reports.set(reference.recipient(|report| Msg::Report(Box::new(report))));
    (spec, WatcherHandle(reference))
}

struct Watcher {
    args: WatcherArgs,
    known: Known,
    view: WatcherView,
    poll_backoff: Duration,
    polling: Polling,
    disk: Disk,
    /// Which branches are built, once that was asked.
    rule: Option<Rule>,
    /// Branches whose actors were given up, and where they were then.
    given_up: BTreeMap<BranchName, CommitSha>,
    /// How the actors of a pull request or branch crashed last, by the name of their supervisor.
    crashes: BTreeMap<String, String>,
    /// Pull requests that are being read; those who asked since then and wait for another look.
    reading: BTreeMap<PullNumber, Option<Vec<Recipient<()>>>>,
    /// The pull requests of which there is news that was not read yet.
    awaited: BTreeMap<PullNumber, Awaited>,
    /// The branches that did not move as expected, while the forge is asked where they are.
    sought: BTreeMap<BranchName, Sought>,
    /// The branches that moved since the poll that is under way began.
    moved: BTreeSet<BranchName>,
    /// Those who wait to hear that a delivery was heeded, which the next poll that works will do.
    unheeded: Vec<Recipient<()>>,
    /// When failed deliveries were asked for again.
    asked_for_lost: Option<Timestamp>,
    /// Comments with commands whose answers are not on record yet.
    asking: BTreeSet<CommentId>,
    /// Comments whose answers are on their way.
    giving: BTreeSet<CommentId>,
    permissions: Permissions,
}

/// When the forge is polled next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Polling {
    /// The message that does it is on its way.
    Soon,
    /// It is under way, and begins anew at its end where something happened since it began.
    UnderWay { again: bool },
    /// When this timer says so.
    Later(TimerId),
}

enum Msg {
    Poll,
    Snapshot(Result<Box<Seen>, ForgeError>),
    Hint(Box<ForgeEvent>, Option<Recipient<()>>),
    Read(PullNumber, Result<Option<Box<PullFacts>>, ForgeError>, Vec<Recipient<()>>),
    ReadAgain(PullNumber, Vec<Recipient<()>>),
    Tip(TipNews),
    Comment(CommentNews),
    Fact(PullFact),
    Policy(PolicyRead),
    BranchFact(BranchFact),
    Report(Box<Report>),
    Lift(PullNumber, Reply<bool>),
    View(Reply<WatcherView>),
}

/// What one poll saw.
struct Seen {
    snapshot: RepoSnapshot,
    comments: Vec<PullComment>,
}

impl Server for Watcher {
    type Args = WatcherArgs;
    type Msg = Msg;

    async fn init(args: WatcherArgs, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let known = Known::load(&args.elders).await?;
        let mut watcher = Self {
            args,
            known,
            view: WatcherView::default(),
            poll_backoff: Duration::ZERO,
            polling: Polling::Soon,
            disk: Disk::Ok,
            rule: None,
            given_up: BTreeMap::new(),
            crashes: BTreeMap::new(),
            reading: BTreeMap::new(),
            awaited: BTreeMap::new(),
            sought: BTreeMap::new(),
            moved: BTreeSet::new(),
            unheeded: Vec::new(),
            asked_for_lost: None,
            asking: BTreeSet::new(),
            giving: BTreeSet::new(),
            permissions: Permissions::default(),
        };
        for number in watcher.known.open().collect::<Vec<_>>() {
            watcher.ensure(number, cx).await?;
        }
        for name in watcher.known.built().cloned().collect::<Vec<_>>() {
            watcher.ensure_branch(&name, None, cx).await?;
        }
        let _self = cx.myself().cast(Msg::Poll);
        Ok(watcher)
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Poll => self.poll(cx).await?,
            Msg::Snapshot(result) => self.take_snapshot(result, cx).await?,
            Msg::Hint(event, done) => self.take_hint(*event, done, cx).await?,
            Msg::Read(number, result, done) => self.take_read(number, result, done, cx).await?,
            Msg::ReadAgain(number, done) => self.read(number, done, cx).await?,
            Msg::Tip(news) => self.take_tip_news(news, cx).await?,
            Msg::Comment(news) => self.take_comment_news(news, cx).await?,
            Msg::Fact(PullFact::Ended(number)) => self.end(number).await?,
            Msg::Policy(read) => self.take_policy(read, cx).await?,
            Msg::BranchFact(BranchFact::Ended(name)) => self.end_branch(name, cx).await?,
            Msg::Report(report) => self.take_report(*report, cx).await?,
            Msg::Lift(number, reply) => {
                let was_there = self.lift(number, cx).await?;
                reply.send(was_there);
            }
            Msg::View(reply) => {
                let mut view = self.view.clone();
                view.quarantined = self.known.quarantined();
                view.open = self.known.open().collect();
                view.branches = self.known.built().cloned().collect();
                view.night_rules = self.rule.as_ref().and_then(Rule::of_nights);
                reply.send(view);
            }
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Poll => "poll",
            Msg::Snapshot(_) => "snapshot",
            Msg::Hint(..) => "hint",
            Msg::Read(..) => "read",
            Msg::ReadAgain(..) => "read-again",
            Msg::Tip(_) => "tip",
            Msg::Comment(_) => "comment",
            Msg::Fact(_) => "fact",
            Msg::Policy(_) => "policy",
            Msg::BranchFact(_) => "branch-fact",
            Msg::Report(_) => "report",
            Msg::Lift(..) => "lift",
            Msg::View(_) => "view",
        }
    }
}
