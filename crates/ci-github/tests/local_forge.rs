//! What only the local forge does: pull requests by push, a book that survives and is shared.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use ci_domain::forge::{PullState, Reaction, Timestamp};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_github::{Forge, ForgeError, LocalForge, LocalForgeError, NewLocalPull};
use tempfile::TempDir;

/// When the commits were made: long ago, so that nothing else is as old.
const COMMITTED: u64 = 1_000_000_000;

fn git(folder: &Path, arguments: &[&str]) -> String {
    let date = format!("@{COMMITTED} +0000");
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .envs([("GIT_AUTHOR_NAME", "ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")])
        .envs([("GIT_COMMITTER_NAME", "ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")])
        .envs([("GIT_AUTHOR_DATE", date.as_str()), ("GIT_COMMITTER_DATE", date.as_str())])
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A bare repository with one commit on `main`.
fn repository() -> (TempDir, LocalForge, CommitSha) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    git(path, &["init", "--quiet", "--bare", "--initial-branch=main", "."]);
    let tree = git(path, &["hash-object", "-t", "tree", "-w", "--stdin"]);
    let commit = CommitSha::new(git(path, &["commit-tree", "-m", "first", &tree])).unwrap();
    git(path, &["update-ref", "refs/heads/main", commit.as_str()]);
    let forge = LocalForge::open(path.to_owned()).unwrap();
    (folder, forge, commit)
}

fn repo() -> RepoName {
    RepoName::new("demo/shop").unwrap()
}

fn login(name: &str) -> Login {
    Login::new(name).unwrap()
}

#[tokio::test]
async fn a_push_opens_a_pull_request() {
    let (folder, forge, commit) = repository();
    git(folder.path(), &["update-ref", "refs/pull/7/head", commit.as_str()]);
    let facts = forge.pull(&repo(), PullNumber(7)).await.unwrap().unwrap();
    assert_eq!((facts.title.as_str(), facts.base.as_str()), ("Pull request 7", "main"));
    assert_eq!((facts.created_at, facts.head.sha), (Timestamp(COMMITTED), commit.clone()));
    forge.approve(PullNumber(7), login("grace")).await.unwrap();
    forge.close_pull(PullNumber(7)).await.unwrap();
    let facts = forge.pull(&repo(), PullNumber(7)).await.unwrap().unwrap();
    assert_eq!((facts.state, facts.reviews.len()), (PullState::Closed, 1));

    let next = forge.open_pull(proposal(&commit)).await.unwrap();
    assert_eq!(next, PullNumber(8));
}

#[tokio::test]
async fn the_book_outlives_the_process_and_is_shared() {
    let (folder, forge, commit) = repository();
    let number = forge.open_pull(proposal(&commit)).await.unwrap();
    let other = LocalForge::open(folder.path().to_owned()).unwrap();
    let ada = login("ada");
    for _ in 0..10 {
        let (one, two) = tokio::join!(
            forge.comment(number, ada.clone(), "one"),
            other.comment(number, ada.clone(), "two"),
        );
        assert_ne!(one.unwrap(), two.unwrap());
    }
    let comments = other.comments(&repo(), number).await.unwrap();
    assert_eq!(comments.len(), 20);
    forge.react(&repo(), comments[0].id, Reaction::ThumbsUp).await.unwrap();
}

#[tokio::test]
async fn one_pull_request_without_a_commit_hides_no_other() {
    let (folder, forge, commit) = repository();
    let broken = forge.open_pull(proposal(&commit)).await.unwrap();
    let whole = forge.open_pull(proposal(&commit)).await.unwrap();
    git(folder.path(), &["update-ref", "-d", &format!("refs/pull/{broken}/head")]);
    let snapshot = forge.snapshot(&repo()).await.unwrap();
    assert_eq!(snapshot.pulls.len(), 1);
    assert_eq!(snapshot.pulls[0].number, whole);
    assert_eq!(snapshot.skipped[0].what, format!("pull request {broken}"));
    let error = forge.pull(&repo(), broken).await.unwrap_err();
    assert!(error.to_string().contains("refs/pull/1/head is missing"), "{error}");
}

#[tokio::test]
async fn a_commit_that_is_not_there_cannot_be_proposed() {
    let (_folder, forge, _) = repository();
    let unknown = CommitSha::new("d".repeat(40)).unwrap();
    let error = forge.open_pull(proposal(&unknown)).await.unwrap_err();
    assert!(error.to_string().contains("git:"), "{error}");
    assert_eq!(forge.pull(&repo(), PullNumber(1)).await, Ok(None));
}

#[tokio::test]
async fn a_torn_book_is_an_error_and_stays_as_it_is() {
    let (folder, forge, commit) = repository();
    let book = folder.path().join("ci-forge/book.json");
    std::fs::write(&book, "{\"pulls\": ").unwrap();
    let error = forge.open_pull(proposal(&commit)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Malformed { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&book).unwrap(), "{\"pulls\": ");
}

#[tokio::test]
async fn only_bare_repositories_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let error = LocalForge::open(folder.path().to_owned()).unwrap_err();
    assert!(matches!(error, LocalForgeError::NotARepository(_)), "{error}");
    git(folder.path(), &["init", "--quiet", "--bare", "."]);
    let empty = LocalForge::open(folder.path().to_owned()).unwrap();
    let snapshot = Arc::new(empty).snapshot(&repo()).await.unwrap();
    assert_eq!((snapshot.default_branch, snapshot.branches.len()), (None, 0));
}

fn proposal(head: &CommitSha) -> NewLocalPull {
    NewLocalPull {
        title: "Add a cart".to_owned(),
        author: login("ada"),
        base: BranchName::new("main").unwrap(),
        head: head.clone(),
        head_branch: BranchName::new("cart").unwrap(),
        draft: false,
        fork: None,
    }
}
