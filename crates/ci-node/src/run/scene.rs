//! What the runners of a session are told, and where what they write is kept.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use ci_domain::ids::{AttemptId, JobId};
use ci_domain::pipeline::Pipeline;
use ci_domain::plan::{Plan, PlannedJob};
use ci_exec::{KeepLimits, RunSpec, UnixMillis};
use ci_git::WorkingCopy;
use sha2::{Digest, Sha256};

use crate::args::RunArgs;
use crate::change::{WorkingChange, branch_of};
use crate::run::confinement::{Confinement, Folders};
use crate::run::passed_on::surroundings;

/// How long a job may take that does not say; a node's default too.
const JOB_TIMEOUT: Duration = Duration::from_secs(60 * 60);
/// How long commands that are told to end may take before they are killed.
const GRACE: Duration = Duration::from_secs(5);
/// How much of each log is kept, in bytes; a node's default too.
const LOG_LIMIT: u64 = 256 * 1024 * 1024;
/// How long commands go on when this process was killed: nobody sees what they do then.
const ORPHAN_LIMIT: Duration = Duration::from_secs(10);
/// How long the logs of what did not pass are kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// One call of `run`.
#[derive(Debug)]
pub(super) struct Scene {
    root: PathBuf,
    /// Names the session among all of this machine: when it began, and its process.
    name: String,
    folder: PathBuf,
    env: BTreeMap<String, String>,
    confinement: Confinement,
}

impl Scene {
    /// Sets the scene for the jobs of `change`.
    ///
    /// # Errors
    /// A folder cannot be made.
    pub(super) async fn set(
        copy: &WorkingCopy,
        change: &WorkingChange,
        args: &RunArgs,
    ) -> Result<Self> {
        let now = UnixMillis::now();
        let name = format!("{}-{}", now.0, std::process::id());
        let runs = user_folder("XDG_STATE_HOME", ".local/state").join("runs");
        make(&runs)?;
        remove_old(&runs, now).with_context(|| format!("failed to tidy {}", runs.display()))?;
        let cache = user_folder("XDG_CACHE_HOME", ".cache").join(key(&change.root));
        make(&cache)?;
        let mut env = surroundings(&args.env, |name| std::env::var(name).ok());
        let base = match &change.base {
            Some(base) => branch_of(&base.reference).to_owned(),
            None => default_branch(copy).await,
        };
        let branch = change.branch.as_ref().map(ToString::to_string).unwrap_or_default();
        let pairs = [
            ("CI", "true".to_owned()),
            ("CI_COMMIT", change.head.to_string()),
            ("CI_HEAD", change.head.to_string()),
            ("CI_BASE", base),
            ("CI_BRANCH", branch),
            ("CI_PULL", String::new()),
            ("CI_CACHE_DIR", cache.to_string_lossy().into_owned()),
        ];
        env.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
        let folder = runs.join(&name);
        let folders = Folders { root: &change.root, cache: &cache, session: &folder };
        let path = env.get("PATH").cloned().unwrap_or_default();
        let confinement = Confinement::find(args, &change.pipeline, &folders, &path).await?;
        Ok(Self { root: change.root.clone(), folder, name, env, confinement })
    }

    /// What the runner of `job` is told, the `number`th of the session.
    ///
    /// # Errors
    /// Nothing of what was asked for keeps it from the machine.
    pub(super) fn spec(&self, job: &PlannedJob, number: usize, port_base: u16) -> Result<RunSpec> {
        let attempt = AttemptId::new(format!("local-{}-{number}", self.name))
            .expect("digits, letters and hyphens, far less than 64");
        let mut env = self.env.clone();
        let isolation = self.confinement.of(&job.id.component, &mut env)?;
        let pairs = [
            ("CI_COMPONENT", job.id.component.to_string()),
            ("CI_JOB", job.id.job.to_string()),
            ("CI_ATTEMPT", attempt.to_string()),
            ("CI_PORT_BASE", port_base.to_string()),
        ];
        env.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
        env.extend(job.env.clone());
        Ok(RunSpec {
            attempt,
            workspace: self.root.clone(),
            working_dir: self.root.join(job.id.component.folder()),
            isolation,
            bounds: None,
            env,
            steps: job.definition.steps.clone(),
            timeout: job.definition.timeout.unwrap_or(JOB_TIMEOUT),
            grace: GRACE,
            log_limit: LOG_LIMIT,
            orphan_limit: ORPHAN_LIMIT,
            keep_limits: KeepLimits::USUAL,
        })
    }

    /// What is said before jobs run elsewhere than in the images that their components name.
    pub(super) fn warning(&self, plan: &Plan, pipeline: &Pipeline) -> Option<String> {
        let components =
            plan.affected.components().filter(|(name, _)| plan.jobs_of(name).next().is_some());
        let components = components.filter_map(|(name, _)| pipeline.components.get(name));
        let outside = self.confinement.outside_images(components);
        if outside.is_empty() {
            return None;
        }
        let named: Vec<String> =
            outside.iter().map(|(component, image)| format!("{component} ({image})")).collect();
        let named = named.join(", ");
        Some(format!(
            "Not in their images, but on this machine: {named}; see --isolation container"
        ))
    }

    /// Where the run directory of `job` is. Components have no `+` and jobs no `.`, so no two share one.
    pub(super) fn run_dir(&self, job: &JobId) -> PathBuf {
        self.folder.join(format!("{}.{}", job.component.as_str().replace('/', "+"), job.job))
    }

    /// Where the run directories are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the session's folder where everything in it has been removed.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(super) fn clear(&self) -> Result<()> {
        match fs::remove_dir(&self.folder) {
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound
                ) =>
            {
                Err(error).with_context(|| format!("failed to remove {}", self.folder.display()))
            }
            _ => Ok(()),
        }
    }
}

/// The default branch as far as the working copy knows it.
async fn default_branch(copy: &WorkingCopy) -> String {
    let reference = copy.default_base().await.unwrap_or_default();
    branch_of(&reference).to_owned()
}

/// This program's folder among a user's, as the XDG base directories have it.
fn user_folder(variable: &str, usual: &str) -> PathBuf {
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = || std::env::home_dir().map(|home| home.join(usual));
    named.or_else(usual).unwrap_or_else(std::env::temp_dir).join("ci-node")
}

/// A name for the cache of a working copy: its folder's, and a digest of where it is.
fn key(root: &Path) -> String {
    let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
    let digest: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}-{digest}")
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))
}

/// Removes the sessions that began long ago.
fn remove_old(runs: &Path, now: UnixMillis) -> io::Result<()> {
    let kept = u64::try_from(KEPT.as_millis()).unwrap_or(u64::MAX);
    for entry in fs::read_dir(runs)? {
        let entry = entry?;
        let name = entry.file_name();
        let began = name.to_str().and_then(|name| name.split_once('-')?.0.parse::<u64>().ok());
        if began.is_some_and(|began| began.saturating_add(kept) < now.0) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_sessions_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let now = UnixMillis(10_000_000_000);
        for name in ["9000000000-1", "9999999999-2", "1-3", "notes"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        remove_old(folder.path(), now).unwrap();
        let mut left: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["9999999999-2", "notes"]);
    }

    #[test]
    fn two_working_copies_never_share_a_cache() {
        let (one, two) = (key(Path::new("/a/shop")), key(Path::new("/b/shop")));
        assert!(one.starts_with("shop-") && one != two, "{one} {two}");
    }
}
