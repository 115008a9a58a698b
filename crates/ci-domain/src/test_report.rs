//! How tests went, and what is to be said of those that failed: which are new, which are known, and which
//! cannot be relied on.

mod judge;

use std::collections::{BTreeMap, BTreeSet};

pub use judge::{Judged, Judgement, Run, judge};

/// How the tests went that something has run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestReport {
    /// Those that passed.
    pub passed: BTreeSet<String>,
    /// Those that failed, with what was said.
    pub failed: BTreeMap<String, TestFailure>,
    /// Those that were not run.
    pub skipped: BTreeSet<String>,
    /// Those that passed only when they were tried again, by the word of whoever ran them.
    pub wavered: BTreeSet<String>,
}

/// What was said of a test that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestFailure {
    /// What it said, in lines.
    pub message: String,
    /// Where the test is, as whoever ran it calls the file.
    pub file: Option<String>,
    /// The line there, from 1.
    pub line: Option<u32>,
}

impl TestReport {
    /// Whether it tells of no test.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many tests it tells of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.passed.len() + self.failed.len() + self.skipped.len()
    }

    /// Notes that a test has passed; what has failed under the same name stays failed.
    pub fn pass(&mut self, name: String) {
        if !self.failed.contains_key(&name) {
            self.skipped.remove(&name);
            self.passed.insert(name);
        }
    }

    /// Notes that a test has failed. Several can have one name: then it failed if one of them did.
    pub fn fail(&mut self, name: String, failure: TestFailure) {
        self.passed.remove(&name);
        self.skipped.remove(&name);
        self.wavered.remove(&name);
        self.failed.entry(name).or_insert(failure);
    }

    /// Notes that a test was not run.
    pub fn skip(&mut self, name: String) {
        if !self.failed.contains_key(&name) && !self.passed.contains(&name) {
            self.skipped.insert(name);
        }
    }

    /// Notes that a test has passed after it had failed.
    pub fn waver(&mut self, name: String) {
        self.pass(name.clone());
        if self.passed.contains(&name) {
            self.wavered.insert(name);
        }
    }

    /// Adds what another report tells.
    pub fn absorb(&mut self, other: Self) {
        other.passed.into_iter().for_each(|name| self.pass(name));
        other.skipped.into_iter().for_each(|name| self.skip(name));
        other.wavered.into_iter().for_each(|name| self.waver(name));
        other.failed.into_iter().for_each(|(name, failure)| self.fail(name, failure));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_failed_fails_all_of_its_name() {
        let name = || "a".to_owned();
        let mut report = TestReport::default();
        report.skip(name());
        report.pass(name());
        assert_eq!((report.passed.len(), report.skipped.len(), report.len()), (1, 0, 1));
        report.waver(name());
        let failure =
            |message: &str| TestFailure { message: message.to_owned(), ..Default::default() };
        report.fail(name(), failure("first"));
        report.fail(name(), failure("second"));
        report.pass(name());
        report.waver(name());
        report.skip(name());
        assert_eq!(report.failed[&name()].message, "first");
        assert_eq!((report.len(), report.wavered.len()), (1, 0));
        let mut other = TestReport::default();
        other.pass(name());
        other.pass("b".to_owned());
        other.absorb(report);
        assert_eq!((other.passed.len(), other.failed.len()), (1, 1));
    }
}
