//! The log of one execution of a command.

use std::io;

use ci_build::Runs;
use ci_exec::{LogPiece, LogReader, UnixMillis};

use super::pulse::Pulse;
use crate::problem::Problem;
use crate::stopping::Stopping;
use crate::wire::CommandRef;

/// The most bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// The log of one execution of a command, from an offset on.
pub(crate) struct CommandLog {
    runs: Runs,
    command: CommandRef,
    reader: LogReader,
    offset: u64,
    pulse: Pulse,
}

/// Bytes of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    /// The offset to read on from.
    pub(crate) next: u64,
    /// Whether these are the last bytes that will ever be.
    pub(crate) is_last: bool,
}

impl CommandLog {
    /// Finds the log of a command.
    pub(crate) async fn find(
        runs: &Runs,
        command: CommandRef,
        offset: u64,
        stopping: Stopping,
    ) -> Result<Self, Problem> {
        let missing = || Problem::not_found(format!("there is no command {command}"));
        let (seen, asked) = (runs.clone(), command.clone());
        let find = move || -> Result<Option<LogReader>, heights::Fault> {
            let view = seen.view(&asked.attempt)?;
            let is_there = |command: &ci_build::CommandView| command.command == asked.command;
            let found = view.is_some_and(|view| view.commands.iter().any(is_there));
            Ok(seen.log(&asked.attempt, &asked.command).filter(|_| found))
        };
        let found = tokio::task::spawn_blocking(find).await.map_err(heights::Fault::from);
        let found = found.and_then(|found| found);
        let found = found.map_err(|error| Problem::unavailable("read the run", &error))?;
        let reader = found.ok_or_else(missing)?;
        let pulse = Pulse::new(runs, &command.attempt, stopping);
        Ok(Self { runs: runs.clone(), command, reader, offset, pulse })
    }

    /// What reads it.
    pub(crate) fn reader(&self) -> &LogReader {
        &self.reader
    }

    /// The offset of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes back to a byte that was read.
    pub(crate) fn rewind(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// The bytes that there are now: none where there are no more for now.
    pub(crate) async fn read(&mut self) -> io::Result<Piece> {
        let (runs, command, reader) =
            (self.runs.clone(), self.command.clone(), self.reader.clone());
        let offset = self.offset;
        let read = move || read(&runs, &command, &reader, offset);
        let piece = tokio::task::spawn_blocking(read).await??;
        self.offset = piece.next;
        if !piece.bytes.is_empty() {
            self.pulse.heard();
        }
        Ok(piece)
    }

    /// When bytes were printed, by their offsets.
    pub(crate) async fn times(&self) -> io::Result<Vec<(u64, UnixMillis)>> {
        let reader = self.reader.clone();
        tokio::task::spawn_blocking(move || reader.times()).await?
    }

    /// Waits until it is time to look again; `false` where nothing more will come.
    pub(crate) async fn wait(&mut self) -> io::Result<bool> {
        self.pulse.wait().await
    }
}

fn read(runs: &Runs, command: &CommandRef, reader: &LogReader, offset: u64) -> io::Result<Piece> {
    // Asked first: once the end of a command is on record its log does not grow.
    let has_ended = has_ended(runs, command)?;
    let LogPiece { bytes, next } = reader.read_at(offset, CHUNK)?;
    Ok(Piece { is_last: has_ended && next >= reader.length()?, bytes, next })
}

fn has_ended(runs: &Runs, command: &CommandRef) -> io::Result<bool> {
    let view = runs.view(&command.attempt).map_err(io::Error::other)?;
    // A run that was removed has nothing more to say.
    let Some(view) = view else { return Ok(true) };
    let own = view.commands.iter().rfind(|view| view.command == command.command);
    Ok(view.has_ended || own.is_none_or(|command| command.end.is_some()))
}
