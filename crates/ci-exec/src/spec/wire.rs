//! The spec as `spec.json`. The tree is stored flat, each group before its children, because a
//! reader of nested JSON gives up at a depth that a legal tree can reach.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use ci_domain::ids::AttemptId;
use ci_domain::step::{Command, Keeps, NodeId, Parallel, Sequence, Step};
use serde::{Deserialize, Serialize};

use super::isolation::WireIsolation;
use super::{RunSpec, SpecError};
use crate::cgroup::{Bounds, WireBounds};
use crate::kept::KeepLimits;

/// The version of `spec.json` that this program writes.
const SPEC_VERSION: u32 = 3;

/// A [`RunSpec`] as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireSpec {
    version: u32,
    attempt: String,
    workspace: PathBuf,
    working_dir: PathBuf,
    isolation: WireIsolation,
    #[serde(default)]
    bounds: Option<WireBounds>,
    env: BTreeMap<String, String>,
    timeout_ms: u64,
    grace_ms: u64,
    log_limit: u64,
    orphan_limit_ms: u64,
    /// Specs of earlier programs have none, and nothing that is to be kept.
    #[serde(default)]
    keep_limits: WireKeepLimits,
    steps: Vec<WireStep>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct WireKeepLimits {
    file_bytes: u64,
    job_bytes: u64,
    files: u32,
}

/// One step; `children` says how many of the following subtrees belong to a group.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum WireStep {
    Command {
        id: String,
        run: String,
        name: Option<String>,
        timeout_ms: Option<u64>,
        retry: u32,
        env: BTreeMap<String, String>,
        allow_failure: bool,
        always: bool,
        /// Not there in specs of before it could be said.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        artifacts: Vec<String>,
        /// Nor these.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        junit: Vec<String>,
    },
    Sequence {
        id: String,
        name: Option<String>,
        children: usize,
    },
    Parallel {
        id: String,
        name: Option<String>,
        limit: Option<NonZeroU32>,
        fail_fast: bool,
        children: usize,
    },
}

impl From<&RunSpec> for WireSpec {
    fn from(spec: &RunSpec) -> Self {
        let mut steps = Vec::new();
        push_sequence(&spec.steps, &mut steps);
        Self {
            version: SPEC_VERSION,
            attempt: spec.attempt.to_string(),
            workspace: spec.workspace.clone(),
            working_dir: spec.working_dir.clone(),
            isolation: WireIsolation::from(&spec.isolation),
            bounds: spec.bounds.as_ref().map(WireBounds::from),
            env: spec.env.clone(),
            timeout_ms: millis(spec.timeout),
            grace_ms: millis(spec.grace),
            log_limit: spec.log_limit,
            orphan_limit_ms: millis(spec.orphan_limit),
            keep_limits: spec.keep_limits.into(),
            steps,
        }
    }
}

impl TryFrom<WireSpec> for RunSpec {
    type Error = SpecError;

    fn try_from(wire: WireSpec) -> Result<Self, SpecError> {
        let mut steps = wire.steps.into_iter();
        let Some(Step::Sequence(root)) = take_step(&mut steps)? else {
            return Err(SpecError::Value("the root of the steps"));
        };
        if steps.next().is_some() {
            return Err(SpecError::Value("a step that belongs to no group"));
        }
        Ok(Self {
            attempt: AttemptId::new(wire.attempt).map_err(|_| SpecError::Value("the attempt"))?,
            workspace: wire.workspace,
            working_dir: wire.working_dir,
            isolation: wire.isolation.into(),
            bounds: wire.bounds.map(Bounds::from),
            env: wire.env,
            steps: root,
            timeout: Duration::from_millis(wire.timeout_ms),
            grace: Duration::from_millis(wire.grace_ms),
            log_limit: wire.log_limit,
            orphan_limit: Duration::from_millis(wire.orphan_limit_ms),
            keep_limits: wire.keep_limits.into(),
        })
    }
}

impl From<KeepLimits> for WireKeepLimits {
    fn from(KeepLimits { file_bytes, job_bytes, files }: KeepLimits) -> Self {
        Self { file_bytes, job_bytes, files }
    }
}

