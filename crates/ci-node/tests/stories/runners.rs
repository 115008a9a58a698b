//! The runners of one world.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

use crate::processes;

/// Those at work in `folder`, each with its run directory.
pub fn of(folder: &Path) -> Vec<(Pid, PathBuf)> {
    let run_of = |pid: Pid| {
        let cmdline = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
        let mut arguments =
            cmdline.split(|byte| *byte == 0).filter(|argument| !argument.is_empty());
        let is_runner = arguments.next()? == b"ci-runner";
        let run = PathBuf::from(OsStr::from_bytes(arguments.next_back()?));
        is_runner.then_some((pid, run))
    };
    processes::of(folder).into_iter().filter_map(run_of).collect()
}
