//! Whether sandboxes work on this machine, found out by making one.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use ci_domain::ids::AttemptId;
use ci_domain::step::{Command, NodeId, Sequence, Step};
use tokio::time::timeout;

use crate::cancel::cancel;
use crate::fact::{Fact, Outcome};
use crate::follower::{FollowError, follow};
use crate::journal::JournalOffset;
use crate::launcher::{Launcher, StartError};
use crate::run_dir::{OpenError, RunDir};
use crate::spec::{Isolation, Namespaces, RunSpec};

/// How long the trial may take; it is over in a moment unless the machine is very busy.
const LIMIT: Duration = Duration::from_secs(60);
/// What is run: it must find its own folder and nothing beside it.
const COMMAND: &str = "[ -w . ] && [ ! -e ../beside ]";

/// Why sandboxes do not work here.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// None could be made; this is what was said.
    #[error("{0}")]
    Refused(String),
    /// One was made and does not hold.
    #[error("keep commands in a sandbox")]
    Leaky,
    /// It takes too long.
    #[error("make a sandbox within {LIMIT:?}")]
    TimedOut,
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The run directory cannot be used.
    #[error(transparent)]
    RunDir(#[from] OpenError),
    /// The runner did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The runner cannot be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
}

/// Runs a job in a sandbox like `namespaces`, with files of its own in `folder`, which it makes and
/// removes.
///
/// # Errors
/// Says why sandboxes do not work here.
pub async fn try_out(
    launcher: &Launcher,
    folder: &Path,
    namespaces: &Namespaces,
) -> Result<(), TrialError> {
    remove(folder)?;
    let workspace = folder.join("work");
    fs::create_dir_all(&workspace)?;
    fs::write(folder.join("beside"), "x")?;
    let dir = RunDir::create(folder.join("run"), &spec(&workspace, namespaces))?;
    let outcome = run(launcher, &dir).await;
    remove(folder)?;
    match outcome? {
        Outcome::Passed => Ok(()),
        Outcome::Crashed { reason } => Err(TrialError::Refused(reason)),
        Outcome::Failed { .. } | Outcome::Cancelled | Outcome::Orphaned => Err(TrialError::Leaky),
    }
}

async fn run(launcher: &Launcher, dir: &RunDir) -> Result<Outcome, TrialError> {
    launcher.start(dir).await?;
    let mut follower = follow(dir, JournalOffset::default());
    let outcome = timeout(LIMIT, async {
        loop {
            match follower.next().await? {
                Some((_, Fact::JobEnded { outcome, .. })) => return Ok(outcome),
                Some(_) => {}
                None => return Err(FollowError::Lost),
            }
        }
    });
    match outcome.await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => {
            // Whatever hangs must not stay; that it hangs is what is to be told.
            let _ended = cancel(dir).await;
            Err(TrialError::TimedOut)
        }
    }
}

fn spec(workspace: &Path, namespaces: &Namespaces) -> RunSpec {
    let command = Command::new(NodeId::root().child(0), COMMAND);
    let namespaces = Namespaces { writable: vec![workspace.to_owned()], ..namespaces.clone() };
    RunSpec {
        attempt: AttemptId::new(format!("trial-{}", std::process::id()))
            .expect("letters, a hyphen and digits"),
        workspace: workspace.to_owned(),
        working_dir: workspace.to_owned(),
        isolation: Isolation::Namespaces(namespaces),
        bounds: None,
        env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
        steps: Sequence { id: NodeId::root(), name: None, steps: vec![Step::Command(command)] },
        timeout: LIMIT,
        grace: Duration::ZERO,
        log_limit: 1 << 20,
        orphan_limit: LIMIT,
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
