//! Webhook deliveries: on record before they are acknowledged, pending until they have had their effect.
//!
//! Parent: the root supervisor. Children: none. Restart: permanent. Commands in: [`IntakeHandle`].

mod names;
mod remembered;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ci_domain::forge::{ForgeEvent, IssueCommand, Timestamp};
use ci_domain::ids::RepoName;
use ci_github::webhook::Delivery;
use ci_store::{Seq, WriteError};
use heights::{
    CallError, ChildRef, ChildSpec, Context, Fault, Flow, Recipient, Ref, Reply, Server,
};
use tracing::{debug, error};

use crate::intake::names::Names;
use crate::intake::store::{Entry, IntakeState};
use crate::ledger::{LedgerHandle, intake_stream};
use crate::queues::Queues;
use crate::repos::Repos;

/// How often deliveries are handed out again that no watcher has in mind: theirs was being restarted, or
/// could not ask the forge.
const AGAIN: Duration = Duration::from_secs(60);
/// Records after which the stream is folded into a snapshot, at the least: a snapshot holds every delivery
/// that is remembered, so where those are many it is taken after half as many records.
const RECORDS_PER_SNAPSHOT: usize = 1024;
/// Deliveries that may wait for their effect. Where more come, GitHub is told so, and the next poll sees
/// what they were about.
const MOST_WAITING: usize = 50_000;

/// How the web server hands deliveries over.
#[derive(Clone, Debug)]
pub struct IntakeHandle(ChildRef<Msg>);

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is on record and survives whatever happens to the node.
    Stored,
    /// It was received before.
    Duplicate,
    /// There is nothing in it for us.
    NotOfInterest,
    /// It could not be stored.
    NotStored,
}

impl IntakeHandle {
    /// Takes a verified delivery; returns when it is durable.
    ///
    /// # Errors
    /// The intake does not answer; the delivery may be on record all the same.
    pub async fn deliver(&self, delivery: Delivery) -> Result<Receipt, CallError> {
        self.0.call(|reply| Msg::Deliver(Box::new(delivery), reply)).await
    }
}

/// What the intake is started with.
#[derive(Clone)]
pub(crate) struct IntakeArgs {
    pub(crate) ledger: LedgerHandle,
    pub(crate) repos: Repos,
    pub(crate) queues: Queues,
    pub(crate) now: fn() -> SystemTime,
}

/// Describes the intake as a child.
pub(crate) fn start(args: IntakeArgs) -> (ChildSpec, IntakeHandle) {
    let (spec, reference) = ChildSpec::server::<Intake>("intake", move || args.clone());
    (spec, IntakeHandle(reference))
}

struct Intake {
    args: IntakeArgs,
    state: IntakeState,
    /// Deliveries on their way to the disk; those who wait for an answer about each.
    storing: BTreeMap<String, Vec<Reply<Receipt>>>,
    finishing: Finishing,
    /// Deliveries that a watcher has been told of and has not forgotten.
    handed: BTreeSet<String>,
    names: Names,
    since_snapshot: usize,
}

/// Deliveries that have had their effect, on their way to the disk: those that come to it meanwhile are
/// written together.
#[derive(Default)]
struct Finishing {
    all: BTreeSet<String>,
    next: Vec<String>,
    is_writing: bool,
}

enum Msg {
    Deliver(Box<Delivery>, Reply<Receipt>),
    Stored(Box<Entry>, Result<Seq, WriteError>),
    /// What the delivery says is on record elsewhere.
    Heeded(String),
    /// Nobody has it in mind any more, heeded or not.
    Dropped(String),
    Finished(Vec<String>, Result<Seq, WriteError>),
    Again,
}

impl Server for Intake {
    type Args = IntakeArgs;
    type Msg = Msg;

    async fn init(args: IntakeArgs, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let replay = args.ledger.read(&intake_stream()).await?;
        let since_snapshot = replay.records.len();
        let state = IntakeState::replay(&replay, timestamp((args.now)()))?;
        let mut intake = Self {
            args,
            state,
            storing: BTreeMap::new(),
            finishing: Finishing::default(),
            handed: BTreeSet::new(),
            names: Names::default(),
            since_snapshot,
        };
        intake.dispatch_pending(cx);
        Ok(intake)
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Deliver(delivery, reply) => self.deliver(*delivery, reply, cx),
            Msg::Stored(entry, result) => self.stored(*entry, result, cx).await?,
            Msg::Heeded(delivery) => self.finish(delivery, cx),
            Msg::Dropped(delivery) => drop(self.handed.remove(&delivery)),
            Msg::Finished(deliveries, result) => self.finished(&deliveries, result?, cx).await?,
            Msg::Again => self.dispatch_pending(cx),
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Deliver(..) => "deliver",
            Msg::Stored(..) => "stored",
            Msg::Heeded(_) => "heeded",
            Msg::Dropped(_) => "dropped",
            Msg::Finished(..) => "finished",
            Msg::Again => "again",
        }
    }
}

impl Intake {
    fn deliver(&mut self, delivery: Delivery, reply: Reply<Receipt>, cx: &mut Context<Msg>) {
        let Some(entry) = self.entry(delivery) else { return reply.send(Receipt::NotOfInterest) };
        if self.state.has(&entry.delivery) {
            return reply.send(Receipt::Duplicate);
        }
        if self.args.queues.is_disk_low() || self.state.waiting() >= MOST_WAITING {
            return reply.send(Receipt::NotStored);
        }
        if let Some(waiting) = self.storing.get_mut(&entry.delivery) {
            return waiting.push(reply);
        }
        self.storing.insert(entry.delivery.clone(), vec![reply]);
        let (record, myself) = (entry.record(), cx.myself());
        let done = move |result| {
            // An intake that is gone replays the record, if it was written.
            let _gone = myself.cast(Msg::Stored(Box::new(entry), result));
        };
        // Not waited for here, so that deliveries which come together share a sync.
        self.args.ledger.submit(&intake_stream(), record, Box::new(done));
    }

