//! Keeps what a command has left, before anything else touches the workspace.
//!
//! It is all there before the command's end is a fact: whoever is killed before that has not ended the
//! command, and whoever comes later finds the files beside the journal. What is wrong with a file is noted
//! and fails nothing.

mod beneath;
mod copy;
mod find;
mod reports;

use std::cell::Cell;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use ci_domain::paths::PathPatterns;
use ci_domain::step::Command;

use self::copy::{Copied, Copying};
pub(super) use self::reports::Beginning;
use super::shells::Shells;
use super::stop::StopSignal;
use crate::fact::{CommandId, Exit};
use crate::kept::{Artifact, KeepLimits, Kept, Note};
use crate::mask::Mask;
use crate::run_dir::{OpenError, RunDir};

/// More notes than this help nobody.
const MAX_NOTES: usize = 100;

/// How much may still be kept of the job.
pub(super) struct Room {
    bytes: Cell<u64>,
    files: Cell<u32>,
}

/// One execution whose files are kept.
struct Keeping<'a> {
    workspace: OwnedFd,
    folder: String,
    dir: &'a RunDir,
    id: &'a CommandId,
    limits: KeepLimits,
    room: &'a Room,
    beginning: Beginning,
    mask: &'a Mask,
    stop: &'a StopSignal,
    kept: Kept,
}

impl Room {
    pub(super) fn new(limits: &KeepLimits) -> Self {
        Self { bytes: Cell::new(limits.job_bytes), files: Cell::new(limits.files) }
    }
}

impl Shells<'_> {
    /// Keeps what the command asks for, if it asks for anything and was not broken off.
    pub(super) async fn keep(
        &self,
        command: &Command,
        (id, exit): (&CommandId, Exit),
        stop: &StopSignal,
    ) -> Result<(), OpenError> {
        if command.keeps.is_nothing() || exit == Exit::Cancelled {
            return Ok(());
        }
        let kept = match self.keeping(id, stop) {
            Ok(mut keeping) => {
                if let Some(report) = keeping.reports(&command.keeps.junit).await {
                    self.dir.write_tests(id, report)?;
                }
                keeping.artifacts(&command.keeps.artifacts).await;
                keeping.end()
            }
            Err(error) => {
                let note = Note::new("the workspace", format!("cannot be read: {error}"));
                Kept { notes: vec![note], ..Kept::default() }
            }
        };
        self.dir.write_kept(id, &kept)
    }

    fn keeping<'a>(&'a self, id: &'a CommandId, stop: &'a StopSignal) -> io::Result<Keeping<'a>> {
        let spec = self.spec;
        let folder = spec.working_dir.strip_prefix(&spec.workspace).unwrap_or(Path::new(""));
        Ok(Keeping {
            workspace: File::open(&spec.workspace)?.into(),
            folder: folder.to_string_lossy().into_owned(),
            dir: self.dir,
            id,
            limits: spec.keep_limits,
            room: &self.room,
            beginning: self.beginning,
            mask: self.recorder.mask(),
            stop,
            kept: Kept::default(),
        })
    }
}

impl Keeping<'_> {
    /// Keeps all files that are claimed.
    async fn artifacts(&mut self, patterns: &[String]) {
        if patterns.is_empty() {
            return;
        }
        let paths = self.find(patterns).await;
        let folder = self.dir.artifacts_path();
        if !paths.is_empty()
            && let Err(error) = DirBuilder::new().recursive(true).mode(0o700).create(&folder)
        {
            self.note("the run directory", format!("cannot be written: {error}"));
            return;
        }
        for path in paths {
            if self.is_over() {
                self.note("the rest", "was not kept: the job was stopped meanwhile");
                break;
            }
            self.artifact(path).await;
        }
        if let Err(error) = File::open(&folder).and_then(|folder| folder.sync_all())
            && error.kind() != io::ErrorKind::NotFound
        {
            self.note("the run directory", format!("cannot be written: {error}"));
        }
    }

    async fn artifact(&mut self, path: String) {
        let Some(left) = self.room.files.get().checked_sub(1) else {
            let most = self.limits.files;
            self.note(path, format!("was not kept: a job may keep {most} files"));
            return;
        };
        let folder = self.dir.artifacts_path();
        let copying = Copying { workspace: &self.workspace, folder: &folder, part: self.id };
        match copying.copy(&path, self.limits.file_bytes, self.room.bytes.get()).await {
            Ok(Copied { digest, bytes, is_new }) => {
                self.room.files.set(left);
                if is_new {
                    self.room.bytes.set(self.room.bytes.get().saturating_sub(bytes));
                }
                let path = self.mask.text(&path);
                self.kept.artifacts.push(Artifact { path, digest, bytes });
            }
            Err(refusal) => self.note(path, refusal.to_string()),
        }
    }

    /// What the patterns claim, and notes of what they do not find.
    async fn find(&mut self, patterns: &[String]) -> Vec<String> {
        let patterns = match PathPatterns::new(&self.folder, patterns) {
            Ok(patterns) => patterns,
            Err(error) => {
                self.note(error.pattern, error.problem);
                return Vec::new();
            }
        };
        let found = find::find(&self.workspace, &patterns).await;
        for Note { what, why } in found.notes {
            self.note(what, why);
        }
        found.paths
    }

    /// Whether nobody wants it any more.
    fn is_over(&self) -> bool {
        self.stop.reason().is_some_and(|reason| reason.exit() == Exit::Cancelled)
    }

    fn note(&mut self, what: impl AsRef<str>, why: impl AsRef<str>) {
        if self.kept.notes.len() < MAX_NOTES {
            let masked = |text: &str| self.mask.text(text);
            self.kept.notes.push(Note::new(masked(what.as_ref()), masked(why.as_ref())));
        } else if self.kept.notes.len() == MAX_NOTES {
            self.kept.notes.push(Note::new("and more", "that is not listed"));
        }
    }

    fn end(mut self) -> Kept {
        self.kept.artifacts.sort_by(|one, other| one.path.cmp(&other.path));
        self.kept
    }
}
