//! What is told to a shell, by whomever starts it.

use std::collections::BTreeMap;
use std::io::{self, PipeWriter};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::fact::Exit;

/// What is told to a shell.
#[derive(Debug)]
pub(crate) struct Script<'a> {
    /// The program that reads it, with `-c` before the text.
    pub(crate) shell: &'a Path,
    pub(crate) text: &'a str,
    pub(crate) working_dir: &'a Path,
    /// The whole environment.
    pub(crate) env: BTreeMap<&'a str, &'a str>,
}

impl Script<'_> {
    /// A shell in a process group of its own, which with all it starts writes to `output`.
    pub(crate) fn command(&self, output: PipeWriter) -> io::Result<Command> {
        let mut command = Command::new(self.shell);
        command
            .arg("-c")
            .arg(self.text)
            .current_dir(self.working_dir)
            .env_clear()
            .envs(&self.env)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        Ok(command)
    }
}

/// How a process has ended that was waited for.
pub(crate) fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => unreachable!("a process that was waited for has a code or a signal"),
    }
}
