//! The processes that stay: nothing that happens to them changes an answer.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ci_git::{Content, Mirror, Tree};

use crate::fixture::{Scene, explain, merged, run};

#[tokio::test]
async fn one_process_answers_everything() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    assert_eq!(top(&mirror, &tree).await, "top\n");
    let reader = readers(mirror.dir());
    assert_eq!(reader.len(), 1);
    scene.origin.write("top", "new\n");
    let commit = scene.origin.commit("second");
    assert_eq!(mirror.lacking([&commit]).await.unwrap(), [&commit]);
    mirror.fetch().await.unwrap();
    assert_eq!(mirror.lacking([&commit]).await.unwrap(), [&commit; 0]);
    assert_eq!(top(&mirror, &scene.main_tree(&mirror).await).await, "new\n");
    assert_eq!(readers(mirror.dir()), reader);
}

#[tokio::test]
async fn what_is_packed_anew_is_still_found() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    assert_eq!(top(&mirror, &tree).await, "top\n");
    run(crate::fixture::command(mirror.dir()).args(["repack", "-a", "-d", "-f", "-q"]));
    assert_eq!(top(&mirror, &tree).await, "top\n");
}

#[tokio::test]
async fn maintenance_lets_go_of_old_packs() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    top(&mirror, &tree).await;
    mirror.maintain().await.unwrap();
    gone(mirror.dir()).await;
    assert_eq!(top(&mirror, &tree).await, "top\n");
}

#[tokio::test]
async fn one_that_is_killed_is_started_again() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    let base = tree.commit();
    let merge = merged(&mirror, base, base).await;
    assert_eq!(top(&mirror, &tree).await, "top\n");
    for verb in ["cat-file", "hash-object", "update-ref"] {
        let [pid] = &sitting(mirror.dir(), verb)[..] else { panic!("no {verb}") };
        run(std::process::Command::new("kill").args(["-9", pid]));
    }
    assert_eq!(merged(&mirror, base, base).await, merge);
    assert_eq!(top(&mirror, &tree).await, "top\n");
}

#[tokio::test]
async fn a_question_that_is_given_up_spoils_no_other() {
    let scene = Scene::new().await;
    scene.origin.write("large", vec![b'x'; 1024 * 1024]);
    scene.origin.commit("large");
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    assert_eq!(top(&mirror, &tree).await, "top\n");
    tokio::select! {
        biased;
        read = mirror.read_files(&tree, |path| path == "large", u64::MAX) => panic!("{read:?}"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(top(&mirror, &tree).await, "top\n");
}

#[tokio::test]
async fn one_that_cannot_start_says_why() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    fs::write(mirror.dir().join("config"), "[core").unwrap();
    let error = mirror.lacking([&scene.origin.tip("main")]).await.unwrap_err();
    let said = explain(&error);
    assert!(said.contains("run git cat-file") && said.contains("bad config"), "{said}");
}

#[tokio::test]
async fn it_ends_with_its_mirror() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    let dir = mirror.dir().to_owned();
    let clone = mirror.clone();
    top(&mirror, &tree).await;
    drop(mirror);
    assert_eq!(readers(&dir).len(), 1);
    drop(clone);
    gone(&dir).await;
}

async fn top(mirror: &Mirror, tree: &Tree) -> String {
    let mut files = mirror.read_files(tree, |path| path == "top", 1024).await.unwrap();
    match files.pop() {
        Some((_, Content::Bytes(bytes))) => String::from_utf8(bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn gone(dir: &Path) {
    let none_left = async {
        while !readers(dir).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), none_left).await.expect("the reader to end");
}

/// The processes that read objects of the mirror at `dir`.
fn readers(dir: &Path) -> Vec<String> {
    sitting(dir, "cat-file")
}

/// The processes of that verb of the mirror at `dir`.
fn sitting(dir: &Path, verb: &str) -> Vec<String> {
    let has = |pid: &str, file: &str, field: &str| {
        let content = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        content.split(|byte| *byte == 0).any(|found| found == field.as_bytes())
    };
    let git_dir = format!("GIT_DIR={}", dir.display());
    let processes = fs::read_dir("/proc").unwrap();
    let pids = processes.filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    pids.filter(|pid| has(pid, "cmdline", verb) && has(pid, "environ", &git_dir)).collect()
}
