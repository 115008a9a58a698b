//! Who is at a workspace, and what is remembered of it meanwhile.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use ci_git::Presence;

use crate::fixture::{Scene, exists, pull, write};

/// Longer than anybody waits who need not.
const A_WHILE: Duration = Duration::from_millis(200);
/// Longer than anything takes here.
const CEILING: Duration = Duration::from_secs(60);

#[tokio::test]
async fn jobs_are_there_together_and_whoever_changes_it_is_alone() {
    let scene = Scene::new().await;
    let workspace = scene.workspace();
    assert!(workspace.last_used().is_none());
    let (one, other) = (workspace.enter().await.unwrap(), workspace.enter().await.unwrap());
    assert!(workspace.last_used().is_some());
    assert!(!workspace.exists(), "a lock is no workspace");
    drop(one);
    assert!(workspace.try_have_alone().unwrap().is_none());
    assert!(tokio::time::timeout(A_WHILE, workspace.have_alone()).await.is_err());
    drop(other);
    let alone = workspace.have_alone().await.unwrap();
    assert!(tokio::time::timeout(A_WHILE, workspace.enter()).await.is_err());
    assert!(Presence::take_alone(&workspace.lock_file()).unwrap().is_none());
    drop(alone);
    workspace.enter().await.unwrap();
}

#[tokio::test]
async fn a_process_that_has_the_lock_is_there_until_it_ends() {
    let scene = Scene::new().await;
    let workspace = scene.workspace();
    let alone = workspace.have_alone().await.unwrap();
    let file = alone.file().try_clone().unwrap();
    let mut sleeper = Command::new("sleep").arg("60").stdin(Stdio::from(file)).spawn().unwrap();
    drop(alone);
    assert!(workspace.try_have_alone().unwrap().is_none());
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    // A process that another test starts has our locks, too, until it has become its program.
    tokio::time::timeout(CEILING, workspace.have_alone()).await.expect("nobody is there").unwrap();
}

#[tokio::test]
async fn a_lock_goes_with_its_workspace_unless_somebody_has_it() {
    let scene = Scene::new().await;
    let (_, workspace) = scene.checked_out().await;
    let workspaces = scene.workspaces();
    let other = workspaces.workspace(&pull(2));
    let there = other.enter().await.unwrap();
    drop(workspace.enter().await.unwrap());
    workspaces.empty_trash().await.unwrap();
    assert!(exists(workspace.lock_file()) && exists(other.lock_file()));
    workspace.remove().await.unwrap();
    drop(there);
    let waiting = other.enter().await.unwrap();
    // A process that another test starts has our locks, too, until it has become its program.
    let empty_until_gone = async |file: PathBuf| {
        let emptying = async {
            while exists(&file) {
                workspaces.empty_trash().await.unwrap();
            }
        };
        tokio::time::timeout(CEILING, emptying).await.expect("the lock to go");
    };
    empty_until_gone(workspace.lock_file()).await;
    assert!(exists(other.lock_file()));
    drop(waiting);
    empty_until_gone(other.lock_file()).await;
    assert_eq!(workspaces.list().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_size_is_measured_once_after_each_use() {
    let scene = Scene::new().await;
    let (_, workspace) = scene.checked_out().await;
    let large = |name: &str| write(&workspace.cache().join(name), vec![1; 1 << 20]);
    drop(workspace.enter().await.unwrap());
    // For a moment a process that another test starts may seem to be there, and nothing is remembered then.
    let measured = async |is_settled: &dyn Fn(u64) -> bool| {
        let measuring = async {
            loop {
                let size = workspace.size().await.unwrap();
                if is_settled(size) {
                    return size;
                }
            }
        };
        tokio::time::timeout(CEILING, measuring).await.expect("nobody to be there")
    };
    let empty = measured(&|_| exists(workspace.dir().join("meta/size"))).await;
    large("behind our back");
    assert_eq!(workspace.size().await.unwrap(), empty, "it is remembered");

    let there = workspace.enter().await.unwrap();
    assert_eq!(workspace.size().await.unwrap(), empty, "nothing is measured while jobs write");
    drop(there);
    let full = measured(&|size| size >= empty + (1 << 20)).await;
    fs::write(workspace.dir().join("meta/size"), "nonsense").unwrap();
    assert!(workspace.size().await.unwrap() >= full);
}
