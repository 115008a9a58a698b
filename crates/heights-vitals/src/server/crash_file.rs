//! Crashes in a file: they outlive the process.
//!
//! One line of JSON for each, the oldest first. When the file has grown to its limit, the older
//! half of it makes room.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use heights_supervisor::{Hub, Recipient, Report};
use tokio::sync::mpsc::{self, Receiver};

use crate::crash;
use crate::wire::Crash;

/// How many crashes of earlier processes are told.
const TOLD: usize = 256;

/// How many crashes may wait to be written; in a storm of more, those that do not fit are counted
/// by their supervisors all the same.
const WAITING: usize = 256;

/// Only the owner reads what a panic says.
const OWNER_ONLY: u32 = 0o600;

/// Where crashes are kept.
#[derive(Debug, Clone)]
pub(crate) struct CrashFile {
    path: PathBuf,
    /// The most bytes that it has.
    limit: u64,
}

/// The crashes of earlier processes, the latest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Earlier(Arc<[Crash]>);

impl Earlier {
    pub(crate) fn crashes(&self) -> impl Iterator<Item = Crash> {
        self.0.iter().cloned()
    }
}

/// The crashes that have not been written yet.
pub(crate) struct Unwritten {
    file: CrashFile,
    /// When the inspector of this process started.
    started_ms: u64,
    crashes: Receiver<Crash>,
}

impl CrashFile {
    pub(crate) fn new(path: PathBuf, limit: u64) -> Self {
        Self { path, limit }
    }

    /// Reads what earlier processes have left; lines that make no sense are passed over.
    pub(crate) fn earlier(&self) -> io::Result<Earlier> {
        let text = match fs::read(&self.path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let lines = text.lines().rev().filter_map(|line| serde_json::from_str(line).ok());
        Ok(Earlier(lines.take(TOLD).collect()))
    }

    /// Begins to listen for crashes.
    pub(crate) fn listen(self, hub: &Hub, started_ms: u64) -> Unwritten {
        let (tell, crashes) = mpsc::channel(WAITING);
        hub.subscribe(Recipient::from_fn(move |report: Report| {
            if let Report::Crash(crash) = report
                && tell.try_send(crash::describe(&crash)).is_err()
            {
                tracing::warn!(path = %crash.path, "a crash is not kept: too many at once");
            }
        }));
        Unwritten { file: self, started_ms, crashes }
    }

    fn append(&self, crash: &Crash) -> io::Result<()> {
        let mut line = serde_json::to_vec(crash)?;
        line.push(b'\n');
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        let used = fs::metadata(&self.path).map_or(0, |file| file.len());
        if used.saturating_add(length) > self.limit {
            self.halve()?;
        }
        open(&self.path, true)?.write_all(&line)
    }

    /// Keeps the later half of the lines, in a new file that takes the place of the old.
    fn halve(&self) -> io::Result<()> {
        let bytes = fs::read(&self.path)?;
        let middle = bytes.len() / 2;
        let end = bytes[middle..].iter().position(|byte| *byte == b'\n');
        let kept = end.map_or(&[][..], |end| &bytes[middle + end + 1..]);
        let kept =
            if u64::try_from(kept.len()).unwrap_or(u64::MAX) > self.limit { &[] } else { kept };
        let next = self.path.with_extension("new");
        open(&next, false)?.write_all(kept)?;
        fs::rename(next, &self.path)
    }
}

impl Unwritten {
    /// Writes crashes as they happen, for as long as it is polled.
    pub(crate) async fn write(&mut self) {
        while let Some(crash) = self.crashes.recv().await {
            self.keep(crash);
        }
    }

    /// Writes what still waits.
    pub(crate) fn write_the_rest(&mut self) {
        while let Ok(crash) = self.crashes.try_recv() {
            self.keep(crash);
        }
    }

    fn keep(&self, crash: Crash) {
        let crash = Crash { earlier_process_ms: Some(self.started_ms), ..crash };
        if let Err(error) = self.file.append(&crash) {
            tracing::warn!(file = %self.file.path.display(), %error, "failed to keep a crash");
        }
    }
}

fn open(path: &Path, append: bool) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.create(true).mode(OWNER_ONLY);
    if append {
        options.append(true);
    } else {
        options.write(true).truncate(true);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_crashes_are_kept_within_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crashes.jsonl");
        let file = CrashFile::new(path.clone(), 10_000);
        assert_eq!(file.earlier().unwrap().crashes().count(), 0);
        for number in 0..500 {
            file.append(&Crash::at("app/queue", number.to_string(), "panic: boom")).unwrap();
            assert!(fs::metadata(&path).unwrap().len() <= 10_000);
        }
        // A line that was cut by the end of a process is passed over.
        open(&path, true).unwrap().write_all(b"{\"path\": \"app/qu").unwrap();
        let pids: Vec<_> = file.earlier().unwrap().crashes().map(|crash| crash.pid).collect();
        assert_eq!(pids.first().map(String::as_str), Some("499"));
        assert!(pids.len() > 10, "{}", pids.len());
        assert!(pids.is_sorted_by_key(|pid| std::cmp::Reverse(pid.parse::<u64>().unwrap())));
    }
}
