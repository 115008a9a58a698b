//! Copying what jobs have made: private, warm, and no slower than it must be.
//!
//! A copy shares blocks with its source where the file system can, and nothing else: no inode is in both.
//! Files keep their times, so that what builds by them stays fresh, their permissions, their holes, and
//! the hard links among themselves. Symbolic links are copied, never followed. Pipes, sockets, devices,
//! extended attributes and what we may not read are left out.
//!
//! Several threads share the folders.

mod content;

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::num::NonZero;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_OMIT, fchmod, fstat,
    futimens, linkat, mkdirat, openat, readlinkat, statat, symlinkat, utimensat,
};

use self::content::Contents;
use super::index::{Index, Moved};
use crate::folder::{Entry, Folder};

/// More threads than this only wait for each other in the file system.
const MOST_THREADS: usize = 4;
/// Nobody nests folders like this; each level costs two descriptors while it is copied.
const DEEPEST: usize = 200;
/// The permissions that a copy has, too; that it runs as somebody else is none of them.
const KEPT: Mode = Mode::RWXU.union(Mode::RWXG).union(Mode::RWXO);
/// The part whose files are in the index.
const INDEXED: &[u8] = b"src/";
/// The jobs' own repository, which the next update deletes unread.
const JOBS_REPOSITORY: &[u8] = b"src/.git";

/// What a copy has cost.
pub(super) struct Copied {
    /// What changes in the index.
    pub(super) moved: Vec<Moved>,
    /// Entries that could not be copied.
    pub(super) left_out: u64,
}

/// Copies `parts` of the folder `from`, where they are folders, into the folder `to`, which has none of
/// them.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    parts: &[&str],
    index: Option<&Index>,
) -> io::Result<Copied> {
    let root = Arc::new(Pair { from: Folder::open(from)?, to: Folder::open(to)? });
    let copier = Copier {
        index,
        contents: Contents::default(),
        left_out: AtomicU64::new(0),
        links: Mutex::default(),
        agenda: Mutex::default(),
        news: Condvar::new(),
    };
    for entry in root.from.entries()?.into_iter().filter(|entry| entry.is_one_of(parts)) {
        copier.hand_in(&root, entry.name, &[], 0)?;
    }
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
    let results: Vec<io::Result<Vec<Moved>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| copier.work())).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a thread that copied crashed")))
        };
        workers.into_iter().map(join).collect()
    });
    let moved: Vec<Vec<Moved>> = results.into_iter().collect::<io::Result<_>>()?;
    copier.link(&root.to)?;
    let left_out = copier.left_out.into_inner();
    Ok(Copied { moved: moved.into_iter().flatten().collect(), left_out })
}

struct Copier<'a> {
    index: Option<&'a Index>,
    contents: Contents,
    left_out: AtomicU64,
    links: Mutex<Links>,
    agenda: Mutex<Agenda>,
    news: Condvar,
}

/// A folder and its copy.
struct Pair {
    from: Folder,
    to: Folder,
}

/// The folders that are still to be copied; the deepest come first, so that few are open at once.
#[derive(Default)]
struct Agenda {
    tasks: Vec<Task>,
    at_work: usize,
    has_failed: bool,
}

/// A folder that is to be copied, and whose copy is there, empty.
struct Task {
    parent: Arc<Pair>,
    name: CString,
    /// From the root, without a slash at the end.
    path: Vec<u8>,
    depth: usize,
    stat: Stat,
}

/// Files that have more than one name, by device and inode. They are copied under the first name that
/// was found; the others become links to it at the end.
#[derive(Default)]
struct Links {
    first: BTreeMap<(u64, u64), CString>,
    others: Vec<(CString, CString)>,
}

