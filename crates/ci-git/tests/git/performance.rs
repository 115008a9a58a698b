//! The way from a push to files on the disk, counted in processes.

use std::fs;

use ci_domain::ids::PullNumber;
use ci_git::{Git, Wanted};

use crate::fixture::{self, Scene, merged, read};

#[tokio::test]
async fn a_push_becomes_files_by_few_processes() {
    let mut scene = Scene::new().await;
    let (program, calls) = (scene.path("counting-git"), scene.path("calls"));
    // The verb comes after options, each of which is `-c` and a setting.
    let count = "while test \"$1\" = -c; do set -- \"$@\" \"$1\" \"$2\"; shift 2; done";
    let script = format!("#!/bin/sh\n({count}; echo $1 >> {})\nexec git \"$@\"\n", calls.display());
    fixture::program(&program, &script);
    scene.git = Git::discover(Some(program)).await.unwrap();
    let base = scene.origin.tip("main");
    let (mirror, workspace) = scene.checked_out().await;
    let warm = mirror.tree(&base).await.unwrap();
    merged(&mirror, &base, &base).await;

    let head = scene.origin.pull(1, |origin| origin.write("top", "1\n"));
    fs::remove_file(&calls).unwrap();
    assert_eq!(mirror.lacking([&base, &head]).await.unwrap(), [&head]);
    mirror.fetch_some(&[Wanted::Pull(PullNumber(1))]).await.unwrap();
    let merge = merged(&mirror, &base, &head).await;
    assert_eq!(merge.files.changes_from(&warm).len(), 1);
    mirror.read_files(&merge.files, |path| path == "top", 1024).await.unwrap();
    let tree = mirror.tree(&merge.commit).await.unwrap();
    workspace.update(&mirror, &tree).await.unwrap();
    let calls = read(&calls);
    let mut calls: Vec<&str> = calls.lines().collect();
    calls.sort_unstable();
    assert_eq!(calls, ["fetch", "merge-tree", "read-tree"]);
}
