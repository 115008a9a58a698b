//! Reading pipelines and policy out of a working copy: from its files as they are, or from a commit.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context as _, Result};
use ci_config::yaml::MAX_FILE;
use ci_config::{
    Diagnostic, FileContent, POLICY_FILE, is_component_file, misnamed, parse_pipeline_in,
    parse_policy,
};
use ci_domain::ids::CommitSha;
use ci_domain::pipeline::Pipeline;
use ci_domain::policy::Policy;
use ci_git::{ChangeKind, Content, RepoPath, WorkingCopy, WorkingCopyError};

use crate::exit::{Exit, failed_to};

/// What git calls the tree without files, which every repository has.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A file that a tree may have, with its path from the root.
pub(crate) type SourceFile = (String, FileContent);

/// What there is in a working copy.
pub(crate) struct Present {
    /// The component files.
    pub(crate) files: Vec<SourceFile>,
    /// Those that only look like files of ours, one warning for each.
    pub(crate) misnamed: Vec<Diagnostic>,
}

/// Opens the working copy that `path`, a folder or a file, lies in.
///
/// # Errors
/// It lies in none, or git is missing.
pub(crate) async fn open(path: &Path) -> Result<WorkingCopy> {
    if !path.exists() {
        return Err(Exit::Usage.because(format!("there is nothing at {}", path.display())));
    }
    let folder = if path.is_file() { folder_of(path) } else { path };
    let git = ci_git::Git::discover(None).await.map_err(|error| Exit::Usage.failed_to(&error))?;
    WorkingCopy::open(git, folder).await.map_err(refusal)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The files that are there now: committed or not, but not ignored.
///
/// # Errors
/// Git failed, or a file cannot be read.
pub(crate) async fn present(copy: &WorkingCopy) -> Result<Present> {
    let mut paths: BTreeSet<RepoPath> = BTreeSet::new();
    let since = match copy.head().await {
        Ok(head) => {
            let tree = copy.tree(&head).await.map_err(git_failed)?;
            let is_wanted = |path: &&RepoPath| is_wanted(path.as_str());
            paths.extend(tree.entries().iter().map(|entry| &entry.path).filter(is_wanted).cloned());
            head
        }
        // Nothing is committed yet.
        Err(WorkingCopyError::NoSuchCommit { .. }) => {
            CommitSha::new(EMPTY_TREE).expect("the name of an object is one of a commit")
        }
        Err(error) => return Err(refusal(error)),
    };
    for change in copy.changed_paths(&since).await.map_err(git_failed)? {
        match change.kind {
            ChangeKind::Deleted => drop(paths.remove(&change.path)),
            _ if is_wanted(change.path.as_str()) => drop(paths.insert(change.path)),
            _ => {}
        }
    }
    let (mut files, mut warnings) = (Vec::with_capacity(paths.len()), Vec::new());
    for path in paths {
        if let Some(warning) = misnamed(path.as_str()) {
            warnings.push(warning);
            continue;
        }
        let place = copy.root().join(OsStr::from_bytes(path.as_bytes()));
        let content = read(&place).with_context(|| format!("failed to read {path}"))?;
        files.extend(content.map(|content| (path.as_str().to_owned(), content)));
    }
    Ok(Present { files, misnamed: warnings })
}

fn is_wanted(path: &str) -> bool {
    is_component_file(path) || misnamed(path).is_some()
}

/// The pipeline that is there now.
///
/// # Errors
/// All that is wrong with it.
pub(crate) fn pipeline(
    copy: &WorkingCopy,
    files: Vec<SourceFile>,
) -> Result<Pipeline, Vec<Diagnostic>> {
    let has_file = |path: &str| {
        fs::symlink_metadata(copy.root().join(path)).is_ok_and(|metadata| metadata.is_file())
    };
    parse_pipeline_in(files, has_file)
}

/// The component files of a commit.
///
/// # Errors
/// Git failed.
pub(crate) async fn committed(copy: &WorkingCopy, commit: &CommitSha) -> Result<Vec<SourceFile>> {
    let tree = copy.tree(commit).await.map_err(git_failed)?;
    let files = copy.read_files(&tree, is_component_file, MAX_FILE as u64).await;
    let files = files.map_err(git_failed)?.into_iter();
    Ok(files.map(|(path, content)| (path.as_str().to_owned(), as_found(content))).collect())
}

/// The policy that is there now, if there is one, read by `parse`.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn present_policy<T>(
    copy: &WorkingCopy,
    parse: impl FnOnce(&[u8]) -> Result<T, Vec<Diagnostic>>,
) -> Result<Option<Result<T, Vec<Diagnostic>>>> {
    let content = read(&copy.root().join(POLICY_FILE));
    let content = content.with_context(|| format!("failed to read {POLICY_FILE}"))?;
    Ok(content.map(|content| policy_in(content, parse)))
}

