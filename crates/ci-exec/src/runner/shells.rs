//! Runs the commands of one job as shells, from the first fact of each to the last.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::pending;
use std::io::{self, PipeReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ci_domain::step::Command;
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, wait, waitpid};
use tokio::time::Instant;

use super::command_log::CommandLog;
use super::contained::Client;
use super::keep::{Beginning, Room};
use super::pump::{LogError, Pump};
use super::record::Recorder;
use super::shell::{Group, Shell, reap_group};
use super::stop::StopSignal;
use super::tree::Executor;
use crate::cgroup::{Bounds, JobGroup, kills_file_for, kills_told_in};
use crate::fact::{CommandId, Exit, Fact, UnixMillis};
use crate::processes::{Process, Rule, Scope, Survivors};
use crate::run_dir::{OpenError, RunDir};
use crate::sandbox::{EnterError, Keeper};
use crate::script::Script;
use crate::secrets::Secrets;
use crate::spec::{Isolation, RunSpec};

/// The shell of every command, by its full path: `PATH` belongs to the commands.
pub(super) const SHELL: &str = "/bin/sh";
/// Where programs are looked for in a container whose image does not say.
const PATH_INSIDE: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How long background processes may go on writing after their shell has ended.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// How often the machine is searched again for processes that were hidden by moving.
const PROOFS: u32 = 5;