impl From<WireKeepLimits> for KeepLimits {
    fn from(WireKeepLimits { file_bytes, job_bytes, files }: WireKeepLimits) -> Self {
        Self { file_bytes, job_bytes, files }
    }
}

impl WireSpec {
    /// Reads a stored spec, looking at its version before anything else.
    pub(crate) fn parse(bytes: &[u8]) -> Result<RunSpec, SpecError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version: found } = serde_json::from_slice(bytes)?;
        if found > SPEC_VERSION {
            return Err(SpecError::Version { found, known: SPEC_VERSION });
        }
        serde_json::from_slice::<Self>(bytes)?.try_into()
    }
}

fn push(step: &Step, out: &mut Vec<WireStep>) {
    match step {
        Step::Command(command) => out.push(WireStep::Command {
            id: command.id.to_string(),
            run: command.run.clone(),
            name: command.name.clone(),
            timeout_ms: command.timeout.map(millis),
            retry: command.retry,
            env: command.env.clone(),
            allow_failure: command.allow_failure,
            always: command.always,
            artifacts: command.keeps.artifacts.clone(),
            junit: command.keeps.junit.clone(),
        }),
        Step::Sequence(sequence) => push_sequence(sequence, out),
        Step::Parallel(parallel) => {
            out.push(WireStep::Parallel {
                id: parallel.id.to_string(),
                name: parallel.name.clone(),
                limit: parallel.limit,
                fail_fast: parallel.fail_fast,
                children: parallel.steps.len(),
            });
            parallel.steps.iter().for_each(|step| push(step, out));
        }
    }
}

fn push_sequence(sequence: &Sequence, out: &mut Vec<WireStep>) {
    out.push(WireStep::Sequence {
        id: sequence.id.to_string(),
        name: sequence.name.clone(),
        children: sequence.steps.len(),
    });
    sequence.steps.iter().for_each(|step| push(step, out));
}

/// Takes one step with all that is below it; `None` at the end.
fn take_step(wires: &mut std::vec::IntoIter<WireStep>) -> Result<Option<Step>, SpecError> {
    let Some(wire) = wires.next() else { return Ok(None) };
    Ok(Some(match wire {
        WireStep::Command {
            id,
            run,
            name,
            timeout_ms,
            retry,
            env,
            allow_failure,
            always,
            artifacts,
            junit,
        } => {
            let timeout = timeout_ms.map(Duration::from_millis);
            let (id, keeps) = (node(&id)?, Keeps { artifacts, junit });
            Step::Command(Command {
                id,
                run,
                name,
                timeout,
                retry,
                env,
                allow_failure,
                always,
                keeps,
            })
        }
        WireStep::Sequence { id, name, children } => {
            Step::Sequence(Sequence { id: node(&id)?, name, steps: take(children, wires)? })
        }
        WireStep::Parallel { id, name, limit, fail_fast, children } => {
            let steps = take(children, wires)?;
            Step::Parallel(Parallel { id: node(&id)?, name, limit, fail_fast, steps })
        }
    }))
}

fn take(count: usize, wires: &mut std::vec::IntoIter<WireStep>) -> Result<Vec<Step>, SpecError> {
    (0..count)
        .map(|_| take_step(wires)?.ok_or(SpecError::Value("the number of a group's children")))
        .collect()
}

