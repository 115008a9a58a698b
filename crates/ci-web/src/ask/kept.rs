//! What commands have left.

use ci_domain::ids::AttemptId;
use heights::Fault;

use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Artifact, Artifacts, CommandRef, KeptNote};

/// What all executions of an attempt have left.
pub(crate) async fn artifacts(site: &Site, attempt: &AttemptId) -> Result<Artifacts, Problem> {
    let (runs, asked) = (site.node().runs().clone(), attempt.clone());
    let read = tokio::task::spawn_blocking(move || runs.kept(&asked)).await;
    let kept = read.map_err(Fault::from).and_then(|kept| kept.map_err(Fault::from));
    let kept = kept.map_err(|error| Problem::unavailable("read the run", &error))?;
    let mut all = Artifacts { artifacts: Vec::new(), notes: Vec::new() };
    for (command, kept) in kept {
        let command = CommandRef { attempt: attempt.clone(), command }.to_string();
        all.artifacts.extend(kept.artifacts.into_iter().map(|artifact| Artifact {
            url: format!("/api/v1/commands/{command}/artifacts/{}", in_path(&artifact.path)),
            command: command.clone(),
            path: artifact.path,
            bytes: artifact.bytes,
            sha256: artifact.digest.to_string(),
        }));
        all.notes.extend(kept.notes.into_iter().map(|note| KeptNote {
            command: command.clone(),
            what: note.what,
            why: note.why,
        }));
    }
    Ok(all)
}

/// A text as one segment of a path.
pub(crate) fn in_path(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    text.bytes().fold(String::with_capacity(text.len()), |path, byte| {
        if is_plain(byte) {
            path + char::from(byte).encode_utf8(&mut [0; 4])
        } else {
            format!("{path}%{byte:02X}")
        }
    })
}
