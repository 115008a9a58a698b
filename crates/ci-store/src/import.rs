//! Reads what [`export()`](crate::export()) wrote, and believes none of it unseen.

use std::io::{self, BufRead};

use serde::de::DeserializeOwned;

use crate::export::{EndLine, Exported, FORMAT, Header, Line, RecordLine, SnapshotLine};
use crate::{Fault, Record, Replay, SCHEMA, Seq, Snapshot, StreamId};

/// Why an export was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The export could not be read.
    #[error("read the export")]
    Read(#[from] io::Error),
    /// The export was written by a newer version of this program.
    #[error("import an export of schema {found}: this version knows schemas up to {SCHEMA}")]
    NewerSchema {
        /// The schema of the export.
        found: u32,
    },
    /// The export is not as it was written.
    #[error("import line {line}: {reason}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The store that was to take it failed.
    #[error("store what was imported")]
    Store(#[source] Fault),
}

/// What takes the streams of an import, one at a time.
pub(crate) type Take<'a> = dyn FnMut(StreamId, Replay) -> Result<(), Refusal> + 'a;

/// Why a stream was not taken.
pub(crate) enum Refusal {
    Unstorable(String),
    Fault(Fault),
}

/// Hands each stream of an export to `take`.
///
/// Streams come before the end of the export is seen: what was taken counts for nothing unless this answers `Ok`.
pub(crate) fn import(
    reader: &mut dyn BufRead,
    take: &mut Take<'_>,
) -> Result<Exported, ImportError> {
    let mut import = Import {
        text: Text { reader, line: String::new(), number: 0, sum: crc32fast::Hasher::new() },
        open: None,
        exported: Exported::default(),
        take,
    };
    import.header()?;
    loop {
        let sum = import.text.sum.clone().finalize();
        if !import.text.next()? {
            return Err(import.text.wrong("the export was cut short: its last line is missing"));
        }
        match import.text.parse()? {
            Line::Snapshot(line) => import.snapshot(line)?,
            Line::Record(line) => import.record(line)?,
            Line::End(line) => return import.end(&line, sum),
        }
    }
}

struct Import<'a, 't> {
    text: Text<'a>,
    /// The stream whose lines are being read.
    open: Option<(StreamId, Replay)>,
    exported: Exported,
    take: &'a mut Take<'t>,
}

/// The lines of an export, their number, and the sum of all that were read.
struct Text<'a> {
    reader: &'a mut dyn BufRead,
    line: String,
    number: u64,
    sum: crc32fast::Hasher,
}

impl Import<'_, '_> {
    fn header(&mut self) -> Result<(), ImportError> {
        self.text.next()?;
        let header: Header<'static> = self.text.parse()?;
        if header.format != FORMAT {
            return Err(self.text.wrong(format!("expected format {FORMAT:?}")));
        }
        if header.schema > SCHEMA {
            return Err(ImportError::NewerSchema { found: header.schema });
        }
        Ok(())
    }

    fn snapshot(&mut self, line: SnapshotLine<'_>) -> Result<(), ImportError> {
        let replay = self.stream(&line.stream)?;
        let first = replay.is_empty();
        replay.snapshot = Some(Snapshot { seq: Seq(line.seq), body: line.body.into_owned() });
        if first { Ok(()) } else { Err(self.text.wrong("a snapshot comes first in its stream")) }
    }

    fn record(&mut self, line: RecordLine<'_>) -> Result<(), ImportError> {
        let replay = self.stream(&line.stream)?;
        let expected = replay.last().after(1);
        let record = Record {
            kind: line.kind.into_owned(),
            version: line.version,
            body: line.body.into_owned(),
        };
        replay.records.push((Seq(line.seq), record));
        if expected.0 == line.seq {
            Ok(())
        } else {
            Err(self.text.wrong(format!("expected seq {expected}")))
        }
    }

    /// The stream called `name`, which is the open one or comes after it.
    fn stream(&mut self, name: &str) -> Result<&mut Replay, ImportError> {
        if self.open.as_ref().is_none_or(|(open, _)| open.as_str() != name) {
            let next = StreamId::new(name).map_err(|invalid| self.text.wrong(invalid))?;
            if self.open.as_ref().is_some_and(|(open, _)| *open > next) {
                return Err(self.text.wrong("streams come in order, each one once"));
            }
            self.close()?;
            self.open = Some((next, Replay::default()));
        }
        let (_, replay) = self.open.as_mut().expect("a stream was opened just above");
        Ok(replay)
    }

    fn close(&mut self) -> Result<(), ImportError> {
        let Some((stream, replay)) = self.open.take() else { return Ok(()) };
        self.exported.streams += 1;
        self.exported.records += replay.records.len() as u64;
        (self.take)(stream, replay).map_err(|refusal| match refusal {
            Refusal::Unstorable(reason) => self.text.wrong(reason),
            Refusal::Fault(fault) => ImportError::Store(fault),
        })
    }

    fn end(mut self, end: &EndLine, sum: u32) -> Result<Exported, ImportError> {
        self.close()?;
        let Exported { streams, records } = self.exported;
        if (streams, records, sum) != (end.streams, end.records, end.crc32) {
            return Err(self.text.wrong("counts or checksum do not fit what came before"));
        }
        Ok(self.exported)
    }
}

impl Text<'_> {
    /// Moves to the next line, and says whether there was one.
    fn next(&mut self) -> Result<bool, ImportError> {
        self.line.clear();
        self.number += 1;
        let bytes = self.reader.read_line(&mut self.line)?;
        self.sum.update(self.line.as_bytes());
        Ok(bytes > 0)
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, ImportError> {
        serde_json::from_str(&self.line).map_err(|error| self.wrong(error))
    }

    fn wrong(&self, reason: impl ToString) -> ImportError {
        ImportError::Line { line: self.number, reason: reason.to_string() }
    }
}
