//! Ending what a runner that was killed left behind.

use std::io::{self, Write};
use std::time::Duration;

use ci_domain::ids::AttemptId;
use rustix::process::Pid;

use crate::cgroup::JobGroup;
use crate::container::remove_of;
use crate::processes::{Process, Rule, Scope, Survivors};
use crate::run_dir::{OpenError, RunDir, RunState};
use crate::spec::{Isolation, RunSpec};
use crate::swept::Swept;

/// How long processes may take that have lost their job already; a restart waits for this.
const SWEEP_GRACE: Duration = Duration::from_secs(1);

/// A run whose remains could not be ended.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The runner lives; cancel it instead.
    #[error("sweep {}: its runner is alive", .0.path().display())]
    Alive(RunDir),
    /// Some processes do not end.
    #[error(transparent)]
    Survivors(#[from] Survivors),
    /// The run directory cannot be read.
    #[error(transparent)]
    RunDir(#[from] OpenError),
    /// The processes of the machine cannot be read.
    #[error("read the processes of the machine")]
    Processes(#[source] io::Error),
}

/// Ends every process that a dead runner left, and its container, and returns when none is left, with all
/// that was ever swept of the run; that is on record in its directory then.
///
/// They are known by the control group of the job where it had one, by the session of the runner and by
/// `CI_ATTEMPT` in their environment, and so are their descendants. Without isolation and without a control
/// group, a process that left the session, cleared its environment and lost its parent is not found.
///
/// # Errors
/// Fails where the runner is alive, and names the processes that do not end.
pub async fn sweep(dir: &RunDir) -> Result<Swept, SweepError> {
    match dir.state()? {
        RunState::Running(_) => return Err(SweepError::Alive(dir.clone())),
        RunState::NotStarted => return Ok(Swept::default()),
        RunState::Finished(_) | RunState::Lost => {}
    }
    let spec = dir.spec()?;
    let marker = spec.marker();
    let session = free_session(dir)?;
    let group = spec.bounds.as_ref().map(|bounds| JobGroup::of(bounds, &spec.attempt));
    let mut scope = Scope::new(Rule::LeftBy { session, marker }).and_group(group);
    scope.end(spec.grace.min(SWEEP_GRACE)).await.map_err(SweepError::Processes)??;
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut swept = Swept { processes: count(scope.count()), containers: 0 };
    if let Isolation::Container(container) = &spec.isolation {
        match remove_of(&container.engine, dir.path()).await {
            Ok(containers) => swept.containers = count(containers),
            // Its processes are gone in any case; what the engine keeps is removed when a node starts.
            Err(error) => {
                let mut log = dir.log_of_runner().map_err(SweepError::Processes)?;
                writeln!(log, "the sweep failed to remove the container: {error}")
                    .map_err(SweepError::Processes)?;
            }
        }
    }
    Ok(dir.note_swept(swept)?)
}

/// Ends every process that has the attempt's name in its environment, and returns when none is left.
///
/// It is for a run directory that cannot be read, as when the machine lost power: [`sweep`] finds more.
///
/// # Errors
/// Names the processes that do not end.
pub async fn sweep_attempt(attempt: &AttemptId) -> Result<(), SweepError> {
    let marker = RunSpec::marker_of(attempt);
    let mut scope = Scope::new(Rule::LeftBy { session: None, marker });
    scope.end(SWEEP_GRACE).await.map_err(SweepError::Processes)??;
    Ok(())
}

/// The session of the dead runner, where it cannot be somebody else's by now.
///
/// The kernel does not give a number away that is still the session of some process. So where a
/// process has this pid again, the old session is empty and the number means another one.
fn free_session(dir: &RunDir) -> Result<Option<Pid>, SweepError> {
    let Some(identity) = dir.identity()? else { return Ok(None) };
    let of_this_boot = identity.is_of_this_boot().map_err(SweepError::Processes)?;
    let Some(pid) = Pid::from_raw(identity.pid).filter(|_| of_this_boot) else { return Ok(None) };
    let holder = Process::read(pid).map_err(SweepError::Processes)?;
    // A zombie runner that nobody has reaped yet still has its own pid.
    let is_free = holder.is_none_or(|process| process.start_time == identity.start_time);
    Ok(is_free.then_some(pid))
}
