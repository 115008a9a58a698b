//! A run in a directory of its own, and short words for trees and facts.

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ci_domain::ids::AttemptId;
use ci_domain::step::{Command, NodeId, Parallel, Sequence, Step};
use ci_exec::{
    CommandId, Exit, Fact, Isolation, JournalOffset, KeepLimits, Launcher, Namespaces, Network,
    Outcome, RunDir, RunSpec, RunState, follow,
};
use tempfile::TempDir;

/// No single wait of a test takes longer, with all cores busy.
const CEILING: Duration = Duration::from_secs(60);

/// A place for one run: a workspace and a run directory.
#[derive(Clone)]
pub struct Place {
    root: Arc<TempDir>,
    pub spec: RunSpec,
}

impl Place {
    /// A place where `steps` are to be run. Ids of nodes are assigned by position.
    pub fn new(steps: Vec<Step>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = tempfile::tempdir().unwrap();
        let workspace = root.path().join("work");
        fs::create_dir(&workspace).unwrap();
        let attempt = format!("test-{}-{number}", std::process::id());
        let spec = RunSpec {
            attempt: AttemptId::new(attempt).unwrap(),
            working_dir: workspace.clone(),
            workspace,
            isolation: Isolation::None,
            bounds: None,
            env: env(&[("PATH", "/usr/local/bin:/usr/bin:/bin")]),
            steps: sequence(steps),
            timeout: CEILING,
            grace: Duration::from_millis(300),
            log_limit: 1 << 30,
            orphan_limit: CEILING,
            keep_limits: KeepLimits::USUAL,
        };
        Self { root: Arc::new(root), spec }
    }

    /// A place where one command is to be run.
    pub fn with_command(run: &str) -> Self {
        Self::new(vec![command(run)])
    }

    /// The same place with a sandbox around it, where this machine can make one.
    pub fn in_sandbox(mut self) -> Option<Self> {
        let namespaces = Namespaces {
            bubblewrap: bubblewrap()?,
            visible: Vec::new(),
            hidden: Vec::new(),
            readable: Vec::new(),
            writable: vec![self.spec.workspace.clone()],
            network: Network::Shared,
            pids: 500,
        };
        self.spec.isolation = Isolation::Namespaces(namespaces);
        Some(self)
    }

    /// The sandbox around it.
    pub fn sandbox(&mut self) -> &mut Namespaces {
        match &mut self.spec.isolation {
            Isolation::Namespaces(namespaces) => namespaces,
            Isolation::None | Isolation::Container(_) => panic!("there is a sandbox"),
        }
    }

