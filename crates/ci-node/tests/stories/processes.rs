//! The processes of one world: those that name its folder in their arguments or environment.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// The processes that have to do with `folder`, other than this one.
pub fn of(folder: &Path) -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let ourselves = std::process::id().cast_signed();
    pids.filter(|pid| *pid != ourselves && names(*pid, folder)).filter_map(Pid::from_raw).collect()
}

/// Kills what is left of a world.
pub fn kill_all(folder: &Path) {
    // One that is killed may just have started another.
    while let left @ [_, ..] = of(folder).as_slice() {
        for pid in left {
            // One that has ended meanwhile needs no killing.
            let _gone = kill_process(*pid, Signal::KILL);
        }
    }
}

fn names(pid: i32, folder: &Path) -> bool {
    let holds = |file: &str| {
        let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        contains(&bytes, folder.as_os_str())
    };
    holds("cmdline") || holds("environ")
}

fn contains(bytes: &[u8], part: &OsStr) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}
