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
mod branches;
mod comments;
mod known;
mod reads;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ci_domain::forge::{
    CommentId, ForgeEvent, PullComment, PullFacts, PullNews, PullState, RepoSnapshot, Skipped,
    Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, PullNumber};
use ci_domain::may_run::Disk;
use ci_domain::pull::Observation;
use ci_github::ForgeError;
use heights::registry::Registry;
use heights::{
    CallError, ChildRef, ChildSpec, Context, DynamicRef, Fault, Flow, Recipient, Reply, Report,
    Server,
};
use tracing::{debug, warn};

use crate::branch::{BranchFact, BranchHandle};
use crate::elders::Elders;
use crate::mirror::PolicyRead;
use crate::pull::{PullFact, PullHandle};
use crate::watcher::branches::Rule;
use crate::watcher::known::{Known, KnownEvent};

/// The longest wait after polls that did not work.
const MAX_POLL_BACKOFF: Duration = Duration::from_secs(600);

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
}

/// What a watcher is started with.
#[derive(Clone)]
pub(crate) struct WatcherArgs {
    pub(crate) elders: Elders,
    pub(crate) pulls: DynamicRef,
    pub(crate) registry: Pulls,
    pub(crate) branches: DynamicRef,
    pub(crate) branch_registry: Branches,
    pub(crate) poll_interval: Duration,
    pub(crate) now: fn() -> Timestamp,
    pub(crate) free_bytes: fn(&Path) -> io::Result<u64>,
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
    disk: Disk,
    /// Which branches are built, once that was asked.
    rule: Option<Rule>,
    /// Branches whose actors were given up, and where they were then.
    given_up: BTreeMap<BranchName, CommitSha>,
    /// Those who wait to hear that a delivery was heeded, which the next poll that works will do.
    unheeded: Vec<Recipient<()>>,
    /// Comments of whose authors it is being asked whether they may command.
    asking: BTreeSet<CommentId>,
}

enum Msg {
    Poll,
    Snapshot(Result<Box<Seen>, ForgeError>),
    Hint(Box<ForgeEvent>, Option<Recipient<()>>),
    Read(PullNumber, Result<Option<Box<PullFacts>>, ForgeError>, Vec<Recipient<()>>),
    MayCommand(Box<PullComment>, Result<bool, ForgeError>),
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
            disk: Disk::Ok,
            rule: None,
            given_up: BTreeMap::new(),
            unheeded: Vec::new(),
            asking: BTreeSet::new(),
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
            Msg::MayCommand(comment, result) => self.take_permission(*comment, result).await?,
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
            Msg::MayCommand(..) => "may-command",
            Msg::Fact(_) => "fact",
            Msg::Policy(_) => "policy",
            Msg::BranchFact(_) => "branch-fact",
            Msg::Report(_) => "report",
            Msg::Lift(..) => "lift",
            Msg::View(_) => "view",
        }
    }
}

impl Watcher {
    async fn take_snapshot(
        &mut self,
        result: Result<Box<Seen>, ForgeError>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let seen = match result {
            Ok(seen) => *seen,
            Err(error) => {
                warn!(repo = %self.args.elders.repo, %error, "failed to poll");
                self.view.trouble = Some(error.to_string());
                self.poll_backoff =
                    (self.poll_backoff * 2).clamp(self.args.poll_interval, MAX_POLL_BACKOFF);
                let _timer = cx.send_after(self.poll_backoff, Msg::Poll);
                return Ok(());
            }
        };
        self.view.trouble = None;
        self.view.polls += 1;
        self.poll_backoff = Duration::ZERO;
        self.known.learn_branches(&seen.snapshot);
        self.look_at_disk();
        let missing: Vec<PullNumber> = {
            let listed: BTreeSet<PullNumber> =
                seen.snapshot.pulls.iter().map(|p| p.number).collect();
            self.known.open().filter(|number| !listed.contains(number)).collect()
        };
        for facts in seen.snapshot.pulls {
            self.observe(facts, None, cx).await?;
        }
        let is_branch = |skipped: &Skipped| skipped.what.starts_with("branch");
        let is_complete = !seen.snapshot.skipped.iter().any(is_branch);
        for skipped in seen.snapshot.skipped {
            warn!(repo = %self.args.elders.repo, what = skipped.what, why = skipped.why, "skipped");
        }
        if !self.known.is_seen() {
            self.known.record(&self.args.elders, KnownEvent::Seen).await?;
            // What was said before the node first looked is not for it.
            let now = KnownEvent::CommentsRead((self.args.now)());
            self.known.record(&self.args.elders, now).await?;
        }
        for number in missing {
            self.read(number, Vec::new(), cx).await?;
        }
        self.look_at_branches(is_complete, cx).await?;
        self.take_all_comments(seen.comments, cx).await?;
        self.unheeded.drain(..).for_each(|done| done.tell(()));
        let _timer = cx.send_after(self.args.poll_interval, Msg::Poll);
        Ok(())
    }

