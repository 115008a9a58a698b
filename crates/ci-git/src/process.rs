//! One external program, run to its end: in its own process group, within a time limit, with what it
//! says kept within bounds.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

/// The end of what a program complains is kept for the error, up to this many bytes.
const STDERR_KEPT: usize = 4 * 1024;
/// More output than this is a mistake somewhere; a listing of a million files stays below.
const STDOUT_LIMIT: u64 = 512 * 1024 * 1024;
/// A killed process is gone at once, unless the kernel holds it in an uninterruptible call.
const DEATH_LIMIT: Duration = Duration::from_secs(5);

/// A running program; dropping it kills its whole process group.
#[derive(Debug)]
pub(crate) struct Running {
    stdin: Option<ChildStdin>,
    pub(crate) stdout: ChildStdout,
    stderr: ChildStderr,
    group: Group,
    child: Child,
}

/// What a program left behind.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// The process group of a child that has not been reaped, so its number cannot be another's.
#[derive(Debug)]
struct Group(Option<Pid>);

impl Running {
    /// Starts `command`; `stdin` is given to it, or a pipe if there is input to be written.
    pub(crate) fn start(mut command: tokio::process::Command, stdin: Stdio) -> io::Result<Self> {
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self {
            stdin: child.stdin.take(),
            stdout: child.stdout.take().expect("stdout was piped above"),
            stderr: child.stderr.take().expect("stderr was piped above"),
            group: Group(group),
            child,
        })
    }

    /// Writes `text`, and keeps the pipe open for more.
    pub(crate) async fn say(&mut self, text: &str) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or_else(|| io::Error::other("its input is closed"))?;
        stdin.write_all(text.as_bytes()).await?;
        stdin.flush().await
    }

    /// Writes `input`, reads everything, and waits for the end.
    pub(crate) async fn finish(&mut self, input: &[u8]) -> io::Result<Finished> {
        let mut stdout = Vec::new();
        let stdin = self.stdin.take();
        let write = async move {
            if let Some(mut stdin) = stdin {
                // A program that stops reading says why in its exit code.
                let _closed_early = stdin.write_all(input).await;
            }
        };
        let mut bounded = (&mut self.stdout).take(STDOUT_LIMIT + 1);
        let ((), read, stderr) =
            tokio::join!(write, bounded.read_to_end(&mut stdout), tail(&mut self.stderr));
        if read? as u64 > STDOUT_LIMIT {
            return Err(io::Error::other("it printed more than 512 MiB"));
        }
        let stderr = stderr?;
        // Reaped only now: until here the group's number could not be given to another.
        let status = self.child.wait().await?;
        self.group.0 = None;
        Ok(Finished { status, stdout, stderr })
    }

    /// Kills the whole group and waits until the program itself is gone.
    pub(crate) async fn kill(&mut self) {
        self.group.kill();
        if let Ok(Ok(_)) = tokio::time::timeout(DEATH_LIMIT, self.child.wait()).await {
            self.group.0 = None;
        }
    }
}

impl Group {
    fn kill(&self) {
        if let Some(pid) = self.0 {
            // The only way to fail is that nobody is left.
            let _gone = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a remote says is passed on by programs and must not steer anybody's terminal.
fn printable(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let steering = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    said.trim().replace(steering, "\u{fffd}")
}

/// Reads to the end and keeps the last part, which is where programs say why they gave up.
async fn tail(stderr: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut kept = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stderr.read(&mut chunk).await?;
        if read == 0 {
            return Ok(printable(&kept));
        }
        kept.extend_from_slice(&chunk[..read]);
        kept.drain(..kept.len().saturating_sub(STDERR_KEPT));
    }
}
