//! The run directories of a node: what every attempt was told, did and printed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ci_domain::ids::{AttemptId, RepoName};
use ci_exec::{
    CommandId, Exit, Fact, JournalOffset, Leftovers, LogReader, OpenError, RunDir, RunState,
    Stopped, Swept, UnixMillis, cancel,
};
use heights::Fault;
use tracing::warn;

use crate::findings;
use crate::reporter::{Findings, TailSource};

/// The most that is read from the end of one log for its tail.
const TAIL_BYTES: u64 = 64 * 1024;

/// The folder of run directories, one for each attempt.
#[derive(Clone, Debug)]
pub struct Runs {
    folder: PathBuf,
    /// What each attempt has left, of those that have left anything: some are looked at twice, after a
    /// restart for instance.
    left: Arc<Mutex<BTreeMap<AttemptId, Left>>>,
    /// What all kept files take, as of the last time that they were added up.
    artifacts: Arc<AtomicU64>,
}

/// How many processes jobs have left when their commands had ended, or their runners were killed: the jobs
/// whose run directories were there when the node started, and all since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftoverTotals {
    /// Those that had left their command and were ended with their job.
    pub strays: u64,
    /// Those that could not be ended.
    pub survivors: u64,
    /// Those that a killed runner had left.
    pub swept: u64,
}

/// What one attempt has left.
#[derive(Clone, Copy, Debug, Default)]
struct Left {
    with_the_job: Leftovers,
    after_the_runner: Swept,
}

/// What is known of a run from its directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunView {
    /// When the runner started.
    pub started_at: Option<UnixMillis>,
    /// Its commands, in the order they started.
    pub commands: Vec<CommandView>,
    /// Whether its end is on record.
    pub has_ended: bool,
}

/// What is known of one execution of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandView {
    /// Which execution.
    pub command: CommandId,
    /// What people call it.
    pub title: String,
    /// When it started.
    pub started_at: UnixMillis,
    /// How it ended, and how long it took.
    pub end: Option<(Exit, Duration)>,
    /// How much it printed, once it has ended.
    pub log_bytes: Option<u64>,
}

