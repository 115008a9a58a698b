//! The way from a push to files on the disk, in a repository of 2,000 files.

use std::time::{Duration, Instant};

use ci_domain::ids::PullNumber;
use ci_git::Wanted;

use crate::fixture::{Scene, branch, merged};

/// Fifteen times what it takes on an idle machine; a process too many does not show, a walk over the
/// whole history or a second check-out does.
const CEILING: Duration = Duration::from_millis(600);

#[tokio::test]
async fn a_push_becomes_files_quickly() {
    let scene = Scene::new().await;
    for number in 0..2000 {
        let path = format!("component-{}/folder-{}/file-{number}", number % 20, number % 200);
        scene.origin.write(&path, format!("{number}\n"));
    }
    let base = scene.origin.commit("many");
    let (mirror, workspace) = scene.checked_out().await;
    let before = mirror.tree(&base).await.unwrap();
    let mut times = Vec::new();
    for push in 0..7 {
        let head = scene.origin.pull(push, |origin| origin.write("top", format!("{push}\n")));
        let started = Instant::now();
        let wanted = [Wanted::Branch(branch("main")), Wanted::Pull(PullNumber(push))];
        mirror.fetch_some(&wanted).await.unwrap();
        let fetched = started.elapsed();
        let merge = merged(&mirror, &base, &head).await;
        let merged = started.elapsed() - fetched;
        let tree = merge.files;
        let changes = tree.changes_from(&before);
        mirror.read_files(&tree, |path| path == "top", 1024).await.unwrap();
        let read = started.elapsed() - merged - fetched;
        workspace.update(&mirror, &tree).await.unwrap();
        let total = started.elapsed();
        assert_eq!(changes.len(), 1);
        times.push(total);
        println!("fetch {fetched:?} merge {merged:?} read {read:?} total {total:?}");
    }
    times.sort();
    assert!(times[3] < CEILING, "median {:?}", times[3]);
}