    /// Tells every pull request and branch when the disk fills up, and when there is room again.
    fn look_at_disk(&mut self) {
        let disk = match (self.args.free_bytes)(self.args.elders.workspaces.folder()) {
            Ok(free) if free < self.args.elders.settings.min_free => Disk::Low,
            Ok(_) => Disk::Ok,
            // What cannot be measured is found out when it is written to.
            Err(error) => {
                warn!(repo = %self.args.elders.repo, %error, "failed to measure the free space");
                Disk::Ok
            }
        };
        self.args.elders.queues.note_disk(disk);
        if disk != self.disk {
            warn!(repo = %self.args.elders.repo, ?disk, "the free space has crossed the reserve");
            self.disk = disk;
        }
        for (_, pull) in self.args.registry.all() {
            pull.note_disk(disk);
        }
        for (_, branch) in self.args.branch_registry.all() {
            branch.note_disk(disk);
        }
    }

    async fn take_hint(
        &mut self,
        event: ForgeEvent,
        done: Option<Recipient<()>>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let done: Vec<Recipient<()>> = done.into_iter().collect();
        match event {
            ForgeEvent::PullChanged { number, news: PullNews::Hint } => {
                return self.read(number, done, cx).await;
            }
            ForgeEvent::PullChanged { news: PullNews::Facts(facts), .. } => {
                return self.observe(*facts, done.into_iter().next(), cx).await;
            }
            ForgeEvent::Pushed { branch, sha } => self.branch_moved(&branch, sha, cx).await?,
            ForgeEvent::Commented(comment) => self.take_comments(vec![comment], cx).await?,
            ForgeEvent::Ping | ForgeEvent::Ignored { .. } => {}
        }
        done.iter().for_each(|done| done.tell(()));
        Ok(())
    }

    async fn take_read(
        &mut self,
        number: PullNumber,
        result: Result<Option<Box<PullFacts>>, ForgeError>,
        done: Vec<Recipient<()>>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        match result {
            Ok(Some(facts)) => {
                let mut done = done.into_iter();
                let first = done.next();
                self.observe(*facts, first, cx).await?;
                done.for_each(|done| done.tell(()));
            }
            Ok(None) => {
                debug!(repo = %self.args.elders.repo, %number, "there is no such pull request");
                done.iter().for_each(|done| done.tell(()));
            }
            // The delivery stays pending until the next poll, which reads everything.
            Err(error) => {
                warn!(repo = %self.args.elders.repo, %number, %error, "failed to read");
                self.unheeded.extend(done);
            }
        }
        Ok(())
    }

    /// The one door: whatever was heard of a pull request, this is how its actor learns of it.
    async fn observe(
        &mut self,
        mut facts: PullFacts,
        done: Option<Recipient<()>>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let number = facts.number;
        let is_known = self.known.is_open(number);
        let Some(policy) = self.known.policy_tip() else {
            // The first poll has not been answered; it will tell of this pull request too.
            self.unheeded.extend(done);
            return Ok(());
        };
        // Reads overtake each other: what is older than what is known tells nothing.
        let known = self.known.facts(number);
        if let Some(newer) = known.filter(|known| known.updated_at > facts.updated_at) {
            facts = newer.clone();
        }
        if facts.state != PullState::Open && !is_known {
            done.iter().for_each(|done| done.tell(()));
            return Ok(());
        }
        if let Some(tip) = self.known.tip(&facts.base) {
            facts.base_sha = Some(tip);
        }
        let preexisting = !self.known.is_seen() && !is_known;
        if !is_known {
            self.known.record(&self.args.elders, KnownEvent::Opened(number)).await?;
        }
        let observation = Observation { facts: facts.clone(), policy, preexisting };
        self.known.note(facts);
        self.lift_for_new_head(number, &observation).await?;
        if let Some(pull) = self.ensure(number, cx).await? {
            pull.observe(observation, done);
        } else {
            done.iter().for_each(|done| done.tell(()));
        }
        Ok(())
    }

    /// A moved branch is the base of some pull requests, and may bring a new policy to all.
    async fn branch_moved(
        &mut self,
        branch: &BranchName,
        sha: Option<CommitSha>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let is_default = self.known.set_tip(branch, sha);
        let touched = self.known.facts_of(|facts| is_default || facts.base == *branch);
        for facts in touched {
            self.observe(facts, None, cx).await?;
        }
        // That a branch is gone is believed when the next poll does not find it.
        self.look_at_branches(false, cx).await
    }
}
