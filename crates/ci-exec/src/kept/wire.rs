//! What was kept as `kept-<command>.json`.

use serde::{Deserialize, Serialize};

use super::{Artifact, Digest, Kept, Note};

/// The version that this program writes.
pub(crate) const KEPT_VERSION: u32 = 1;

/// A [`Kept`] as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireKept {
    version: u32,
    artifacts: Vec<WireArtifact>,
    notes: Vec<WireNote>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireArtifact {
    path: String,
    sha256: String,
    bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireNote {
    what: String,
    why: String,
}

impl From<&Kept> for WireKept {
    fn from(kept: &Kept) -> Self {
        let artifact = |Artifact { path, digest, bytes }: &Artifact| WireArtifact {
            path: path.clone(),
            sha256: digest.to_string(),
            bytes: *bytes,
        };
        let note = |Note { what, why }: &Note| WireNote { what: what.clone(), why: why.clone() };
        Self {
            version: KEPT_VERSION,
            artifacts: kept.artifacts.iter().map(artifact).collect(),
            notes: kept.notes.iter().map(note).collect(),
        }
    }
}

impl TryFrom<WireKept> for Kept {
    type Error = &'static str;

    fn try_from(wire: WireKept) -> Result<Self, &'static str> {
        let artifact = |WireArtifact { path, sha256, bytes }| -> Result<Artifact, Self::Error> {
            let digest = Digest::parse(&sha256).ok_or("a digest is none")?;
            Ok(Artifact { path, digest, bytes })
        };
        let note = |WireNote { what, why }| Note { what, why };
        Ok(Self {
            artifacts: wire
                .artifacts
                .into_iter()
                .map(artifact)
                .collect::<Result<_, Self::Error>>()?,
            notes: wire.notes.into_iter().map(note).collect(),
        })
    }
}
