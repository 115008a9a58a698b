//! Where sockets lie, who may go there, and which processes are at home.
//!
//! `$XDG_RUNTIME_DIR/heights`, else `/run/heights` for root and `/tmp/heights-<uid>` for others.
//! A socket is as safe as its directory: that must be a real directory of our own which nobody else
//! may enter, and it is checked before anything is bound, because `/tmp` belongs to everyone.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, getuid, test_kill_process};
use serde::{Deserialize, Serialize};

/// Only the owner may enter, list or change.
const OWNER_ONLY: u32 = 0o700;

/// Names the socket of one process and the note beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    directory: PathBuf,
    os_pid: u32,
}

/// The note beside a socket: who listens there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The name that the application gave itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The operating system's process id.
    pub os_pid: u32,
    /// When it started, in milliseconds since 1970.
    pub started_ms: u64,
}

/// A process that can be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Who it is.
    pub announcement: Announcement,
    /// Where it listens.
    pub socket: PathBuf,
}

/// Says why there is no place for a socket.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The directory cannot be made or looked at.
    #[error("open the directory {path}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Someone else may have prepared the directory, or may enter it.
    #[error("trust the directory {path}: it must be a directory of uid {uid} with mode 0700")]
    Untrusted {
        /// The directory.
        path: PathBuf,
        /// Our user.
        uid: u32,
    },
}

impl Place {
    /// Names the place of a process in a directory.
    pub fn new(directory: impl Into<PathBuf>, os_pid: u32) -> Self {
        Self { directory: directory.into(), os_pid }
    }

    /// Names the place of this process, as its environment says.
    pub fn of_this_process() -> Self {
        Self::new(standard_directory(), std::process::id())
    }

    /// Returns the path of the socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join(format!("{}.sock", self.os_pid))
    }

    /// Returns the path of the note beside it.
    pub fn note(&self) -> PathBuf {
        self.directory.join(format!("{}.json", self.os_pid))
    }

    /// Makes the directory if need be, checks that it is ours alone, and clears what is stale.
    pub fn prepare(&self) -> Result<(), PlaceError> {
        let failed = |source| PlaceError::Io { path: self.directory.clone(), source };
        match fs::DirBuilder::new().mode(OWNER_ONLY).create(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            Ok(()) | Err(_) => {}
        }
        let uid = getuid().as_raw();
        if !is_private(&self.directory, uid).map_err(failed)? {
            return Err(PlaceError::Untrusted { path: self.directory.clone(), uid });
        }
        // What a former process of the same id left is not ours to serve.
        self.withdraw();
        processes([self.directory.clone()]);
        Ok(())
    }

    /// Leaves the note that tells who listens here.
    pub fn announce(&self, announcement: &Announcement) -> Result<(), PlaceError> {
        let failed = |source| PlaceError::Io { path: self.note(), source };
        let text = serde_json::to_vec(announcement).map_err(|error| failed(error.into()))?;
        fs::write(self.note(), text).map_err(failed)
    }

    /// Removes the socket and the note.
    pub fn withdraw(&self) {
        for path in [self.socket(), self.note()] {
            // Nothing depends on it: whoever finds them later sees that the process is gone.
            let _removed_already = fs::remove_file(path);
        }
    }
}

/// Returns where this process puts its socket.
fn standard_directory() -> PathBuf {
    xdg_directory().unwrap_or_else(|| home_directory(getuid().as_raw()))
}

fn xdg_directory() -> Option<PathBuf> {
    let runtime = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?);
    (runtime.is_absolute() && runtime.is_dir()).then(|| runtime.join("heights"))
}

fn home_directory(uid: u32) -> PathBuf {
    if uid == 0 {
        PathBuf::from("/run/heights")
    } else {
        PathBuf::from(format!("/tmp/heights-{uid}"))
    }
}

/// Returns where this user finds sockets; root finds those of everyone.
pub fn known_directories() -> Vec<PathBuf> {
    let uid = getuid().as_raw();
    let mut directories: Vec<_> = xdg_directory().into_iter().collect();
    directories.push(home_directory(uid));
    if uid == 0 {
        directories
            .extend(entries(Path::new("/run/user")).into_iter().map(|user| user.join("heights")));
        directories.extend(entries(Path::new("/tmp")).into_iter().filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("heights-"))
        }));
    }
    directories
}

/// Finds the processes that listen in these directories, by name and age, and clears away what
/// dead ones have left.
pub fn processes(directories: impl IntoIterator<Item = PathBuf>) -> Vec<Presence> {
    let mut found: Vec<Presence> = directories.into_iter().flat_map(at_home).collect();
    found.sort_by(|a, b| {
        let key = |presence: &Presence| {
            (presence.announcement.name.clone(), presence.announcement.started_ms)
        };
        key(a).cmp(&key(b))
    });
    found.dedup_by(|a, b| a.socket == b.socket);
    found
}

fn at_home(directory: PathBuf) -> Vec<Presence> {
    let uid = getuid().as_raw();
    // In a directory that is not its owner's alone, anyone could be listening.
    let trusted = fs::symlink_metadata(&directory)
        .is_ok_and(|found| found.is_dir() && is_closed(&found) && (uid == 0 || found.uid() == uid));
    let notes = if trusted { entries(&directory) } else { Vec::new() };
    notes.into_iter().filter_map(|note| presence(&directory, &note)).collect()
}

fn presence(directory: &Path, note: &Path) -> Option<Presence> {
    let os_pid = note.file_name()?.to_str()?.strip_suffix(".json")?.parse().ok()?;
    let place = Place::new(directory, os_pid);
    if !is_process(os_pid) && UnixStream::connect(place.socket()).is_err() {
        place.withdraw();
        return None;
    }
    let announcement = serde_json::from_slice(&fs::read(note).ok()?).ok()?;
    Some(Presence { announcement, socket: place.socket() })
}

/// Tells whether the operating system has such a process, ours or not.
fn is_process(os_pid: u32) -> bool {
    let pid = i32::try_from(os_pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

fn is_private(directory: &Path, uid: u32) -> io::Result<bool> {
    // Not following links: a link could be turned elsewhere later.
    let found = fs::symlink_metadata(directory)?;
    Ok(found.is_dir() && found.uid() == uid && is_closed(&found))
}

fn is_closed(found: &fs::Metadata) -> bool {
    found.permissions().mode() & 0o077 == 0
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}