/// What of the runner or its machine failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("write the journal")]
    Journal(#[source] io::Error),
    #[error("write the log {}", path.display())]
    CreateLog { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("start {title:?} in {}", working_dir.display())]
    Spawn { title: String, working_dir: PathBuf, source: io::Error },
    #[error("bound the job")]
    Bounds(#[source] io::Error),
    #[error("make a sandbox")]
    Enter(#[from] EnterError),
    #[error("make a container")]
    Contain(#[source] EnterError),
    #[error("make a container: the image {0} is not there")]
    NoImage(String),
    #[error("ask the engine of containers")]
    Engine(#[source] io::Error),
    #[error("keep what a command has left")]
    Keep(#[from] OpenError),
    #[error("control its processes")]
    Processes(#[source] io::Error),
    #[error(transparent)]
    Survivors(#[from] Survivors),
    #[error("prove that nothing is left: there are processes that cannot be seen")]
    Unproven,
}

/// Runs commands as shells.
pub(super) struct Shells<'a> {
    pub(super) spec: &'a RunSpec,
    secrets: &'a Secrets,
    pub(super) dir: &'a RunDir,
    pub(super) recorder: &'a Recorder,
    pub(super) shell: &'a Path,
    /// The sandbox, where the job has one and it has been made.
    pub(super) keeper: OnceCell<Keeper>,
    /// The engine's client, where the job has a container.
    pub(super) client: OnceCell<Client>,
    /// What the image of the container sets in the environment.
    pub(super) image_env: OnceCell<BTreeMap<String, String>>,
    /// Where the kernel counts what it kills in the container for want of memory.
    kills_file: OnceCell<PathBuf>,
    /// How much may still be kept of the files that commands leave.
    pub(super) room: Room,
    /// What is older than this was left by others.
    pub(super) beginning: Beginning,
    /// The pids of the shells that have not been reaped.
    pub(super) live: RefCell<BTreeSet<i32>>,
}

impl<'a> Shells<'a> {
    pub(super) fn new(
        spec: &'a RunSpec,
        secrets: &'a Secrets,
        dir: &'a RunDir,
        recorder: &'a Recorder,
    ) -> Self {
        Self {
            spec,
            secrets,
            dir,
            recorder,
            shell: Path::new(SHELL),
            keeper: OnceCell::new(),
            client: OnceCell::new(),
            image_env: OnceCell::new(),
            kills_file: OnceCell::new(),
            room: Room::new(&spec.keep_limits),
            beginning: Beginning::now(),
            live: RefCell::default(),
        }
    }

    /// Enters the control group, if the job is to have one; nothing of it may start before.
    pub(super) fn bound(&self) -> Result<(), Fault> {
        let Some((bounds, group)) = self.group() else { return Ok(()) };
        group.enter(bounds).map_err(Fault::Bounds)
    }

    /// Makes the sandbox or the container, if the job is to have one; no command of it may start before.
    pub(super) async fn enter(&self) -> Result<(), Fault> {
        let keeper = match &self.spec.isolation {
            Isolation::None => return Ok(()),
            Isolation::Namespaces(namespaces) => {
                let marker = (RunSpec::MARKER, self.spec.attempt.as_str());
                Keeper::enter(namespaces, marker).await?
            }
            Isolation::Container(container) => {
                let keeper = self.enter_container(container).await?;
                if container.limits.is_some()
                    && let Some(file) = kills_file_for(keeper.init()).map_err(Fault::Bounds)?
                {
                    self.kills_file.get_or_init(|| file);
                }
                keeper
            }
        };
        self.keeper.get_or_init(|| keeper);
        Ok(())
    }

    fn group(&self) -> Option<(&Bounds, JobGroup)> {
        let bounds = self.spec.bounds.as_ref()?;
        Some((bounds, JobGroup::of(bounds, &self.spec.attempt)))
    }

    /// How often something of the job was killed for want of memory, in its control group or in one that
    /// the engine made for its container.
    fn memory_kills(&self) -> Result<u64, Fault> {
        let own = self.group().map_or(Ok(0), |(_, group)| group.memory_kills());
        let engines = self.kills_file.get().map_or(Ok(0), |file| kills_told_in(file));
        own.and_then(|own| Ok(own + engines?)).map_err(Fault::Bounds)
    }

    /// Passes on what is told from inside the sandbox.
    pub(super) async fn listen(&self) -> Infallible {
        match self.keeper.get() {
            Some(keeper) => keeper.listen().await,
            None => pending().await,
        }
    }

    /// Ends everything that the job has left, however it escaped, and returns when nothing is, with the
    /// number of processes that there were.
    ///
    /// With its first process a sandbox takes along whatever is left in it.
    pub(super) async fn end_all(&self) -> Result<usize, Fault> {
        let mut scope = Scope::new(Rule::Descendants(rustix::process::getpid()));
        let mut strays = None;
        if let Some(keeper) = self.keeper.get() {
            let mut inside = Scope::new(Rule::Descendants(keeper.init())).sparing([keeper.init()]);
            inside.ask(self.spec.grace).await.map_err(Fault::Processes)?;
            strays = Some(inside.count());
            keeper.end().map_err(Fault::Processes)?;
        }
        if let Some(container) = self.container() {
            self.leave_container(container).await?;
        }
        for _ in 0..PROOFS {
            if !has_descendants()? {
                return Ok(strays.unwrap_or(scope.count()));
            }
            scope.end(self.spec.grace).await.map_err(Fault::Processes)??;
        }
        if has_descendants()? { Err(Fault::Unproven) } else { Ok(strays.unwrap_or(scope.count())) }
    }

    /// Reaps what escaped its command, came to us and ended since.
    pub(super) fn reap_strays(&self) -> io::Result<()> {
        let own = rustix::process::getpid().as_raw_nonzero().get();
        for process in Process::all()? {
            let is_ours = process.parent == own && !process.is_living();
            if is_ours && !self.live.borrow().contains(&raw(process.pid)) {
                waitpid(Some(process.pid), WaitOptions::NOHANG)?;
            }
        }
        Ok(())
    }

    /// What an image sets, then secrets, so that what the component and the command declare themselves
    /// goes before them.
    fn env<'s>(&'s self, command: &'s Command) -> BTreeMap<&'s str, &'s str> {
        let marker = (RunSpec::MARKER, self.spec.attempt.as_str());
        let plain = |(name, value): (&'s String, &'s String)| (name.as_str(), value.as_str());
        let image = self.image_env.get().into_iter().flatten().map(plain);
        let usual = self.container().map(|_| ("PATH", PATH_INSIDE));
        let declared = self.spec.env.iter().chain(&command.env).map(plain);
        let all = usual.into_iter().chain(image).chain(self.secrets.iter());
        all.chain(declared).chain([marker]).collect()
    }

    async fn spawn(&self, command: &Command, log: CommandLog) -> Result<(Shell, Pump), Fault> {
        let working_dir = &self.spec.working_dir;
        let text = command.run.as_str();
        let spawned = match self.container().filter(|_| command.id == self.image_node()) {
            Some(container) => Shell::spawn(&self.outside(container, text)),
            None => {
                let env = self.env(command);
                self.start(&Script { shell: self.shell, text, working_dir, env }).await
            }
        };
        let piped = spawned.and_then(|(shell, output)| Ok((shell, Pump::new(output, log)?)));
        piped.map_err(|source| Fault::Spawn {
            title: command.title().to_owned(),
            working_dir: working_dir.clone(),
            source,
        })
    }

    async fn start(&self, script: &Script<'_>) -> io::Result<(Shell, PipeReader)> {
        match (&self.spec.isolation, self.keeper.get()) {
            (Isolation::None, _) => Shell::spawn(script),
            (Isolation::Namespaces(_) | Isolation::Container(_), Some(keeper)) => {
                Shell::spawn_inside(keeper, script).await
            }
            (Isolation::Namespaces(_) | Isolation::Container(_), None) => {
                Err(io::Error::other("there is no sandbox"))
            }
        }
    }

    /// Waits for the end of a shell, or brings it about, until its group is empty.
    async fn attend(
        &self,
        shell: &mut Shell,
        pump: &mut Pump,
        stop: StopSignal,
    ) -> Result<Exit, Fault> {
        let pid = shell.pid();
        let session = shell.session().map_err(Fault::Processes)?;
        let mut group = Scope::new(Rule::Group { leader: pid, session });
        let ended = pump.during(async {
            tokio::select! {
                biased;
                ended = shell.ended() => ended.map(|()| None),
                reason = stop.fired() => Ok(Some(reason)),
            }
        });
        if let Some(reason) = ended.await?.map_err(Fault::Processes)? {
            pump.during(group.end(self.spec.grace)).await?.map_err(Fault::Processes)??;
            self.reap(shell).await?;
            reap_group(pid).map_err(Fault::Processes)?;
            return Ok(reason.exit());
        }
        pump.until_closed_within(DRAIN_LIMIT).await?;
        let exit = self.reap(shell).await?;
        if reap_group(pid).map_err(Fault::Processes)? == Group::Inhabited {
            pump.during(group.end(self.spec.grace)).await?.map_err(Fault::Processes)??;
            reap_group(pid).map_err(Fault::Processes)?;
        }
        Ok(exit)
    }

    async fn reap(&self, shell: &mut Shell) -> Result<Exit, Fault> {
        let exit = shell.reap().await.map_err(Fault::Processes)?;
        self.live.borrow_mut().remove(&raw(shell.pid()));
        Ok(exit)
    }
}

impl Executor for Shells<'_> {
    type Fault = Fault;

    async fn execute(
        &self,
        command: &Command,
        id: CommandId,
        stop: StopSignal,
    ) -> Result<Exit, Fault> {
        let started = Instant::now();
        let path = self.dir.log_path(&id);
        let log = CommandLog::create(&path, self.spec.log_limit, self.recorder.mask())
            .map_err(|source| Fault::CreateLog { path, source })?;
        // How an image is come by is between us and the engine.
        let is_ours = command.id == self.image_node();
        let title = if is_ours { command.title().to_owned() } else { command.heading() };
        let at = UnixMillis::now();
        let fact = Fact::CommandStarted { command: id.clone(), title, at };
        self.recorder.append(fact).map_err(Fault::Journal)?;
        let kills = self.memory_kills()?;
        let (mut shell, mut pump) = self.spawn(command, log).await?;
        self.live.borrow_mut().insert(raw(shell.pid()));
        let exit = self.attend(&mut shell, &mut pump, stop.clone()).await?;
        let ran_out =
            matches!(exit, Exit::Code(1..) | Exit::Signal(_)) && self.memory_kills()? > kills;
        let exit = if ran_out { Exit::OutOfMemory } else { exit };
        let log_bytes = pump.finish()?;
        self.keep(command, (&id, exit), &stop).await?;
        let (duration, at) = (started.elapsed(), UnixMillis::now());
        let fact = Fact::CommandExited { command: id, exit, duration, log_bytes, at };
        self.recorder.append(fact).map_err(Fault::Journal)?;
        Ok(exit)
    }
}

/// Whether any process lives below this one, once those that ended are reaped.
///
/// A subreaper gets every orphan among its descendants, so one without children has none at all.
pub(super) fn has_descendants() -> Result<bool, Fault> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(true),
            Err(Errno::CHILD) => return Ok(false),
            Err(error) => return Err(Fault::Processes(error.into())),
        }
    }
}

pub(super) fn raw(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}
