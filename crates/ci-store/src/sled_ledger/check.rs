//! Reads every cell, and lists what is not as it was written.

use std::collections::BTreeSet;

use super::codec::{Section, parse_entry_key, section_prefix, stream_prefix};
use super::committer::Core;
use super::entries::entries;
use super::store::Store;
use crate::{Audit, Fault, Finding, ReadError, StreamId};

/// Checks stream by stream, so that writers are held up for one stream at a time.
pub(super) fn check(core: &Core) -> Result<Audit, Fault> {
    let mut audit = Audit::default();
    for stream in core.look(|store| names(store, &mut audit))? {
        core.look(|store| check_stream(store, &stream, &mut audit))?;
    }
    Ok(audit)
}

fn check_stream(store: &Store, stream: &StreamId, audit: &mut Audit) -> Result<(), Fault> {
    let mut entries = entries(store, stream)?;
    match store.head(stream) {
        Ok(Some(head)) => entries.compare(stream, head.last),
        Ok(None) if entries.is_empty() => return Ok(()),
        Ok(None) => entries.findings.push(Finding::in_stream(stream, "has records but no head")),
        Err(ReadError::Damaged(finding)) => entries.findings.push(finding),
        Err(ReadError::Io(fault)) => return Err(fault),
    }
    audit.count(&entries.replay);
    audit.findings.append(&mut entries.findings);
    Ok(())
}

/// Every stream that any cell belongs to; cells that belong to none are findings.
fn names(store: &Store, audit: &mut Audit) -> Result<BTreeSet<StreamId>, Fault> {
    let (streams, nameless) = store.heads("")?;
    let mut names: BTreeSet<_> = streams.into_iter().collect();
    audit.findings.extend(nameless.iter().map(|key| nameless_key(key)));
    for section in [Section::Snapshot, Section::Record] {
        let start = section_prefix(section, "");
        let mut cursor = start.clone();
        while let Some(key) = store.key_after(&cursor)?.filter(|key| key.starts_with(&start)) {
            cursor = match parse_entry_key(&key) {
                // On to the next stream: the zero behind the name becomes a one.
                Some(entry) => {
                    let next = stream_prefix(section, &entry.stream);
                    names.insert(entry.stream);
                    [&next[..next.len() - 1], &[1]].concat()
                }
                None => {
                    audit.findings.push(nameless_key(&key));
                    key.to_vec()
                }
            };
        }
    }
    Ok(names)
}

fn nameless_key(key: &[u8]) -> Finding {
    let stream = String::from_utf8_lossy(key).escape_debug().to_string();
    Finding { stream, seq: None, problem: "a key that names no stream".to_owned() }
}
