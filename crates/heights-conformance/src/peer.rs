//! An implementation of supervision, behind the verbs that all of them have.

use std::future::Future;
use std::time::Duration;

use crate::Puppet;

/// Which siblings share the fate of a failed child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "OTP's names")]
pub enum Strategy {
    OneForOne,
    OneForAll,
    RestForOne,
}

/// When a child that ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "OTP's names")]
pub enum Restart {
    Permanent,
    Transient,
    Temporary,
}

/// How long a child may take to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopRule {
    /// As long as the implementation gives it unless told otherwise.
    Usual,
    /// This long; then it is killed.
    Within(Duration),
    /// As long as it takes.
    Wait,
}

/// How a child is made to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum End {
    Normal,
    Error,
    Panic,
    Kill,
}

/// When a supervisor ends because children have that are significant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "OTP's names")]
pub enum AutoShutdown {
    Never,
    AnySignificant,
    AllSignificant,
}

/// One child of a supervisor.
#[derive(Debug, Clone)]
pub struct Child {
    /// What runs.
    pub puppet: Puppet,
    /// When it is restarted.
    pub restart: Restart,
    /// How it is stopped.
    pub stop: StopRule,
    /// How long it may take to start, if that is limited.
    pub start_within: Option<Duration>,
    /// Whether its end matters to the supervisor.
    pub significant: bool,
    /// The elder sibling that it cannot do without.
    pub bound_to: Option<&'static str>,
}

/// A supervisor and its children.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which siblings share a fate.
    pub strategy: Strategy,
    /// How many restarts are allowed within the period.
    pub intensity: u32,
    /// How long a restart counts.
    pub period: Duration,
    /// Whether it ends with its significant children.
    pub auto_shutdown: AutoShutdown,
    /// In the order in which they start.
    pub children: Vec<Child>,
}

/// There is no way to say this to the implementation, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub &'static str);

/// Why a supervisor does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The plan cannot be said.
    Missing(Missing),
    /// A child did not come up; in the implementation's words.
    Failed(String),
}

/// An implementation of supervision: one running supervisor.
pub trait Peer: Sized + 'static {
    /// What it is called, with its version.
    const NAME: &'static str;

    /// A short while for which it can count restarts.
    const PERIOD: Duration = Duration::from_secs(60);

    /// Lets time pass on the clock by which it counts restarts.
    fn pass(time: Duration) -> impl Future<Output = ()> {
        tokio::time::sleep(time)
    }

    /// Starts a supervisor and returns when it says that it runs.
    fn start(plan: Plan) -> impl Future<Output = Result<Self, Refusal>>;

    /// Starts a supervisor whose children come and go, at most this many at once, and adds those of
    /// the plan; its strategy means nothing here.
    fn dynamic(plan: Plan, most: usize) -> impl Future<Output = Result<Self, Refusal>>;

    /// Makes a child end.
    fn tell(&self, id: &str, end: End) -> impl Future<Output = ()>;

    /// Stops the supervisor in the most orderly way there is, and returns when it says that it has
    /// stopped.
    fn stop(&self) -> impl Future<Output = ()>;

    /// Returns when the supervisor has ended, for whatever reason.
    fn ended(&self) -> impl Future<Output = ()>;

    /// Lists the children that run, in any order.
    fn running(&self) -> impl Future<Output = Result<Vec<String>, Missing>>;

    /// Adds a child; `false` if that is refused or it does not come up.
    fn add(&self, child: Child) -> impl Future<Output = Result<bool, Missing>>;

    /// Takes a child down for good; `false` if there is none.
    fn terminate(&self, id: &str) -> impl Future<Output = Result<bool, Missing>>;

    /// Makes whoever is found under a name end; `false` if there is nobody. Each child is to have
    /// its id for a name, for as long as it lives.
    fn tell_by_name(&self, name: &'static str, end: End) -> impl Future<Output = bool>;

    /// Tries to get a name for somebody else, who lets go of it at once; `false` if it is taken.
    fn claim(&self, name: &'static str) -> impl Future<Output = bool>;
}
