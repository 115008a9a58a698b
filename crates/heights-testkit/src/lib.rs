//! What tests of supervised actors need: facts to wait for, traces to compare, faults on plan.
//!
//! - A [`Probe`] is a recipient that a test listens to; it never waits for ever.
//! - A [`Trace`] is told what starts and stops; its order is the specification of a tree.
//! - A [`FaultPlan`] makes the nth message or start, counted over all lives, fail, panic or hang,
//!   and stops slow.
//! - A [`simulation`] plays whole trees in virtual time; one number tells the whole story.
//! - [`eventually`] asks until there is an answer.
//!
//! Use paused time (`start_paused`) wherever nothing real is awaited: ceilings then cost nothing.

#![warn(missing_docs)]

mod fault_plan;
mod probe;
pub mod simulation;
mod trace;

use std::future::Future;
use std::time::Duration;

pub use fault_plan::FaultPlan;
pub use probe::Probe;
pub use trace::{Actor, Trace};

/// How long anything here waits before it says what it waited for in vain: long enough for a
/// machine that has ten times as much to do as it can, short enough for a person.
pub const CEILING: Duration = Duration::from_secs(60);

/// How often [`eventually`] asks.
const PAUSE: Duration = Duration::from_millis(2);

/// Asks until there is an answer.
///
/// # Panics
///
/// When there is none within [`CEILING`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use heights::prelude::*;
/// use heights_testkit::eventually;
///
/// let root = Supervisor::builder("root").start().await?;
/// let spec = ChildSpec::task("once", |_cx| async { Ok(()) }).restart(Restart::Transient);
/// root.start_child(spec).await?;
/// let nobody = async || (root.count_children().await.active == 0).then_some(());
/// eventually("the task to end", nobody).await;
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
pub async fn eventually<T, Fut: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> Fut,
) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let answer = tokio::time::timeout(CEILING, asking).await;
    answer.unwrap_or_else(|_elapsed| panic!("waited in vain for {what}"))
}

/// The code of the guides for newcomers, compiled and run.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/guides/from-otp.md")]
    mod from_otp {}
    #[doc = include_str!("../../../docs/guides/from-tokio.md")]
    mod from_tokio {}
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_takes_most_of_a_minute_is_not_in_vain() {
        let slow = Duration::from_secs(50);
        let begin = Instant::now();
        eventually("a slow answer", async || (begin.elapsed() >= slow).then_some(())).await;
        let mut probe = Probe::new();
        let recipient = probe.recipient();
        let telling = async {
            sleep(slow).await;
            recipient.tell(());
        };
        tokio::join!(probe.next("a slow fact"), telling);
    }
}
