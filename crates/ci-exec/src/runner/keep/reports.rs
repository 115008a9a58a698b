//! Reads the reports of tests that a command has left.

use std::io::{self, Read};

use ci_domain::test_report::TestReport;
use rustix::fs::{Stat, Timespec};
use rustix::time::{ClockId, clock_gettime};
use tokio::task::yield_now;

use super::{Keeping, beneath};
use crate::junit::{self, Censor};
use crate::mask::Mask;

/// The largest report that is read, in bytes: it is in memory as a whole.
const MAX_BYTES: u64 = 32 << 20;

/// When a job began, by the clock that file systems use.
#[derive(Clone, Copy)]
pub(in crate::runner) struct Beginning(Timespec);

/// Why a report counts for nothing.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("was not read: {0}")]
    Read(#[from] io::Error),
    #[error("was not read: it has {0} bytes, and {MAX_BYTES} are allowed for a report")]
    TooLarge(u64),
    #[error("was not read: it is older than this job")]
    Old,
}

impl Beginning {
    pub(in crate::runner) fn now() -> Self {
        Self(clock_gettime(ClockId::RealtimeCoarse))
    }

    /// Whether the file was written before: by another job, in a workspace that both have.
    fn is_after(self, stat: &Stat) -> bool {
        let changed = (i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec));
        changed < (i128::from(self.0.tv_sec), i128::from(self.0.tv_nsec))
    }
}

impl Keeping<'_> {
    /// Reads all reports that are claimed; `None` where none could be.
    pub(super) async fn reports(&mut self, patterns: &[String]) -> Option<TestReport> {
        if patterns.is_empty() {
            return None;
        }
        let mut all: Option<TestReport> = None;
        for path in self.find(patterns).await {
            if self.is_over() {
                break;
            }
            match self.read(&path) {
                Ok(text) => {
                    let (report, problem) = junit::read(&text, self.mask);
                    if let Some(problem) = problem {
                        self.note(&path, problem.to_string());
                    }
                    all.get_or_insert_default().absorb(report);
                }
                Err(refusal) => self.note(&path, refusal.to_string()),
            }
            yield_now().await;
        }
        all
    }

    fn read(&self, path: &str) -> Result<String, Refusal> {
        let (file, stat) = beneath::file(&self.workspace, path)?;
        if self.beginning.is_after(&stat) {
            return Err(Refusal::Old);
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Refusal::TooLarge(u64::try_from(stat.st_size).unwrap_or(u64::MAX)));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Censor for Mask {
    fn whole(&self, text: &str) -> String {
        self.text(text)
    }

    fn beginning(&self, text: &str) -> String {
        self.beginning_of(text)
    }
}
