//! What the machine has: git, control groups, room.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ci_config::node::NodeConfig;
use ci_git::Git;
use rustix::fs::{Access, StatVfs, access, statvfs};

use super::Finding;

/// Where systemd and every distribution that follows it mount control groups.
const CGROUP_ROOT: &str = "/sys/fs/cgroup";
/// What bounds a job's memory and processes.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];
/// Fewer free inodes than a build of any size can use up.
const MIN_INODES: u64 = 100_000;

pub(super) async fn git() -> Finding {
    match Git::discover(None).await {
        Ok(git) => Finding::ok("git", git.version().to_string()),
        Err(error) => {
            let remedy = format!("install git {} or later", ci_git::MINIMUM);
            Finding::failed("git", &error, remedy)
        }
    }
}

/// Whether jobs can be given less than the whole machine.
pub(super) fn cgroups() -> Finding {
    let controllers = fs::read_to_string(Path::new(CGROUP_ROOT).join("cgroup.controllers"));
    limits(controllers)
}

fn limits(controllers: io::Result<String>) -> Finding {
    let subject = "control groups";
    let unlimited = "so a job's memory, processes and processor time have no limit as a whole";
    let Ok(controllers) = controllers else {
        let words = format!("version 2 is not mounted at {CGROUP_ROOT}, {unlimited}");
        return Finding::warn(subject, words, "boot with systemd.unified_cgroup_hierarchy=1");
    };
    let has = |name: &&&str| controllers.split_ascii_whitespace().any(|one| one == **name);
    let missing: Vec<&str> = CONTROLLERS.iter().filter(|name| !has(name)).copied().collect();
    if missing.is_empty() {
        return Finding::ok(subject, "version 2, with cpu, memory and pids");
    }
    let words = format!("version 2 lacks {}, {unlimited}", missing.join(", "));
    Finding::warn(subject, words, "enable these controllers for the node's unit (Delegate=yes)")
}

/// Whether the node can write where its data is, and has room there.
pub(super) fn disk(config: &NodeConfig) -> Finding {
    let subject = "disk";
    let place = existing(&config.data_dir);
    let shown = config.data_dir.display();
    if access(&place, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let words = format!("{} cannot be written by this user", place.display());
        return Finding::fail(subject, words, "run this as the node's user, or give it the folder");
    }
    match statvfs(&place) {
        Ok(disk) => room(&shown.to_string(), &disk, config.runner.min_free),
        Err(error) => {
            let words = format!("{} cannot be looked at: {error}", place.display());
            Finding::fail(subject, words, "see to the file system")
        }
    }
}

fn room(shown: &str, disk: &StatVfs, min_free: u64) -> Finding {
    let subject = "disk";
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < min_free {
        let words = format!(
            "{shown} has {} free, less than [runner] min_free ({}), so no job starts",
            gib(free),
            gib(min_free)
        );
        return Finding::fail(subject, words, "make room, or lower [retention] workspaces");
    }
    // Some file systems count no inodes.
    if disk.f_files > 0 && disk.f_favail < MIN_INODES {
        let words = format!("{shown} has {} inodes left", disk.f_favail);
        return Finding::warn(subject, words, "remove small files, or use a file system with more");
    }
    Finding::ok(subject, format!("{shown} has {} free", gib(free)))
}

/// The folder, or the nearest above it that there is.
fn existing(folder: &Path) -> PathBuf {
    let found = folder.ancestors().find(|path| path.exists());
    found.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

fn gib(bytes: u64) -> String {
    let mib = bytes / (1 << 20);
    format!("{}.{} GiB", mib / 1024, mib % 1024 * 10 / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn control_groups_are_told_by_what_they_bound() {
        let check = |controllers: io::Result<&str>, level, part: &str| {
            let found = limits(controllers.map(str::to_owned));
            assert_eq!(found.level, level, "{found:?}");
            assert!(found.words.contains(part), "{found:?}");
        };
        check(Ok("cpuset cpu io memory pids\n"), Level::Ok, "cpu, memory and pids");
        check(Ok("cpu io\n"), Level::Warn, "lacks memory, pids,");
        check(Ok(""), Level::Warn, "lacks cpu, memory, pids,");
        check(Err(io::ErrorKind::NotFound.into()), Level::Warn, "not mounted");
    }

    #[test]
    fn room_is_told_by_what_the_node_needs() {
        let folder = tempfile::tempdir().unwrap();
        let disk = || statvfs(folder.path()).unwrap();
        let large = || StatVfs { f_bavail: 3 << 20, f_frsize: 1024, f_files: 0, ..disk() };
        let check = |disk: StatVfs, min_free, level, part: &str| {
            let found = room("/data", &disk, min_free);
            assert_eq!(found.level, level, "{found:?}");
            assert!(found.words.contains(part), "{found:?}");
        };
        check(large(), 2 << 30, Level::Ok, "/data has 3.0 GiB free");
        check(large(), 4 << 30, Level::Fail, "less than [runner] min_free (4.0 GiB)");
        let full = StatVfs { f_files: 1_000_000, f_favail: 5, ..large() };
        check(full, 0, Level::Warn, "5 inodes left");
    }

    #[test]
    fn a_folder_to_be_made_is_judged_by_the_one_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(existing(&folder.path().join("a/b")), folder.path());
        assert_eq!(existing(Path::new("nowhere")), Path::new("."));
    }
}
