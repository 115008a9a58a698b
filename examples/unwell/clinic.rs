//! Clerks who do what one tells them, and so fall ill in any way one likes.
//!
//! Parent: whoever needs patients. Children: none. Restart: permanent.
//! Messages: one for each illness, and the question that one clerk has for another.

use std::sync::mpsc;
use std::time::Duration;

use heights::prelude::*;
use heights::{Inspect, Secret, StateView, View};
use tokio::sync::oneshot;

/// How long a clerk waits for the answer of another.
const LONG: Duration = Duration::from_secs(600);

/// How much is kept of a form.
const FORM: usize = 1_024;

/// A clerk who thinks for so long before it asks another.
pub struct Clerk {
    thinks: Duration,
    /// Forms that it never throws away.
    kept: Vec<Vec<u8>>,
    drawer: Secret<&'static str>,
}

pub enum Msg {
    /// Thinks, and then asks another clerk.
    Ask(ChildRef<Msg>),
    /// Is asked.
    Answer(Reply<()>),
    /// Takes its time, until the other end is dropped.
    Dawdle(oneshot::Receiver<()>),
    /// Takes its time as well, and the thread with it.
    Block(mpsc::Receiver<()>),
    /// Takes a moment.
    Note,
    /// Keeps a form.
    Keep,
    Crash,
}

impl Inspect for Clerk {
    fn inspect(&self, view: View<'_>) {
        let bytes: usize = self.kept.iter().map(Vec::len).sum();
        view.record(|clerk| {
            clerk
                .field("kept", &self.kept.len())
                .field("bytes", &bytes)
                .field("drawer", &self.drawer)
        });
    }
}

impl Server for Clerk {
    type Args = Duration;
    type Msg = Msg;

    const STATE: StateView<Self> = StateView::inspect();

    async fn init(thinks: Duration, _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self { thinks, kept: Vec::new(), drawer: Secret::new("under the plant") })
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Ask(other) => {
                tokio::time::sleep(self.thinks).await;
                match other.call_within(LONG, Msg::Answer).await {
                    // Whoever is gone need not be asked.
                    Ok(()) | Err(CallError::NoProc) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Msg::Answer(reply) => reply.send(()),
            Msg::Dawdle(released) => drop(released.await),
            Msg::Block(released) => drop(released.recv()),
            Msg::Note => tokio::time::sleep(Duration::from_millis(10)).await,
            Msg::Keep => self.kept.push(vec![0; FORM]),
            Msg::Crash => return Err("the form is missing".into()),
        }
        Ok(Flow::Continue)
    }

    fn label(msg: &Msg) -> &'static str {
        match msg {
            Msg::Ask(_) => "Ask",
            Msg::Answer(_) => "Answer",
            Msg::Dawdle(_) => "Dawdle",
            Msg::Block(_) => "Block",
            Msg::Note => "Note",
            Msg::Keep => "Keep",
            Msg::Crash => "Crash",
        }
    }
}

/// Two clerks: the one in front asks the one in the back for everything.
pub struct Clinic {
    pub front: ChildRef<Msg>,
    pub back: ChildRef<Msg>,
    /// What keeps a clerk from going on.
    slow: Vec<oneshot::Sender<()>>,
    blocked: Vec<mpsc::Sender<()>>,
}

impl Clinic {
    pub fn new(front: ChildRef<Msg>, back: ChildRef<Msg>) -> Self {
        Self { front, back, slow: Vec::new(), blocked: Vec::new() }
    }

    /// Makes the clerk in the back fall ill, and the one in front ask it for something; `false` if
    /// nobody knows that illness.
    pub fn fall_ill(&mut self, illness: &str) -> Result<bool, Fault> {
        let Self { front, back, slow, blocked } = self;
        match illness {
            "slow" => {
                let (release, released) = oneshot::channel();
                slow.push(release);
                back.cast(Msg::Dawdle(released))?;
            }
            "block" => {
                let (release, released) = mpsc::channel();
                blocked.push(release);
                back.cast(Msg::Block(released))?;
            }
            "flood" => (0..20_000).try_for_each(|_| back.cast(Msg::Note))?,
            "leak" => (0..20_000).try_for_each(|_| back.cast(Msg::Keep))?,
            "crash" => back.cast(Msg::Crash)?,
            "deadlock" => back.cast(Msg::Ask(front.clone()))?,
            // What was slow or blocked goes on.
            "well" => {
                slow.clear();
                blocked.clear();
            }
            _ => return Ok(false),
        }
        front.cast(Msg::Ask(back.clone()))?;
        Ok(true)
    }
}
