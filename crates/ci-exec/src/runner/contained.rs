//! What a runner does for a job in a container, besides what it does for one in a sandbox: it comes by
//! the image, makes the container, and sees to it that the engine keeps nothing of it.

use std::io::{self, PipeReader, Read, Write};
use std::path::Path;
use std::time::Duration;

use ci_domain::step::{NodeId, Sequence, Step};
use rustix::io::ioctl_fionbio;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::shell::Shell;
use super::shells::{Fault, Shells, has_descendants, raw};
use crate::container::{Gate, Program, call, image_step, inspection, removal, run, variables};
use crate::fact::Exit;
use crate::sandbox::{CALLED_CONTAINED, ENTER_LIMIT, EnterError, Keeper, own_arguments};
use crate::script::Script;
use crate::spec::{Container, ImageSource, Isolation, RunSpec};

/// How long an engine may take for a small thing; one that waits for its files is slow, not stuck.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How long what an engine left running for a container may take to notice that it has ended.
const AFTERMATH: Duration = Duration::from_secs(5);
/// The pause between two looks at it.
const PAUSE: Duration = Duration::from_millis(10);
/// The most that is read of what an engine says.
const MAX_SAID: u64 = 64 * 1024;
/// The most that is repeated of it.
const MAX_COMPLAINT: usize = 1000;

/// The engine's client that made the container, and waits for its end.
pub(super) struct Client {
    shell: Mutex<Shell>,
    output: PipeReader,
}

impl Shells<'_> {
    /// The container of the job, where it is to have one.
    pub(super) fn container(&self) -> Option<&Container> {
        match &self.spec.isolation {
            Isolation::Container(container) => Some(container),
            Isolation::None | Isolation::Namespaces(_) => None,
        }
    }

    /// The id of the step that comes by the image, which is of no step of the job.
    pub(super) fn image_node(&self) -> NodeId {
        self.spec.steps.id.child(self.spec.steps.steps.len())
    }

    /// What is to be done for the image before anything else; nothing where it is there.
    pub(super) async fn image_steps(&self) -> Result<Option<Sequence>, Fault> {
        let Some(container) = self.container() else { return Ok(None) };
        let is_rebuilt = matches!(container.image.source, ImageSource::Rebuilt(_));
        if !is_rebuilt && self.learn_image(container).await? {
            return Ok(None);
        }
        let step = Step::Command(image_step(container, self.image_node()));
        let id = self.spec.steps.id.clone();
        Ok(Some(Sequence { id, name: None, steps: vec![step] }))
    }

    /// Learns what the image sets in the environment, and says whether it is there.
    async fn learn_image(&self, container: &Container) -> Result<bool, Fault> {
        let question = inspection(&container.engine, &container.image.name);
        let (_, said) = self.ask(container, &question).await.map_err(Fault::Engine)?;
        let Some(variables) = variables(&said) else { return Ok(false) };
        self.image_env.get_or_init(|| variables);
        Ok(true)
    }

    /// Makes the container.
    pub(super) async fn enter_container(&self, container: &Container) -> Result<Keeper, Fault> {
        if self.image_env.get().is_none() && !self.learn_image(container).await? {
            return Err(Fault::NoImage(container.image.name.clone()));
        }
        let keeper = timeout(ENTER_LIMIT, self.make_container(container)).await;
        keeper.unwrap_or(Err(EnterError::TimedOut)).map_err(Fault::Contain)
    }

    async fn make_container(&self, container: &Container) -> Result<Keeper, EnterError> {
        let gate = Gate::open(self.dir.path())?;
        let program = Program::own(self.dir.path())?;
        let mut init = own_arguments();
        init.push(CALLED_CONTAINED.into());
        let arguments = run(container, &program, self.dir.path(), (&self.spec.marker(), &init))?;
        let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        let text = format!("exec {}", call(&container.engine, &words));
        let (shell, output) = Shell::spawn(&self.outside(container, &text))?;
        self.live.borrow_mut().insert(raw(shell.pid()));
        let client = self.client.get_or_init(|| Client { shell: Mutex::new(shell), output });
        let met = async { Keeper::meet(gate.first().await?).await };
        let keeper = tokio::select! {
            biased;
            keeper = met => keeper?,
            ended = client.ended() => { ended?; None }
        };
        match keeper {
            Some(keeper) => Ok(keeper),
            None => {
                client.ended().await?;
                Err(EnterError::Refused(complaint(&client.output)))
            }
        }
    }

    /// Waits until the container has ended, and has the engine forget it.
    pub(super) async fn leave_container(&self, container: &Container) -> Result<(), Fault> {
        let Some(client) = self.client.get() else { return Ok(()) };
        if let Some(keeper) = self.keeper.get() {
            let ended = timeout(AFTERMATH, keeper.ended()).await;
            ended.unwrap_or(Ok(())).map_err(Fault::Processes)?;
        }
        let removed = self.ask(container, &removal(&container.engine, self.dir.path())).await;
        match removed {
            Ok((Exit::Code(0), _)) => {}
            Ok((exit, _)) => note(&format!("the engine does not remove the container: {exit:?}")),
            Err(error) => note(&format!("the engine does not remove the container: {error}")),
        }
        if let Ok(ended) = timeout(ANSWER_LIMIT, client.ended()).await {
            ended.map_err(Fault::Processes)?;
            let mut shell = client.shell.lock().await;
            shell.reap().await.map_err(Fault::Processes)?;
        }
        // What watches over a container for the engine ends by itself, and must not be cut short.
        let left = Instant::now();
        while has_descendants()? && left.elapsed() < AFTERMATH {
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Asks the engine, and returns how it ended and what it printed.
    async fn ask(&self, container: &Container, text: &str) -> io::Result<(Exit, Vec<u8>)> {
        let (mut shell, output) = Shell::spawn(&self.outside(container, text))?;
        self.live.borrow_mut().insert(raw(shell.pid()));
        let ended = timeout(ANSWER_LIMIT, shell.ended()).await;
        ended.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer"))??;
        let exit = shell.reap().await?;
        self.live.borrow_mut().remove(&raw(shell.pid()));
        Ok((exit, said(&output)))
    }

    /// What is told to a shell that calls the engine.
    pub(super) fn outside<'s>(&'s self, container: &'s Container, text: &'s str) -> Script<'s> {
        let own = container.engine.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let marker = (RunSpec::MARKER, self.spec.attempt.as_str());
        let env = own.chain([marker]).collect();
        Script { shell: self.shell, text, working_dir: Path::new("/"), env }
    }
}

impl Client {
    async fn ended(&self) -> io::Result<()> {
        self.shell.lock().await.ended().await
    }
}

/// What has been printed so far. Whoever prints may have left somebody with the other end of the pipe.
fn said(mut output: &PipeReader) -> Vec<u8> {
    let mut said = Vec::new();
    if ioctl_fionbio(output, true).is_ok() {
        // It ends where there is no more now, which is no error.
        let _would_block = (&mut output).take(MAX_SAID).read_to_end(&mut said);
    }
    said
}

fn complaint(output: &PipeReader) -> String {
    let said = String::from_utf8_lossy(&said(output)).into_owned();
    let said = said.trim();
    if said.is_empty() {
        return "it ended without a word".to_owned();
    }
    said.chars().take(MAX_COMPLAINT).collect()
}

/// Says something in `runner.log`, for whoever wonders.
fn note(text: &str) {
    // There is nobody else to tell.
    drop(writeln!(io::stdout(), "{text}"));
}