/// The policy of a commit; the usual one where it has none.
///
/// # Errors
/// Git failed.
pub(crate) async fn committed_policy(
    copy: &WorkingCopy,
    commit: &CommitSha,
) -> Result<Result<Policy, Vec<Diagnostic>>> {
    let tree = copy.tree(commit).await.map_err(git_failed)?;
    let files = copy.read_files(&tree, |path| path == POLICY_FILE, MAX_FILE as u64).await;
    let policy = files.map_err(git_failed)?.pop();
    Ok(policy.map_or_else(
        || Ok(Policy::default()),
        |(_, content)| policy_in(as_found(content), parse_policy),
    ))
}

/// What a person did wrong gets its own exit code.
pub(crate) fn refusal(error: WorkingCopyError) -> anyhow::Error {
    let (exit, remedy) = match &error {
        WorkingCopyError::NotAWorkingCopy { path, .. } if !is_near_git(path) => {
            let words =
                format!("{} lies in no git repository: name a folder of one", path.display());
            return Exit::Usage.because(words);
        }
        WorkingCopyError::NotAWorkingCopy { .. } => (Exit::Usage, ""),
        WorkingCopyError::NoSuchCommit { name } if name == "HEAD" => {
            let words = "nothing is committed here yet, so there is nothing to compare with: commit \
                         something first (`ci-node check` works without)";
            return Exit::NotFound.because(words);
        }
        WorkingCopyError::NoSuchCommit { .. } => (Exit::NotFound, ""),
        WorkingCopyError::NoDefaultBase => (Exit::NotFound, "; say --base REF"),
        WorkingCopyError::NoCommonAncestor { .. } => {
            (Exit::NotFound, "; in a shallow clone, `git fetch --unshallow` brings it")
        }
        WorkingCopyError::Git(_) => (Exit::Failed, ""),
    };
    exit.because(format!("{}{remedy}", failed_to(&error)))
}

/// Whether git has something at `path` or above it, or it is a repository itself.
fn is_near_git(path: &Path) -> bool {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.join("HEAD").exists() || path.ancestors().any(|folder| folder.join(".git").exists())
}

/// Git failed, through no fault of anyone's that we know.
pub(crate) fn git_failed(error: ci_git::CommandError) -> anyhow::Error {
    Exit::Failed.failed_to(&error)
}

/// What is at `path`, without following links; `None` where nothing is.
fn read(path: &Path) -> io::Result<Option<FileContent>> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if metadata.is_symlink() {
        return Ok(Some(FileContent::Symlink));
    }
    if metadata.is_dir() {
        return Ok(Some(FileContent::Submodule));
    }
    if metadata.len() > MAX_FILE as u64 {
        return Ok(Some(FileContent::TooLarge(metadata.len())));
    }
    fs::read(path).map(|bytes| Some(FileContent::Bytes(bytes)))
}

/// What git has at a path is judged like what is there now.
fn as_found(content: Content) -> FileContent {
    match content {
        Content::Bytes(bytes) => FileContent::Bytes(bytes),
        Content::TooLarge { size } => FileContent::TooLarge(size),
        Content::Symlink => FileContent::Symlink,
        Content::Submodule => FileContent::Submodule,
    }
}

fn policy_in<T>(
    content: FileContent,
    parse: impl FnOnce(&[u8]) -> Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Diagnostic>> {
    match content {
        FileContent::Bytes(bytes) => parse(&bytes),
        FileContent::TooLarge(size) => {
            Err(vec![whole(format!("the file has {size} bytes, more than {MAX_FILE}"))])
        }
        FileContent::Symlink => {
            Err(vec![whole("the policy must be a plain file, not a symbolic link")])
        }
        FileContent::Submodule => Err(vec![whole("the policy must be a plain file, not a folder")]),
    }
}

fn whole(message: impl Into<String>) -> Diagnostic {
    let (file, message) = (POLICY_FILE.to_owned(), message.into());
    let hint = Some("commit the content itself at this path".to_owned());
    Diagnostic { file, line: 1, column: 1, message, hint }
}
