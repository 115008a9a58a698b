//! One external command; the only place where git is called.
//!
//! There are two ways to call git. **Isolated**, for the node's own repositories: an environment of
//! its own, no configuration but the repository's, no hooks, no file system monitor, no transport
//! but the one that is asked for. **As the owner**, for a developer's working copy: with their
//! environment and configuration, but still without hooks, and without taking locks.

mod environment;
mod outcome;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::git::Git;
use crate::hold::Hold;
use crate::process::Running;

pub(crate) use self::environment::ODDITIES;
pub use self::outcome::CommandError;
pub(crate) use self::outcome::{Judge, Output};

/// A command in the making.
pub(crate) struct Command {
    process: tokio::process::Command,
    args: Vec<OsString>,
    stdin: Stdin,
    judge: Judge,
}

/// What a command finds at its standard input.
enum Stdin {
    Nothing,
    Pipe(Vec<u8>),
    /// A file lock, which lasts as long as the command, even if the node is killed meanwhile.
    Hold(Hold),
}

impl Command {
    /// A git command that sees nothing but what it is told.
    pub(crate) fn isolated(git: &Git, limit: Duration, verb: &str) -> Self {
        Self::new(environment::isolated(git), limit, format!("git {verb}")).arg(verb)
    }

    /// A git command in somebody's working copy, as that person.
    pub(crate) fn as_owner(git: &Git, folder: &Path, limit: Duration, verb: &str) -> Self {
        Self::new(environment::owners(git, folder), limit, format!("git {verb}")).arg(verb)
    }

    /// Another program than git, in the same environment as the node's own git commands.
    pub(crate) fn program(git: &Git, limit: Duration, program: &str) -> Self {
        Self::new(environment::plain(git, program), limit, program.to_owned())
    }

    fn new(process: tokio::process::Command, limit: Duration, command: String) -> Self {
        let judge = Judge { command, limit, accepted: &[0], secret: None };
        Self { process, args: Vec::new(), stdin: Stdin::Nothing, judge }
    }

    /// Sets `key=value` in git's configuration, for this command only.
    pub(crate) fn config(mut self, setting: &str) -> Self {
        self.process.args(["-c", setting]);
        self
    }

    /// Hands git `value` for `key` through the environment only. Its last word is secret.
    pub(crate) fn secret_config(mut self, key: &str, value: &str) -> Self {
        self.process.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", key);
        self.process.env("GIT_CONFIG_VALUE_0", value);
        self.judge.secret = value.split_whitespace().last().map(str::to_owned);
        self
    }

    /// Shortens the time that the command may take.
    pub(crate) fn at_most(mut self, limit: Duration) -> Self {
        self.judge.limit = self.judge.limit.min(limit);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.process.env(name, value);
        self
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Self {
        args.into_iter().fold(self, |command, arg| command.arg(arg))
    }

    /// Writes `input` to the command; excludes [`holding`](Self::holding).
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Pipe(input.into());
        self
    }

    /// Keeps `hold` until the command, and whatever it leaves running, has ended.
    pub(crate) fn holding(mut self, hold: &Hold) -> Self {
        self.stdin = Stdin::Hold(hold.clone());
        self
    }

    /// Exit codes that are answers rather than failures; 0 alone unless said otherwise.
    pub(crate) fn accepting(mut self, codes: &'static [i32]) -> Self {
        self.judge.accepted = codes;
        self
    }

    /// Runs the command to its end.
    pub(crate) async fn run(mut self) -> Result<Output, CommandError> {
        let input = match &mut self.stdin {
            Stdin::Pipe(input) => std::mem::take(input),
            Stdin::Nothing | Stdin::Hold(_) => Vec::new(),
        };
        let (mut running, judge) = self.start()?;
        match tokio::time::timeout(judge.limit(), running.finish(&input)).await {
            Ok(Ok(finished)) => judge.ruling(finished),
            Ok(Err(source)) => {
                running.kill().await;
                Err(judge.broken(source))
            }
            Err(_elapsed) => {
                running.kill().await;
                Err(judge.timed_out())
            }
        }
    }

    /// Starts the command, and says who is to judge how it ends.
    pub(crate) fn start(mut self) -> Result<(Running, Judge), CommandError> {
        self.process.args(&self.args);
        let stdin = match &self.stdin {
            Stdin::Nothing => Ok(Stdio::null()),
            Stdin::Pipe(_) => Ok(Stdio::piped()),
            Stdin::Hold(hold) => hold.as_stdin(),
        };
        match stdin.and_then(|stdin| Running::start(self.process, stdin)) {
            Ok(running) => Ok((running, self.judge)),
            Err(source) => Err(self.judge.broken(source)),
        }
    }
}
