//! A developer's working copy, read and never written.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ci_git::{ChangeKind, WorkingCopy, WorkingCopyError};

use crate::fixture::{Repo, Scene, command, exists, run, write};

async fn open(scene: &Scene, path: &Path) -> WorkingCopy {
    WorkingCopy::open(scene.git.clone(), path).await.unwrap()
}

/// A clone of the remote.
fn clone(scene: &Scene) -> Repo {
    let (origin, path) = (scene.origin.path.to_str().unwrap(), scene.path("clone"));
    run(command(&scene.path("")).args(["clone", "-q", origin, path.to_str().unwrap()]));
    Repo::new(path)
}

#[tokio::test]
async fn it_is_found_from_any_folder_inside() {
    let scene = Scene::new().await;
    let found = open(&scene, &scene.origin.path.join("lib")).await;
    assert_eq!(found.root(), fs::canonicalize(&scene.origin.path).unwrap());
    for path in [scene.path(""), scene.path("nowhere")] {
        let error = WorkingCopy::open(scene.git.clone(), &path).await.unwrap_err();
        assert!(matches!(error, WorkingCopyError::NotAWorkingCopy { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn the_base_is_the_remotes_default_branch_or_the_usual_one() {
    let scene = Scene::new().await;
    scene.origin.branch("develop");
    let cloned = clone(&scene);
    let base = async || open(&scene, &cloned.path).await.default_base().await;
    assert_eq!(base().await.unwrap(), "refs/remotes/origin/develop");
    cloned.git(["remote", "set-head", "origin", "-d"]);
    assert_eq!(base().await.unwrap(), "refs/remotes/origin/main");
    cloned.git(["remote", "remove", "origin"]);
    assert!(matches!(base().await, Err(WorkingCopyError::NoDefaultBase)));
    cloned.git(["branch", "master"]);
    assert_eq!(base().await.unwrap(), "refs/heads/master");
}

#[tokio::test]
async fn the_branch_is_the_one_that_is_checked_out() {
    let scene = Scene::new().await;
    let found = open(&scene, &scene.origin.path).await;
    for name in ["--upload-pack=x", "a/b'c", "🚀"] {
        scene.origin.git(["update-ref", &format!("refs/heads/{name}"), "HEAD"]);
        scene.origin.git(["symbolic-ref", "HEAD", &format!("refs/heads/{name}")]);
        assert_eq!(found.branch().await.unwrap().unwrap().as_str(), name);
    }
    let tip = found.commit("HEAD").await.unwrap();
    scene.origin.git(["checkout", "-q", "--detach", tip.as_str()]);
    assert_eq!(found.branch().await.unwrap(), None);
    assert_eq!(found.commit("HEAD").await.unwrap(), tip);
}

#[tokio::test]
async fn the_merge_base_is_where_the_branches_parted() {
    let scene = Scene::new().await;
    let parted = scene.origin.tip("main");
    scene.origin.branch("topic");
    scene.origin.commit("topic");
    scene.origin.switch("main");
    scene.origin.commit("main");
    scene.origin.switch("topic");
    let found = open(&scene, &scene.origin.path).await;
    for name in ["main", "refs/heads/main", "main~1"] {
        assert_eq!(found.merge_base(name).await.unwrap(), parted, "{name}");
    }
    assert_eq!(found.head().await.unwrap(), scene.origin.tip("topic"));
    for name in ["nowhere", "--help", "-x", "", "main^{tree}", "$(id)", "a b"] {
        let error = found.merge_base(name).await.unwrap_err();
        assert!(matches!(error, WorkingCopyError::NoSuchCommit { .. }), "{name}: {error:?}");
    }
    scene.origin.git(["checkout", "-q", "--orphan", "stranger"]);
    let error = found.head().await.unwrap_err();
    assert!(matches!(error, WorkingCopyError::NoSuchCommit { .. }), "{error:?}");
    scene.origin.commit("stranger");
    let error = found.merge_base("main").await.unwrap_err();
    assert!(matches!(error, WorkingCopyError::NoCommonAncestor { .. }), "{error:?}");
}

#[tokio::test]
async fn changes_are_those_of_the_files_as_they_are() {
    let scene = Scene::new().await;
    let repo = &scene.origin;
    for name in ["deleted", "unstaged", "staged", "touched", "uncached", "renamed"] {
        repo.write(name, format!("{name} before\n"));
    }
    let base = repo.commit("base");
    repo.write("committed", "");
    repo.commit("committed");
    repo.write("staged", "after\n");
    repo.git(["add", "staged"]);
    repo.write("unstaged", "after\n");
    repo.write("touched", "touched before\n");
    repo.remove("deleted");
    repo.git(["rm", "-q", "--cached", "uncached"]);
    repo.git(["mv", "renamed", "new name"]);
    repo.write("untracked/new\nline", "");
    repo.write("build/ignored", "");
    run(command(&repo.path).args(["init", "-q", "nested"]));
    let found = open(&scene, &repo.path.join("lib")).await;
    let changes = found.changed_paths(&base).await.unwrap();
    let changes: Vec<_> =
        changes.iter().map(|change| (change.path.as_str(), change.kind)).collect();
    use ChangeKind::{Added, Deleted, Modified};
    assert_eq!(
        changes,
        [
            ("committed", Added),
            ("deleted", Deleted),
            ("nested", Added),
            ("new name", Added),
            ("renamed", Deleted),
            ("staged", Modified),
            ("uncached", Modified),
            ("unstaged", Modified),
            ("untracked/new\nline", Added),
        ]
    );
}

#[tokio::test]
async fn nothing_is_written_and_no_hook_runs() {
    let scene = Scene::new().await;
    let repo = &scene.origin;
    let trace = scene.path("trace");
    let trap = scene.path("trap");
    write(&trap, format!("#!/bin/sh\ntouch {}\n", trace.display()));
    run(std::process::Command::new("chmod").arg("+x").arg(&trap));
    repo.git(["config", "core.fsmonitor", trap.to_str().unwrap()]);
    fs::copy(&trap, repo.path.join(".git/hooks/post-index-change")).unwrap();
    repo.write("top", "top\n");
    // Not the second of the commit, so that git has to look whether the content is another.
    let long_ago =
        std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options()
        .write(true)
        .open(repo.path.join("top"))
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    let index = fs::metadata(repo.path.join(".git/index")).unwrap();
    let found = open(&scene, &repo.path).await;
    let tip = found.merge_base("main").await.unwrap();
    assert_eq!(found.changed_paths(&tip).await.unwrap(), []);
    assert!(found.tree(&tip).await.unwrap().get("top").is_some());
    let after = fs::metadata(repo.path.join(".git/index")).unwrap();
    assert_eq!((index.ino(), index.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    assert!(!exists(trace));
}
