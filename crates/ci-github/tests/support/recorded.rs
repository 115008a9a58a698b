//! Deliveries that GitHub really sent; see `payloads/NOTICE`.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

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
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let is_payload = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
    let mut files: Vec<PathBuf> = files.filter(is_payload).collect();
    files.sort();
    files.iter().map(|path| read(path)).collect()
}

/// Every payload of the published package; `scripts/webhook-examples.mjs` renews them.
pub fn published() -> Vec<Recorded> {
    let packed = std::fs::read(folder().join("published.jsonl.gz")).unwrap();
    let mut lines = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut lines).unwrap();
    let all: Vec<Recorded> = lines.lines().map(example).collect();
    assert!(all.len() > 400, "only {} examples", all.len());
    all
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci-github/tests/payloads")
}

fn read(path: &Path) -> Recorded {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let (event, variant) = name.split_once('.').unwrap();
    let payload = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    Recorded { event: event.to_owned(), variant: variant.to_owned(), payload }
}

fn example(line: &str) -> Recorded {
    let mut example: Value = serde_json::from_str(line).unwrap();
    let event = example["event"].as_str().unwrap().to_owned();
    let payload = example["payload"].take();
    let variant = payload["action"].as_str().unwrap_or_default().to_owned();
    Recorded { event, variant, payload }
}
