//! How tests went as `tests-<command>.json`.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::test_report::{TestFailure, TestReport};
use serde::{Deserialize, Serialize};

/// The version that this program writes.
pub(crate) const TESTS_VERSION: u32 = 1;

/// A [`TestReport`] as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireTests {
    version: u32,
    passed: BTreeSet<String>,
    failed: BTreeMap<String, WireFailure>,
    skipped: BTreeSet<String>,
    wavered: BTreeSet<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireFailure {
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

impl From<TestReport> for WireTests {
    fn from(report: TestReport) -> Self {
        let TestReport { passed, failed, skipped, wavered } = report;
        let failure = |(name, TestFailure { message, file, line })| {
            (name, WireFailure { message, file, line })
        };
        let failed = failed.into_iter().map(failure).collect();
        Self { version: TESTS_VERSION, passed, failed, skipped, wavered }
    }
}

impl From<WireTests> for TestReport {
    fn from(wire: WireTests) -> Self {
        let WireTests { version: _, passed, failed, skipped, wavered } = wire;
        let failure = |(name, WireFailure { message, file, line })| {
            (name, TestFailure { message, file, line })
        };
        Self { passed, failed: failed.into_iter().map(failure).collect(), skipped, wavered }
    }
}
