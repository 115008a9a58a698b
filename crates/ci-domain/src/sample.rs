//! Small pipelines for tests, written as text: one component or job a line.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ComponentName, JobId, JobName};
use crate::pipeline::{Component, Job, Needs, On, Pipeline, When};
use crate::step::{Command, NodeId, Sequence, Step};

pub(crate) fn component(name: &str) -> ComponentName {
    if name == ComponentName::ROOT { ComponentName::root() } else { name.parse().unwrap() }
}

pub(crate) fn job(id: &str) -> JobId {
    id.parse().unwrap()
}

pub(crate) fn components<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<ComponentName> {
    names.into_iter().map(component).collect()
}

/// Reads lines `name`, `name: dependency …` and `name = input …`, in any order and number.
pub(crate) fn pipeline(text: &str) -> Pipeline {
    let mut pipeline = Pipeline::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let name = line.split([':', '=']).next().unwrap().trim();
        let words = line[name.len()..].split_whitespace().skip(1);
        let component = component_of(&mut pipeline, name);
        if line.contains('=') {
            component.inputs = Some(words.map(str::to_owned).collect());
        } else {
            component.depends_on.extend(components(words));
        }
    }
    pipeline
}

/// Adds a job that runs on pull requests, `compile` also on branches; `needs` as in a file.
pub(crate) fn add_job(pipeline: &mut Pipeline, id: &str, needs: Option<&[&str]>) {
    let id = job(id);
    let mut on = BTreeSet::from([On::Pull]);
    if id.job.is_compile() {
        on.insert(On::Branch);
    }
    let needs = needs
        .map_or(Needs::Default, |needs| Needs::These(needs.iter().map(|need| job(need)).collect()));
    let root = NodeId::root();
    let steps = vec![Step::Command(Command::new(root.child(0), "true"))];
    let steps = Sequence { id: root, name: None, steps };
    let job = Job { name: id.job.clone(), needs, when: When::Always, on, timeout: None, steps };
    component_of(pipeline, id.component.as_str()).jobs.insert(id.job, job);
}

pub(crate) fn job_mut<'a>(pipeline: &'a mut Pipeline, id: &str) -> &'a mut Job {
    let JobId { component, job } = job(id);
    pipeline.components.get_mut(&component).unwrap().jobs.get_mut::<JobName>(&job).unwrap()
}

fn component_of<'a>(pipeline: &'a mut Pipeline, name: &str) -> &'a mut Component {
    let name = component(name);
    pipeline.components.entry(name.clone()).or_insert_with(|| Component {
        name,
        depends_on: BTreeSet::new(),
        inputs: None,
        env: BTreeMap::new(),
        image: None,
        jobs: BTreeMap::new(),
    })
}
