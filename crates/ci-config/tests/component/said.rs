//! What a component can say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ci_config::parse_component;
use ci_domain::pipeline::{Image, Needs, On, When};

use crate::steps::outline;
use crate::{EXAMPLE, check, job, parse};

#[test]
fn reads_all_that_a_component_can_say() {
    let component = parse(EXAMPLE).unwrap();
    assert_eq!(component.name.as_str(), "air");
    assert_eq!(component.depends_on, BTreeSet::from(["common".parse().unwrap()]));
    assert_eq!(component.inputs.as_deref().unwrap(), ["**", "!docs/**", "/VERSION"]);
    let env = [("COUNT", "3"), ("EMPTY", ""), ("MIX_ENV", "test"), ("VERBOSE", "true")];
    let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    assert_eq!(component.env, BTreeMap::from(env.map(own)));
    let names: Vec<&str> = component.jobs.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["compile", "compliance", "lint", "soak", "sweep", "test"]);
}

#[test]
fn reads_what_jobs_wait_for() {
    let component = parse(EXAMPLE).unwrap();
    let compliance = job(&component, "compliance");
    let needs = ["air:test", "common:test"].map(|need| need.parse().unwrap());
    assert_eq!(compliance.needs, Needs::These(BTreeSet::from(needs)));
    assert_eq!(compliance.when, When::Approved);
    assert_eq!(compliance.timeout, Some(Duration::from_secs(7200)));
    let test = job(&component, "test");
    assert_eq!((&test.needs, test.when, test.timeout), (&Needs::Default, When::Always, None));
    assert_eq!(test.on, BTreeSet::from([On::Pull]));
    assert_eq!(job(&component, "compile").on, BTreeSet::from([On::Pull, On::Branch]));
}

#[test]
fn scalars_are_taken_as_they_are_written() {
    let component =
        parse("env: {A: 1.10, B: yes, C: 0x1F, D: 'null'}\njobs: {t: [true, 7]}").unwrap();
    let values: Vec<&str> = component.env.values().map(String::as_str).collect();
    assert_eq!(values, ["1.10", "yes", "0x1F", "null"]);
    assert_eq!(outline(&job(&component, "t").steps.steps), ["0 true", "1 7"]);
}

#[test]
fn an_empty_file_is_a_component_without_jobs() {
    for text in ["", "# nothing yet\n", "{}", "---\n"] {
        assert!(parse(text).unwrap().jobs.is_empty(), "{text:?}");
    }
}

#[test]
fn reads_what_runs_at_night() {
    let component = parse(EXAMPLE).unwrap();
    let soak = job(&component, "soak");
    assert_eq!(soak.on, BTreeSet::from([On::Nightly]));
    assert_eq!(soak.timeout, Some(Duration::from_secs(4 * 3600)));
    let needs = ["air:test", "common:fuzz"].map(|need| need.parse().unwrap());
    assert_eq!(soak.needs, Needs::These(needs.into()));
    assert_eq!(job(&component, "sweep").needs, Needs::Default);
    check(
        "jobs: {test: [x]}\nnightly:\n  test: [x]\n  soak: {on: pull, steps: [x]}\n",
        &[
            "3:3: the component has a job `test` already\n  hint: give the nightly job a name of its own",
            "4:10: unknown key `nightly.soak.on`",
        ],
    );
}

#[test]
fn an_image_is_built_or_has_a_name() {
    let image = |text: &str| parse(text).unwrap().image;
    assert_eq!(image("jobs: {}"), None);
    assert_eq!(image("image: ci/Dockerfile"), Image::parse("ci/Dockerfile").ok());
    assert_eq!(image("image: rust:1.90"), Some(Image::Named("rust:1.90".to_owned())));
    let hint = "hint: write the path of a Dockerfile from the root, as ci/Dockerfile, or a name, as debian:12";
    check(
        "image: ../Dockerfile\n",
        &[&format!("1:8: `image`: no path from the root of the repository\n  {hint}")],
    );
    check(
        "jobs: {}\nimage: --privileged\n",
        &[&format!("2:8: `image`: no name of an image\n  {hint}")],
    );
}

#[test]
fn the_folder_is_the_name() {
    let check = |path: &str, expected: Result<&str, &str>| {
        let found = parse_component(path, b"").map(|component| component.name.to_string());
        let found = found.map_err(|diagnostics| diagnostics[0].to_string());
        let found = found.map_err(|text| text.lines().next().unwrap().to_owned());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    };
    check("ci.yaml", Ok("root"));
    check("libs/common/ci.yaml", Ok("libs/common"));
    check(
        "root/ci.yaml",
        Err(
            "root/ci.yaml:1:1: component \"root\" is invalid: a folder that is not called 'root', which \
            names the repository's own",
        ),
    );
    assert!(parse_component("mergeable/ci.yaml", b"").is_err());
    assert!(parse_component("a b/ci.yaml", b"").is_err());
}
