//! Opening a mirror: as it is, as a new one, or as a new one in the place of a broken one.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::listings::Listings;
use super::write::Writers;
use super::{Mirror, MirrorConfig};
use crate::command::{CommandError, ODDITIES};
use crate::hold::{Hold, Sharing};
use crate::remote::{BadUrl, RemoteUrl};
use crate::repository::Repository;

/// `HEAD` names a branch that no remote has until a fetch has told the real one.
const UNKNOWN_BRANCH: &str = "ci-node/unknown-default-branch";

/// What git needs to see a repository in a folder.
const ESSENTIALS: [&str; 4] = ["HEAD", "config", "objects", "refs"];

/// How git ends when it has found damage: each bit is a kind of it.
const DAMAGED: [i32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/// So many findings are told.
const DAMAGE_TOLD: usize = 10;

/// What was found where a mirror should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// A mirror that can be used.
    Existing,
    /// Nothing; the mirror is new and empty.
    Created,
    /// A broken mirror; the new one is empty.
    Replaced {
        /// Where the broken one is now, for somebody to look at and delete.
        moved_to: PathBuf,
        /// What was wrong with it.
        reason: String,
    },
}

/// Why a mirror cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be fetched from.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// The file system does not let us.
    #[error("open the mirror {}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Git could not be run or could not make a mirror, or an earlier command still uses it.
    #[error(transparent)]
    Git(#[from] CommandError),
}

impl Mirror {
    /// Opens the mirror at `config.dir`, making it if it is absent.
    ///
    /// Locks that a killed git command has left are removed. A mirror that git cannot read is moved
    /// aside and replaced, because all that it had can be fetched and merged again.
    ///
    /// # Errors
    /// The address is not one to fetch from, the folder cannot be written, or git cannot be run.
    pub async fn open(config: MirrorConfig) -> Result<(Self, Opened), OpenError> {
        Self::open_after(config, Look::AtTips).await
    }

    /// Like [`open`](Self::open), but reads all that is there, which can take minutes: damage deep in the
    /// history is found, too.
    ///
    /// # Errors
    /// Like [`open`](Self::open).
    pub async fn examine(config: MirrorConfig) -> Result<(Self, Opened), OpenError> {
        Self::open_after(config, Look::AtEverything).await
    }

    async fn open_after(config: MirrorConfig, look: Look) -> Result<(Self, Opened), OpenError> {
        let MirrorConfig { git, dir, url, credential, timeout } = config;
        let remote = Arc::new(RemoteUrl::parse(&url)?);
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        let dir = std::path::absolute(&dir).map_err(at(&dir))?;
        if let Some(parent) = dir.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        let lock = beside(&dir, ".lock");
        let alone =
            Hold::take(&lock, Sharing::Exclusive, timeout).await.map_err(CommandError::from)?;
        let repository = Repository::own(git, dir.clone(), timeout);
        let opened = match repository.state(look).await.map_err(at(&dir))? {
            State::Absent => {
                repository.init(&alone).await?;
                Opened::Created
            }
            State::Sound => Opened::Existing,
            State::Broken(reason) => {
                let moved_to = move_aside(&dir).map_err(at(&dir))?;
                tracing::warn!(?dir, ?moved_to, reason, "the mirror is broken and starts anew");
                repository.init(&alone).await?;
                Opened::Replaced { moved_to, reason }
            }
            State::Unknown(error) => return Err(error.into()),
        };
        let mirror = Self {
            repository,
            remote,
            credential,
            lock,
            listings: Listings::default(),
            writers: Writers::default(),
            loose_references: Arc::default(),
        };
        Ok((mirror, opened))
    }
}

/// How closely a mirror is looked at.
#[derive(Clone, Copy)]
enum Look {
    AtTips,
    AtEverything,
}

enum State {
    Absent,
    Sound,
    Broken(String),
    /// Git did not run; that says nothing about the mirror.
    Unknown(CommandError),
}

impl Repository {
    async fn state(&self, look: Look) -> io::Result<State> {
        match fs::symlink_metadata(self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Absent),
            found => found?,
        };
        if let Some(missing) = ESSENTIALS.iter().find(|name| !self.path().join(name).exists()) {
            return Ok(State::Broken(format!("it has no {missing}")));
        }
        remove_locks(self.path())?;
        Ok(match (self.read_every_tip().await, look) {
            (State::Sound, Look::AtEverything) => self.read_everything().await,
            (state, _) => state,
        })
    }

    /// Looks at the object of each reference, which finds what an interrupted write leaves: empty
    /// references and missing or empty objects. Their whole history is not walked.
    async fn read_every_tip(&self) -> State {
        match self.command("for-each-ref").arg("--format=%(objecttype)").run().await {
            Ok(output) if output.stderr.contains("broken ref") => State::Broken(output.stderr),
            Ok(_) => State::Sound,
            Err(CommandError::Failed { stderr, .. }) => State::Broken(stderr),
            Err(error) => State::Unknown(error),
        }
    }

    /// Reads every object, and follows all that refer to others. What is odd but was let in by a fetch is
    /// no damage.
    async fn read_everything(&self) -> State {
        let check = ODDITIES
            .iter()
            .fold(self.command("fsck"), |check, kind| check.config(&format!("fsck.{kind}=ignore")));
        let check = check.args(["--full", "--no-dangling", "--no-progress"]);
        match check.accepting(&DAMAGED).run().await {
            Ok(output) if output.code == 0 => State::Sound,
            Ok(output) => {
                let found = String::from_utf8_lossy(&output.stdout);
                let found: Vec<&str> = found.lines().take(DAMAGE_TOLD).collect();
                State::Broken(format!("{}\n{}", found.join("\n"), output.stderr))
            }
            // It gave up before the end; one that was killed, for its size perhaps, says nothing.
            Err(CommandError::Failed { stderr, status, .. }) if status.code().is_some() => {
                State::Broken(stderr)
            }
            Err(error) => State::Unknown(error),
        }
    }

    async fn init(&self, alone: &Hold) -> Result<(), CommandError> {
        let branch = format!("--initial-branch={UNKNOWN_BRANCH}");
        // An empty template: its hooks and its exclude file are of no use here.
        let init = self.command("init").args(["--quiet", "--bare", "--template=", &branch]);
        init.holding(alone).run().await.map(drop)
    }
}

/// Removes the lock files of commands that no longer run. Objects are never locked, only lists of them.
fn remove_locks(git_dir: &Path) -> io::Result<()> {
    let objects = git_dir.join("objects");
    let mut folders = vec![git_dir.to_owned(), objects.join("info"), objects.join("pack")];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let (entry, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
            if entry?.is_dir() {
                folders.extend((path != objects).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "lock") {
                tracing::info!(?path, "removes the lock of a git command that was killed");
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

/// Renames a broken mirror to the first free `<dir>.broken-N`.
fn move_aside(dir: &Path) -> io::Result<PathBuf> {
    let free = (1_u32..)
        .map(|number| beside(dir, &format!(".broken-{number}")))
        .find(|path| fs::symlink_metadata(path).is_err())
        .expect("not all numbers are taken");
    fs::rename(dir, &free)?;
    Ok(free)
}

fn beside(dir: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(dir);
    path.push(suffix);
    path.into()
}
