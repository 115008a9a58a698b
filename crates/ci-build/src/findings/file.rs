//! The file in a run directory that keeps an attempt's marks.

use std::fs;
use std::io::{self, ErrorKind};

use ci_domain::annotation::{Annotation, Level};
use ci_exec::RunDir;
use serde::{Deserialize, Serialize};

use crate::reporter::Findings;

const NAME: &str = "annotations.json";
/// The version that this program writes, and the newest that it reads.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    found: usize,
    marks: Vec<StoredMark>,
}

#[derive(Serialize, Deserialize)]
struct StoredMark {
    level: String,
    path: String,
    line: u32,
    column: Option<u32>,
    title: Option<String>,
    message: String,
}

pub(super) fn is_kept(dir: &RunDir) -> bool {
    dir.path().join(NAME).exists()
}

/// Written whole or not at all; what is lost with the machine's power is read anew.
pub(super) fn write(dir: &RunDir, findings: &Findings) -> io::Result<()> {
    let marks = findings.marks.iter().map(StoredMark::from).collect();
    let stored = Stored { version: VERSION, found: findings.found, marks };
    let new = dir.path().join(format!("{NAME}.new"));
    fs::write(&new, serde_json::to_vec(&stored)?)?;
    fs::rename(&new, dir.path().join(NAME))
}

pub(super) fn read(dir: &RunDir) -> io::Result<Findings> {
    let bytes = match fs::read(dir.path().join(NAME)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Findings::default()),
        read => read?,
    };
    let stored: Stored = serde_json::from_slice(&bytes)?;
    if stored.version > VERSION {
        let version = stored.version;
        return Err(io::Error::other(format!(
            "it has version {version}, this program knows {VERSION}"
        )));
    }
    let marks: Option<Vec<_>> = stored.marks.into_iter().map(StoredMark::into_mark).collect();
    let marks = marks.ok_or_else(|| io::Error::other("a level is unknown"))?;
    Ok(Findings { marks, found: stored.found })
}

impl From<&Annotation> for StoredMark {
    fn from(mark: &Annotation) -> Self {
        let Annotation { level, path, line, column, title, message } = mark.clone();
        Self { level: level.as_str().to_owned(), path, line, column, title, message }
    }
}

impl StoredMark {
    fn into_mark(self) -> Option<Annotation> {
        let Self { level, path, line, column, title, message } = self;
        let level = Level::from_word(&level)?;
        Some(Annotation { level, path, line, column, title, message })
    }
}
