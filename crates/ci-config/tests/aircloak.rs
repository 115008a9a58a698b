//! The component files of the talk's repository, read and planned.
//!
//! Its rules were in the server, one level deep; here each component declares what it depends on, so a
//! change of `bom` also tests what tests its dependants. Nightly jobs are not translated: this version
//! does not execute them. The files have other names here, where they are no components.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::path::Path;

use ci_config::{FileContent, parse_pipeline};
use ci_domain::affected::{Affected, Change};
use ci_domain::ids::JobId;
use ci_domain::pipeline::{On, Pipeline};
use ci_domain::plan::{Plan, PlannedJob};
use ci_domain::policy::Policy;

fn pipeline() -> Pipeline {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aircloak");
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let content = std::fs::read(entry.path().join("component.yaml")).unwrap();
        (format!("{name}/ci.yaml"), FileContent::Bytes(content))
    };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| file(entry.unwrap()));
    parse_pipeline(files).unwrap_or_else(|diagnostics| {
        let text: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        panic!("{}", text.join("\n"))
    })
}

fn plan(changed: &[&str], on: On) -> Plan {
    let pipeline = pipeline();
    let paths: BTreeSet<String> = changed.iter().map(ToString::to_string).collect();
    let change = Change { base: &pipeline, paths: &paths };
    let affected = Affected::by(change, &pipeline, &Policy::default());
    Plan::new(&pipeline, affected, on).unwrap()
}

fn check(changed: &[&str], on: On, expected: &[&str]) {
    let text =
        |ids: &BTreeSet<JobId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let line = |job: &PlannedJob| match job.needs.is_empty() {
        true => job.id.to_string(),
        false => format!("{} after {}", job.id, text(&job.needs)),
    };
    let plan = plan(changed, on);
    assert_eq!(plan.jobs().map(line).collect::<Vec<_>>(), expected, "{changed:?}");
}

#[test]
fn a_change_of_air_compiles_and_tests_it_and_what_integrates_it() {
    check(
        &["air/lib/air.ex"],
        On::Pull,
        &[
            "air:compile",
            "air:test after air:compile",
            "integration_tests:compile",
            "integration_tests:test after integration_tests:compile",
        ],
    );
}

#[test]
fn a_change_of_cloak_asks_for_compliance() {
    let expected = [
        "cloak:compile",
        "cloak:compliance after cloak:compile",
        "cloak:test after cloak:compile",
        "integration_tests:compile",
        "integration_tests:test after integration_tests:compile",
    ];
    check(&["cloak/mix.exs"], On::Pull, &expected);
}

#[test]
fn the_ci_tests_itself_alone() {
    check(&["ci/lib/ci.ex"], On::Pull, &["ci:compile", "ci:test after ci:compile"]);
}

#[test]
fn common_code_tests_everything_and_so_does_what_nobody_owns() {
    for path in ["common/elixir/mix.exs", "VERSION"] {
        let plan = plan(&[path], On::Pull);
        assert_eq!(plan.affected.components().count(), 8, "{path}");
        assert_eq!(plan.jobs().count(), 17, "{path}");
    }
}

#[test]
fn branches_only_compile() {
    check(
        &["bom/mix.exs"],
        On::Branch,
        &["air:compile", "bom:compile", "cloak:compile", "integration_tests:compile"],
    );
}

#[test]
fn the_tests_of_central_are_a_tree() {
    let pipeline = pipeline();
    let test = pipeline.job(&"central:test".parse().unwrap()).unwrap();
    let groups = &test.steps.steps[1];
    let commands: Vec<String> =
        groups.commands().iter().map(|command| format!("{} {}", command.id, command.run)).collect();
    assert_eq!(
        commands,
        [
            "1.0.0 MIX_ENV=test mix compile --warnings-as-errors",
            "1.0.1.0 MIX_ENV=test mix lint",
            "1.0.1.1.0 MIX_ENV=test mix ecto.reset",
            "1.0.1.1.1 MIX_ENV=test mix test",
            "1.1.0 MIX_ENV=dev mix compile --warnings-as-errors",
            "1.1.1.0 mix docs",
            "1.1.1.1 mix lint",
            "1.1.1.2 mix format --check-formatted",
            "1.1.1.3 mix dialyzer",
            "1.2.0 MIX_ENV=prod mix compile --warnings-as-errors",
        ]
    );
}