impl Runs {
    /// Uses `folder`, which is made if it is absent.
    ///
    /// # Errors
    /// The file system does not let us.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: std::path::absolute(folder)?,
            left: Arc::default(),
            artifacts: Arc::default(),
        })
    }

    /// Counts what a job has left, once.
    pub(crate) fn count(&self, attempt: &AttemptId, leftovers: Leftovers) {
        if leftovers != Leftovers::default() {
            self.note(attempt, |left| left.with_the_job = leftovers);
        }
    }

    /// Counts all that is on record of what a killed runner had left.
    pub(crate) fn count_swept(&self, attempt: &AttemptId, swept: Swept) {
        if swept != Swept::default() {
            self.note(attempt, |left| left.after_the_runner = swept);
        }
    }

    fn note(&self, attempt: &AttemptId, change: impl FnOnce(&mut Left)) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        change(left.entry(attempt.clone()).or_default());
    }

    /// The processes that jobs have left.
    #[must_use]
    pub fn leftovers(&self) -> LeftoverTotals {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |count: fn(&Left) -> u32| left.values().map(count).map(u64::from).sum();
        LeftoverTotals {
            strays: sum(|left| left.with_the_job.strays),
            survivors: sum(|left| left.with_the_job.survivors),
            swept: sum(|left| left.after_the_runner.processes),
        }
    }

    /// How many containers engines had kept of killed runners, as long as for [`LeftoverTotals`].
    #[must_use]
    pub fn swept_containers(&self) -> u64 {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.values().map(|left| u64::from(left.after_the_runner.containers)).sum()
    }

    /// Notes what all kept files take.
    pub(crate) fn note_artifacts(&self, bytes: u64) {
        self.artifacts.store(bytes, Ordering::Relaxed);
    }

    /// What all kept files took when they were last added up, in bytes.
    #[must_use]
    pub fn artifact_bytes(&self) -> u64 {
        self.artifacts.load(Ordering::Relaxed)
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The run directory of an attempt.
    pub(crate) fn path(&self, attempt: &AttemptId) -> PathBuf {
        self.folder.join(attempt.as_str())
    }

    /// The attempts whose runners are at work. Counts what those that have ended had left.
    ///
    /// # Errors
    /// The file system does not let us.
    pub fn at_work(&self) -> std::io::Result<BTreeSet<AttemptId>> {
        let is_at_work = |attempt: &AttemptId| {
            let Ok(dir) = RunDir::open(self.path(attempt)) else { return false };
            let state = dir.state();
            if let Ok(RunState::Finished(record)) = &state {
                self.count(attempt, record.leftovers);
            }
            if let Ok(swept) = dir.swept() {
                self.count_swept(attempt, swept);
            }
            matches!(state, Ok(RunState::Running(_)))
        };
        Ok(self.attempts()?.into_iter().filter(is_at_work).collect())
    }

    /// Whether a runner is at work whose attempt begins with `prefix`.
    ///
    /// # Errors
    /// The file system does not let us.
    pub(crate) fn is_at_work(&self, prefix: &str) -> std::io::Result<bool> {
        let is_at_work = |attempt: &AttemptId| {
            let state = RunDir::open(self.path(attempt)).and_then(|dir| dir.state());
            matches!(state, Ok(RunState::Running(_)))
        };
        let attempts = self.attempts()?;
        let mut meant = attempts.iter().filter(|attempt| attempt.as_str().starts_with(prefix));
        Ok(meant.any(is_at_work))
    }

    /// Cancels every run whose attempt begins with `prefix`; returns when no process of them is left.
    ///
    /// # Errors
    /// A run cannot be read, or something of it does not end.
    pub(crate) async fn end_all(&self, prefix: &str) -> Result<(), Fault> {
        let attempts = self.attempts()?;
        for attempt in attempts.iter().filter(|attempt| attempt.as_str().starts_with(prefix)) {
            match RunDir::open(self.path(attempt)) {
                Ok(dir) => {
                    if let Stopped::Swept(swept) = cancel(&dir).await? {
                        self.count_swept(attempt, swept);
                    }
                }
                Err(OpenError::Missing(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// All attempts that have a run directory.
    pub(crate) fn attempts(&self) -> std::io::Result<Vec<AttemptId>> {
        let names = std::fs::read_dir(&self.folder)?.map(|entry| Ok(entry?.file_name()));
        let names: Vec<_> = names.collect::<std::io::Result<_>>()?;
        Ok(names.iter().filter_map(|name| AttemptId::new(name.to_str()?).ok()).collect())
    }

    /// What a run did so far; `None` where there is no such run.
    ///
    /// # Errors
    /// Its files cannot be read.
    pub fn view(&self, attempt: &AttemptId) -> Result<Option<RunView>, OpenError> {
        let dir = match RunDir::open(self.path(attempt)) {
            Ok(dir) => dir,
            Err(OpenError::Missing(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut view = RunView { started_at: None, commands: Vec::new(), has_ended: false };
        let mut journal = dir.journal(JournalOffset::default());
        // The end of a journal may be torn; what is whole is shown.
        while let Ok(Some((_, fact))) = journal.next_fact() {
            view.note(fact);
        }
        Ok(Some(view))
    }

    /// Reads the marks on lines of code that an ended attempt has left, while its workspace is still as it
    /// left it. Blocks for as long as that takes.
    pub(crate) fn keep_findings(&self, attempt: &AttemptId) {
        match (RunDir::open(self.path(attempt)), self.view(attempt)) {
            (Ok(dir), Ok(Some(view))) => findings::keep(&dir, &view),
            (Err(error), _) | (_, Err(error)) => warn!(%attempt, %error, "failed to read a run"),
            (Ok(_), Ok(None)) => {}
        }
    }

    /// The log of one execution of a command.
    #[must_use]
    pub fn log(&self, attempt: &AttemptId, command: &CommandId) -> Option<LogReader> {
        Some(RunDir::open(self.path(attempt)).ok()?.log(command))
    }
}

impl RunView {
    fn note(&mut self, fact: Fact) {
        match fact {
            Fact::RunnerStarted { at, .. } => self.started_at = Some(at),
            Fact::CommandStarted { command, title, at } => {
                let (end, log_bytes) = (None, None);
                self.commands.push(CommandView { command, title, started_at: at, end, log_bytes });
            }
            Fact::CommandExited { command, exit, duration, log_bytes, .. } => {
                if let Some(view) = self.commands.iter_mut().rfind(|view| view.command == command) {
                    view.end = Some((exit, duration));
                    view.log_bytes = Some(log_bytes);
                }
            }
            Fact::JobEnded { .. } => self.has_ended = true,
        }
    }

    /// The commands with those that failed last, and of these the one that says least at the very end:
    /// the last lines of a log are what people look at first, and then there is more than one in them.
    #[must_use]
    pub fn failures_last(&self) -> Vec<&CommandView> {
        let has_failed =
            |command: &&CommandView| command.end.is_some_and(|(exit, _)| !exit.is_success());
        let (mut failed, others): (Vec<_>, Vec<_>) = self.commands.iter().partition(has_failed);
        failed.sort_by_key(|command| Reverse(command.log_bytes));
        others.into_iter().chain(failed).collect()
    }
}

impl TailSource for Runs {
    fn tail(&self, _repo: &RepoName, attempt: &AttemptId, lines: usize) -> Vec<String> {
        let Ok(Some(view)) = self.view(attempt) else { return Vec::new() };
        let mut text: Vec<String> = Vec::new();
        for command in view.failures_last() {
            text.push(format!("$ {}", command.title));
            if let Some(log) = self.log(attempt, &command.command) {
                text.extend(last_lines(&log));
            }
            text.extend(command.end.and_then(|(exit, _)| trouble(exit)));
        }
        text.split_off(text.len().saturating_sub(lines))
    }

    fn findings(&self, attempt: &AttemptId) -> Findings {
        // A run that was removed has none any more.
        RunDir::open(self.path(attempt)).map(|dir| findings::kept(&dir)).unwrap_or_default()
    }
}

/// The lines at the end of a log.
fn last_lines(log: &LogReader) -> Vec<String> {
    let from = log.length().unwrap_or(0).saturating_sub(TAIL_BYTES);
    let piece = log.read_at(from, usize::try_from(TAIL_BYTES).unwrap_or(usize::MAX));
    let bytes = piece.map(|piece| piece.bytes).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

/// How a command failed: many say nothing themselves.
fn trouble(exit: Exit) -> Option<String> {
    match exit {
        Exit::Code(0) => None,
        Exit::Code(code) => Some(format!("[exit code {code}]")),
        Exit::Signal(signal) => Some(format!("[ended by signal {signal}]")),
        Exit::OutOfMemory => Some("[out of memory: the job used more than it may]".to_owned()),
        Exit::TimedOut => Some("[timed out]".to_owned()),
        Exit::Cancelled => Some("[cancelled]".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_attempt_has_left_is_counted_once() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::open(folder.path()).unwrap();
        let (one, two) = ("x-1".parse().unwrap(), "x-2".parse().unwrap());
        runs.count(&one, Leftovers { strays: 2, survivors: 0 });
        runs.count(&one, Leftovers { strays: 2, survivors: 0 });
        runs.count(&two, Leftovers { strays: 0, survivors: 1 });
        runs.count_swept(&one, Swept { processes: 3, containers: 0 });
        runs.count_swept(&one, Swept { processes: 4, containers: 1 });
        let expected = LeftoverTotals { strays: 2, survivors: 1, swept: 4 };
        assert_eq!((runs.leftovers(), runs.swept_containers()), (expected, 1));
    }

    #[test]
    fn failures_come_last_and_the_shortest_of_them_at_the_end() {
        let command = |id: &str, exit: Option<Exit>, log_bytes| CommandView {
            command: CommandId::parse(id).unwrap(),
            title: String::new(),
            started_at: UnixMillis(0),
            end: exit.map(|exit| (exit, Duration::ZERO)),
            log_bytes,
        };
        let (passed, failed) = (Some(Exit::Code(0)), Some(Exit::Code(1)));
        let commands = vec![
            command("0-1", failed, Some(20)),
            command("1-1", passed, Some(9)),
            command("2-1", Some(Exit::TimedOut), Some(5)),
            command("3-1", None, None),
            command("4-1", failed, Some(7)),
            command("5-1", passed, Some(1)),
        ];
        let view = RunView { started_at: None, commands, has_ended: false };
        let order: Vec<_> =
            view.failures_last().iter().map(|view| view.command.to_string()).collect();
        assert_eq!(order, ["1-1", "3-1", "5-1", "0-1", "4-1", "2-1"]);
    }
}
