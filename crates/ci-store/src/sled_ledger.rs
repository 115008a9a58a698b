//! The ledger on disk.
//!
//! sled 0.34 keeps what it acknowledges when the process is killed, but it needs care: this module and those below it
//! are that care, and nothing above them knows that sled exists.

mod check;
mod codec;
mod committer;
mod entries;
mod folder;
mod lock;
mod moving;
mod opening;
mod plan;
mod queue;
mod store;

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use self::committer::{Core, OnFatal};
use self::opening::{open_or_restore, take_lock};
use self::queue::Request;
use crate::{
    Audit, Change, Done, Exported, Fault, Ledger, ReadError, Replay, Stamp, Stats, StreamId,
};

pub use self::lock::Pid;
pub use self::moving::{CompactError, Compacted, LoadError};
pub use self::opening::{OpenError, Recovery};

/// sled's own default is 1 GiB, far more than a node's ledger ever is.
const CACHE_BYTES: u64 = 64 << 20;

/// A ledger in a folder.
///
/// Dropping it commits what is queued, and closes it.
pub struct SledLedger {
    core: Arc<Core>,
    committer: Option<JoinHandle<()>>,
}

/// How to open a [`SledLedger`].
pub struct Options {
    stamp: Stamp,
    cache_bytes: u64,
    on_fatal: Option<OnFatal>,
}

/// A ledger, and what had to be done to open it.
pub struct Opened {
    /// The ledger.
    pub ledger: SledLedger,
    /// Set if the database was broken: people must hear of it.
    pub recovery: Option<Recovery>,
}

impl Options {
    /// The defaults; `stamp` names the moment, for the case that a broken database is set aside.
    #[must_use]
    pub fn new(stamp: Stamp) -> Self {
        Self { stamp, cache_bytes: CACHE_BYTES, on_fatal: None }
    }

    /// Lets sled cache this much; 64 MiB otherwise.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Calls `on_fatal` once when the engine fails, on the thread that met the failure. The process should then end,
    /// and start anew.
    #[must_use]
    pub fn on_fatal(mut self, on_fatal: impl FnOnce(&Fault) + Send + 'static) -> Self {
        self.on_fatal = Some(Box::new(on_fatal));
        self
    }
}

impl SledLedger {
    /// Opens the ledger in `dir`, or makes one there.
    ///
    /// A database that is broken is set aside, and the newest sound export in [`exports_dir`](Self::exports_dir)
    /// restored; [`Opened::recovery`] then tells.
    ///
    /// # Errors
    /// A folder that another process holds, a newer schema, and what the system refuses.
    pub fn open(dir: &Path, options: Options) -> Result<Opened, OpenError> {
        let (folder, lock) = take_lock(dir)?;
        let (store, recovery) = open_or_restore(&folder, &options)?;
        let core = Arc::new(Core::new(store, lock, options.on_fatal));
        let thread = core.clone();
        let committer = thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || thread.run())
            .map_err(|source| OpenError::Folder { path: dir.to_owned(), source })?;
        Ok(Opened { ledger: Self { core, committer: Some(committer) }, recovery })
    }

    /// Where [`open`](Self::open) looks for exports.
    #[must_use]
    pub fn exports_dir(dir: &Path) -> PathBuf {
        dir.join(folder::EXPORTS)
    }

    /// Takes an export into the ledger in `dir`, which must be empty and not open.
    ///
    /// # Errors
    /// The ledger is then as empty as before.
    pub fn import(dir: &Path, export: &mut dyn BufRead) -> Result<Exported, LoadError> {
        moving::load(dir, export)
    }

    /// Writes the database of the ledger in `dir` anew, without what sled keeps of the past. It must not be open.
    ///
    /// # Errors
    /// The ledger is then as it was.
    pub fn compact(dir: &Path) -> Result<Compacted, CompactError> {
        moving::compact(dir)
    }

    /// Remembers a fault that a read met: the writer must not go on either.
    fn seen(&self, fault: Fault) -> ReadError {
        self.core.fail(&fault);
        ReadError::Io(fault)
    }
}

impl Ledger for SledLedger {
    fn submit(&self, change: Change, done: Done) {
        self.core.queue.push(Request { change, done });
    }

    fn read(&self, stream: &StreamId) -> Result<Replay, ReadError> {
        self.core.look(|store| entries::replay(store, stream)).map_err(|error| match error {
            ReadError::Io(fault) => self.seen(fault),
            damaged => damaged,
        })
    }

    fn streams(&self, prefix: &str) -> Result<Vec<StreamId>, ReadError> {
        let found = self.core.look(|store| store.heads(prefix));
        found.map(|(streams, _)| streams).map_err(|fault| self.seen(fault))
    }

    fn check(&self) -> Result<Audit, ReadError> {
        check::check(&self.core).map_err(|fault| self.seen(fault))
    }

    fn stats(&self) -> Stats {
        self.core.stats()
    }
}

impl Drop for SledLedger {
    fn drop(&mut self) {
        self.core.queue.close();
        let Some(committer) = self.committer.take() else { return };
        // The last handle may be dropped by a callback, on the committing thread itself, which cannot wait for itself.
        if committer.thread().id() != thread::current().id() && committer.join().is_err() {
            tracing::error!("the committing thread of the ledger panicked");
        }
    }
}
