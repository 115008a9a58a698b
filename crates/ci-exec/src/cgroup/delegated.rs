//! The part of the machine's control groups that is the node's own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::getxattr;
use rustix::process::getuid;

use super::kills::place;
use super::{Bounds, write};
use crate::spec::Limits;

/// The leaf that the node itself is in.
const NODE: &str = "node";
/// The group whose children are the jobs'.
const JOBS: &str = "jobs";
/// What bounds a job, where the machine has it.
const CONTROLLERS: [&str; 3] = [CPU, MEMORY, PIDS];
const CPU: &str = "cpu";
const MEMORY: &str = "memory";
const PIDS: &str = "pids";
/// How much of the processors jobs get beside the node, whose weight is 100: it answers people.
const JOBS_WEIGHT: &str = "50";

/// A group that was delegated to this process, ready for groups of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegated {
    jobs: PathBuf,
    /// Those of [`CONTROLLERS`] that the machine has.
    controllers: Vec<&'static str>,
}

/// Why jobs cannot have control groups.
#[derive(Debug, thiserror::Error)]
pub enum NotDelegated {
    /// The machine has no version 2.
    #[error("find control groups of version 2")]
    Missing,
    /// The group of this process belongs to somebody else.
    #[error("use the control group {}: it was not delegated (Delegate=yes in the unit)", .0.display())]
    NotOurs(PathBuf),
    /// The group cannot be used.
    #[error("use the control group {}", path.display())]
    Io {
        /// The group.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Delegated {
    /// Takes the group of this process, and moves everything in it to a leaf.
    ///
    /// # Errors
    /// There is none, or it is not ours to change.
    pub fn take() -> Result<Self, NotDelegated> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let group = own_group(&mounts, &own).ok_or(NotDelegated::Missing)?;
        if !is_ours(&group) {
            return Err(NotDelegated::NotOurs(group));
        }
        Self::take_at(&group).map_err(|source| NotDelegated::Io { path: group, source })
    }

    fn take_at(group: &Path) -> io::Result<Self> {
        let (node, jobs) = (group.join(NODE), group.join(JOBS));
        make(&node)?;
        for process in fs::read_to_string(group.join("cgroup.procs"))?.lines() {
            move_to(&node, process)?;
        }
        let available = fs::read_to_string(group.join("cgroup.controllers"))?;
        let is_there = |name: &&str| available.split_ascii_whitespace().any(|one| one == *name);
        let controllers: Vec<&str> = CONTROLLERS.into_iter().filter(is_there).collect();
        let wanted: Vec<String> = controllers.iter().map(|name| format!("+{name}")).collect();
        make(&jobs)?;
        for parent in [group, &jobs] {
            if !wanted.is_empty() {
                write(&parent.join("cgroup.subtree_control"), &wanted.join(" "))?;
            }
        }
        if controllers.contains(&CPU) {
            write(&jobs.join("cpu.weight"), JOBS_WEIGHT)?;
        }
        Ok(Self { jobs, controllers })
    }

    /// The bounds of a job, as far as the machine can keep them.
    #[must_use]
    pub fn bounds(&self, limits: Limits) -> Bounds {
        let Limits { memory, pids, milli_cpus } = limits;
        Bounds {
            parent: self.jobs.clone(),
            memory: self.has(MEMORY).then_some(memory),
            pids: self.has(PIDS).then_some(pids),
            milli_cpus: milli_cpus.filter(|_| self.has(CPU)),
        }
    }

    /// Which of `limits` the machine cannot keep, as the configuration calls them.
    #[must_use]
    pub fn lacks(&self, limits: Limits) -> Vec<&'static str> {
        let each = [
            ("memory", self.has(MEMORY)),
            ("pids", self.has(PIDS)),
            ("cpus", self.has(CPU) || limits.milli_cpus.is_none()),
        ];
        each.into_iter().filter(|(_, is_kept)| !is_kept).map(|(name, _)| name).collect()
    }

    fn has(&self, controller: &str) -> bool {
        self.controllers.contains(&controller)
    }
}

/// Moves a process, unless it has ended meanwhile.
fn move_to(group: &Path, process: &str) -> io::Result<()> {
    match fs::write(group.join("cgroup.procs"), process) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
            Ok(())
        }
        moved => moved,
    }
}

fn make(group: &Path) -> io::Result<()> {
    match fs::create_dir(group) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// The directory of this process's group of version 2; that of the unit where it is in our own leaf.
fn own_group(mounts: &str, own: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let path = path.strip_suffix(&format!("/{NODE}")).unwrap_or(path);
    place(mounts, "cgroup2", None, path)
}

/// Whether the group was delegated: systemd marks it, and gives it to the unit's user.
fn is_ours(group: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let mut value = [0; 1];
    let marked = ["trusted.delegate", "user.delegate"].iter().any(|name| {
        getxattr(group, *name, &mut value).is_ok_and(|length| length == 1) && value == *b"1"
    });
    let owner = fs::metadata(group).map(|found| found.uid());
    // Everything is root's, so to root only the mark says something.
    marked || (!getuid().is_root() && owner.is_ok_and(|uid| uid == getuid().as_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
         30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_group_is_found_by_its_mount() {
        let check = |own: &str, expected: Option<&str>| {
            assert_eq!(own_group(MOUNTS, own).as_deref(), expected.map(Path::new), "{own}");
        };
        let unit = "/sys/fs/cgroup/system.slice/ci-node.service";
        check("0::/system.slice/ci-node.service\n", Some(unit));
        check("0::/system.slice/ci-node.service/node\n", Some(unit));
        check("4:memory:/x\n0::/system.slice/ci-node.service\n", Some(unit));
        check("4:memory:/x\n", None);
        assert_eq!(own_group("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", "0::/x\n"), None);
    }

    #[test]
    fn everything_moves_to_a_leaf_before_controllers_are_handed_down() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("cgroup.procs"), "11\n").unwrap();
        fs::write(at("cgroup.controllers"), "cpuset cpu io pids\n").unwrap();
        let group = Delegated::take_at(folder.path()).unwrap();
        let read = |name: &str| fs::read_to_string(at(name)).unwrap();
        assert_eq!(read("node/cgroup.procs"), "11");
        assert_eq!(read("cgroup.subtree_control"), "+cpu +pids");
        assert_eq!(read("jobs/cgroup.subtree_control"), "+cpu +pids");
        let limits = Limits { memory: 1 << 30, pids: 100, milli_cpus: Some(500) };
        assert_eq!(group.lacks(limits), ["memory"]);
        let bounds = group.bounds(limits);
        let (memory, pids, milli_cpus) = (None, Some(100), Some(500));
        assert_eq!(bounds, Bounds { parent: at("jobs"), memory, pids, milli_cpus });
        fs::create_dir(at("jobs/job-a")).unwrap();
        fs::create_dir_all(at("jobs/job-b/in-use")).unwrap();
        bounds.tidy().unwrap();
        assert!(!at("jobs/job-a").exists() && at("jobs/job-b").exists());
    }

    #[test]
    fn only_limits_that_are_set_are_missed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["cgroup.procs", "cgroup.controllers"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let group = Delegated::take_at(folder.path()).unwrap();
        let limits = |milli_cpus| Limits { memory: 1, pids: 1, milli_cpus };
        assert_eq!(group.lacks(limits(None)), ["memory", "pids"]);
        assert_eq!(group.lacks(limits(Some(1))), ["memory", "pids", "cpus"]);
    }
}
