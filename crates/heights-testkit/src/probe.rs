//! A recipient that a test listens to.

use std::fmt::Debug;

use heights::{NoProc, Recipient};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::CEILING;

/// Collects facts in the order in which they are told.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use heights_testkit::Probe;
///
/// let mut probe = Probe::new();
/// let recipient = probe.recipient();
/// recipient.tell("built");
/// recipient.tell("published");
/// assert_eq!(probe.next("a first fact").await, "built");
/// assert_eq!(probe.rest(), ["published"]);
/// # }
/// ```
#[derive(Debug)]
pub struct Probe<F> {
    told: mpsc::UnboundedSender<F>,
    heard: mpsc::UnboundedReceiver<F>,
}

impl<F: Send + Debug + 'static> Probe<F> {
    /// Makes a probe that has heard nothing yet.
    #[expect(
        clippy::new_without_default,
        reason = "a probe without facts is no sensible default of anything"
    )]
    pub fn new() -> Self {
        let (told, heard) = mpsc::unbounded_channel();
        Self { told, heard }
    }

    /// Returns where facts for this probe are told.
    pub fn recipient(&self) -> Recipient<F> {
        let told = self.told.clone();
        Recipient::new(move |fact| told.send(fact).map_err(|_probe_is_gone| NoProc))
    }

    /// Waits for the next fact.
    ///
    /// # Panics
    ///
    /// When none is told within [`CEILING`]; `what` then says what was expected.
    pub async fn next(&mut self, what: &str) -> F {
        match timeout(CEILING, self.heard.recv()).await {
            Ok(fact) => fact.expect("the probe itself keeps the channel open"),
            Err(_elapsed) => panic!("waited in vain for {what}"),
        }
    }

    /// Waits for the next fact that matches and drops those before it.
    ///
    /// # Panics
    ///
    /// When none is told within [`CEILING`]; the message lists what was told instead.
    pub async fn find<T>(&mut self, what: &str, matches: impl Fn(&F) -> Option<T>) -> T {
        let mut others = Vec::new();
        let search = async {
            loop {
                let fact =
                    self.heard.recv().await.expect("the probe itself keeps the channel open");
                match matches(&fact) {
                    Some(found) => return found,
                    None => others.push(fact),
                }
            }
        };
        let found = timeout(CEILING, search).await;
        found.unwrap_or_else(|_elapsed| panic!("waited in vain for {what}; heard {others:?}"))
    }

    /// Returns what has been told so far and not been taken.
    pub fn rest(&mut self) -> Vec<F> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}
