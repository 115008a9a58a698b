//! A terminal for a program whose own terminal must not be the person's: what it types into its terminal
//! is not typed into ours.
//!
//! ```text
//! person's terminal, raw ──► keys ──► our end ═══ pseudo-terminal ═══ the program's end
//!                        ◄── output ◄─────┘
//! ```

use std::fs::File;
use std::io::{self, Read as _, Stdin, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// How long what was printed last may take to be shown.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// What is passed on at once.
const CHUNK: usize = 8192;

/// The terminal of this process, which is as it was once this is dropped.
pub(super) struct Terminal {
    stdin: Stdin,
    before: Termios,
}

impl Terminal {
    /// The terminal that standard input is.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn of_this_process() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        Ok(Self { stdin, before })
    }

    /// Has every key passed on as it is.
    fn make_raw(&self) -> io::Result<()> {
        let mut raw = self.before.clone();
        raw.make_raw();
        Ok(tcsetattr(&self.stdin, OptionalActions::Now, &raw)?)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Where it is gone there is nothing to put right.
        let _gone = tcsetattr(&self.stdin, OptionalActions::Flush, &self.before);
    }
}

/// Runs `command` on a terminal of its own that looks like `terminal`, to its end.
///
/// # Errors
/// There are no terminals left, or the program cannot be started.
pub(super) async fn run(mut command: Command, terminal: &Terminal) -> Result<ExitStatus> {
    let (ours, theirs) = pair().context("failed to make a terminal")?;
    tcsetwinsize(&ours, tcgetwinsize(&terminal.stdin)?)?;
    let file = || theirs.try_clone().map(Stdio::from);
    command.stdin(file()?).stdout(file()?).stderr(file()?);
    let mut child = tokio::process::Command::from(command);
    let mut child = child.kill_on_drop(true).spawn().context("failed to start the shell")?;
    // Once the program has ended, nobody has its end open, and ours says so.
    drop(theirs);
    terminal.make_raw()?;
    let (keys, output) = (File::from(ours.try_clone()?), File::from(ours.try_clone()?));
    // It waits for a key when all is over, and ends with the process.
    thread::spawn(move || pass_on_keys(keys));
    let (shown, all_shown) = oneshot::channel();
    thread::spawn(move || {
        pass_on_output(output);
        // Nobody waits for it any more where that took too long.
        let _late = shown.send(());
    });
    let mut resized = signal(SignalKind::window_change())?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = resized.recv() => tcsetwinsize(&ours, tcgetwinsize(&terminal.stdin)?)?,
        }
    };
    // What it has left running may go on printing, or never end.
    let _late = tokio::time::timeout(LAST_WORDS, all_shown).await;
    Ok(status)
}

/// Both ends of a new terminal.
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = open(name.as_c_str(), flags, Mode::empty())?;
    Ok((ours, theirs))
}

fn pass_on_keys(mut to: File) {
    let mut chunk = [0; CHUNK];
    let mut keys = io::stdin();
    while let Ok(read @ 1..) = keys.read(&mut chunk) {
        if to.write_all(&chunk[..read]).is_err() {
            return;
        }
    }
}

/// Ends where the program has: reading is an error then.
fn pass_on_output(mut from: File) {
    let mut chunk = [0; CHUNK];
    let mut screen = io::stdout();
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        if screen.write_all(&chunk[..read]).and_then(|()| screen.flush()).is_err() {
            return;
        }
    }
}
