//! Marks on lines of code: read from the logs of an attempt when it has ended, and kept beside them.
//!
//! Read while the workspace is still this job's, since only there one sees which file of the repository a
//! tool means; kept, so that whoever tells of them tells the same ones in the same order every time.

mod failures;
mod file;
mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use ci_domain::annotation::{Annotation, Compiler, Finding, Level};
use ci_domain::wording::plain;
use ci_exec::{LogReader, RunDir};
use tracing::warn;

use crate::findings::place::Place;
use crate::reporter::Findings;
use crate::runs::{CommandView, RunView};

/// More marks than this help nobody; in order of weight, so that the worst are kept.
const MAX_MARKS: usize = 250;
/// More findings than this are not looked at: something prints without end.
const MAX_FINDINGS: usize = 5000;
/// How much is read from the beginning and from the end of one log, in bytes.
const HEAD_BYTES: u64 = 2 << 20;
const TAIL_BYTES: u64 = 2 << 20;
/// How much is read at once, in bytes.
const PIECE: usize = 64 << 10;
/// Longer lines are no messages for people, in bytes.
const MAX_LINE: usize = 4 << 10;

/// Reads what the attempt in `dir` has left and keeps it, unless that was done before.
pub(crate) fn keep(dir: &RunDir, view: &RunView) {
    if file::is_kept(dir) {
        return;
    }
    let kept = collect(dir, view).and_then(|findings| file::write(dir, &findings));
    if let Err(error) = kept {
        warn!(run = %dir.path().display(), %error, "failed to keep marks on lines of code");
    }
}

/// What was kept; nothing where nothing was.
pub(crate) fn kept(dir: &RunDir) -> Findings {
    file::read(dir).unwrap_or_else(|error| {
        warn!(run = %dir.path().display(), %error, "failed to read marks on lines of code");
        Findings::default()
    })
}

fn collect(dir: &RunDir, view: &RunView) -> io::Result<Findings> {
    let spec = dir.spec().map_err(io::Error::other)?;
    let mut place = Place::new(&spec.workspace, &spec.working_dir)?;
    let mut marks: Vec<Annotation> = Vec::new();
    for command in latest(view) {
        let has_failed = command.end.is_some_and(|(exit, _)| !exit.is_success());
        for finding in findings(&dir.log(&command.command))? {
            // What merely stands beside a line, in a command that went well, is no finding.
            let is_said = finding.level.is_some_and(|level| level != Level::Notice);
            if is_said || finding.level.is_none() && has_failed {
                marks.extend(place.find(&finding).map(|path| finding.at(path, Level::Failure)));
            }
        }
    }
    let said: BTreeSet<_> = marks.iter().map(|mark| (mark.path.clone(), mark.line)).collect();
    let tests = latest(view).map(|command| dir.tests(&command.command));
    for report in tests.filter_map(Result::transpose) {
        let marked = failures::marks(&report.map_err(io::Error::other)?, &mut place);
        // What the log has said of a line says more of it.
        marks.extend(
            marked.into_iter().filter(|mark| !said.contains(&(mark.path.clone(), mark.line))),
        );
    }
    marks.sort();
    marks.dedup();
    let found = marks.len();
    marks.truncate(MAX_MARKS);
    Ok(Findings { marks, found })
}

/// The last execution of each command: what an earlier one said was tried again.
fn latest(view: &RunView) -> impl Iterator<Item = &CommandView> {
    let mut latest = BTreeMap::new();
    for command in &view.commands {
        let id = command.command.to_string();
        let node = id.rsplit_once('-').map_or(id.as_str(), |(node, _)| node).to_owned();
        latest.insert(node, command);
    }
    latest.into_values()
}

/// What is said in the beginning and in the end of a log.
fn findings(log: &LogReader) -> io::Result<Vec<Finding>> {
    let length = log.length()?;
    let (mut found, mut compiler) = (Vec::new(), Compiler::default());
    let mut read = |from: u64, to: u64| -> io::Result<()> {
        let mut lines = Lines::default();
        let mut offset = from;
        while offset < to && found.len() < MAX_FINDINGS {
            let piece = log.read_at(offset, PIECE)?;
            if piece.bytes.is_empty() {
                break;
            }
            offset = piece.next;
            lines.take(&piece.bytes, &mut |line| found.extend(compiler.read(&plain(line))));
        }
        lines.end(&mut |line| found.extend(compiler.read(&plain(line))));
        Ok(())
    };
    read(0, length.min(HEAD_BYTES))?;
    if length > HEAD_BYTES {
        read(HEAD_BYTES.max(length.saturating_sub(TAIL_BYTES)), length)?;
    }
    Ok(found)
}

/// Lines out of pieces of bytes; what is too long is cut.
#[derive(Default)]
struct Lines {
    open: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8], tell: &mut impl FnMut(&str)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_LINE.saturating_sub(self.open.len());
            self.open.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.end(tell);
            }
        }
    }

    fn end(&mut self, tell: &mut impl FnMut(&str)) {
        let line = std::mem::take(&mut self.open);
        tell(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
    }
}

#[cfg(test)]
mod tests;
