//! What the plays have in common.

use std::future::Future;
use std::time::Duration;

use crate::peer::{AutoShutdown, Child, Peer, Plan, Refusal, Restart, StopRule, Strategy};
use crate::puppet::{Log, Puppet};
use crate::score::{Verdict, Why};

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// Longer than anything that ends by itself, in virtual time.
const CEILING: Duration = Duration::from_secs(24 * 3600);

/// A supervisor of the puppets a, b and c, before it is started.
pub(super) struct Stage {
    pub(super) log: Log,
    pub(super) a: Puppet,
    pub(super) b: Puppet,
    pub(super) c: Puppet,
    pub(super) plan: Plan,
}

impl Stage {
    pub(super) fn new(strategy: Strategy) -> Self {
        Self::of(strategy, |puppet| puppet)
    }

    /// Changes the puppets before they are given to the plan.
    pub(super) fn of(strategy: Strategy, change: impl Fn(Puppet) -> Puppet) -> Self {
        let log = Log::default();
        let [a, b, c] = ["a", "b", "c"].map(|id| change(Puppet::new(id, &log)));
        let children = [&a, &b, &c].map(|puppet| child(puppet, Restart::Permanent));
        let plan = Plan {
            strategy,
            intensity: 3,
            period: SECOND * 60,
            auto_shutdown: AutoShutdown::Never,
            children: children.to_vec(),
        };
        Self { log, a, b, c, plan }
    }

    /// Gives each child this stop rule.
    #[must_use]
    pub(super) fn stopping(mut self, stop: StopRule) -> Self {
        for child in &mut self.plan.children {
            child.stop = stop;
        }
        self
    }

    /// Allows this many restarts in a minute.
    #[must_use]
    pub(super) const fn intensity(mut self, intensity: u32) -> Self {
        self.plan.intensity = intensity;
        self
    }

    /// Starts the supervisor and forgets how it started.
    pub(super) async fn up<P: Peer>(&self) -> Result<P, Refusal> {
        let peer = within(P::start(self.plan.clone())).await;
        let peer = peer.unwrap_or_else(|_why| Err(Refusal::Failed("it never is up".to_owned())))?;
        soon().await;
        self.log.take();
        Ok(peer)
    }

    /// Starts a supervisor with these children that come and go, at most this many at once, and
    /// forgets how it started.
    pub(super) async fn up_dynamic<P: Peer>(&self, most: usize) -> Result<P, Refusal> {
        let peer = within(P::dynamic(self.plan.clone(), most)).await;
        let peer = peer.unwrap_or_else(|_why| Err(Refusal::Failed("it never is up".to_owned())))?;
        soon().await;
        self.log.take();
        Ok(peer)
    }
}

pub(super) fn child(puppet: &Puppet, restart: Restart) -> Child {
    Child {
        puppet: puppet.clone(),
        restart,
        stop: StopRule::Usual,
        start_within: None,
        significant: false,
        bound_to: None,
    }
}

/// Lets everything happen that happens by itself.
pub(super) async fn soon() {
    tokio::time::sleep(SECOND).await;
}

pub(super) async fn within<T>(waiting: impl Future<Output = T>) -> Result<T, Why> {
    let waited = tokio::time::timeout(CEILING, waiting).await;
    waited.map_err(|_elapsed| Why::Fails("it takes for ever".to_owned()))
}

/// Compares what was written down with what should have been.
pub(super) fn expect(saw: &str, wanted: &str) -> Verdict {
    hold(saw == wanted, || format!("wanted `{wanted}`, saw `{saw}`"))
}

pub(super) fn hold(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Why::Fails(otherwise())) }
}

/// Keeps those notes that begin with one of these marks, whatever their order.
pub(super) fn sorted(log: &str, marks: &[char]) -> String {
    let mut kept: Vec<&str> = log.split(' ').filter(|note| note.starts_with(marks)).collect();
    kept.sort_unstable();
    kept.join(" ")
}

/// Keeps the notes of the stop hooks of a and c: whether that of b runs after a kill is another
/// question.
pub(super) fn stops_of_siblings(log: &str) -> String {
    let kept: Vec<&str> = log.split(' ').filter(|note| ["-a", "-c"].contains(note)).collect();
    kept.join(" ")
}

/// Keeps those notes that begin with one of these marks.
pub(super) fn only(log: &str, marks: &[char]) -> String {
    let kept: Vec<&str> = log.split(' ').filter(|note| note.starts_with(marks)).collect();
    kept.join(" ")
}
