//! The ends of logs.

use std::io;

use ci_exec::LogReader;

use crate::log::Lines;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Command, CommandRef};

/// Lines that are shown of what runs or has passed, and of what has failed.
const FEW: u64 = 50;
const MANY: u64 = 200;
/// The most that is shown of all logs on one page: what does not fit is linked to.
const PAGE: usize = 512 * 1024;

/// What is shown of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Its last lines, or all of them.
    Shown { lines: Lines, total: u64 },
    /// Nothing: the page is long enough, or there is no such log any more.
    LeftOut,
}

/// A log to read the end of.
struct Wanted {
    command: CommandRef,
    reader: Option<LogReader>,
    lines: u64,
}

/// Reads the end of each log. The last commands are served first: failures are among them.
pub(super) async fn read(site: &Site, commands: &[Command]) -> Result<Vec<Tail>, Problem> {
    let wanted: Result<Vec<Wanted>, _> =
        commands.iter().map(|command| wanted(site, command)).collect();
    let (wanted, shelf) = (wanted?, site.logs().clone());
    let read = move || -> io::Result<Vec<Tail>> {
        let mut room = PAGE;
        let mut tails = Vec::with_capacity(wanted.len());
        for one in wanted.into_iter().rev() {
            let tail = match one.reader {
                Some(reader) if room > 0 => shelf.with_index(&one.command, reader, |index| {
                    let total = index.lines();
                    let from = (total + 1).saturating_sub(one.lines);
                    Ok(Tail::Shown { lines: index.lines_from(from, one.lines)?, total })
                })?,
                _ => Tail::LeftOut,
            };
            room = room.saturating_sub(tail.bytes());
            tails.push(tail);
        }
        tails.reverse();
        Ok(tails)
    };
    let tails = tokio::task::spawn_blocking(read).await.map_err(heights::Fault::from);
    let tails = tails.and_then(|tails| tails.map_err(heights::Fault::from));
    tails.map_err(|error| Problem::unavailable("read the logs", &error))
}

fn wanted(site: &Site, command: &Command) -> Result<Wanted, Problem> {
    let reference: Result<CommandRef, _> = command.id.parse();
    let reference = reference.map_err(|error| Problem::not_found(error.to_string()))?;
    let reader = site.node().runs().log(&reference.attempt, &reference.command);
    let has_failed = command.end.is_some_and(|end| !end.is_success());
    Ok(Wanted { command: reference, reader, lines: if has_failed { MANY } else { FEW } })
}

impl Tail {
    fn bytes(&self) -> usize {
        match self {
            Self::Shown { lines, .. } => lines.bytes.len(),
            Self::LeftOut => 0,
        }
    }
}
