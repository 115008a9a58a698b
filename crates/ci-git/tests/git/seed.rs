//! Workspaces that begin as a copy of another.

use std::fs;
use std::os::unix::fs::MetadataExt;

use ci_git::{Subject, Workspace};

use crate::fixture::{Scene, branch, exists, read, write};

fn modified(workspace: &Workspace, path: &str) -> (i64, i64) {
    let metadata = fs::metadata(workspace.src().join(path)).unwrap();
    (metadata.mtime(), metadata.mtime_nsec())
}

#[tokio::test]
async fn a_copy_is_warm_and_private() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    let warm = scene.workspaces().workspace(&Subject::Branch(branch("main")));
    let tree = scene.main_tree(&mirror).await;
    warm.update(&mirror, &tree).await.unwrap();
    write(&warm.src().join("build/out"), "built");
    write(&warm.src().join("untracked"), "");
    write(&warm.home().join(".cargo/config"), "home");
    write(&warm.cache().join("x"), "cached");

    let copy = scene.workspace();
    copy.seed_from(&warm).await.unwrap();
    assert_eq!(copy.last_update().unwrap(), None);
    assert!(copy.exists());
    scene.origin.write("top", "new\n");
    scene.origin.commit("second");
    scene.update(&mirror, &copy).await;
    assert_eq!(modified(&copy, "lib/a"), modified(&warm, "lib/a"));
    assert_eq!(read(copy.src().join("top")), "new\n");
    assert_eq!(read(copy.src().join("build/out")), "built");
    assert_eq!(read(copy.home().join(".cargo/config")), "home");
    assert_eq!(read(copy.cache().join("x")), "cached");
    assert!(!exists(copy.src().join("untracked")));

    write(&copy.src().join("build/out"), "rebuilt");
    write(&copy.cache().join("x"), "mine");
    assert_eq!(read(warm.src().join("build/out")), "built");
    assert_eq!(read(warm.cache().join("x")), "cached");
    assert_eq!(read(warm.src().join("top")), "top\n");
    assert_eq!(warm.last_update().unwrap().unwrap().commit, *tree.commit());
}

#[tokio::test]
async fn a_copy_replaces_what_was_there() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    write(&workspace.src().join("build/old"), "old");
    let warm = scene.workspaces().workspace(&Subject::Branch(branch("main")));
    warm.update(&mirror, &scene.main_tree(&mirror).await).await.unwrap();
    workspace.seed_from(&warm).await.unwrap();
    scene.update(&mirror, &workspace).await;
    assert!(!exists(workspace.src().join("build/old")));
    assert_eq!(scene.workspaces().list().await.unwrap().len(), 2);
}

#[tokio::test]
async fn changes_in_the_source_are_not_taken_for_granted() {
    let scene = Scene::new().await;
    let (mirror, warm) = scene.checked_out().await;
    write(&warm.src().join("top"), "TOP\n");
    let copy = scene.workspaces().workspace(&crate::fixture::pull(2));
    copy.seed_from(&warm).await.unwrap();
    scene.update(&mirror, &copy).await;
    assert_eq!(read(copy.src().join("top")), "top\n");
}

#[tokio::test]
async fn a_source_that_does_not_exist_is_an_error() {
    let scene = Scene::new().await;
    let nothing = scene.workspaces().workspace(&crate::fixture::pull(9));
    assert!(scene.workspace().seed_from(&nothing).await.is_err());
    assert!(!exists(nothing.dir()) && !exists(scene.workspace().dir()));
}
