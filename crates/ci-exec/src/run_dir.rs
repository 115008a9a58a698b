//! The run directory: everything that is known of one attempt, and the state it is in.

mod json;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ci_domain::test_report::TestReport;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, fcntl_getlk};

use self::json::{Durability, at, content, is_torn};
use crate::fact::{CommandId, EXIT_VERSION, ExitRecord, WireExitRecord};
use crate::identity::{IDENTITY_VERSION, Identity, WireIdentity};
use crate::journal::{JournalOffset, JournalReader};
use crate::kept::{Digest, KEPT_VERSION, Kept, TESTS_VERSION, WireKept, WireTests};
use crate::log::{self, LogReader};
use crate::spec::{RunSpec, SpecError, WireSpec};

/// The directory of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

/// What is going on in a run directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// No runner ever got as far as its journal; the same attempt can be started.
    NotStarted,
    /// A runner holds the directory. Who it is may not be written yet.
    Running(Option<Identity>),
    /// The attempt has ended.
    Finished(ExitRecord),
    /// The runner died without a word: sweep what it left, then make a new attempt.
    Lost,
}

/// Whether there is anything left to pack in a run directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Nothing, now and ever.
    Done,
    /// The run goes on, or somebody else packs.
    Later,
}

/// A run directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no run in it.
    #[error("find a run in {}", .0.display())]
    Missing(PathBuf),
    /// The file system failed.
    #[error("use {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file was written by a later program, whose runner may be at work: leave all of it alone.
    #[error("understand {}: it has version {found}, this program knows {known}", path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// What the file says.
        found: u32,
        /// The newest that can be read.
        known: u32,
    },
    /// A file holds something else than it should.
    #[error("understand {}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl RunDir {
    /// Makes the directory with its spec, readable by this user alone.
    ///
    /// An attempt that was created but never started can be created again.
    ///
    /// # Errors
    /// Fails where the file system does.
    pub fn create(path: impl Into<PathBuf>, spec: &RunSpec) -> Result<Self, OpenError> {
        let dir = Self { path: path.into() };
        let logs = dir.path.join("logs");
        DirBuilder::new().recursive(true).mode(0o700).create(&logs).map_err(at(&logs))?;
        dir.write_json("spec.json", &WireSpec::from(spec), Durability::Process)?;
        Ok(dir)
    }

    /// Opens the directory of an attempt that was created before.
    ///
    /// # Errors
    /// Fails where there is no spec in it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let dir = Self { path: path.into() };
        if dir.file("spec.json").exists() { Ok(dir) } else { Err(OpenError::Missing(dir.path)) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the runner was told to do.
    ///
    /// # Errors
    /// Fails where the spec cannot be read or was written by a later program.
    pub fn spec(&self) -> Result<RunSpec, OpenError> {
        let path = self.file("spec.json");
        let bytes = fs::read(&path).map_err(at(&path))?;
        WireSpec::parse(&bytes).map_err(|error| match error {
            SpecError::Version { found, known } => {
                OpenError::Version { path: path.clone(), found, known }
            }
            error => content(&path, error),
        })
    }

    /// What is going on.
    ///
    /// # Errors
    /// Fails where a file exists that cannot be read.
    pub fn state(&self) -> Result<RunState, OpenError> {
        // The order matters: a runner takes the lock, begins the journal, writes the exit record and
        // then lets go of the lock. Looking in this order never takes a living runner for a dead one.
        let has_journal = self.journal_path().exists();
        let is_locked = self.is_locked()?;
        if let Some(record) = self.exit_record()? {
            return Ok(RunState::Finished(record));
        }
        Ok(match (is_locked, has_journal) {
            (true, _) => RunState::Running(self.identity()?),
            (false, true) => RunState::Lost,
            (false, false) => RunState::NotStarted,
        })
    }

    /// The runner that holds or held the directory; `None` where it is not written yet, or was torn when
    /// the machine lost power.
    ///
    /// # Errors
    /// Fails where the file exists and cannot be read.
    pub fn identity(&self) -> Result<Option<Identity>, OpenError> {
        let wire = match self.read_json::<WireIdentity>("identity.json", IDENTITY_VERSION) {
            Err(OpenError::Content { path, .. }) if is_torn(&path) => None,
            read => read?,
        };
        Ok(wire.map(Identity::from))
    }

    /// Whether the machine was started anew since the runner began; `false` where no runner has said so.
    ///
    /// # Errors
    /// Fails where the identity of the runner or of the boot cannot be read.
    pub fn is_of_an_earlier_boot(&self) -> Result<bool, OpenError> {
        let Some(identity) = self.identity()? else { return Ok(false) };
        let of_this_boot = identity.is_of_this_boot().map_err(at(&self.file("identity.json")))?;
        Ok(!of_this_boot)
    }

    /// Reads the facts that are there, from an offset on, without waiting for more.
    #[must_use]
    pub fn journal(&self, from: JournalOffset) -> JournalReader {
        JournalReader::new(self.journal_path(), from)
    }

    /// Reads what a command wrote, while it runs and afterwards.
    #[must_use]
    pub fn log(&self, command: &CommandId) -> LogReader {
        LogReader::new(self.log_path(command))
    }

    /// The outcome, once there is one.
    ///
    /// # Errors
    /// Fails where the file exists and cannot be read.
    pub fn exit_record(&self) -> Result<Option<ExitRecord>, OpenError> {
        let wire = self.read_json::<WireExitRecord>("exit.json", EXIT_VERSION)?;
        let Some(wire) = wire else { return Ok(None) };
        let record =
            ExitRecord::try_from(wire).map_err(|error| content(&self.file("exit.json"), error))?;
        Ok(Some(record))
    }

    /// What was kept of the files that a command has left; `None` where it asked for nothing, or has not
    /// ended.
    ///
    /// # Errors
    /// Fails where the file exists and cannot be read.
    pub fn kept(&self, command: &CommandId) -> Result<Option<Kept>, OpenError> {
        let name = kept_name(command);
        let wire = self.read_json::<WireKept>(&name, KEPT_VERSION)?;
        let kept = wire.map(Kept::try_from).transpose();
        kept.map_err(|error| content(&self.file(&name), error))
    }

    /// How the tests of a command went, where it said so.
    ///
    /// # Errors
    /// Fails where the file exists and cannot be read.
    pub fn tests(&self, command: &CommandId) -> Result<Option<TestReport>, OpenError> {
        let wire = self.read_json::<WireTests>(&tests_name(command), TESTS_VERSION)?;
        Ok(wire.map(TestReport::from))
    }

    /// Whether any command has said how its tests went; asks for the names of files alone.
    #[must_use]
    pub fn has_tests(&self) -> bool {
        let names = fs::read_dir(&self.path).into_iter().flatten().flatten();
        names
            .map(|entry| entry.file_name())
            .any(|name| name.as_encoded_bytes().starts_with(b"tests-"))
    }

    /// Opens a file that was kept; `None` where it was removed since.
    ///
    /// # Errors
    /// Fails where it is there and cannot be opened.
    pub fn artifact(&self, digest: &Digest) -> io::Result<Option<File>> {
        match File::open(self.artifacts_path().join(digest.as_str())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// The folder of the files that were kept, each under its digest.
    #[must_use]
    pub fn artifacts_path(&self) -> PathBuf {
        self.file("artifacts")
    }

    pub(crate) fn write_tests(
        &self,
        command: &CommandId,
        report: TestReport,
    ) -> Result<(), OpenError> {
        self.write_durably(&tests_name(command), &WireTests::from(report))
    }

    pub(crate) fn write_kept(&self, command: &CommandId, kept: &Kept) -> Result<(), OpenError> {
        self.write_durably(&kept_name(command), &WireKept::from(kept))
    }

    pub(crate) fn write_exit_record(&self, record: &ExitRecord) -> Result<(), OpenError> {
        self.write_durably("exit.json", &WireExitRecord::from(record))
    }

    pub(crate) fn write_identity(&self, identity: &Identity) -> Result<(), OpenError> {
        self.write_json("identity.json", &WireIdentity::from(identity), Durability::Process)
    }

    pub(crate) fn journal_path(&self) -> PathBuf {
        self.file("journal")
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        self.file("lock")
    }

    /// Packs the logs of a run that is over, unless that is done or under way elsewhere.
    ///
    /// It may be killed at any time. The call blocks for as long as reading and compressing takes.
    ///
    /// # Errors
    /// The file system failed; what was not packed can be read as before.
    pub fn pack_logs(&self) -> Result<Packing, OpenError> {
        let folder = self.file("logs");
        // The logs of a runner that died are as complete as they will ever be.
        if !matches!(self.state()?, RunState::Finished(_) | RunState::Lost) {
            return Ok(Packing::Later);
        }
        let pack = || -> io::Result<Packing> {
            let open = File::open(&folder)?;
            match flock(&open, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => return Ok(Packing::Later),
                other => other?,
            }
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if let Some(log) = log::log_of(&path) {
                    log::pack(&log)?;
                }
            }
            Ok(Packing::Done)
        };
        pack().map_err(at(&folder))
    }

    /// What a runner says that is no fact; whoever has something to add may do so.
    pub(crate) fn log_of_runner(&self) -> io::Result<File> {
        File::options().append(true).create(true).open(self.file("runner.log"))
    }

    pub(crate) fn log_path(&self, command: &CommandId) -> PathBuf {
        self.path.join("logs").join(format!("{command}.log"))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Asks the kernel who holds the lock, without ever taking it.
    fn is_locked(&self) -> Result<bool, OpenError> {
        let path = self.lock_path();
        let lock = match File::open(&path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(at(&path)(error)),
        };
        let holder = fcntl_getlk(&lock, &Flock::from(FlockType::ReadLock))
            .map_err(|errno| at(&path)(errno.into()))?;
        Ok(holder.is_some())
    }
}

fn kept_name(command: &CommandId) -> String {
    format!("kept-{command}.json")
}

fn tests_name(command: &CommandId) -> String {
    format!("tests-{command}.json")
}
