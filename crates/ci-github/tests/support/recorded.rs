//! Deliveries that GitHub really sent; see `payloads/NOTICE`.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Names the unpacked npm package `@octokit/webhooks-examples`, to read all of it as well.
const EXAMPLES: &str = "GITHUB_WEBHOOK_EXAMPLES";

/// A payload as it was recorded.
pub struct Recorded {
    /// The event's name, such as `pull_request`.
    pub event: String,
    /// What tells it from others of the event: its action, or what it is about.
    pub variant: String,
    pub payload: Value,
}

/// Every payload in the folder `payloads`, in order of their names.
pub fn payloads() -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci-github/tests/payloads");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_payload = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
    let mut files: Vec<PathBuf> = files.filter(is_payload).collect();
    files.sort();
    files.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Recorded {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let (event, variant) = name.split_once('.').unwrap();
    let payload = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    Recorded { event: event.to_owned(), variant: variant.to_owned(), payload }
}

/// Every payload of the published package, where [`EXAMPLES`] names it; none otherwise.
pub fn published() -> Vec<Recorded> {
    let Some(folder) = std::env::var_os(EXAMPLES) else { return Vec::new() };
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let indices = folders.map(|folder| folder.join("index.json")).filter(|path| path.is_file());
    let all: Vec<Recorded> = indices.flat_map(|index| examples(&index)).collect();
    assert!(all.len() > 300, "only {} examples in the package", all.len());
    all
}

fn examples(index: &Path) -> Vec<Recorded> {
    let events: Vec<Value> = serde_json::from_slice(&std::fs::read(index).unwrap()).unwrap();
    let of = |event: &Value| {
        let name = event["name"].as_str().unwrap().to_owned();
        let recorded = |payload: &Value| Recorded {
            event: name.clone(),
            variant: payload["action"].as_str().unwrap_or_default().to_owned(),
            payload: payload.clone(),
        };
        event["examples"].as_array().unwrap().iter().map(recorded).collect::<Vec<_>>()
    };
    events.iter().flat_map(of).collect()
}
