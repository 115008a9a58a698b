//! The store while no server has it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use ci_store::{Compacted, Exported, Ledger, Options, SledLedger};
use ci_web::wire::{StoreAudit, StoreFinding};

use crate::compose::{Folders, stamp};
use crate::exit::Exit;
use crate::output::note;

/// Verifies every record.
pub(super) fn check(folders: &Folders) -> Result<StoreAudit> {
    let audit = open(folders)?.check().map_err(|error| Exit::Failed.failed_to(&error))?;
    let finding = |finding: &ci_store::Finding| StoreFinding {
        stream: finding.stream.clone(),
        seq: finding.seq.map(|seq| seq.0),
        problem: finding.problem.clone(),
    };
    Ok(StoreAudit {
        streams: audit.streams,
        snapshots: audit.snapshots,
        records: audit.records,
        findings: audit.findings.iter().map(finding).collect(),
    })
}

/// Prints the store as JSON lines.
pub(super) fn export(folders: &Folders) -> Result<()> {
    let ledger = open(folders)?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    let written = ci_store::export(&ledger, &stamp(), &mut stdout);
    match written {
        Ok(_) => match stdout.flush() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            // Whoever read has read enough.
            _ => Ok(()),
        },
        Err(ci_store::ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(())
        }
        Err(error) => Err(Exit::Failed.failed_to(&error)),
    }
}

/// Fills an empty store.
pub(super) fn import(folders: &Folders, file: &Path) -> Result<Exported> {
    let mut reader: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(file);
        Box::new(BufReader::new(
            opened.with_context(|| format!("failed to read {}", file.display()))?,
        ))
    };
    let folder = folders.store();
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    SledLedger::import(&folder, &mut reader).map_err(|error| Exit::Failed.failed_to(&error))
}

/// Makes the store small.
pub(super) fn compact(folders: &Folders) -> Result<Compacted> {
    must_exist(folders)?;
    SledLedger::compact(&folders.store()).map_err(|error| Exit::Failed.failed_to(&error))
}

fn open(folders: &Folders) -> Result<SledLedger> {
    must_exist(folders)?;
    let opened = SledLedger::open(&folders.store(), Options::new(stamp()))
        .map_err(|error| Exit::Failed.failed_to(&error))?;
    if let Some(recovery) = opened.recovery {
        note(&recovery.to_string());
    }
    Ok(opened.ledger)
}

/// Opening would make a store where there is none.
fn must_exist(folders: &Folders) -> Result<()> {
    let folder = folders.store();
    if folder.exists() {
        return Ok(());
    }
    Err(Exit::NotFound.because(format!("there is no store in {}", folder.display())))
}
