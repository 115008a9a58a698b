//! Which file of the repository a tool means, as seen in the workspace.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use ci_domain::annotation::Finding;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

/// Names that are looked up once: a log may say the same one a million times.
const MAX_NAMES: usize = 10_000;

/// The workspace of a job.
pub(super) struct Place {
    root: OwnedFd,
    /// How tools see it.
    path: String,
    /// The component's folder in it.
    folder: String,
    known: BTreeMap<String, bool>,
}

impl Place {
    pub(super) fn new(workspace: &Path, working_dir: &Path) -> io::Result<Self> {
        let folder = working_dir.strip_prefix(workspace).unwrap_or(Path::new(""));
        Ok(Self {
            root: File::open(workspace)?.into(),
            path: workspace.to_string_lossy().into_owned(),
            folder: folder.to_string_lossy().into_owned(),
            known: BTreeMap::new(),
        })
    }

    /// The path from the root of the repository, if there is such a file.
    pub(super) fn find(&mut self, finding: &Finding) -> Option<String> {
        let candidates = finding.candidates(&self.path, &self.folder);
        candidates.into_iter().find(|path| self.has(path))
    }

    fn has(&mut self, path: &str) -> bool {
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let is_there = self.looks(path);
        if self.known.len() < MAX_NAMES {
            self.known.insert(path.to_owned(), is_there);
        }
        is_there
    }

    /// Jobs write here: no link is followed, and nothing is opened that could block or act.
    fn looks(&self, path: &str) -> bool {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let found = openat2(&self.root, path, flags, Mode::empty(), within);
        found.is_ok_and(|file| File::from(file).metadata().is_ok_and(|found| found.is_file()))
    }
}
