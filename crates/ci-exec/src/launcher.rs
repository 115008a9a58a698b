//! Starting a runner that lives on when its starter does not.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::identity::Identity;
use crate::run_dir::{OpenError, RunDir};
use crate::runner::{READY, RunnerExit};
use crate::secrets::Secrets;

/// How long a runner may take until it holds its directory; a busy machine is slow, not stuck.
const START_LIMIT: Duration = Duration::from_secs(30);
/// What the runner is called in the list of processes.
const PROCESS_NAME: &str = "ci-runner";

/// Knows the program that becomes a runner, and starts it.
#[derive(Clone, Debug)]
pub struct Launcher {
    program: PathBuf,
    arguments: Vec<OsString>,
}

/// A runner that did not come up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another runner holds the directory: adopt it.
    #[error("start a runner: one is at work")]
    AlreadyRunning,
    /// A runner has worked in the directory before: look at its state.
    #[error("start a runner: one has been at work")]
    AlreadyRan,
    /// The runner gave up before it held the directory.
    #[error("start a runner: {reason}")]
    Refused {
        /// What it said, and how it ended.
        reason: String,
    },
    /// The runner was killed before it held the directory.
    #[error("start a runner: it was killed by signal {signal}")]
    Killed {
        /// By which signal.
        signal: i32,
    },
    /// The runner did not get ready in time, and was killed.
    #[error("start a runner within {START_LIMIT:?}")]
    TimedOut,
    /// The program could not be started.
    #[error("start a runner")]
    Spawn(#[from] io::Error),
    /// The run directory cannot be read.
    #[error(transparent)]
    RunDir(#[from] OpenError),
}

impl Launcher {
    /// Starts `program arguments… RUN_DIR`, which must call [`runner_main`](crate::runner_main).
    pub fn new<A: Into<OsString>>(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { program: program.into(), arguments }
    }

    /// Starts the executable of this process once more, with a hidden subcommand.
    ///
    /// It goes by the running image, so an upgrade on the disk changes nothing for this node.
    pub fn current_exe<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self::new("/proc/self/exe", arguments)
    }

    /// Starts the runner of `dir` and returns once it holds the directory.
    ///
    /// The runner leads a session of its own and is not stopped by anything that happens to the
    /// caller. It is reaped by the tokio runtime of the caller for as long as that lives.
    ///
    /// # Errors
    /// Says whether a runner is or was at work in the directory, or why none could start.
    pub async fn start(&self, dir: &RunDir) -> Result<Identity, StartError> {
        self.start_with(dir, &Secrets::none()).await
    }

    /// Like [`start`](Self::start), and hands `secrets` over, which commands see as variables.
    ///
    /// They are in no file that has a name. So an attempt that is started again needs them again.
    ///
    /// # Errors
    /// Says whether a runner is or was at work in the directory, or why none could start.
    pub async fn start_with(
        &self,
        dir: &RunDir,
        secrets: &Secrets,
    ) -> Result<Identity, StartError> {
        let mut runner = self.spawn(dir, secrets)?;
        let mut stdout = runner.stdout.take().expect("stdout was asked for");
        let mut said = Vec::new();
        match timeout(START_LIMIT, stdout.read_to_end(&mut said)).await {
            Err(_) => {
                runner.kill().await?;
                return Err(StartError::TimedOut);
            }
            Ok(read) => read?,
        };
        if said == READY {
            let missing = || OpenError::Missing(dir.path().to_owned());
            return Ok(dir.identity()?.ok_or_else(missing)?);
        }
        Err(refusal(runner.wait().await?, &said))
    }

    fn spawn(&self, dir: &RunDir, secrets: &Secrets) -> io::Result<Child> {
        let path = std::path::absolute(dir.path())?;
        Command::new(&self.program)
            .arg0(PROCESS_NAME)
            .args(&self.arguments)
            .arg(path)
            .env_clear()
            .current_dir("/")
            .stdin(secrets.to_stdin()?)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    }
}

fn refusal(status: ExitStatus, said: &[u8]) -> StartError {
    let is = |exit: RunnerExit| status.code() == Some(i32::from(exit.code()));
    if is(RunnerExit::AlreadyRunning) {
        StartError::AlreadyRunning
    } else if is(RunnerExit::AlreadyRan) {
        StartError::AlreadyRan
    } else if let Some(signal) = status.signal() {
        StartError::Killed { signal }
    } else {
        let said = String::from_utf8_lossy(said);
        StartError::Refused { reason: format!("{} ({status})", said.trim()) }
    }
}
