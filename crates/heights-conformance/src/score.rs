//! Scoring an implementation, line by line.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::lines::{Line, lines};
use crate::peer::{Missing, Peer, Refusal};

/// How long a line may take; the clock that it sees is paused, so this is for those that spin.
const CEILING: Duration = Duration::from_secs(60);

/// Why a line does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It cannot be said.
    Missing(String),
    /// It is said and not kept; what was seen instead.
    Fails(String),
}

/// How often each line is played: an order that is right by chance is soon wrong.
const TIMES: usize = 12;

/// Whether a line holds.
pub type Verdict = Result<(), Why>;

/// What became of each line.
#[derive(Debug, Clone)]
pub struct Score {
    /// The implementation.
    pub name: &'static str,
    /// In the order of [`lines`].
    pub verdicts: Vec<Verdict>,
}

impl Score {
    /// Counts the lines that hold.
    pub fn kept(&self) -> usize {
        self.verdicts.iter().filter(|verdict| verdict.is_ok()).count()
    }
}

/// Runs every line.
pub fn score<P: Peer>() -> Score {
    Score { name: P::NAME, verdicts: lines::<P>().into_iter().map(verdict).collect() }
}

/// Runs one line in a thread and a runtime of its own.
fn verdict(line: Line) -> Verdict {
    let (tell, told) = mpsc::channel();
    let run = move || {
        let verdict = (0..TIMES).try_for_each(|_time| play(&line));
        // Nobody listens any more to a line that took too long.
        drop(tell.send(verdict));
    };
    let thread = std::thread::spawn(run);
    match told.recv_timeout(CEILING) {
        Ok(verdict) => {
            drop(thread.join());
            verdict
        }
        Err(RecvTimeoutError::Timeout) => Err(Why::Fails("it spins without end".to_owned())),
        Err(RecvTimeoutError::Disconnected) => {
            Err(Why::Fails("it takes the thread down".to_owned()))
        }
    }
}

fn play(line: &Line) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime of one thread needs nothing that could be missing");
    let played = catch_unwind(AssertUnwindSafe(|| runtime.block_on((line.play)())));
    let panicked = |_panic| Err(Why::Fails("the line itself panicked".to_owned()));
    played.unwrap_or_else(panicked)
}

impl From<Missing> for Why {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing.0.to_owned())
    }
}

impl From<Refusal> for Why {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing(missing) => missing.into(),
            Refusal::Failed(why) => Self::Fails(format!("it does not start: {why}")),
        }
    }
}
