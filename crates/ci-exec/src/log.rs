//! The log of a command on disk: bytes at the offsets at which they were written.
//!
//! ```text
//! logs/0-1.log          the beginning, and all of it up to half of the limit
//! logs/0-1.tail/<n>     what follows, a file for each part; the name is the offset of its first byte
//! logs/0-1.times        when something was written: offset and time, every second at most
//! logs/0-1.log.gz       instead of the first two, once the job has ended and the log was packed
//! ```
//!
//! Of a log above its limit the oldest parts of the tail are removed. So there is a gap between the
//! beginning and the first part that is left, and every byte keeps its offset. All files but those that
//! are removed only ever grow.

mod packed;
mod plain;
mod reader;
mod times;

use std::path::{Path, PathBuf};

pub(crate) use packed::pack;
pub use reader::{LogPiece, LogReader};
pub(crate) use times::TimesWriter;

/// The log to which a file belongs that packing removes: its beginning or its tail.
pub(crate) fn log_of(path: &Path) -> Option<PathBuf> {
    match path.extension()?.to_str()? {
        "log" => Some(path.to_owned()),
        "tail" => Some(path.with_extension("log")),
        _ => None,
    }
}

/// The folder with the parts of a log's tail.
pub(crate) fn tail_folder(log: &Path) -> PathBuf {
    log.with_extension("tail")
}

/// Where a log is once it is packed.
fn packed_path(log: &Path) -> PathBuf {
    log.with_extension("log.gz")
}
