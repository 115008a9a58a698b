//! What a snapshot keeps of a process, and what it answers.

use std::fs;
use std::path::Path;

use heights_vitals::wire::{Groups, Missing, Picture, Registries, StateView};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// What is in the file: the picture, and beside it what the process is asked for apart.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    #[serde(flatten)]
    pub picture: Picture,
    #[serde(default)]
    pub registries: Option<Registries>,
    #[serde(default)]
    pub groups: Option<Groups>,
    /// What servers showed of their state, where somebody wanted it kept.
    #[serde(default)]
    pub states: Option<Vec<StateView>>,
}

/// Reads what was kept.
pub fn read(file: &Path) -> Result<Kept, Failure> {
    let failed = |why: String| Failure::Snapshot { file: file.to_owned(), why };
    let text = fs::read(file).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}

impl Kept {
    /// Returns what an actor showed of its state; none is kept of those that show nothing.
    pub fn state(&self, reference: &str) -> Result<StateView, Failure> {
        let actor = self.picture.detail(reference)?.actor;
        let states = self.states.as_ref().ok_or_else(|| {
            Failure::Usage("no states were kept: take the snapshot with --states".to_owned())
        })?;
        let kept = states.iter().find(|state| state.path == actor.path);
        Ok(kept.cloned().unwrap_or_else(|| StateView {
            taken_ms: self.picture.tree.taken_ms,
            pid: actor.pid.unwrap_or_default(),
            path: actor.path,
            view: None,
            missing: Some(Missing::Unsupported),
            age_ms: None,
            stale: false,
            cut: false,
            working: None,
        }))
    }

    pub fn registries(&self) -> Result<Registries, Failure> {
        self.registries.clone().ok_or_else(too_old)
    }

    pub fn groups(&self) -> Result<Groups, Failure> {
        self.groups.clone().ok_or_else(too_old)
    }
}

fn too_old() -> Failure {
    Failure::Usage("the snapshot is of an earlier version, which did not keep that".to_owned())
}
