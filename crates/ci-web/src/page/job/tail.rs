//! The ends of logs.

use std::io;

use ci_build::Runs;

use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Command, CommandRef};

/// The most that is shown of one log.
const MOST: u64 = 64 * 1024;
/// The most that is shown on one page: what does not fit is linked to.
const PAGE: u64 = 2 * 1024 * 1024;

/// What is shown of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// All of it.
    Whole(Vec<u8>),
    /// Its last lines.
    End(Vec<u8>),
    /// Nothing: the page is long enough.
    LeftOut,
}

/// Reads the end of each log. The last commands are served first: failures are among them.
pub(super) async fn read(site: &Site, commands: &[Command]) -> Result<Vec<Tail>, Problem> {
    let runs = site.node().runs().clone();
    let wanted: Vec<(String, u64)> =
        commands.iter().map(|command| (command.id.clone(), command.log_bytes)).collect();
    let read = move || -> io::Result<Vec<Tail>> {
        let mut room = PAGE;
        let mut tails = Vec::with_capacity(wanted.len());
        for (id, length) in wanted.iter().rev() {
            let tail = if room < MOST { Tail::LeftOut } else { one(&runs, id, *length)? };
            room -= tail.bytes().min(room);
            tails.push(tail);
        }
        tails.reverse();
        Ok(tails)
    };
    let tails = tokio::task::spawn_blocking(read).await.map_err(heights::Fault::from);
    let tails = tails.and_then(|tails| tails.map_err(heights::Fault::from));
    tails.map_err(|error| Problem::unavailable("read the logs", &error))
}

fn one(runs: &Runs, id: &str, length: u64) -> io::Result<Tail> {
    let reference: CommandRef = id.parse().map_err(io::Error::other)?;
    let Some(log) = runs.log(&reference.attempt, &reference.command) else {
        return Ok(Tail::LeftOut);
    };
    let from = length.saturating_sub(MOST);
    let mut bytes = log.read_at(from, usize::try_from(MOST).unwrap_or(usize::MAX))?.bytes;
    if from == 0 {
        return Ok(Tail::Whole(bytes));
    }
    // The first line is cut, and with it perhaps a character or a color.
    if let Some(line) = bytes.iter().position(|byte| *byte == b'\n') {
        bytes.drain(..=line);
    }
    Ok(Tail::End(bytes))
}

impl Tail {
    fn bytes(&self) -> u64 {
        match self {
            Self::Whole(bytes) | Self::End(bytes) => bytes.len() as u64,
            Self::LeftOut => 0,
        }
    }
}
