//! What engines keep of containers and images, looked after by the node: the runner that made it may be
//! dead.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::engine::{LABEL, removal};
use super::image::BUILT;
use crate::run_dir::{OpenError, RunDir, RunState};
use crate::spec::Engine;
use crate::swept::Swept;

/// How long an engine may take to answer; one that waits for a lock on its files is slow, not stuck.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// What stands for the name of an image that has none.
const NAMELESS: &str = "<none>";
/// The most that is repeated of what an engine says.
const MAX_COMPLAINT: usize = 300;

/// An engine that does not do as it is told.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It cannot be started.
    #[error("start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It says no.
    #[error("use it: {0}")]
    Refused(String),
    /// It says nothing.
    #[error("get an answer from {} within {ANSWER_LIMIT:?}", .0.display())]
    TimedOut(PathBuf),
    /// What it had kept cannot be put on record.
    #[error(transparent)]
    RunDir(OpenError),
}

/// What the engine says of itself, which also wakes whatever it keeps running for its user.
///
/// # Errors
/// It does not work.
pub async fn version(engine: &Engine) -> Result<String, EngineError> {
    let said =
        ask(engine, &engine.program, &["version", "--format", "{{.Client.Version}}"]).await?;
    // The word alone would also be said by a client whose server is not there.
    ask(engine, &engine.program, &["ps", "--quiet"]).await?;
    Ok(said.trim().to_owned())
}

/// Whether the engine has an image of this name.
///
/// # Errors
/// It cannot be asked.
pub async fn has_image(engine: &Engine, name: &str) -> Result<bool, EngineError> {
    let found = ask(engine, &engine.program, &["images", "--quiet", name]).await?;
    Ok(!found.trim().is_empty())
}

/// Removes the container that a dead runner left, and says how many there were.
pub(crate) async fn remove_of(engine: &Engine, run_dir: &Path) -> Result<usize, EngineError> {
    let text = removal(engine, run_dir);
    let removed = ask(engine, Path::new("/bin/sh"), &["-c", &text]).await?;
    Ok(removed.split_ascii_whitespace().count())
}

/// Removes the containers of runs below `folder` whose runners are gone, and says how many there were.
/// Each is on record in its run directory then, where that is there.
///
/// # Errors
/// The engine cannot be asked, or does not remove one.
pub async fn remove_left(engine: &Engine, folder: &Path) -> Result<usize, EngineError> {
    let filter = format!("label={LABEL}");
    let list = ["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter];
    let ids = ask(engine, &engine.program, &list).await?;
    let mut removed = 0;
    for id in ids.split_ascii_whitespace() {
        let format = format!("{{{{index .Config.Labels \"{LABEL}\"}}}}");
        let question = ["container", "inspect", "--format", &format, id];
        // Its end and this question can fall together.
        let Ok(run_dir) = ask(engine, &engine.program, &question).await else { continue };
        let run_dir = Path::new(run_dir.trim_end_matches('\n'));
        if run_dir.starts_with(folder) && is_left(run_dir) {
            ask(engine, &engine.program, &["rm", "--force", "--volumes", id]).await?;
            removed += 1;
            note_removed(run_dir)?;
        }
    }
    Ok(removed)
}

/// The names of the images that were built here.
///
/// # Errors
/// The engine cannot be asked.
pub async fn built_images(engine: &Engine) -> Result<Vec<String>, EngineError> {
    let label = format!("label={BUILT}");
    let words = ["images", "--filter", &label, "--format", "{{.Repository}}:{{.Tag}}"];
    let listed = ask(engine, &engine.program, &words).await?;
    let names = listed.lines().filter(|name| !name.contains(NAMELESS));
    Ok(names.map(str::to_owned).collect())
}

/// Removes an image.
///
/// # Errors
/// The engine refuses to while a container uses it.
pub async fn remove_image(engine: &Engine, name: &str) -> Result<(), EngineError> {
    ask(engine, &engine.program, &["rmi", name]).await.map(drop)
}

/// Removes the images that were built here longer than `age` ago, have lost their names to newer ones, and
/// are used by no container.
///
/// # Errors
/// The engine does not.
pub async fn remove_nameless_images(engine: &Engine, age: Duration) -> Result<(), EngineError> {
    let (label, age) = (format!("label={BUILT}"), format!("until={}h", age.as_secs() / 3600));
    let words = ["image", "prune", "--force", "--filter", &label, "--filter", &age];
    ask(engine, &engine.program, &words).await.map(drop)
}

fn note_removed(run_dir: &Path) -> Result<(), EngineError> {
    let noted = match RunDir::open(run_dir) {
        Err(OpenError::Missing(_)) => return Ok(()),
        dir => dir.and_then(|dir| dir.note_swept(Swept { processes: 0, containers: 1 })),
    };
    noted.map(drop).map_err(EngineError::RunDir)
}

/// Whether nobody is at work there. What cannot be told is left alone.
fn is_left(run_dir: &Path) -> bool {
    match RunDir::open(run_dir).map(|dir| dir.state()) {
        Ok(Ok(RunState::Running(_)) | Err(_)) => false,
        Ok(Ok(RunState::NotStarted | RunState::Finished(_) | RunState::Lost)) | Err(_) => true,
    }
}

/// Calls a program as the engine is called, and returns what it prints.
async fn ask(engine: &Engine, program: &Path, words: &[&str]) -> Result<String, EngineError> {
    let mut command = Command::new(program);
    command.args(words).env_clear().envs(&engine.env).current_dir("/");
    command.stdin(Stdio::null()).kill_on_drop(true);
    let start = |source| EngineError::Start { program: engine.program.clone(), source };
    let output = timeout(ANSWER_LIMIT, command.output()).await;
    let output =
        output.map_err(|_| EngineError::TimedOut(engine.program.clone()))?.map_err(start)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    let said = if said.is_empty() { output.status.to_string() } else { said.to_owned() };
    Err(EngineError::Refused(said.chars().take(MAX_COMPLAINT).collect()))
}
