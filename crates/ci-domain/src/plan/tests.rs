//! Which jobs run, in which order, and which of them a merge needs.

use super::*;
use crate::sample::{add_job, components, job, job_mut, pipeline};

fn sample() -> Pipeline {
    let mut pipeline = pipeline("air: common\ncommon\nweb");
    add_job(&mut pipeline, "common:compile", None);
    add_job(&mut pipeline, "common:test", None);
    add_job(&mut pipeline, "air:compile", None);
    add_job(&mut pipeline, "air:test", None);
    add_job(&mut pipeline, "air:lint", Some(&[]));
    add_job(&mut pipeline, "air:compliance", Some(&["air:test", "common:test"]));
    add_job(&mut pipeline, "web:test", None);
    job_mut(&mut pipeline, "air:compliance").when = When::Approved;
    pipeline
}

fn plan(pipeline: &Pipeline, affected: &[&str], on: On) -> Plan {
    Plan::new(pipeline, Affected::requested(components(affected.iter().copied())), on).unwrap()
}

/// One line a job: what it needs, and in brackets what is met.
fn check(plan: &Plan, expected: &[&str]) {
    let line = |planned: &PlannedJob| {
        let needs: Vec<String> = planned.needs.iter().map(ToString::to_string).collect();
        let met = planned.met.iter().map(|(id, met)| format!("[{id} {met:?}]"));
        let words: Vec<String> = needs.into_iter().chain(met).collect();
        format!("{} <- {}", planned.id, words.join(" ")).trim_end_matches(" <- ").to_owned()
    };
    let lines: Vec<String> = plan.jobs().map(line).collect();
    assert_eq!(lines, expected);
}

#[test]
fn jobs_need_their_compile_unless_they_say_otherwise() {
    check(
        &plan(&sample(), &["air", "common", "web"], On::Pull),
        &[
            "air:compile",
            "air:lint",
            "air:test <- air:compile",
            "common:compile",
            "common:test <- common:compile",
            "air:compliance <- air:test common:test",
            "web:test",
        ],
    );
}

#[test]
fn a_need_on_what_is_not_affected_is_met() {
    check(
        &plan(&sample(), &["air"], On::Pull),
        &[
            "air:compile",
            "air:lint",
            "air:test <- air:compile",
            "air:compliance <- air:test [common:test NotAffected]",
        ],
    );
}

#[test]
fn a_need_on_what_is_not_part_of_this_build_is_met() {
    let mut pipeline = sample();
    job_mut(&mut pipeline, "air:compliance").on = BTreeSet::from([On::Branch]);
    check(
        &plan(&pipeline, &["air", "common"], On::Branch),
        &[
            "air:compile",
            "common:compile",
            "air:compliance <- [air:test NotOnThisBuild] [common:test NotOnThisBuild]",
        ],
    );
}

#[test]
fn a_narrowed_plan_keeps_what_is_needed() {
    let plan = plan(&sample(), &["air", "common"], On::Pull);
    let lines = |wanted: &str| plan.clone().narrowed(&BTreeSet::from([job(wanted)]));
    check(&lines("air:test"), &["air:compile", "air:test <- air:compile"]);
    check(&lines("web:test"), &[]);
    assert!(lines("air:nothing").is_empty());
}

#[test]
fn a_job_outside_the_plan_can_be_planned() {
    let pipeline = sample();
    let affected = Affected::requested(components(["air"]));
    let forced = plan_job(&pipeline, &affected, &job("common:test"), On::Pull).unwrap();
    assert_eq!(forced.met, BTreeMap::from([(job("common:compile"), Met::NotAffected)]));
    assert_eq!(plan_job(&pipeline, &affected, &job("common:nothing"), On::Pull), None);
}

#[test]
fn bad_needs_have_no_plan() {
    let flaws = |id, needs: &[&str]| {
        let mut pipeline = sample();
        add_job(&mut pipeline, id, Some(needs));
        Plan::new(&pipeline, Affected::default(), On::Pull).unwrap_err()
    };
    assert_eq!(
        flaws("air:x", &["web:nothing"]),
        [Flaw::Dangling { from: job("air:x"), to: job("web:nothing") }]
    );
    assert_eq!(
        flaws("air:compile", &["air:test"]),
        [Flaw::Cycle(vec![job("air:compile"), job("air:test")])]
    );
}

fn required(pipeline: &Pipeline, optional: &[&str], must_exist: &[&str]) -> (String, String) {
    let mergeable = Mergeable {
        optional: optional.iter().map(ToString::to_string).collect(),
        required: must_exist.iter().map(|id| job(id)).collect(),
        ..crate::policy::Policy::default().mergeable
    };
    let required = plan(pipeline, &["air"], On::Pull).required(&mergeable);
    let text =
        |ids: Vec<&JobId>| ids.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    (text(required.jobs.keys().collect()), text(required.missing.iter().collect()))
}

#[test]
fn required_is_what_runs_on_pulls_less_what_is_optional() {
    let check = |optional: &[&str], jobs: &str| {
        assert_eq!(required(&sample(), optional, &[]).0, jobs, "{optional:?}");
    };
    check(&[], "air:compile air:compliance air:lint air:test");
    check(&["*:lint", "air:comp*"], "air:test");
    check(&["*:*"], "");
}

#[test]
fn a_gate_that_no_pull_request_would_run_is_missing() {
    let check = |pipeline: &Pipeline, must_exist: &[&str], missing: &str| {
        assert_eq!(required(pipeline, &[], must_exist).1, missing, "{must_exist:?}");
    };
    let mut pipeline = sample();
    check(&pipeline, &["air:test", "common:test"], "");
    check(&pipeline, &["air:gone", "gone:test"], "air:gone gone:test");
    job_mut(&mut pipeline, "air:test").on = BTreeSet::from([On::Branch]);
    check(&pipeline, &["air:test"], "air:test");
}
