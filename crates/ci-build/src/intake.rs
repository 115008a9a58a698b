//! Webhook deliveries: on record before they are acknowledged, pending until they have had their effect.
//!
//! Parent: the root supervisor. Children: none. Restart: permanent. Commands in: [`IntakeHandle`].

mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ci_domain::forge::ForgeEvent;
use ci_domain::ids::RepoName;
use ci_github::webhook::Delivery;
use ci_store::{Seq, WriteError};
use heights::{CallError, ChildRef, ChildSpec, Context, Fault, Flow, Recipient, Reply, Server};
use tracing::{debug, error};

use crate::intake::store::{Entry, IntakeState};
use crate::ledger::{LedgerHandle, intake_stream};
use crate::queues::Queues;
use crate::watcher::WatcherHandle;

/// How often deliveries that have had no effect are handed out again: their watcher was being restarted,
/// or the forge could not be read.
const AGAIN: Duration = Duration::from_secs(60);
/// Records after which the stream is folded into a snapshot.
const RECORDS_PER_SNAPSHOT: u64 = 1024;

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
    pub(crate) watchers: BTreeMap<RepoName, WatcherHandle>,
    pub(crate) queues: Queues,
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
    finishing: BTreeSet<String>,
    since_snapshot: u64,
}

enum Msg {
    Deliver(Box<Delivery>, Reply<Receipt>),
    Stored(Box<Entry>, Result<Seq, WriteError>),
    /// What the delivery says is on record elsewhere.
    Heeded(String),
    Finished(String, Result<Seq, WriteError>),
    Again,
}

impl Server for Intake {
    type Args = IntakeArgs;
    type Msg = Msg;

    async fn init(args: IntakeArgs, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let replay = args.ledger.read(&intake_stream()).await?;
        let since_snapshot = replay.records.len() as u64;
        let state = IntakeState::replay(&replay)?;
        let (storing, finishing) = (BTreeMap::new(), BTreeSet::new());
        let intake = Self { args, state, storing, finishing, since_snapshot };
        intake.dispatch_pending(cx);
        Ok(intake)
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Deliver(delivery, reply) => self.deliver(*delivery, reply, cx),
            Msg::Stored(entry, result) => self.stored(*entry, result, cx),
            Msg::Heeded(delivery) => self.finish(delivery, cx),
            Msg::Finished(delivery, result) => {
                let seq = result?;
                self.finishing.remove(&delivery);
                self.state.finish(&delivery);
                self.condense(seq).await?;
            }
            Msg::Again => self.dispatch_pending(cx),
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Deliver(..) => "deliver",
            Msg::Stored(..) => "stored",
            Msg::Heeded(_) => "heeded",
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
        if self.args.queues.is_disk_low() {
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
    fn entry(&self, delivery: Delivery) -> Option<Entry> {
        let named = delivery.repo?;
        // The forge may write the name in another case than the configuration.
        let is_named = |repo: &&RepoName| repo.as_str().eq_ignore_ascii_case(named.as_str());
        let repo = self.args.watchers.keys().find(is_named)?.clone();
        let is_of_interest =
            !matches!(delivery.event, ForgeEvent::Ping | ForgeEvent::Ignored { .. });
        is_of_interest.then_some(Entry {
            delivery: delivery.id.to_string(),
            repo,
            event: delivery.event,
        })
    }

    fn stored(&mut self, entry: Entry, result: Result<Seq, WriteError>, cx: &mut Context<Msg>) {
        let receipt = match result {
            Ok(_) => Receipt::Stored,
            Err(error) => {
                error!(delivery = entry.delivery, %error, "failed to store a delivery");
                Receipt::NotStored
            }
        };
        for reply in self.storing.remove(&entry.delivery).unwrap_or_default() {
            reply.send(receipt);
        }
        if receipt == Receipt::Stored {
            self.since_snapshot += 1;
            self.dispatch(&entry, cx);
            self.state.receive(entry);
        }
    }

    fn dispatch_pending(&self, cx: &mut Context<Msg>) {
        for entry in self.state.pending() {
            self.dispatch(entry, cx);
        }
        let _timer = cx.send_after(AGAIN, Msg::Again);
    }

    fn dispatch(&self, entry: &Entry, cx: &Context<Msg>) {
        let Some(watcher) = self.args.watchers.get(&entry.repo) else { return };
        let (delivery, myself) = (entry.delivery.clone(), cx.myself());
        let done = Recipient::from_fn(move |()| {
            let _gone = myself.cast(Msg::Heeded(delivery.clone()));
        });
        watcher.hint(entry.event.clone(), Some(done));
    }

    fn finish(&mut self, delivery: String, cx: &mut Context<Msg>) {
        if !self.state.is_pending(&delivery) || !self.finishing.insert(delivery.clone()) {
            return;
        }
        debug!(delivery, "heeded");
        let (record, myself) = (store::finished(&delivery), cx.myself());
        let done = move |result| {
            let _gone = myself.cast(Msg::Finished(delivery, result));
        };
        self.args.ledger.submit(&intake_stream(), record, Box::new(done));
    }

    async fn condense(&mut self, seq: Seq) -> Result<(), Fault> {
        self.since_snapshot += 1;
        // Records that are on their way would be lost in a snapshot taken now.
        let is_quiet = self.storing.is_empty() && self.finishing.is_empty();
        if self.since_snapshot >= RECORDS_PER_SNAPSHOT && is_quiet {
            self.since_snapshot = 0;
            let body = self.state.snapshot()?;
            self.args.ledger.snapshot(&intake_stream(), seq, body).await?;
        }
        Ok(())
    }
}
