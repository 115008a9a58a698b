//! The ends of logs.

use std::io;

use ci_build::Runs;
use ci_exec::UnixMillis;
use serde::Deserialize;

use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Command, CommandRef};

/// The most that is shown of one log.
const MOST: u64 = 64 * 1024;
/// The most that is shown on one page: what does not fit is linked to.
const PAGE: u64 = 2 * 1024 * 1024;

/// Whether it is shown when lines were printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// Before each line.
    Shown,
    /// Not at all.
    Hidden,
}

/// What the address of a job's page may ask for.
#[derive(Debug, Deserialize)]
pub(in crate::page) struct Query {
    times: Option<String>,
}

/// What is shown of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Its last lines, or all of them.
    Shown(Excerpt),
    /// Nothing: the page is long enough.
    LeftOut,
}

/// The lines of a log from some offset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// Where it begins.
    pub(super) from: u64,
    pub(super) bytes: Vec<u8>,
    /// From which offset on it was printed when; none where nobody wants to know.
    pub(super) times: Vec<(u64, UnixMillis)>,
}

/// Reads the end of each log, with or without when it was printed. The last commands are served first:
/// failures are among them.
pub(super) async fn read(
    site: &Site,
    commands: &[Command],
    times: Times,
) -> Result<Vec<Tail>, Problem> {
    let runs = site.node().runs().clone();
    let wanted: Vec<(String, u64)> =
        commands.iter().map(|command| (command.id.clone(), command.log_bytes)).collect();
    let read = move || -> io::Result<Vec<Tail>> {
        let mut room = PAGE;
        let mut tails = Vec::with_capacity(wanted.len());
        for (id, length) in wanted.iter().rev() {
            let tail = if room < MOST { Tail::LeftOut } else { one(&runs, id, *length, times)? };
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

fn one(runs: &Runs, id: &str, length: u64, times: Times) -> io::Result<Tail> {
    let reference: CommandRef = id.parse().map_err(io::Error::other)?;
    let Some(log) = runs.log(&reference.attempt, &reference.command) else {
        return Ok(Tail::LeftOut);
    };
    let mut from = length.saturating_sub(MOST);
    let mut bytes = log.read_at(from, usize::try_from(MOST).unwrap_or(usize::MAX))?.bytes;
    // The first line is cut, and with it perhaps a character or a color.
    if from > 0
        && let Some(line) = bytes.iter().position(|byte| *byte == b'\n')
    {
        from += bytes.drain(..=line).len() as u64;
    }
    let times = match times {
        Times::Shown => log.times()?,
        Times::Hidden => Vec::new(),
    };
    Ok(Tail::Shown(Excerpt { from, bytes, times }))
}

impl Times {
    /// What the query of a page's address says.
    pub(super) fn of(query: &Query) -> Self {
        match query.times.as_deref() {
            Some("shown") => Self::Shown,
            _ => Self::Hidden,
        }
    }
}

impl Tail {
    fn bytes(&self) -> u64 {
        match self {
            Self::Shown(excerpt) => excerpt.bytes.len() as u64,
            Self::LeftOut => 0,
        }
    }
}
