//! Hearing when commands begin: each writes a line to a pipe, and the moment it arrives is noted.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Much more than any command needs to begin.
const LIMIT: Duration = Duration::from_secs(60);

/// The moments at which commands began, in order.
pub struct Starts {
    moments: UnboundedReceiver<Instant>,
}

impl Starts {
    /// The pipe that the commands of a world write to.
    pub fn pipe(folder: &Path) -> PathBuf {
        folder.join("outside.starts")
    }

    /// Listens to the commands of a world.
    pub fn listen(folder: &Path) -> Self {
        let pipe = Self::pipe(folder);
        mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        // Open for writing too, so that it never ends while no command runs.
        let file = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        let (sender, moments) = unbounded_channel();
        std::thread::spawn(move || {
            for _line in BufReader::new(file).lines() {
                if sender.send(Instant::now()).is_err() {
                    return;
                }
            }
        });
        Self { moments }
    }

    /// When the next command began.
    pub async fn next(&mut self) -> Instant {
        timeout(LIMIT, self.moments.recv()).await.expect("a command to begin").unwrap()
    }

    /// When the last of the next `count` commands began.
    pub async fn last_of(&mut self, count: usize) -> Instant {
        for _ in 1..count {
            self.next().await;
        }
        self.next().await
    }
}
