//! Webhook deliveries: on record before they are acknowledged, pending until they have had their effect.
//!
//! Parent: the root supervisor. Children: none. Restart: permanent. Commands in: [`IntakeHandle`].

mod history;
mod names;
mod segment;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ci_domain::forge::{ForgeEvent, IssueCommand, Timestamp};
use ci_domain::ids::RepoName;
use ci_github::webhook::Delivery;
use ci_store::{Change, Seq, WriteError};
use heights::{
    CallError, ChildRef, ChildSpec, Context, Fault, Flow, Recipient, Ref, Reply, Server,
};
use tracing::{debug, error};

use crate::intake::history::History;
use crate::intake::names::Names;
use crate::intake::store::Entry;
use crate::ledger::{INTAKE_STREAMS, LedgerHandle, intake_place, intake_stream};
use crate::queues::Queues;
use crate::repos::Repos;

/// How often deliveries are handed out again that no watcher has in mind: theirs was being restarted, or
/// could not ask the forge.
const AGAIN: Duration = Duration::from_secs(60);
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
    history: History,
    /// Deliveries on their way to the disk; those who wait for an answer about each.
    storing: BTreeMap<String, Vec<Reply<Receipt>>>,
    finishing: Finishing,
    /// Deliveries that a watcher has been told of and has not forgotten.
    handed: BTreeSet<String>,
    names: Names,
}

/// Deliveries that have had their effect, on their way to the disk: those that come to it meanwhile are
/// written together.
#[derive(Default)]
struct Finishing {
    all: BTreeSet<String>,
    /// Those that are written next, by the segments that hold them.
    next: BTreeMap<u64, Vec<String>>,
    /// Records that are on their way.
    writing: usize,
}

enum Msg {
    Deliver(Box<Delivery>, Reply<Receipt>),
    Stored(u64, Box<Entry>, Result<Seq, WriteError>),
    /// What the delivery says is on record elsewhere.
    Heeded(String),
    /// Nobody has it in mind any more, heeded or not.
    Dropped(String),
    Finished(u64, Vec<String>, Result<Seq, WriteError>),
    /// A segment was folded or dropped.
    Condensed(Result<Seq, WriteError>),
    Again,
}

impl Server for Intake {
    type Args = IntakeArgs;
    type Msg = Msg;

    async fn init(args: IntakeArgs, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        let history = read(&args).await?;
        let mut intake = Self {
            args,
            history,
            storing: BTreeMap::new(),
            finishing: Finishing::default(),
            handed: BTreeSet::new(),
            names: Names::default(),
        };
        intake.again(cx)?;
        Ok(intake)
    }

    async fn handle(&mut self, msg: Msg, cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Deliver(delivery, reply) => self.deliver(*delivery, reply, cx),
            Msg::Stored(place, entry, result) => self.stored((place, *entry), result, cx)?,
            Msg::Heeded(delivery) => self.finish(delivery, cx),
            Msg::Dropped(delivery) => drop(self.handed.remove(&delivery)),
            Msg::Finished(place, all, result) => self.finished((place, &all), result?, cx)?,
            Msg::Condensed(result) => drop(result?),
            Msg::Again => self.again(cx)?,
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
            Msg::Condensed(_) => "condensed",
            Msg::Again => "again",
        }
    }
}

