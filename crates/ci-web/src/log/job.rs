//! The log of an attempt at a job: its commands one after the other, each below its title.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::io;

use axum::body::Bytes;
use ci_domain::ids::AttemptId;
use futures_util::{Stream, stream};

use super::pulse::Pulse;
use super::{CommandLog, Until};
use crate::ask;
use crate::moment;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Command, JobRun};

/// The commands of an attempt, to be told one after the other.
pub(crate) struct JobLog {
    site: Site,
    attempt: AttemptId,
    until: Until,
    waiting: VecDeque<Command>,
    /// How many commands were found so far.
    found: usize,
    current: Option<(CommandLog, String)>,
    /// Whether the last byte was the end of a line.
    at_line_start: bool,
    has_ended: bool,
    pulse: Pulse,
}

impl JobLog {
    /// Finds the log of an attempt. What is followed comes in the order it starts; what is not, with the
    /// commands that failed last, where people look first.
    pub(crate) async fn find(
        site: Site,
        attempt: AttemptId,
        until: Until,
    ) -> Result<Self, Problem> {
        let run = ask::job_run(&site, &attempt).await?;
        let (has_ended, found) = (run.ended, run.commands.len());
        let commands = match until {
            Until::Now => failures_last(run.commands),
            Until::Complete => run.commands,
        };
        let pulse = Pulse::new(site.node().runs(), &attempt, site.stopping());
        Ok(Self {
            site,
            attempt,
            pulse,
            until,
            waiting: commands.into(),
            found,
            current: None,
            at_line_start: true,
            has_ended: has_ended || until == Until::Now,
        })
    }

    /// What comes, as a stream.
    pub(crate) fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::unfold(self, |mut log| async move {
            let next = log.next().await.transpose()?;
            Some((next, log))
        })
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if self.current.is_some() {
                match self.more().await? {
                    Some(bytes) => return Ok(Some(bytes)),
                    None => self.current = None,
                }
            } else if let Some(command) = self.waiting.pop_front() {
                return Ok(Some(self.begin(command).await?));
            } else if self.has_ended || !self.look_for_more().await? {
                return Ok(None);
            }
        }
    }

    /// Begins a command with its title.
    async fn begin(&mut self, command: Command) -> io::Result<Bytes> {
        let reference = command.id.parse().map_err(io::Error::other)?;
        let (runs, stopping) = (self.site.node().runs(), self.site.stopping());
        let log = CommandLog::find(runs, reference, 0, stopping).await;
        let log = log.map_err(|problem| io::Error::other(problem.detail))?;
        let line_end = if self.at_line_start { "" } else { "\n" };
        let title = format!("{line_end}$ {}\n", command.title);
        self.at_line_start = true;
        self.current = Some((log, command.id));
        Ok(title.into())
    }

    /// The next bytes of the command that is being told; `None` at its end.
    async fn more(&mut self) -> io::Result<Option<Bytes>> {
        let Some((log, _)) = &mut self.current else { return Ok(None) };
        loop {
            let piece = log.read().await?;
            if let Some(last) = piece.bytes.last() {
                self.at_line_start = *last == b'\n';
                return Ok(Some(piece.bytes.into()));
            }
            if piece.is_last || self.until == Until::Now {
                return Ok(Some(self.end().await?).filter(|end| !end.is_empty()));
            }
            if !log.wait().await? {
                return Ok(None);
            }
        }
    }

    /// A last line that says how the command ended.
    async fn end(&mut self) -> io::Result<Bytes> {
        let Some((_, id)) = self.current.take() else { return Ok(Bytes::new()) };
        let run = self.run().await?;
        let Some(command) = run.commands.into_iter().find(|command| command.id == id) else {
            return Ok(Bytes::new());
        };
        let (Some(end), Some(duration)) = (command.end, command.duration_ms) else {
            return Ok(Bytes::new());
        };
        let line_end = if self.at_line_start { "" } else { "\n" };
        self.at_line_start = true;
        Ok(format!("{line_end}[{end}, {}]\n", moment::words(duration)).into())
    }

    /// Waits for the next command; `false` where there will be none.
    async fn look_for_more(&mut self) -> io::Result<bool> {
        if !self.pulse.wait().await? {
            return Ok(false);
        }
        let run = self.run().await?;
        self.has_ended = run.ended;
        self.waiting.extend(run.commands.into_iter().skip(self.found));
        self.found += self.waiting.len();
        if !self.waiting.is_empty() {
            self.pulse.heard();
        }
        Ok(true)
    }

    async fn run(&self) -> io::Result<JobRun> {
        let run = ask::job_run(&self.site, &self.attempt).await;
        run.map_err(|problem| io::Error::other(problem.detail))
    }
}

/// Commands with those that failed last, the one of them that says least at the very end.
pub(crate) fn failures_last(commands: Vec<Command>) -> Vec<Command> {
    let has_failed = |command: &Command| command.end.is_some_and(|end| !end.is_success());
    let (mut failed, mut others): (Vec<_>, Vec<_>) = commands.into_iter().partition(has_failed);
    failed.sort_by_key(|command| Reverse(command.log_bytes));
    others.extend(failed);
    others
}
