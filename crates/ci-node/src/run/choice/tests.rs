//! What runs of a small pipeline, for what was asked.

use ci_config::{FileContent, parse_pipeline};

use super::*;

const FILES: [(&str, &str); 3] = [
    (
        "libs/common/ci.yaml",
        "jobs: {compile: [make], test: [make test], warm: {on: [branch], steps: [make]}}",
    ),
    (
        "air/ci.yaml",
        "{depends_on: [libs/common], jobs: {compile: [make], test: {needs: [compile, libs/common:test], \
         steps: [x]}, comply: {when: approved, steps: [x]}, report: {needs: [comply], steps: [x]}}, \
         nightly: {soak: {needs: [test, libs/common:warm], steps: [x]}}}",
    ),
    ("web/air/ci.yaml", "jobs: {lint: [x]}"),
];

fn pipeline() -> Pipeline {
    let file = |(path, text): (&str, &str)| (path.to_owned(), FileContent::Bytes(text.into()));
    parse_pipeline(FILES.map(file)).unwrap()
}

fn choose(components: &[&str], jobs: &[&str], affected: &[&str], approved: bool) -> Result<String> {
    let own = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let pipeline = pipeline();
    let wanted = Wanted::read(&own(components), &own(jobs), approved, &pipeline)?;
    let affected = Affected::requested(affected.iter().map(|name| name.parse().unwrap()));
    let choice = Choice::make(&pipeline, affected, &wanted)?;
    let text = |ids: Vec<&JobId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let runs = text(choice.plan.jobs().map(|job| &job.id).collect());
    let held = text(choice.held.iter().collect());
    Ok(if held.is_empty() { runs } else { format!("{runs} | {held}") })
}

#[test]
fn names_narrow_what_is_affected_and_bring_what_they_need() {
    let check = |components: &[&str], jobs: &[&str], affected: &[&str], expected: &str| {
        let chosen = choose(components, jobs, affected, false).unwrap();
        assert_eq!(chosen, expected, "{components:?} {jobs:?} {affected:?}");
    };
    let both = ["air", "libs/common"];
    check(&[], &[], &["air"], "air:compile air:test | air:comply air:report");
    check(&[], &["test"], &both, "air:compile libs/common:compile libs/common:test air:test");
    check(&[], &["lint"], &both, "");
    check(&["common"], &[], &both, "libs/common:compile libs/common:test");
    check(&["libs/common/"], &["compile"], &[], "libs/common:compile");
    check(&["air"], &["air:test"], &[], "air:compile air:test");
    check(
        &["air"],
        &[],
        &["libs/common"],
        "air:compile libs/common:compile libs/common:test air:test | air:comply air:report",
    );
    check(&[], &["report"], &["air"], "air:compile air:comply air:report");
    check(&[], &[], &[], "");
}

#[test]
fn what_runs_elsewhere_runs_when_it_is_named() {
    let check = |components: &[&str], jobs: &[&str], affected: &[&str], expected: &str| {
        let chosen = choose(components, jobs, affected, false).unwrap();
        assert_eq!(chosen, expected, "{components:?} {jobs:?} {affected:?}");
    };
    check(&[], &["soak"], &["air"], "air:compile air:test air:soak");
    check(&[], &["air:soak"], &[], "air:compile air:test air:soak");
    check(&["common"], &["warm"], &[], "libs/common:compile libs/common:warm");
    check(
        &["common"],
        &["air:soak"],
        &[],
        "air:compile libs/common:compile libs/common:test air:test libs/common:warm air:soak",
    );
    check(&[], &["soak"], &["web/air"], "");
}

#[test]
fn approval_can_be_taken_for_granted() {
    let chosen = choose(&["air"], &[], &[], true).unwrap();
    assert_eq!(chosen, "air:compile air:comply air:report air:test");
}

#[test]
fn unknown_names_are_told_what_there_is() {
    let check = |components: &[&str], jobs: &[&str], expected: &str| {
        let error = choose(components, jobs, &[], false).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(&["earth"], &[], "there is no component \"earth\"; there are: air, libs/common, web/air");
    check(
        &[],
        &["air:lint"],
        "there is no job \"air:lint\"; there are: compile, comply, report, soak, test",
    );
    check(
        &[],
        &["bench"],
        "there is no job \"bench\"; there are: compile, comply, lint, report, soak, test, warm",
    );
}
