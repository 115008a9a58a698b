//! The actors of a continuous-integration node: who watches, who builds, who reports.
//!
//! ```text
//! ci-node            rest_for_one
//! ├── ledger, regulators, writes, reporter
//! ├── repos
//! │   └── acme.shop    rest_for_one
//! │       ├── errands, mirror
//! │       ├── pulls
//! │       │   └── pull-7   one_for_all
//! │       │       ├── pull       decides
//! │       │       └── builds
//! │       │           └── build-2  one_for_all
//! │       │               ├── build   decides
//! │       │               └── jobs    one task for each attempt, which follows its runner
//! │       ├── branches
//! │       │   └── branch-main   the same shape: branch, builds
//! │       ├── watcher, nightly, janitor
//! ├── retention
//! └── intake
//! ```
//!
//! Commands go down and facts come up; sideways calls go to elders only. Decisions are made by the pure
//! machines of `ci-domain`, written to the ledger, and then acted on.

mod branch_tree;
mod node;
mod pull_tree;
mod repo;
mod repos;
mod subject_tree;

mod branch;
mod build;
mod builds;
mod job;
mod pull;
mod watcher;

mod images;
mod intake;
mod janitor;
mod mirror;
mod nightly;
mod reporter;
mod retention;

mod chronicle;
mod directory;
mod disk;
mod elders;
mod errand;
mod findings;
mod job_tests;
mod kept;
mod ledger;
mod origin;
mod past;
mod queues;
mod record;
mod reload;
mod runs;
mod shell;
mod sibling;
mod sight;
mod view;
mod workspaces;

pub use elders::RunnerSettings;
pub use intake::{IntakeHandle, Receipt};
pub use job::JobPhase;
pub use job_tests::{JobTests, TestsOf};
pub use kept::{AttemptTests, KeptFile};
pub use ledger::LedgerHandle;
pub use nightly::NightRules;
pub use node::{AskError, NodeArgs, NodeHandle, describe};
pub use past::{PastBuild, PastJob};
pub use queues::{JOBS, QueueLimits, Queues};
pub use reload::Reload;
pub use repo::RepoArgs;
pub use reporter::{Findings, ReporterHandle, TailSource, Undelivered};
pub use repos::ServeError;
pub use retention::Keep;
pub use runs::{CommandView, LeftoverTotals, RunView, Runs};
pub use shell::{NoShell, Shell};
pub use view::{BranchView, JobStatus, JobView, NightView, PullView};
pub use watcher::WatcherView;
