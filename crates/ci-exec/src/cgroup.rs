//! Control groups, version 2: what bounds a job as a whole, and a set that no process leaves.
//!
//! The node takes the group that systemd delegated to it (`Delegate=yes`), moves itself to a leaf of it,
//! since a group with processes of its own cannot hand controllers down, and lets each runner make a group
//! for its job beside that leaf.
//! See the kernel's `Documentation/admin-guide/cgroup-v2.rst`.

mod delegated;
mod kills;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ci_domain::ids::AttemptId;
use rustix::process::{Pid, getpid};
use serde::{Deserialize, Serialize};

pub use delegated::{Delegated, NotDelegated};
pub(crate) use kills::{file_for as kills_file_for, told_in as kills_told_in};

/// The time over which the kernel counts what a group has used of the processors, in microseconds: its own
/// default.
const CPU_PERIOD: u64 = 100_000;

/// What a job may use as a whole, and where its control group is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The group that the job's is made in, a directory.
    pub parent: PathBuf,
    /// Bytes of memory; what goes beyond is killed.
    pub memory: Option<u64>,
    /// How many processes and threads there may be at once.
    pub pids: Option<u32>,
    /// How much time of the processors there is, in thousandths of one; what goes beyond waits.
    pub milli_cpus: Option<u32>,
}

impl Bounds {
    /// Moves this process into a group of its own that is bounded like a job's, and with it what it starts
    /// from now on.
    ///
    /// # Errors
    /// The group cannot be made, or this process may not be moved: to leave a group that is not the node's
    /// takes root.
    pub fn enter(&self) -> io::Result<()> {
        let group = self.parent.join(format!("shell-{}", getpid().as_raw_nonzero()));
        enter(&group, self).inspect_err(|_| {
            // One that stays is removed with those of jobs.
            let _stays = fs::remove_dir(&group);
        })
    }

    /// Removes the groups of jobs that have ended; those with processes in them stay.
    ///
    /// # Errors
    /// The groups cannot be listed.
    pub fn tidy(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.parent)? {
            let path = entry?.path();
            if path.is_dir() {
                remove_unused(&path)?;
            }
        }
        Ok(())
    }
}

/// [`Bounds`] as they are stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireBounds {
    parent: PathBuf,
    memory: Option<u64>,
    pids: Option<u32>,
    #[serde(default)]
    milli_cpus: Option<u32>,
}

/// The control group of one job.
#[derive(Clone, Debug)]
pub(crate) struct JobGroup(PathBuf);

impl JobGroup {
    /// The group of an attempt, which may not be there.
    pub(crate) fn of(bounds: &Bounds, attempt: &AttemptId) -> Self {
        Self(bounds.parent.join(format!("job-{attempt}")))
    }

    /// Makes the group with its bounds and moves this process into it; what it starts begins there.
    pub(crate) fn enter(&self, bounds: &Bounds) -> io::Result<()> {
        enter(&self.0, bounds)
    }

    /// The processes in it; none where it is gone.
    pub(crate) fn processes(&self) -> io::Result<Vec<Pid>> {
        let listed = match fs::read_to_string(self.0.join("cgroup.procs")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed?,
        };
        Ok(listed.lines().filter_map(|line| Pid::from_raw(line.trim().parse().ok()?)).collect())
    }

    /// How often the kernel has killed something in it for want of memory.
    pub(crate) fn memory_kills(&self) -> io::Result<u64> {
        kills_told_in(&self.0.join(kills::EVENTS))
    }
}

impl From<&Bounds> for WireBounds {
    fn from(bounds: &Bounds) -> Self {
        let Bounds { parent, memory, pids, milli_cpus } = bounds.clone();
        Self { parent, memory, pids, milli_cpus }
    }
}

impl From<WireBounds> for Bounds {
    fn from(wire: WireBounds) -> Self {
        let WireBounds { parent, memory, pids, milli_cpus } = wire;
        Self { parent, memory, pids, milli_cpus }
    }
}

/// Makes `group` with its bounds and moves this process into it.
fn enter(group: &Path, bounds: &Bounds) -> io::Result<()> {
    match fs::create_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let set = |name: &str, value: &str| write(&group.join(name), value);
    if let Some(memory) = bounds.memory {
        set("memory.max", &memory.to_string())?;
        // Where the kernel counts swap, memory that was swapped out is memory too.
        if group.join("memory.swap.max").exists() {
            set("memory.swap.max", "0")?;
        }
    }
    if let Some(pids) = bounds.pids {
        set("pids.max", &pids.to_string())?;
    }
    if let Some(cpus) = bounds.milli_cpus {
        set("cpu.max", &format!("{} {CPU_PERIOD}", u64::from(cpus) * CPU_PERIOD / 1000))?;
    }
    set("cgroup.procs", "0")
}

fn remove_unused(group: &Path) -> io::Result<()> {
    use io::ErrorKind::{DirectoryNotEmpty, NotFound, ResourceBusy};
    match fs::remove_dir(group) {
        // In use, or removed by somebody else at the same moment.
        Err(error) if matches!(error.kind(), ResourceBusy | NotFound | DirectoryNotEmpty) => Ok(()),
        removed => removed,
    }
}

/// Writes to one of the kernel's files, naming it where that fails.
fn write(path: &Path, value: &str) -> io::Result<()> {
    fs::write(path, value).map_err(|error| {
        io::Error::new(error.kind(), format!("write {value} to {}: {error}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(folder: &Path) -> (Bounds, JobGroup) {
        let (memory, pids, milli_cpus) = (Some(1 << 20), Some(7), Some(1500));
        let bounds = Bounds { parent: folder.to_owned(), memory, pids, milli_cpus };
        let group = JobGroup::of(&bounds, &AttemptId::new("b1-1").unwrap());
        (bounds, group)
    }

    #[test]
    fn the_bounds_are_written_before_anything_enters() {
        let folder = tempfile::tempdir().unwrap();
        let (bounds, group) = group(folder.path());
        group.enter(&bounds).unwrap();
        let read =
            |name: &str| fs::read_to_string(folder.path().join("job-b1-1").join(name)).unwrap();
        assert_eq!((read("memory.max"), read("pids.max")), ("1048576".to_owned(), "7".to_owned()));
        assert_eq!(read("cpu.max"), "150000 100000");
        assert_eq!(read("cgroup.procs"), "0");
    }

    #[test]
    fn a_shell_has_a_group_of_its_own_with_the_bounds_of_a_job() {
        let folder = tempfile::tempdir().unwrap();
        let (bounds, _) = group(folder.path());
        bounds.enter().unwrap();
        let own = folder.path().join(format!("shell-{}", std::process::id()));
        assert_eq!(fs::read_to_string(own.join("pids.max")).unwrap(), "7");
        assert_eq!(fs::read_to_string(own.join("cgroup.procs")).unwrap(), "0");
    }

    #[test]
    fn a_file_that_the_kernel_does_not_have_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (bounds, group) = group(&folder.path().join("missing"));
        let error = group.enter(&bounds).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(group.processes().unwrap(), []);
        assert_eq!(group.memory_kills().unwrap(), 0);
    }
}