fn node(text: &str) -> Result<NodeId, SpecError> {
    NodeId::parse(text).ok_or(SpecError::Value("the id of a step"))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{
        Build, Container, Engine, EngineKind, Image, ImageSource, Isolation, Limits, Namespaces,
        Network,
    };

    fn spec(steps: Vec<Step>) -> RunSpec {
        RunSpec {
            attempt: AttemptId::new("a-1").unwrap(),
            workspace: "/w".into(),
            working_dir: "/w/air".into(),
            isolation: Isolation::None,
            bounds: Some(Bounds {
                parent: PathBuf::from("/sys/fs/cgroup/jobs"),
                memory: Some(4 << 30),
                pids: None,
                milli_cpus: Some(1500),
            }),
            env: [("A".to_owned(), "1".to_owned())].into(),
            steps: Sequence { id: NodeId::root(), name: None, steps },
            timeout: Duration::from_secs(60),
            grace: Duration::from_millis(1500),
            log_limit: 1 << 20,
            orphan_limit: Duration::from_secs(3600),
            keep_limits: KeepLimits { file_bytes: 1, job_bytes: 2, files: 3 },
        }
    }

    fn check_round_trip(spec: &RunSpec) {
        let bytes = serde_json::to_vec(&WireSpec::from(spec)).unwrap();
        assert_eq!(&WireSpec::parse(&bytes).unwrap(), spec);
    }

    #[test]
    fn a_spec_reads_what_it_writes() {
        let id = NodeId::root().child(0);
        let command = Command {
            timeout: Some(Duration::from_secs(1)),
            retry: 2,
            allow_failure: true,
            name: Some("n".to_owned()),
            keeps: Keeps { artifacts: vec!["dist/**".to_owned()], junit: vec!["a.xml".to_owned()] },
            ..Command::new(id.child(0), "make\nit")
        };
        let parallel = Parallel {
            id,
            name: None,
            limit: NonZeroU32::new(2),
            fail_fast: true,
            steps: vec![Step::Command(command)],
        };
        let last = Command { always: true, ..Command::new(NodeId::root().child(1), "true") };
        check_round_trip(&spec(vec![Step::Parallel(parallel), Step::Command(last)]));
    }

    #[test]
    fn the_deepest_legal_tree_can_be_stored() {
        let mut step = Step::Command(Command::new(NodeId::root(), "true"));
        for _ in 0..64 {
            let steps = vec![step];
            step = Step::Sequence(Sequence { id: NodeId::root(), name: None, steps });
        }
        check_round_trip(&spec(vec![step]));
    }

    #[test]
    fn a_sandbox_can_be_stored() {
        for network in [Network::Shared, Network::Own] {
            let namespaces = Namespaces {
                bubblewrap: "/usr/bin/bwrap".into(),
                visible: vec!["/home/ci/bin".into()],
                hidden: vec!["/etc/ci-node".into()],
                readable: vec!["/d/mirror/objects".into()],
                writable: vec!["/d/w/src".into(), "/d/w/home".into()],
                network,
                pids: 4096,
            };
            let isolation = Isolation::Namespaces(namespaces);
            check_round_trip(&RunSpec { isolation, ..spec(Vec::new()) });
        }
    }

    #[test]
    fn a_container_can_be_stored() {
        let build = || Build { file: "/c/D".into(), context: "/c".into(), caches: "/w/tmp".into() };
        let limits = Limits { memory: 1 << 30, pids: 100, milli_cpus: Some(500) };
        for (kind, source, limits) in [
            (EngineKind::Podman, ImageSource::Registry, None),
            (EngineKind::Podman, ImageSource::Rebuilt(build()), Some(limits)),
            (EngineKind::Docker, ImageSource::Built(build()), Some(limits)),
        ] {
            let env = [("HOME".to_owned(), "/home/ci".to_owned())].into();
            let container = Container {
                engine: Engine { kind, program: "/usr/bin/podman".into(), env },
                image: Image { name: "debian:12".to_owned(), source },
                readable: vec!["/d/mirror/objects".into()],
                writable: vec!["/d/w/src".into()],
                network: Network::Own,
                pids: 4096,
                limits,
            };
            let isolation = Isolation::Container(Box::new(container));
            check_round_trip(&RunSpec { isolation, ..spec(Vec::new()) });
        }
    }

    #[test]
    fn a_spec_of_an_earlier_version_is_read() {
        for version in [1, 2] {
            let before = spec(Vec::new());
            let mut wire = serde_json::to_value(WireSpec::from(&before)).unwrap();
            wire["version"] = version.into();
            assert_eq!(wire["isolation"], "none");
            assert_eq!(WireSpec::parse(wire.to_string().as_bytes()).unwrap(), before);
        }
    }

    #[test]
    fn a_later_version_is_refused_by_its_number() {
        let error = WireSpec::parse(br#"{"version":4,"shape":"unknown"}"#).unwrap_err();
        assert!(matches!(error, SpecError::Version { found: 4, known: 3 }), "{error}");
    }
}