impl Copier<'_> {
    /// Copies folders until there are none left, or somebody fails.
    fn work(&self) -> io::Result<Vec<Moved>> {
        let mut moved = Vec::new();
        while let Some(task) = self.next() {
            let copied = self.copy_folder(&task, &mut moved);
            let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
            agenda.at_work -= 1;
            agenda.has_failed |= copied.is_err();
            drop(agenda);
            self.news.notify_all();
            copied?;
        }
        Ok(moved)
    }

    fn next(&self) -> Option<Task> {
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if agenda.has_failed {
                return None;
            }
            if let Some(task) = agenda.tasks.pop() {
                agenda.at_work += 1;
                return Some(task);
            }
            if agenda.at_work == 0 {
                return None;
            }
            agenda = self.news.wait(agenda).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn copy_folder(&self, task: &Task, moved: &mut Vec<Moved>) -> io::Result<()> {
        let opened = task.parent.from.look_into(&task.name);
        let Some(from) = self.unless_forbidden(opened)? else { return Ok(()) };
        let pair = Arc::new(Pair { from, to: task.parent.to.enter(&task.name)? });
        for entry in pair.from.entries()? {
            let path = join(&task.path, entry.name.as_bytes());
            match entry.kind {
                _ if path == JOBS_REPOSITORY => {}
                FileType::Directory => {
                    self.hand_in(&pair, entry.name, &task.path, task.depth + 1)?;
                }
                FileType::RegularFile => moved.extend(self.copy_file(&pair, &entry, &path)?),
                FileType::Symlink => moved.extend(self.copy_link(&pair, &entry, &path)?),
                _ => {}
            }
        }
        // Only now: what is made in a folder changes its time, and it may be read-only.
        let to = pair.to.as_fd();
        fchmod(to, Mode::from_raw_mode(task.stat.st_mode) & KEPT)?;
        Ok(futimens(to, &times(&task.stat))?)
    }

    /// Makes the copy of a folder, and has it filled by whoever is free.
    fn hand_in(
        &self,
        parent: &Arc<Pair>,
        name: CString,
        above: &[u8],
        depth: usize,
    ) -> io::Result<()> {
        if depth > DEEPEST {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let stat = statat(parent.from.as_fd(), name.as_c_str(), AtFlags::SYMLINK_NOFOLLOW)?;
        mkdirat(parent.to.as_fd(), name.as_c_str(), Mode::RWXU)?;
        let path = join(above, name.as_bytes());
        let task = Task { parent: Arc::clone(parent), name, path, depth, stat };
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner).tasks.push(task);
        self.news.notify_one();
        Ok(())
    }

    fn copy_file(&self, pair: &Pair, entry: &Entry, path: &[u8]) -> io::Result<Option<Moved>> {
        let name = entry.name.as_c_str();
        let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = openat(pair.from.as_fd(), name, flags | OFlags::RDONLY, Mode::empty());
        let Some(from) = self.unless_forbidden(opened.map_err(io::Error::from))? else {
            return Ok(None);
        };
        let before = fstat(&from)?;
        if before.st_nlink > 1 && !self.is_first(&before, path)? {
            return Ok(None);
        }
        let mode = Mode::from_raw_mode(before.st_mode) & KEPT;
        let flags = flags | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let to = openat(pair.to.as_fd(), name, flags, mode)?;
        self.contents.copy(from.as_fd(), to.as_fd(), &before)?;
        futimens(&to, &times(&before))?;
        let mut after = fstat(&to)?;
        if Mode::from_raw_mode(after.st_mode) & KEPT != mode {
            // The process has a mask for new files.
            fchmod(&to, mode)?;
            after = fstat(&to)?;
        }
        Ok(self.moved(path, &before, &after))
    }

    fn copy_link(&self, pair: &Pair, entry: &Entry, path: &[u8]) -> io::Result<Option<Moved>> {
        let name = entry.name.as_c_str();
        let (from, to) = (pair.from.as_fd(), pair.to.as_fd());
        let stat = |at: BorrowedFd<'_>| statat(at, name, AtFlags::SYMLINK_NOFOLLOW);
        let before = stat(from)?;
        symlinkat(readlinkat(from, name, Vec::new())?, to, name)?;
        utimensat(to, name, &times(&before), AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(self.moved(path, &before, &stat(to)?))
    }

    fn moved(&self, path: &[u8], before: &Stat, after: &Stat) -> Option<Moved> {
        self.index?.moved(path.strip_prefix(INDEXED)?, before, after)
    }

    /// Whether this is the first name of a file; any other becomes a link to that.
    fn is_first(&self, stat: &Stat, path: &[u8]) -> io::Result<bool> {
        let path = CString::new(path)?;
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (stat.st_dev, stat.st_ino);
        if let Some(first) = links.first.get(&key).cloned() {
            links.others.push((first, path));
            return Ok(false);
        }
        links.first.insert(key, path);
        Ok(true)
    }

    /// Makes the links, once what they name is there.
    fn link(&self, root: &Folder) -> io::Result<()> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        for (first, other) in &links.others {
            linkat(root.as_fd(), first, root.as_fd(), other, AtFlags::empty())?;
        }
        Ok(())
    }

    /// What was opened; `None` where we may not, which is counted.
    fn unless_forbidden<T>(&self, opened: io::Result<T>) -> io::Result<Option<T>> {
        match opened {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.left_out.fetch_add(1, Ordering::Relaxed);
                Ok(None)
            }
            opened => opened.map(Some),
        }
    }
}

impl Entry {
    fn is_one_of(&self, names: &[&str]) -> bool {
        let name = self.name.as_bytes();
        self.kind == FileType::Directory && names.iter().any(|part| part.as_bytes() == name)
    }
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    match folder {
        [] => name.to_owned(),
        folder => [folder, b"/", name].concat(),
    }
}

/// The time of the last change of a file's contents, for its copy. When it was last read is nobody's
/// business.
fn times(stat: &Stat) -> Timestamps {
    let omitted = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let modified = Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec.cast_signed() };
    Timestamps { last_access: omitted, last_modification: modified }
}
