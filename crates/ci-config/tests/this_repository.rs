//! The component files and the policy of this repository itself.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ci_config::{FileContent, POLICY_FILE, parse_pipeline, parse_policy};
use ci_domain::ids::{ComponentName, JobId};
use ci_domain::pipeline::Pipeline;
use toml::de::DeTable;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of the crates, which are their folders.
fn crates() -> Vec<String> {
    let entries = fs::read_dir(root().join("crates")).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    entries.map(|entry| name(entry.unwrap())).collect()
}

fn pipeline() -> Pipeline {
    let component = |name: String| format!("crates/{name}/ci.yaml");
    let paths = crates().into_iter().map(component).chain(["ci.yaml".to_owned()]);
    let files = paths.map(|path| {
        let bytes = fs::read(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        (path, FileContent::Bytes(bytes))
    });
    parse_pipeline(files).unwrap_or_else(|diagnostics| {
        let text: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        panic!("{}", text.join("\n"))
    })
}

/// The crates of this workspace that a table of a manifest names.
fn named(manifest: &DeTable<'_>, table: &str) -> BTreeSet<ComponentName> {
    let crates = crates();
    let names = manifest.get(table).and_then(|table| table.get_ref().as_table());
    let keys =
        names.into_iter().flat_map(|names| names.keys()).map(|key| key.get_ref().to_string());
    keys.filter(|key| crates.contains(key))
        .map(|key| format!("crates/{key}").parse().unwrap())
        .collect()
}

#[test]
fn each_crate_depends_on_what_its_manifest_says() {
    let pipeline = pipeline();
    for name in crates() {
        let text =
            fs::read_to_string(root().join("crates").join(&name).join("Cargo.toml")).unwrap();
        let manifest = DeTable::parse(&text).unwrap();
        let component: ComponentName = format!("crates/{name}").parse().unwrap();
        let declared = &pipeline.components[&component].depends_on;
        let mut needed = named(manifest.get_ref(), "dependencies");
        needed.insert(ComponentName::root());
        let missing: Vec<_> = needed.difference(declared).collect();
        assert!(missing.is_empty(), "crates/{name}/ci.yaml: add to depends_on: {missing:?}");
        needed.extend(named(manifest.get_ref(), "dev-dependencies"));
        let stale: Vec<_> = declared.difference(&needed).collect();
        assert!(stale.is_empty(), "crates/{name}/ci.yaml: remove from depends_on: {stale:?}");
    }
}

#[test]
fn the_policy_requires_jobs_that_there_are() {
    let policy = parse_policy(&fs::read(root().join(POLICY_FILE)).unwrap()).unwrap();
    let pipeline = pipeline();
    let missing: Vec<&JobId> =
        policy.mergeable.required.iter().filter(|id| pipeline.job(id).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
