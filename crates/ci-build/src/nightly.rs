//! Tells the branches of a repository which night it is, again and again: they decide what runs.
//!
//! Parent: `repo`. Children: none. Restart: permanent.
//!
//! It keeps nothing: what ran is on record with its branch, and what was missed while the node was away
//! is due at the next tick, if the window is still open.

mod clock;

use std::time::{Duration, SystemTime};

use ci_domain::nightly::{Mention, Nightly};
use heights::periodic::every;
use heights::{ChildSpec, Fault};

use crate::watcher::{Branches, WatcherHandle};

/// How often branches are told: what they are told is a matter of minutes, and it costs them nothing.
const TICK: Duration = Duration::from_secs(5);

/// What the policy that holds says of nightly jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NightRules {
    /// When they run.
    pub nightly: Nightly,
    /// Who is called where one fails.
    pub mention: Option<Mention>,
}

/// What the job is started with.
#[derive(Clone)]
pub(crate) struct NightlyArgs {
    pub(crate) watcher: WatcherHandle,
    pub(crate) branches: Branches,
    pub(crate) now: fn() -> SystemTime,
}

/// Describes the job as a child.
pub(crate) fn start(args: NightlyArgs) -> ChildSpec {
    let tick = move || {
        let args = args.clone();
        async move { args.tick().await }
    };
    every(TICK, tick).expect("the interval is not zero").child_spec("nightly")
}

impl NightlyArgs {
    async fn tick(&self) -> Result<(), Fault> {
        let view = self.watcher.view().await?;
        // Before the policy has been read nobody knows when the night begins.
        let Some(rules) = view.night_rules else { return Ok(()) };
        let tonight = clock::tonight(&rules, (self.now)())?;
        for name in view.branches {
            if let Some(branch) = self.branches.lookup(&name) {
                branch.note_night(tonight.clone());
            }
        }
        Ok(())
    }
}
