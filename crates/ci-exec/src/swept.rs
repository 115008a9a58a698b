//! What a killed runner had left, on record in its run directory: whoever counts may come later.

use serde::{Deserialize, Serialize};

use crate::run_dir::{OpenError, RunDir};

/// The version of `swept.json` that this program writes.
const SWEPT_VERSION: u32 = 1;
const FILE: &str = "swept.json";

/// What runs have left whose runners had been killed, and what was ended since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Processes that were alive.
    pub processes: u32,
    /// Containers that their engine had kept.
    pub containers: u32,
}

/// [`Swept`] as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct WireSwept {
    version: u32,
    processes: u32,
    containers: u32,
}

impl Swept {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            processes: self.processes.saturating_add(other.processes),
            containers: self.containers.saturating_add(other.containers),
        }
    }
}

impl RunDir {
    /// What was swept of this run so far.
    ///
    /// # Errors
    /// The record exists and cannot be read.
    pub fn swept(&self) -> Result<Swept, OpenError> {
        let wire = self.read_json::<WireSwept>(FILE, SWEPT_VERSION)?;
        let read = |WireSwept { processes, containers, .. }| Swept { processes, containers };
        Ok(wire.map_or_else(Swept::default, read))
    }

    /// Adds to the record, and says what is on it then.
    pub(crate) fn note_swept(&self, more: Swept) -> Result<Swept, OpenError> {
        let before = self.swept()?;
        let all = before.and(more);
        if all != before {
            let Swept { processes, containers } = all;
            let wire = WireSwept { version: SWEPT_VERSION, processes, containers };
            self.write_durably(FILE, &wire)?;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_swept_adds_up_and_nothing_leaves_no_record() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spec.json"), "{}").unwrap();
        let dir = RunDir::open(folder.path()).unwrap();
        assert_eq!(dir.note_swept(Swept::default()).unwrap(), Swept::default());
        assert!(!folder.path().join(FILE).exists());
        dir.note_swept(Swept { processes: 3, containers: 0 }).unwrap();
        let all = dir.note_swept(Swept { processes: 1, containers: 1 }).unwrap();
        assert_eq!(all, Swept { processes: 4, containers: 1 });
        assert_eq!(dir.swept().unwrap(), all);
    }
}
