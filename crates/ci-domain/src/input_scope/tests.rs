//! What changes the digest of a job's inputs, and what does not.

use super::*;
use crate::pipeline::{Image, On};
use crate::sample::{add_job, component, job, job_mut, pipeline};
use crate::step::{Keeps, Step};

fn sample() -> Pipeline {
    let mut pipeline = pipeline("air: common\ncommon\nweb = lib/** /VERSION");
    add_job(&mut pipeline, "air:test", None);
    add_job(&mut pipeline, "web:test", None);
    pipeline
}

fn listing(paths: &[(&str, &str)]) -> Vec<(String, String)> {
    paths.iter().map(|(path, object)| ((*path).to_owned(), (*object).to_owned())).collect()
}

fn text(pipeline: &Pipeline, id: &str, paths: &[(&str, &str)]) -> String {
    let ignore = ["**/*.md".to_owned()];
    let scopes = InputScopes::new(pipeline, &ignore).unwrap();
    scopes.digest_input(&job(id), &listing(paths)).unwrap()
}

#[test]
fn an_image_and_what_builds_it_count() {
    let mut pipeline = sample();
    let before = text(&pipeline, "air:test", &[("ci/Dockerfile", "1")]);
    let air = pipeline.components.get_mut(&component("air")).unwrap();
    air.image = Some(Image::parse("ci/Dockerfile").unwrap());
    let built = text(&pipeline, "air:test", &[("ci/Dockerfile", "1")]);
    let changed = text(&pipeline, "air:test", &[("ci/Dockerfile", "2")]);
    let texts = BTreeSet::from([&before, &built, &changed]);
    assert_eq!(texts.len(), 3, "{texts:?}");
}

#[test]
fn a_scope_is_what_the_component_and_its_dependencies_declare() {
    let (pipeline, ignore) = (sample(), ["**/*.md".to_owned()]);
    let scopes = InputScopes::new(&pipeline, &ignore).unwrap();
    let check = |name: &str, path: &str, expected: bool| {
        assert_eq!(scopes.scope(&component(name)).claims(path), expected, "{name} {path}");
    };
    check("air", "air/x", true);
    check("air", "common/x", true);
    check("air", "common/ci.yaml", true);
    check("air", "web/lib/x", false);
    check("air", "air/README.md", false);
    check("common", "air/x", false);
    check("web", "VERSION", true);
    check("web", "web/x", false);
    check("web", "web/ci.yaml", true);
    check("web", "web/lib/README.md", true);
}

#[test]
fn the_text_is_canonical() {
    let text =
        text(&sample(), "air:test", &[("common/b", "2"), ("web/lib/x", "3"), ("air/a", "1")]);
    let expected = "heights inputs 1\njob 8:air:test\nenv 1:0\nneeds 7:default\nwhen 6:always\n\
        on 4:pull\nsequence 1:1\nrun 4:true\nretry 1:0\nenv 1:0\nallow_failure 5:false\n\
        always 5:false\npath 5:air/a\nobject 1:1\npath 8:common/b\nobject 1:2\n";
    assert_eq!(text, expected);
}

#[test]
fn every_part_of_the_definition_counts() {
    let files = [("air/a", "1")];
    let before = text(&sample(), "air:test", &files);
    let changed = |change: fn(&mut Pipeline)| {
        let mut pipeline = sample();
        change(&mut pipeline);
        assert_ne!(text(&pipeline, "air:test", &files), before);
    };
    changed(|pipeline| {
        let air = pipeline.components.get_mut(&component("air")).unwrap();
        air.env.insert("A".to_owned(), "b".to_owned());
    });
    changed(|pipeline| {
        job_mut(pipeline, "air:test").on.insert(On::Branch);
    });
    changed(|pipeline| {
        let steps = &mut job_mut(pipeline, "air:test").steps.steps;
        let Step::Command(command) = &mut steps[0] else { panic!("the sample has one command") };
        command.allow_failure = true;
    });
    let keeps = |change: fn(&mut Keeps)| {
        let mut pipeline = sample();
        let steps = &mut job_mut(&mut pipeline, "air:test").steps.steps;
        let Step::Command(command) = &mut steps[0] else { panic!("the sample has one command") };
        change(&mut command.keeps);
        text(&pipeline, "air:test", &files)
    };
    let artifacts = keeps(|keeps| keeps.artifacts.push("a".to_owned()));
    let junit = keeps(|keeps| keeps.junit.push("a".to_owned()));
    assert!(artifacts != before && junit != before && artifacts != junit);
    assert_ne!(text(&sample(), "air:test", &[("air/a", "2")]), before);
    assert_eq!(text(&sample(), "air:test", &[("air/a", "1"), ("web/b", "2")]), before);
}

#[test]
fn what_is_not_there_has_no_inputs() {
    let pipeline = sample();
    let scopes = InputScopes::new(&pipeline, &[]).unwrap();
    assert_eq!(scopes.digest_input(&job("air:gone"), &[]), None);
    assert!(InputScopes::new(&pipeline, &["a//b".to_owned()]).is_err());
}
