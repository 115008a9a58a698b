//! Runs one job's command tree in a process of its own, and follows that process from outside.
//!
//! One attempt at a job is one *runner*: this executable again, in its own session, owning a *run
//! directory*. The runner works through the whole tree by itself, so it goes on when whoever started
//! it is killed. Everything it does is a fact in its journal; whoever comes back reads on from the
//! offset that it remembers.
//!
//! ```text
//! client                       run directory                 runner process
//! ──────                       ─────────────                 ──────────────
//! RunDir::create ────────────► spec.json ──────────────────► reads it
//! Launcher::start ───────────► (secrets: inherited memory) ► reads them, masks them in all it writes
//!                                                            lock, identity.json, control.sock
//! Follower::next ◄──────────── journal (append-only) ◄────── one fact for each thing that happened
//! LogReader::read_at ◄──────── logs/<command>.log ◄───────── what each command wrote
//! RunDir::kept ◄────────────── kept-<command>.json ◄──────── files that each command left to be kept
//! cancel ─────────────────────►control.sock ───────────────► TERM, grace, KILL, proof
//! RunDir::state ◄───────────── exit.json ◄────────────────── the outcome, written once
//! ```
//!
//! It knows nothing of builds, repositories or where the tree came from.

mod secrets;
mod spec;

mod fact;
mod identity;
mod journal;
mod run_dir;

mod cancel;
mod cgroup;
mod container;
mod control;
mod follower;
mod interactive;
mod junit;
mod kept;
mod launcher;
mod log;
mod processes;
mod sandbox;
mod script;
mod sweep;
mod swept;

mod mask;
mod runner;

pub use cancel::{CancelError, Stopped, cancel, cancel_within};
pub use cgroup::{Bounds, Delegated, NotDelegated};
pub use container::{
    EngineError, built_images, has_image, remove_image, remove_left, remove_nameless_images,
    version,
};
pub use control::ping;
pub use fact::{
    CommandId, Exit, ExitRecord, Fact, FailReason, FailedCommand, Leftovers, Outcome, UnixMillis,
};
pub use follower::{FollowError, Follower, follow};
pub use identity::Identity;
pub use interactive::interactive_shell;
pub use journal::{JournalError, JournalOffset, JournalReader};
pub use kept::{Artifact, Digest, KeepLimits, Kept, Note};
pub use launcher::{Launcher, StartError};
pub use log::{LogPiece, LogReader};
pub use processes::{ProcessName, ProcessState, Survivors};
pub use run_dir::{OpenError, Packing, RunDir, RunState};
pub use runner::{RunnerExit, runner_main};
pub use sandbox::{TrialError, try_out, try_out_container};
pub use secrets::Secrets;
pub use spec::{
    Build, Container, Engine, EngineKind, Image, ImageSource, Isolation, Limits, Namespaces,
    Network, RunSpec, SpecError,
};
pub use sweep::{SweepError, sweep, sweep_attempt};
pub use swept::Swept;