    /// The folder that has everything of it.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn run_dir_path(&self) -> PathBuf {
        self.root.path().join("run")
    }

    /// A file of the workspace.
    pub fn file(&self, name: &str) -> PathBuf {
        self.spec.workspace.join(name)
    }

    pub fn create(&self) -> RunDir {
        RunDir::create(self.run_dir_path(), &self.spec).unwrap()
    }

    /// Another run of the same, in a folder of this name.
    pub fn create_at(&self, name: &str) -> RunDir {
        RunDir::create(self.root.path().join(name), &self.spec).unwrap()
    }

    pub async fn start(&self) -> RunDir {
        let dir = self.create();
        launcher().start(&dir).await.unwrap();
        dir
    }

    /// Starts the run and follows it to its end.
    pub async fn run(&self) -> Run {
        Run { _place: Some(Arc::clone(&self.root)), ..Run::follow(&self.start().await).await }
    }

    /// The processes that carry the marker of this attempt and can still do something.
    pub fn left(&self) -> Vec<String> {
        let marker = format!("CI_ATTEMPT={}", self.spec.attempt);
        let has_marker = |dir: &Path| {
            let environ = fs::read(dir.join("environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|variable| variable == marker.as_bytes())
        };
        let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        processes
            .filter(|dir| has_marker(dir))
            .map(|dir| fs::read_to_string(dir.join("stat")).unwrap_or_default())
            .filter(|stat| !stat.is_empty() && !stat.contains(") Z "))
            .collect()
    }

    pub fn assert_nothing_is_left(&self) {
        assert_eq!(self.left(), Vec::<String>::new(), "processes left behind");
    }
}

/// A run that was followed to its end.
#[derive(Debug)]
pub struct Run {
    pub dir: RunDir,
    pub facts: Vec<Fact>,
    pub outcome: Outcome,
    /// Keeps the files of a run whose place is gone.
    _place: Option<Arc<TempDir>>,
}

impl Run {
    pub async fn follow(dir: &RunDir) -> Self {
        Self::follow_from(dir, JournalOffset(0)).await
    }

    pub async fn follow_from(dir: &RunDir, from: JournalOffset) -> Self {
        let mut follower = follow(dir, from);
        let mut facts = Vec::new();
        while let Some((_, fact)) = within("the next fact", follower.next()).await.unwrap() {
            facts.push(fact);
        }
        let Some(Fact::JobEnded { outcome, at }) = facts.last().cloned() else {
            panic!("the last fact is the end: {facts:?}")
        };
        let record = dir.exit_record().unwrap().unwrap();
        assert_eq!((&record.outcome, record.at), (&outcome, at), "record and journal agree");
        Self { dir: dir.clone(), facts, outcome, _place: None }
    }

    /// How each command that ran has ended, in the order of their ends.
    pub fn exits(&self) -> Vec<(String, Exit)> {
        let exit = |fact: &Fact| match fact {
            Fact::CommandExited { command, exit, .. } => Some((command.to_string(), *exit)),
            _ => None,
        };
        self.facts.iter().filter_map(exit).collect()
    }

    /// The same as text, ordered by command: `0-1=0 1-1=timeout`.
    pub fn exits_in_order(&self) -> String {
        let mut exits = self.exits();
        exits.sort_by(|a, b| a.0.cmp(&b.0));
        let words = exits.iter().map(|(command, exit)| match exit {
            Exit::Code(code) => format!("{command}={code}"),
            Exit::Signal(signal) => format!("{command}=signal {signal}"),
            Exit::OutOfMemory => format!("{command}=memory"),
            Exit::TimedOut => format!("{command}=timeout"),
            Exit::Cancelled => format!("{command}=cancelled"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// The whole log of an execution, which is as long as its fact says.
    pub fn log(&self, command: &str) -> Vec<u8> {
        let id = CommandId::parse(command).unwrap();
        let log = self.dir.log(&id).read_at(0, usize::MAX).unwrap();
        let told = self.facts.iter().find_map(|fact| match fact {
            Fact::CommandExited { command, log_bytes, .. } if *command == id => Some(*log_bytes),
            _ => None,
        });
        assert_eq!(told, Some(log.next), "the fact tells the length of the log");
        log.bytes
    }

    pub fn log_text(&self, command: &str) -> String {
        String::from_utf8(self.log(command)).unwrap()
    }

    /// The executions that made the job fail.
    pub fn failed(&self) -> Vec<String> {
        match &self.outcome {
            Outcome::Failed { commands, .. } => {
                commands.iter().map(|failed| failed.command.to_string()).collect()
            }
            other => panic!("not failed but {other:?}"),
        }
    }
}

pub fn launcher() -> Launcher {
    Launcher::new(env!("CARGO_BIN_EXE_ci-exec-runner"), std::iter::empty::<&str>())
}

pub fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub fn sequence(steps: Vec<Step>) -> Sequence {
    let mut sequence = Sequence { id: NodeId::root(), name: None, steps };
    number(&NodeId::root(), &mut sequence.steps);
    sequence
}

pub fn command(run: &str) -> Step {
    Step::Command(Command::new(NodeId::root(), run))
}

/// A command with something set.
pub fn command_with(run: &str, set: impl FnOnce(&mut Command)) -> Step {
    let mut command = Command::new(NodeId::root(), run);
    set(&mut command);
    Step::Command(command)
}

pub fn parallel(steps: Vec<Step>) -> Step {
    parallel_with(None, false, steps)
}

pub fn parallel_with(limit: Option<u32>, fail_fast: bool, steps: Vec<Step>) -> Step {
    let limit = limit.map(|limit| NonZeroU32::new(limit).unwrap());
    Step::Parallel(Parallel { id: NodeId::root(), name: None, limit, fail_fast, steps })
}

fn number(parent: &NodeId, steps: &mut [Step]) {
    for (position, step) in steps.iter_mut().enumerate() {
        let place = parent.child(position);
        match step {
            Step::Command(command) => command.id = place,
            Step::Sequence(sequence) => {
                number(&place, &mut sequence.steps);
                sequence.id = place;
            }
            Step::Parallel(parallel) => {
                number(&place, &mut parallel.steps);
                parallel.id = place;
            }
        }
    }
}

/// What lives in a namespace of processes.
pub fn processes_in(namespace: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let is_in = |process: &PathBuf| {
        let link = fs::read_link(process.join("ns/pid"));
        link.is_ok_and(|link| link.as_os_str() == namespace)
    };
    let living =
        processes.filter(is_in).filter_map(|path| fs::read_to_string(path.join("stat")).ok());
    living.filter(|stat| !stat.contains(") Z ")).collect()
}

/// Bubblewrap; without it a test is skipped, loudly.
pub fn bubblewrap() -> Option<PathBuf> {
    let program = PathBuf::from("/usr/bin/bwrap");
    let trial = std::process::Command::new(&program)
        .args(["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "true"])
        .output();
    match trial {
        Ok(output) if output.status.success() => return Some(program),
        Ok(_) => {
            skip("user namespaces: sysctl user.max_user_namespaces, or a less confined container");
        }
        Err(_) => skip("bubblewrap: apt-get install bubblewrap"),
    }
    None
}

/// Says loudly that a test needs what this machine does not have. Where that must not be, it fails.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn skip(needs: &str) {
    eprintln!("SKIPPED (needs {needs})");
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "skipped in CI (needs {needs})");
}

/// Says loudly what this machine does not have. Nothing that could be installed brings it, so it is no
/// failure anywhere.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn absent(needs: &str) {
    eprintln!("SKIPPED (needs {needs})");
}

/// Waits for `future`, and fails by name where it takes too long.
pub async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(CEILING, future).await {
        Ok(output) => output,
        Err(_) => panic!("waited {CEILING:?} for {what}"),
    }
}

/// Waits until `is_so`, looking often.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while !is_so() {
            ticks.tick().await;
        }
    };
    within(what, looking).await;
}

/// Waits until a command has written the file, and returns what it holds.
pub async fn written(path: &Path) -> String {
    until(&format!("{}", path.display()), || {
        fs::read_to_string(path).is_ok_and(|text| text.ends_with('\n'))
    })
    .await;
    fs::read_to_string(path).unwrap().trim().to_owned()
}

/// Waits until the run in `dir` is lost.
pub async fn until_lost(dir: &RunDir) {
    until("the run to be lost", || dir.state().unwrap() == RunState::Lost).await;
}

/// Kills the process with this pid, which the test knows to be its own.
pub fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
