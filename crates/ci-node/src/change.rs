//! What changed in a working copy, and which components that affects: the plan of a pull request
//! that has not been opened yet.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use ci_config::{Diagnostic, is_component_file, parse_pipeline};
use ci_domain::affected::{Affected, Change};
use ci_domain::ids::{BranchName, CommitSha};
use ci_domain::pipeline::Pipeline;
use ci_domain::policy::Policy;
use ci_git::{WorkingCopy, WorkingCopyError};

use crate::exit::Exit;
use crate::output::note;
use crate::sources::{self, Present, failed_to, refusal};

/// A working copy, compared.
#[derive(Debug)]
pub(crate) struct WorkingChange {
    /// The folder that paths start from.
    pub(crate) root: PathBuf,
    /// The commit that is checked out.
    pub(crate) head: CommitSha,
    /// The branch that is checked out, if one is.
    pub(crate) branch: Option<BranchName>,
    /// What it was compared with; nothing where everything was asked for.
    pub(crate) base: Option<Base>,
    /// What differs, a renamed file under both its names.
    pub(crate) paths: BTreeSet<String>,
    /// The components as they are now.
    pub(crate) pipeline: Pipeline,
    /// Those that are affected.
    pub(crate) affected: Affected,
    /// Files that look like ours and are not.
    pub(crate) misnamed: Vec<Diagnostic>,
}

/// Where a change began.
#[derive(Debug)]
pub(crate) struct Base {
    /// The reference as it was given or found.
    pub(crate) reference: String,
    /// Where `HEAD` and that parted.
    pub(crate) commit: CommitSha,
}

/// What to compare with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Since<'a> {
    /// The default branch.
    DefaultBranch,
    /// A reference.
    Reference(&'a str),
    /// Nothing: everything counts as affected.
    Ever,
}

impl WorkingChange {
    /// Compares the working copy that `copy` lies in.
    ///
    /// # Errors
    /// There is nothing to compare with, or the pipeline is invalid.
    pub(crate) async fn read(copy: &WorkingCopy, since: Since<'_>) -> Result<Self> {
        let head = copy.head().await.map_err(refusal)?;
        let branch = copy.branch().await.map_err(failed_to)?;
        let Present { files, misnamed } = sources::present(copy).await?;
        misnamed.iter().for_each(|warning| note(&warning.to_string()));
        let pipeline = sources::pipeline(copy, files)
            .map_err(|found| invalid("the pipeline is invalid", &found))?;
        let mut change = Self {
            root: copy.root().to_owned(),
            head,
            branch,
            base: None,
            paths: BTreeSet::new(),
            affected: Affected::requested(pipeline.components.keys().cloned()),
            pipeline,
            misnamed,
        };
        let reference = match since {
            Since::Ever => return Ok(change),
            Since::Reference(reference) => reference.to_owned(),
            Since::DefaultBranch => default_base(copy).await?,
        };
        let commit = copy.merge_base(&reference).await.map_err(refusal)?;
        let changes = copy.changed_paths(&commit).await.map_err(failed_to)?;
        change.paths = changes.iter().map(|change| change.path.as_str().to_owned()).collect();
        let policy = policy(copy, &commit).await?;
        change.affected = affected(copy, &commit, &change, &policy).await?;
        change.base = Some(Base { reference, commit });
        Ok(change)
    }
}

impl Base {
    /// The reference as people say it: `origin/main`, `main`.
    pub(crate) fn short(&self) -> &str {
        short(&self.reference)
    }
}

/// The branch that a pull request against `reference` would be merged into.
pub(crate) fn branch_of(reference: &str) -> &str {
    let short = short(reference);
    short.strip_prefix("origin/").unwrap_or(short)
}

fn short(reference: &str) -> &str {
    let name = reference.strip_prefix("refs/remotes/");
    name.or(reference.strip_prefix("refs/heads/")).unwrap_or(reference)
}

/// The affected set over the graphs of both trees, as the node computes it.
async fn affected(
    copy: &WorkingCopy,
    base: &CommitSha,
    change: &WorkingChange,
    policy: &Policy,
) -> Result<Affected> {
    let (paths, pipeline) = (&change.paths, &change.pipeline);
    if !paths.iter().any(|path| is_component_file(path)) {
        return Ok(Affected::by(Change { base: pipeline, paths }, pipeline, policy));
    }
    Ok(match parse_pipeline(sources::committed(copy, base).await?) {
        Ok(base) => Affected::by(Change { base: &base, paths }, pipeline, policy),
        Err(_) => Affected::everything(pipeline, "the pipeline of the base is invalid"),
    })
}

/// The policy at the tip of the default branch, like the node's; of the base where there is none.
async fn policy(copy: &WorkingCopy, base: &CommitSha) -> Result<Policy> {
    let tip = match copy.default_base().await {
        Ok(reference) => copy.commit(&reference).await.map_err(refusal)?,
        Err(WorkingCopyError::NoDefaultBase) => base.clone(),
        Err(error) => return Err(refusal(error)),
    };
    let read = sources::committed_policy(copy, &tip).await?;
    Ok(read.unwrap_or_else(|found| {
        note(&format!("The policy of {} is invalid; the defaults hold here.", tip.short()));
        found.iter().for_each(|diagnostic| note(&diagnostic.to_string()));
        Policy::default()
    }))
}

async fn default_base(copy: &WorkingCopy) -> Result<String> {
    match copy.default_base().await {
        Err(error @ WorkingCopyError::NoDefaultBase) => {
            Err(Exit::NotFound.because(format!("failed to {error}; say --base REF")))
        }
        other => other.map_err(refusal),
    }
}

fn invalid(what: &str, found: &[Diagnostic]) -> anyhow::Error {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    Exit::Usage.because(format!("{what}\n{}", lines.join("\n")))
}
