//! Reading a log that has not been packed, while it grows as well.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::tail_folder;

/// What there is at an offset.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Nothing up to this offset, where bytes follow.
    Gap(u64),
    /// Nothing, and nothing follows for now.
    Nothing,
}

/// Reads up to `limit` bytes at `offset`, which may be fewer than there are.
pub(super) fn read_at(log: &Path, offset: u64, limit: usize) -> io::Result<Found> {
    let Some(head) = open(log)? else { return Ok(Found::Nothing) };
    let bytes = read_up_to(&head, offset, limit)?;
    if !bytes.is_empty() {
        return Ok(Found::Bytes(bytes));
    }
    loop {
        let parts = parts(log)?;
        let after = parts.partition_point(|start| *start <= offset);
        let Some(start) = after.checked_sub(1).map(|part| parts[part]) else {
            // The beginning grows no more once there are parts; it may have grown since it was read.
            return Ok(match parts.first() {
                Some(_) if offset < head.metadata()?.len() => {
                    Found::Bytes(read_up_to(&head, offset, limit)?)
                }
                Some(first) => Found::Gap(*first),
                None => Found::Nothing,
            });
        };
        // The oldest part may have been removed since; then it is one of those that are left, or a gap.
        let Some(part) = open(&tail_folder(log).join(start.to_string()))? else { continue };
        let bytes = read_up_to(&part, offset - start, limit)?;
        return Ok(if bytes.is_empty() { Found::Nothing } else { Found::Bytes(bytes) });
    }
}

/// The offset after the last byte.
pub(super) fn length(log: &Path) -> io::Result<u64> {
    let Some(head) = open(log)? else { return Ok(0) };
    loop {
        let Some(last) = parts(log)?.pop() else { return Ok(head.metadata()?.len()) };
        match open(&tail_folder(log).join(last.to_string()))? {
            Some(part) => return Ok(last + part.metadata()?.len()),
            None => continue,
        }
    }
}

/// Where the parts of the tail begin, in order.
fn parts(log: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(tail_folder(log)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut parts = Vec::new();
    for entry in entries {
        parts.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    parts.sort_unstable();
    Ok(parts)
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads what there is at `offset`, up to `limit` bytes.
fn read_up_to(file: &File, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
    let available = file.metadata()?.len().saturating_sub(offset);
    let length = usize::try_from(available).unwrap_or(usize::MAX).min(limit);
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
