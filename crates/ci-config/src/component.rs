//! `ci.yaml`: one component, read as data.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::ids::{ComponentName, JobId, JobName};
use ci_domain::pipeline::{Component, Image, Job, Needs, On, When};

use crate::diagnostic::{At, Diagnostic, Problems};
use crate::document::{Node, Value};
use crate::environment::read_env;
use crate::field::{Field, Fields};
use crate::keys;
use crate::patterns::read_patterns;
use crate::quantity::{DURATION_HINT, duration};
use crate::steps::StepReader;
use crate::yaml;

/// How a component is named.
const COMPONENT_HINT: &str = "write the path of its folder from the root, such as libs/common";
/// How an image is named.
const IMAGE_HINT: &str =
    "write the path of a Dockerfile from the root, as ci/Dockerfile, or a name, as debian:12";

/// A component as far as it could be read, with the places of all that names something elsewhere.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) component: Component,
    /// Where each dependency is named.
    pub(crate) dependencies: BTreeMap<ComponentName, At>,
    /// Where each need is named, by the job that has it.
    pub(crate) needs: BTreeMap<(JobName, JobId), At>,
    /// Where each job begins.
    pub(crate) jobs: BTreeMap<JobName, At>,
    /// Where the image is named.
    pub(crate) image: Option<At>,
}

/// Reads one component file; `path` is its path from the root of the repository.
///
/// What the file says of other components is not checked.
///
/// # Errors
/// All that is wrong with the file, in order of its lines.
pub fn parse_component(path: &str, bytes: &[u8]) -> Result<Component, Vec<Diagnostic>> {
    let mut problems = Problems::of(path);
    match read_component(path, bytes, &mut problems) {
        Some(draft) if problems.is_empty() => Ok(draft.component),
        _ => Err(problems.into_sorted()),
    }
}

/// The component whose file is at `path`.
pub(crate) fn component_name(path: &str, problems: &mut Problems) -> Option<ComponentName> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let name = ComponentName::from_folder(folder);
    let rename = "rename the folder, or move the file into another";
    name.map_err(|error| problems.report(At::START, error.to_string(), rename)).ok()
}

/// Reads one component file as far as it can be read.
pub(crate) fn read_component(path: &str, bytes: &[u8], problems: &mut Problems) -> Option<Draft> {
    let name = component_name(path, problems);
    let mut node = yaml::parse(bytes, problems)?;
    if matches!(node.value, Value::Null) {
        node = Node { at: node.at, value: Value::Map(Vec::new()) };
    }
    let fields = Field::root(&node).fields(keys::COMPONENT, problems)?;
    let is_named = name.is_some();
    // What is in a folder that cannot be a component is read all the same, for its findings.
    let name = name.unwrap_or_else(ComponentName::root);
    let dependencies = fields.get("depends_on").map(|field| read_dependencies(&field, problems));
    let dependencies = dependencies.unwrap_or_default();
    let image = fields.get("image");
    let mut draft = Draft {
        component: Component {
            depends_on: dependencies.keys().cloned().collect(),
            inputs: fields
                .get("inputs")
                .and_then(|field| read_patterns(name.folder(), &field, problems)),
            env: fields.get("env").map(|field| read_env(&field, problems)).unwrap_or_default(),
            image: image.as_ref().and_then(|field| read_image(field, problems)),
            jobs: BTreeMap::new(),
            name,
        },
        dependencies,
        needs: BTreeMap::new(),
        jobs: BTreeMap::new(),
        image: image.map(|field| field.at()),
    };
    let mut steps = StepReader::new(fields.get("define").as_ref(), problems);
    if let Some(jobs) = fields.get("jobs") {
        draft.read_jobs(&jobs, Runs::OnChange, &mut steps, problems);
    }
    if let Some(jobs) = fields.get("nightly") {
        draft.read_jobs(&jobs, Runs::AtNight, &mut steps, problems);
    }
    is_named.then_some(draft)
}

/// When jobs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    /// For pull requests and pushes: `jobs`.
    OnChange,
    /// By the window of the policy: `nightly`.
    AtNight,
}

