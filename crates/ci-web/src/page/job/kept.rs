//! The files that the commands of an attempt have left.

use std::collections::BTreeMap;

use super::super::html::{Html, html};
use crate::wire::{Artifact, Artifacts, Command};

/// More files than this are for programs.
const MAX_SHOWN: usize = 200;

/// A table of what the last tries have left, and what they have not; nothing where nobody asked.
pub(super) fn show(kept: &Artifacts, commands: &[Command]) -> Html {
    let latest = latest(commands);
    let counts = |command: &str| latest.values().any(|last| *last == command);
    let files: Vec<&Artifact> =
        kept.artifacts.iter().filter(|artifact| counts(&artifact.command)).collect();
    let notes = kept.notes.iter().filter(|note| counts(&note.command));
    let notes: Html =
        notes.map(|note| html!("<li><code>{}</code> {}</li>", note.what, note.why)).collect();
    if files.is_empty() && notes.as_str().is_empty() {
        return Html::default();
    }
    let row = |artifact: &&Artifact| {
        html!(
            r#"<tr><td><a href="{}" download>{}</a></td><td>{}</td></tr>"#,
            artifact.url,
            artifact.path,
            size(artifact.bytes)
        )
    };
    let rows: Html = files.iter().take(MAX_SHOWN).map(row).collect();
    let table = if files.is_empty() {
        Html::default()
    } else {
        html!(
            r#"<div class="wide" tabindex="0"><table><thead><tr><th>File</th><th>Size</th></tr></thead><tbody>{}</tbody></table></div>"#,
            rows
        )
    };
    let more = match files.len().checked_sub(MAX_SHOWN) {
        Some(more) if more > 0 => html!(r#"<p class="quiet">And {} more.</p>"#, more),
        _ => Html::default(),
    };
    let notes = if notes.as_str().is_empty() {
        notes
    } else {
        html!(r#"<ul class="quiet">{}</ul>"#, notes)
    };
    html!("<h2>Artifacts</h2>{}{}{}", table, more, notes)
}

/// The last try of each command.
fn latest(commands: &[Command]) -> BTreeMap<&str, &str> {
    commands
        .iter()
        .map(|command| {
            let id = command.id.as_str();
            (id.rsplit_once('-').map_or(id, |(node, _)| node), id)
        })
        .collect()
}

/// Bytes in words, to a tenth.
fn size(bytes: u64) -> String {
    const STEP: u64 = 1024;
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut tenths, mut unit) = (bytes.saturating_mul(10), "B");
    for larger in UNITS {
        if tenths < 10 * STEP {
            break;
        }
        (tenths, unit) = (tenths / STEP, larger);
    }
    match unit {
        "B" => format!("{bytes} B"),
        _ => format!("{}.{} {unit}", tenths / 10, tenths % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_words() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (5 << 20, "5.0 MiB"),
            (u64::MAX, "1677721.5 TiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
