//! How tests went.

use serde::{Deserialize, Serialize};

/// How the tests of one job went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobTests {
    /// The job, `<component>:<job>`.
    pub job: String,
    /// The attempt.
    pub attempt: String,
    /// How many passed.
    pub passed: u64,
    /// How many failed.
    pub failed: u64,
    /// How many were not run.
    pub skipped: u64,
    /// Those that there is something to say of: new failures first, then known ones, then what is flaky.
    pub tests: Vec<JudgedTest>,
}

/// A test that there is something to say of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedTest {
    /// What is to be said.
    pub judgement: Judgement,
    /// The test.
    pub name: String,
    /// Whether it fails; what is flaky may have passed in the end.
    pub fails: bool,
    /// What it said.
    pub message: Option<String>,
    /// Where it is, as its report calls the file.
    pub file: Option<String>,
    /// The line there.
    pub line: Option<u32>,
}

/// What is to be said of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// It fails, and did not on the base or, where that is not known, before the last change.
    New,
    /// It fails as it did before.
    Known,
    /// It has passed and failed on the same inputs.
    Flaky,
}

impl Judgement {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::New => "new failure",
            Self::Known => "known failure",
            Self::Flaky => "flaky",
        }
    }
}
