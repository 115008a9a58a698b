//! Where the kernel counts what it has killed for want of memory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

/// The file of a group of version 2 that says so, and that of a group of version 1.
pub(super) const EVENTS: &str = "memory.events";
const CONTROL: &str = "memory.oom_control";

/// The file that counts for the group of a process, whichever version has a say in memory here; nothing
/// where the process has ended, or no version has.
pub(crate) fn file_for(pid: Pid) -> io::Result<Option<PathBuf>> {
    let groups = match fs::read_to_string(format!("/proc/{}/cgroup", pid.as_raw_nonzero())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        groups => groups?,
    };
    Ok(file(&fs::read_to_string("/proc/self/mountinfo")?, &groups))
}

/// How many kills such a file tells of; none where it is gone.
pub(crate) fn told_in(file: &Path) -> io::Result<u64> {
    let events = match fs::read_to_string(file) {
        // Memory is not bounded there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        events => events?,
    };
    let kills = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
    Ok(kills.and_then(|count| count.trim().parse().ok()).unwrap_or(0))
}

fn file(mounts: &str, groups: &str) -> Option<PathBuf> {
    let of_version_1 = groups.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|name| name == "memory").then_some(path)
    });
    if let Some(path) = of_version_1 {
        return Some(place(mounts, "cgroup", Some("memory"), path)?.join(CONTROL));
    }
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(place(mounts, "cgroup2", None, path)?.join(EVENTS))
}

/// The directory of a group, by what is mounted with this type and option.
pub(super) fn place(mounts: &str, kind: &str, option: Option<&str>, path: &str) -> Option<PathBuf> {
    let (root, mounted) = mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let is_kind = after.next() == Some(kind);
        let options = after.next_back().unwrap_or_default();
        let has = |option| options.split(',').any(|one| one == option);
        let mut before = before.split(' ').skip(3);
        (is_kind && option.is_none_or(has)).then(|| Some((before.next()?, before.next()?)))?
    })?;
    // A part of the tree may be what is mounted.
    let inside = Path::new(path).strip_prefix(root).unwrap_or(Path::new(path));
    Some(Path::new(mounted).join(inside.strip_prefix("/").unwrap_or(inside)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
         30 22 0:26 / /sys/fs/cgroup/cpu rw shared:4 - cgroup cgroup rw,cpu,cpuacct\n\
         31 22 0:27 / /sys/fs/cgroup/memory rw shared:5 - cgroup cgroup rw,memory\n\
         32 22 0:28 / /sys/fs/cgroup/unified rw shared:6 - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_version_that_bounds_memory_is_asked() {
        let check = |mounts: &str, groups: &str, expected: Option<&str>| {
            assert_eq!(file(mounts, groups).as_deref(), expected.map(Path::new), "{groups}");
        };
        let both = "5:cpu,cpuacct:/x\n4:memory:/libpod/a\n0::/other\n";
        check(BOTH, both, Some("/sys/fs/cgroup/memory/libpod/a/memory.oom_control"));
        check(BOTH, "0::/a\n", Some("/sys/fs/cgroup/unified/a/memory.events"));
        check(BOTH, "0::/\n", Some("/sys/fs/cgroup/unified/memory.events"));
        let part = "32 22 0:28 /docker /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        check(part, "0::/docker/a\n", Some("/sys/fs/cgroup/a/memory.events"));
        check("", both, None);
        check(BOTH, "", None);
    }

    #[test]
    fn what_both_versions_tell_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        assert_eq!(told_in(&file).unwrap(), 0);
        for text in [
            "oom 3\noom_kill 2\noom_group_kill 0\n",
            "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(told_in(&file).unwrap(), 2, "{text}");
        }
    }
}