impl Draft {
    fn read_jobs<'a>(
        &mut self,
        jobs: &Field<'a>,
        runs: Runs,
        steps: &mut StepReader<'a>,
        problems: &mut Problems,
    ) {
        for (entry, field) in jobs.entries(problems).unwrap_or_default() {
            match JobName::new(entry.key.as_str()) {
                Ok(name) if self.jobs.contains_key(&name) => {
                    let message = format!("the component has a job `{name}` already");
                    problems.report(entry.at, message, "give the nightly job a name of its own");
                }
                Ok(name) => {
                    self.jobs.insert(name.clone(), entry.at);
                    if let Some(job) = self.read_job((&name, runs), &field, steps, problems) {
                        self.component.jobs.insert(name, job);
                    }
                }
                Err(error) => {
                    problems.report(entry.at, error.to_string(), "rename the job");
                    self.read_nameless(runs, &field, steps, problems);
                }
            }
        }
    }

    /// What is in a job that cannot be called so is read all the same, for its findings.
    fn read_nameless<'a>(
        &mut self,
        runs: Runs,
        field: &Field<'a>,
        steps: &mut StepReader<'a>,
        problems: &mut Problems,
    ) {
        let name = JobName::new("nameless").expect("small letters are the name of a job");
        let needs = self.needs.clone();
        let _job = self.read_job((&name, runs), field, steps, problems);
        self.needs = needs;
    }

    fn read_job<'a>(
        &mut self,
        (name, runs): (&JobName, Runs),
        field: &Field<'a>,
        steps: &mut StepReader<'a>,
        problems: &mut Problems,
    ) -> Option<Job> {
        let mut job = Job {
            name: name.clone(),
            needs: Needs::Default,
            when: When::Always,
            on: default_kinds(name, runs),
            timeout: None,
            steps: ci_domain::step::Sequence {
                id: ci_domain::step::NodeId::root(),
                name: None,
                steps: Vec::new(),
            },
        };
        if let Some(kind) = step_kind(field) {
            let message = format!("a map with `{kind}` is a step and no job");
            let hint = format!("write `{name}: [{{{kind}: …}}]`, or put it under `steps`");
            field.report(&message, &hint, problems);
        }
        if !matches!(field.node.value, Value::Map(_)) || step_kind(field).is_some() {
            job.steps = steps.job(field, problems);
            return Some(job);
        }
        let keys = match runs {
            Runs::OnChange => keys::JOB,
            Runs::AtNight => keys::NIGHTLY_JOB,
        };
        let fields = field.fields(keys, problems)?;
        if let Some(needs) = fields.get("needs") {
            job.needs = Needs::These(self.read_needs(name, &needs, problems));
        }
        if let Some(timeout) = fields.get("timeout") {
            job.timeout = timeout.parsed(duration, DURATION_HINT, problems);
        }
        if runs == Runs::OnChange {
            read_conditions(&fields, &mut job, problems);
        }
        job.steps = steps.job(&fields.require("steps", problems)?, problems);
        Some(job)
    }

    fn read_needs(
        &mut self,
        job: &JobName,
        field: &Field<'_>,
        problems: &mut Problems,
    ) -> BTreeSet<JobId> {
        let mut needs = BTreeSet::new();
        for item in field.one_or_many(problems).unwrap_or_default() {
            let component = self.component.name.clone();
            let parse = |text: &str| match text.contains(':') {
                true => text.parse(),
                false => text.parse().map(|job| JobId { component, job }),
            };
            if let Some(need) = item.parsed(
                parse,
                "write JOB for one of this component, else COMPONENT:JOB",
                problems,
            ) {
                self.needs.entry((job.clone(), need.clone())).or_insert(item.at());
                needs.insert(need);
            }
        }
        needs
    }
}

/// What makes a step of a map that stands where a job should.
fn step_kind(field: &Field<'_>) -> Option<&'static str> {
    let Value::Map(entries) = &field.node.value else { return None };
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    if has("steps") {
        return None;
    }
    ["run", "use", "parallel", "sequence"].into_iter().find(|kind| has(kind))
}

fn read_image(field: &Field<'_>, problems: &mut Problems) -> Option<Image> {
    field.unmistakable_text(problems)?;
    field.parsed(Image::parse, IMAGE_HINT, problems)
}

fn read_dependencies(field: &Field<'_>, problems: &mut Problems) -> BTreeMap<ComponentName, At> {
    let items = field.one_or_many(problems).unwrap_or_default();
    let named = items
        .iter()
        .filter_map(|item| Some((item.parsed(str::parse, COMPONENT_HINT, problems)?, item.at())));
    named.collect()
}

fn read_conditions(fields: &Fields<'_>, job: &mut Job, problems: &mut Problems) {
    let words = [("always", When::Always), ("approved", When::Approved)];
    if let Some(when) = fields.get("when").and_then(|field| field.word(&words, problems)) {
        job.when = when;
    }
    if let Some(field) = fields.get("on") {
        let words = [("pull", On::Pull), ("branch", On::Branch)];
        let items = field.one_or_many(problems).unwrap_or_default();
        if items.is_empty() && matches!(field.node.value, Value::List(_)) {
            field.report("the job would never run", "say pull, branch or both", problems);
        }
        job.on = items.iter().filter_map(|item| item.word(&words, problems)).collect();
    }
}

/// `compile` also runs on branches, to keep their workspaces warm.
fn default_kinds(name: &JobName, runs: Runs) -> BTreeSet<On> {
    if runs == Runs::AtNight {
        BTreeSet::from([On::Nightly])
    } else if name.is_compile() {
        BTreeSet::from([On::Pull, On::Branch])
    } else {
        BTreeSet::from([On::Pull])
    }
}