impl Intake {
    fn deliver(&mut self, delivery: Delivery, reply: Reply<Receipt>, cx: &mut Context<Msg>) {
        let Some(entry) = self.entry(delivery) else { return reply.send(Receipt::NotOfInterest) };
        if self.history.has(&entry.delivery) {
            return reply.send(Receipt::Duplicate);
        }
        if self.args.queues.is_disk_low() || self.history.waiting() >= MOST_WAITING {
            return reply.send(Receipt::NotStored);
        }
        if let Some(waiting) = self.storing.get_mut(&entry.delivery) {
            return waiting.push(reply);
        }
        self.storing.insert(entry.delivery.clone(), vec![reply]);
        let place = self.history.place();
        let (record, myself) = (entry.record(), cx.myself());
        let done = move |result| {
            // An intake that is gone replays the record, if it was written.
            let _gone = myself.cast(Msg::Stored(place, Box::new(entry), result));
        };
        // Not waited for here, so that deliveries which come together share a sync.
        self.args.ledger.submit(&intake_stream(place), record, Box::new(done));
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

    fn stored(
        &mut self,
        (place, entry): (u64, Entry),
        result: Result<Seq, WriteError>,
        cx: &Context<Msg>,
    ) -> Result<(), Fault> {
        let waiting = self.storing.remove(&entry.delivery).unwrap_or_default();
        let answer = |receipt| waiting.into_iter().for_each(|reply| reply.send(receipt));
        match result {
            Ok(seq) => {
                answer(Receipt::Stored);
                self.dispatch(&entry, cx);
                if let Some(fold) = self.history.receive((place, seq), entry)? {
                    self.condense([fold], cx);
                    self.forget(cx)?;
                }
            }
            Err(error) => {
                error!(delivery = entry.delivery, %error, "failed to store a delivery");
                answer(Receipt::NotStored);
                self.history.refuse(place);
            }
        }
        Ok(())
    }

    /// What is done now and then: deliveries that had no effect yet are handed out again, and the oldest are
    /// forgotten.
    fn again(&mut self, cx: &mut Context<Msg>) -> Result<(), Fault> {
        let forgotten =
            self.history.pending().filter(|entry| !self.handed.contains(&entry.delivery));
        for entry in forgotten.cloned().collect::<Vec<_>>() {
            if self.args.repos.get(&entry.repo).is_some() {
                self.dispatch(&entry, cx);
            } else {
                // The configuration does not name it any more.
                self.finish(entry.delivery, cx);
            }
        }
        let _timer = cx.send_after(AGAIN, Msg::Again);
        self.forget(cx)
    }

    fn forget(&mut self, cx: &Context<Msg>) -> Result<(), Fault> {
        let old = self.history.forget(timestamp((self.args.now)()))?;
        self.condense(old, cx);
        Ok(())
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

    fn finish(&mut self, delivery: String, cx: &Context<Msg>) {
        let Some(place) = self.history.place_of_pending(&delivery) else { return };
        if self.finishing.all.insert(delivery.clone()) {
            debug!(delivery, "heeded");
            self.finishing.next.entry(place).or_default().push(delivery);
            self.write_finished(cx);
        }
    }

    fn write_finished(&mut self, cx: &Context<Msg>) {
        if self.finishing.writing > 0 {
            return;
        }
        for (place, deliveries) in std::mem::take(&mut self.finishing.next) {
            self.finishing.writing += 1;
            let (record, myself) = (store::finished(&deliveries), cx.myself());
            let done = move |result| {
                let _gone = myself.cast(Msg::Finished(place, deliveries, result));
            };
            self.args.ledger.submit(&intake_stream(place), record, Box::new(done));
        }
    }

    fn finished(
        &mut self,
        (place, deliveries): (u64, &[String]),
        seq: Seq,
        cx: &Context<Msg>,
    ) -> Result<(), Fault> {
        for delivery in deliveries {
            self.finishing.all.remove(delivery);
        }
        let fold = self.history.finish((place, seq), deliveries)?;
        self.condense(fold, cx);
        self.finishing.writing -= 1;
        self.write_finished(cx);
        Ok(())
    }

    /// Has segments folded or dropped; nobody waits for it here.
    fn condense(&self, changes: impl IntoIterator<Item = Change>, cx: &Context<Msg>) {
        for change in changes {
            let myself = cx.myself();
            let done = move |result| {
                // An intake that is gone has it done in its next life.
                let _gone = myself.cast(Msg::Condensed(result));
            };
            self.args.ledger.store().submit(change, Box::new(done));
        }
    }
}

/// What is on record of deliveries.
async fn read(args: &IntakeArgs) -> Result<History, Fault> {
    let mut segments = Vec::new();
    for stream in args.ledger.streams(INTAKE_STREAMS.to_owned()).await? {
        if let Some(place) = intake_place(&stream) {
            segments.push((place, args.ledger.read(&stream).await?));
        }
    }
    History::replay(segments, timestamp((args.now)()))
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
