//! Marks for tests that failed: where their report says that they are, else where their words lead.

use ci_domain::annotation::{Annotation, Compiler, Finding, Level};
use ci_domain::test_report::{TestFailure, TestReport};

use crate::findings::place::Place;

/// One mark for each test that failed, if anything leads to a line of a file of the repository.
pub(super) fn marks(report: &TestReport, place: &mut Place) -> Vec<Annotation> {
    let mut marks = Vec::new();
    for (name, failure) in &report.failed {
        let told = told(name, failure);
        let meant = told.chain(words(name, failure));
        marks.extend(meant.into_iter().find_map(|finding| {
            let path = place.find(&finding)?;
            Some(finding.at(path, Level::Failure))
        }));
    }
    marks
}

/// Where the report says that the test is.
fn told(name: &str, failure: &TestFailure) -> impl Iterator<Item = Finding> {
    let place = failure.file.clone().zip(failure.line.filter(|line| *line > 0));
    place.map(|(file, line)| finding(name, failure, file, (line, None))).into_iter()
}

/// Where what the test said leads, as what compilers say does.
fn words(name: &str, failure: &TestFailure) -> impl Iterator<Item = Finding> {
    let mut compiler = Compiler::default();
    let found = failure.message.lines().filter_map(move |line| compiler.read(line));
    found.map(move |found| finding(name, failure, found.file, (found.line, found.column)))
}

fn finding(
    name: &str,
    failure: &TestFailure,
    file: String,
    (line, column): (u32, Option<u32>),
) -> Finding {
    let (title, message) = (Some(name.to_owned()), failure.message.clone());
    Finding { file, line, column, level: Some(Level::Failure), title, message }
}