    /// What is kept of a delivery; nothing where it says nothing to a repository of ours.
    fn entry(&mut self, delivery: Delivery) -> Option<Entry> {
        let ours = self.args.repos.names();
        if delivery.repo.is_none() && says_something(&delivery.event) {
            // It may be about any of them, and what each does about it is done after a restart in any case.
            ours.iter().for_each(|repo| self.hint(repo, delivery.event.clone(), None));
            return None;
        }
        let repo = self.names.ours(&delivery, &ours)?;
        says_something(&delivery.event).then_some(Entry {
            delivery: delivery.id,
            repo,
            event: delivery.event,
            at: timestamp((self.args.now)()),
        })
    }

    async fn stored(
        &mut self,
        entry: Entry,
        result: Result<Seq, WriteError>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let waiting = self.storing.remove(&entry.delivery).unwrap_or_default();
        let answer = |receipt| waiting.into_iter().for_each(|reply| reply.send(receipt));
        match result {
            Ok(seq) => {
                answer(Receipt::Stored);
                self.dispatch(&entry, cx);
                self.state.receive(entry);
                self.condense(seq).await
            }
            Err(error) => {
                error!(delivery = entry.delivery, %error, "failed to store a delivery");
                answer(Receipt::NotStored);
                Ok(())
            }
        }
    }

    fn dispatch_pending(&mut self, cx: &mut Context<Msg>) {
        let forgotten = self.state.pending().filter(|entry| !self.handed.contains(&entry.delivery));
        for entry in forgotten.cloned().collect::<Vec<_>>() {
            self.dispatch(&entry, cx);
        }
        let _timer = cx.send_after(AGAIN, Msg::Again);
    }

    fn dispatch(&mut self, entry: &Entry, cx: &Context<Msg>) {
        self.handed.insert(entry.delivery.clone());
        let handed = Handed { delivery: entry.delivery.clone(), intake: cx.myself() };
        let done = Recipient::from_fn(move |()| handed.heeded());
        self.hint(&entry.repo, entry.event.clone(), Some(done));
    }

    fn hint(&self, repo: &RepoName, event: ForgeEvent, done: Option<Recipient<()>>) {
        if let Some(repo) = self.args.repos.get(repo) {
            repo.watcher.hint(event, done);
        }
    }

    fn finish(&mut self, delivery: String, cx: &mut Context<Msg>) {
        if self.state.is_pending(&delivery) && self.finishing.all.insert(delivery.clone()) {
            debug!(delivery, "heeded");
            self.finishing.next.push(delivery);
            self.write_finished(cx);
        }
    }

    fn write_finished(&mut self, cx: &mut Context<Msg>) {
        if self.finishing.is_writing || self.finishing.next.is_empty() {
            return;
        }
        self.finishing.is_writing = true;
        let deliveries = std::mem::take(&mut self.finishing.next);
        let (record, myself) = (store::finished(&deliveries), cx.myself());
        let done = move |result| {
            let _gone = myself.cast(Msg::Finished(deliveries, result));
        };
        self.args.ledger.submit(&intake_stream(), record, Box::new(done));
    }

    async fn finished(
        &mut self,
        deliveries: &[String],
        seq: Seq,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        for delivery in deliveries {
            self.finishing.all.remove(delivery);
            self.state.finish(delivery);
        }
        self.finishing.is_writing = false;
        self.write_finished(cx);
        self.condense(seq).await
    }

    /// Folds the stream now and then. The ledger answers in the order of its records, so the state is what
    /// those up to `seq` say, and those that are on their way come after.
    async fn condense(&mut self, seq: Seq) -> Result<(), Fault> {
        self.since_snapshot += 1;
        if self.since_snapshot >= RECORDS_PER_SNAPSHOT.max(self.state.remembered() / 2) {
            self.since_snapshot = 0;
            let body = self.state.snapshot()?;
            self.args.ledger.snapshot(&intake_stream(), seq, body).await?;
        }
        Ok(())
    }
}

/// A delivery in the hands of a watcher: heeded, or dropped where the watcher ended before that.
struct Handed {
    delivery: String,
    intake: Ref<Msg>,
}

impl Handed {
    fn heeded(&self) {
        // An intake that is gone hands the delivery out again.
        let _gone = self.intake.cast(Msg::Heeded(self.delivery.clone()));
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        let _gone = self.intake.cast(Msg::Dropped(std::mem::take(&mut self.delivery)));
    }
}

/// Whether an event is worth a record: of comments, those are that give a command.
fn says_something(event: &ForgeEvent) -> bool {
    match event {
        ForgeEvent::Ping | ForgeEvent::Ignored { .. } => false,
        ForgeEvent::Commented(found) => IssueCommand::parse(&found.comment.body).is_some(),
        ForgeEvent::PullChanged { .. }
        | ForgeEvent::Pushed { .. }
        | ForgeEvent::Rerequested { .. }
        | ForgeEvent::RepositoryChanged { .. } => true,
    }
}

fn timestamp(now: SystemTime) -> Timestamp {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_secs())
}
