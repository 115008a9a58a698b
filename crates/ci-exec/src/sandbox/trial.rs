//! Whether sandboxes and containers work on this machine, found out by making one.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ci_domain::ids::AttemptId;
use ci_domain::step::{Command, NodeId, Sequence, Step};
use rustix::process::getuid;
use tokio::time::timeout;

use crate::cancel::cancel;
use crate::fact::{Fact, Outcome};
use crate::follower::{FollowError, follow};
use crate::journal::JournalOffset;
use crate::kept::KeepLimits;
use crate::launcher::{Launcher, StartError};
use crate::run_dir::{OpenError, RunDir};
use crate::spec::{Build, Container, Image, ImageSource, Isolation, Namespaces, RunSpec};

/// How long the trial may take; it is over in a moment unless the machine is very busy.
const LIMIT: Duration = Duration::from_secs(60);
/// What is run: it must find its own folder and nothing beside it.
const COMMAND: &str = "[ -w . ] && [ ! -e ../beside ] && : > file";
/// What it leaves.
const FILE: &str = "file";
/// An image without anything.
const DOCKERFILE: &str = "FROM scratch\nLABEL ci-node.trial=1\n";
/// What it is called.
const IMAGE: &str = "localhost/ci-node/trial:1";
/// Where the machine's programs and their libraries are.
const SYSTEM: [&str; 7] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix"];
/// The most that is repeated of a log, in bytes.
const MAX_LOG: usize = 1000;

/// Why sandboxes do not work here.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// None could be made; this is what was said.
    #[error("{0}")]
    Refused(String),
    /// One was made and does not hold.
    #[error("keep commands in a sandbox")]
    Leaky,
    /// What commands write in it is somebody else's.
    #[error("keep its files: commands in it are another user")]
    Foreign,
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
    try_out_as(launcher, folder, |workspace| {
        let writable = vec![workspace.to_owned()];
        Isolation::Namespaces(Namespaces { writable, ..namespaces.clone() })
    })
    .await
}

/// Runs a job in a container like `container`, but with an image that has nothing: the programs are those
/// of the machine. The rest is as with [`try_out`].
///
/// # Errors
/// Says why containers do not work here.
pub async fn try_out_container(
    launcher: &Launcher,
    folder: &Path,
    container: &Container,
) -> Result<(), TrialError> {
    let context = folder.join("image");
    let build = Build { file: context.join("Dockerfile"), context, caches: folder.to_owned() };
    try_out_as(launcher, folder, |workspace| {
        let name = IMAGE.to_owned();
        let shown = SYSTEM.iter().map(PathBuf::from).filter(|path| path.is_dir());
        Isolation::Container(Box::new(Container {
            image: Image { name, source: ImageSource::Built(build) },
            readable: shown.collect(),
            writable: vec![workspace.to_owned()],
            ..container.clone()
        }))
    })
    .await
}

async fn try_out_as(
    launcher: &Launcher,
    folder: &Path,
    isolation: impl FnOnce(&Path) -> Isolation,
) -> Result<(), TrialError> {
    remove(folder)?;
    let workspace = folder.join("work");
    fs::create_dir_all(&workspace)?;
    fs::create_dir_all(folder.join("image"))?;
    fs::write(folder.join("image/Dockerfile"), DOCKERFILE)?;
    fs::write(folder.join("beside"), "x")?;
    let isolation = isolation(&workspace);
    let dir = RunDir::create(folder.join("run"), &spec(&workspace, isolation))?;
    let outcome = run(launcher, &dir).await;
    let verdict = outcome.and_then(|outcome| verdict(outcome, &dir, &workspace));
    remove(folder)?;
    verdict
}

fn verdict(outcome: Outcome, dir: &RunDir, workspace: &Path) -> Result<(), TrialError> {
    match outcome {
        Outcome::Passed if fs::metadata(workspace.join(FILE))?.uid() == getuid().as_raw() => Ok(()),
        Outcome::Passed => Err(TrialError::Foreign),
        Outcome::Crashed { reason } => Err(TrialError::Refused(reason)),
        Outcome::Failed { commands, .. } => Err(match commands.first() {
            // The command of the job itself is called by its text.
            Some(failed) if failed.title != COMMAND => {
                let log = dir.log(&failed.command).read_at(0, MAX_LOG)?;
                let said = String::from_utf8_lossy(&log.bytes);
                TrialError::Refused(format!("build an image: {}", said.trim()))
            }
            _ => TrialError::Leaky,
        }),
        Outcome::Cancelled | Outcome::Orphaned => Err(TrialError::Leaky),
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

fn spec(workspace: &Path, isolation: Isolation) -> RunSpec {
    let command = Command::new(NodeId::root().child(0), COMMAND);
    RunSpec {
        attempt: AttemptId::new(format!("trial-{}", std::process::id()))
            .expect("letters, a hyphen and digits"),
        workspace: workspace.to_owned(),
        working_dir: workspace.to_owned(),
        isolation,
        bounds: None,
        env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
        steps: Sequence { id: NodeId::root(), name: None, steps: vec![Step::Command(command)] },
        timeout: LIMIT,
        grace: Duration::ZERO,
        log_limit: 1 << 20,
        orphan_limit: LIMIT,
        keep_limits: KeepLimits::USUAL,
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
