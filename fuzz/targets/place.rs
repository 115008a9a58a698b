//! A run directory in which one file is whatever the fuzzer makes up.

use std::fs;
use std::path::PathBuf;

use ci_domain::ids::AttemptId;
use ci_domain::step::{NodeId, Sequence};
use ci_exec::{Isolation, RunDir, RunSpec};
use tempfile::TempDir;

pub struct Place {
    _root: TempDir,
    pub dir: RunDir,
    file: PathBuf,
}

impl Place {
    /// A run directory with `file` in it.
    pub fn with(file: &str) -> Self {
        let root = tempfile::tempdir().expect("a folder for temporary files");
        let dir = RunDir::create(root.path().join("run"), &spec()).expect("a run directory");
        let file = dir.path().join(file);
        Self { _root: root, dir, file }
    }

    pub fn fill(&self, content: &[u8]) {
        fs::write(&self.file, content).expect("a file that can be written");
    }
}

fn spec() -> RunSpec {
    RunSpec {
        attempt: AttemptId::new("fuzz").expect("a valid name"),
        workspace: "/".into(),
        working_dir: "/".into(),
        isolation: Isolation::None,
        bounds: None,
        env: Default::default(),
        steps: Sequence { id: NodeId::root(), name: None, steps: Vec::new() },
        timeout: Default::default(),
        grace: Default::default(),
        log_limit: 0,
        orphan_limit: Default::default(),
    }
}
