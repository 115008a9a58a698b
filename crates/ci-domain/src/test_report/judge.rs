//! What is to be said of the tests of one job.

use std::collections::BTreeMap;

use super::{TestFailure, TestReport};

/// How the tests of one execution went, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    /// The digest of the inputs.
    pub inputs: &'a str,
    /// How they went.
    pub report: &'a TestReport,
}

/// What is to be said of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// It fails, and did not before.
    New,
    /// It fails as it did before.
    Known,
    /// It has passed and failed on the same inputs.
    Flaky,
}

/// A test that there is something to say of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What is to be said.
    pub judgement: Judgement,
    /// The test.
    pub name: String,
    /// What it said; `None` where it has passed in the end.
    pub failure: Option<TestFailure>,
}

/// Judges the tests of a job: new failures first, then known ones, then what is flaky; by name.
///
/// `now` is what counts, `others` are all other executions that are known, those on other inputs too, and
/// `before` is how it was without the change, or before it was changed last.
///
/// | now | on the same inputs | before | it is |
/// |---|---|---|---|
/// | failed | passed, too | – | flaky |
/// | passed | failed, too | – | flaky |
/// | failed | only failed | failed | known |
/// | failed | only failed | passed, or was not there | new |
#[must_use]
pub fn judge(now: &Run<'_>, others: &[Run<'_>], before: Option<&TestReport>) -> Vec<Judged> {
    let alike = || others.iter().filter(|run| run.inputs == now.inputs).map(|run| run.report);
    let mut judged: BTreeMap<(Judgement, &str), Option<&TestFailure>> = BTreeMap::new();
    for (name, failure) in &now.report.failed {
        let has_passed = alike().any(|report| report.passed.contains(name));
        let was_failing = before.is_some_and(|before| before.failed.contains_key(name));
        let judgement = match (has_passed, was_failing) {
            (true, _) => Judgement::Flaky,
            (false, true) => Judgement::Known,
            (false, false) => Judgement::New,
        };
        judged.insert((judgement, name), Some(failure));
    }
    let failed_too = alike().flat_map(|report| report.failed.keys());
    for name in now.report.wavered.iter().chain(failed_too) {
        if now.report.passed.contains(name) {
            judged.insert((Judgement::Flaky, name), None);
        }
    }
    let told = judged.into_iter().map(|((judgement, name), failure)| Judged {
        judgement,
        name: name.to_owned(),
        failure: failure.cloned(),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report of words: `+a` passed, `-a` failed, `~a` passed in the end.
    fn report(words: &str) -> TestReport {
        let mut report = TestReport::default();
        for word in words.split_whitespace() {
            let name = word[1..].to_owned();
            match &word[..1] {
                "+" => report.pass(name),
                "-" => report.fail(name, TestFailure::default()),
                _ => report.waver(name),
            }
        }
        report
    }

    /// Others are `inputs:report`.
    fn check(now: &str, others: &[(&str, &str)], before: Option<&str>, expected: &[&str]) {
        let now = report(now);
        let reports: Vec<_> =
            others.iter().map(|(digest, words)| (*digest, report(words))).collect();
        let others: Vec<_> =
            reports.iter().map(|(inputs, report)| Run { inputs, report }).collect();
        let before = before.map(report);
        let judged = judge(&Run { inputs: "x", report: &now }, &others, before.as_ref());
        let told: Vec<_> = judged
            .iter()
            .map(|one| {
                let end = if one.failure.is_some() { "fails" } else { "passes" };
                format!("{:?} {} {end}", one.judgement, one.name)
            })
            .collect();
        assert_eq!(told, expected, "{now:?}");
    }

    #[test]
    fn new_failures_come_first() {
        let expected = ["New b fails", "New d fails", "Known a fails", "Known c fails"];
        check("-a -b -c -d +e", &[], Some("-a +b -c +e"), &expected);
        check("-a +b", &[], None, &["New a fails"]);
        check("+a +b", &[], Some("-a"), &[]);
    }

    #[test]
    fn what_went_both_ways_on_the_same_inputs_is_flaky() {
        check("-a", &[("x", "+a")], None, &["Flaky a fails"]);
        check("+a", &[("x", "-a")], None, &["Flaky a passes"]);
        check("-a", &[("x", "+a")], Some("-a"), &["Flaky a fails"]);
        check("~a +b", &[], None, &["Flaky a passes"]);
    }

    #[test]
    fn other_inputs_say_nothing_of_it() {
        check("-a", &[("y", "+a")], None, &["New a fails"]);
        check("+a", &[("y", "-a")], None, &[]);
        check("-a", &[("x", "-a"), ("y", "+a")], None, &["New a fails"]);
        check("+b", &[("x", "-a")], None, &[]);
    }
}
