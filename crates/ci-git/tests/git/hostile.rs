//! Workspaces that jobs have prepared to run code in the node, or to make it write elsewhere.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ci_git::{Mirror, MirrorConfig};
use rustix::fs::{Mode, OFlags, mkdirat, open, openat};

use crate::fixture::{Scene, command, exists, program, read, run, write};

/// A program that leaves a trace when it is run.
fn trap(scene: &Scene) -> (PathBuf, PathBuf) {
    let (trap, trace) = (scene.path("trap"), scene.path("sprung"));
    program(&trap, &format!("#!/bin/sh\ntouch '{}'\ncat\n", trace.display()));
    (trap, trace)
}

/// Writes into the repository at `git_dir` all that makes git run a program.
fn set_traps(git_dir: &Path, trap: &Path) {
    let trap = trap.display();
    let config = format!(
        "[core]\n fsmonitor = {trap}\n hooksPath = hooks\n sshCommand = {trap}\n\
         [filter \"trap\"]\n smudge = {trap}\n clean = {trap}\n\
         [diff \"trap\"]\n textconv = {trap}\n command = {trap}\n\
         [merge \"trap\"]\n driver = {trap}\n\
         [alias]\n clean = !{trap}\n read-tree = !{trap}\n\
         [include]\n path = {trap}.config\n"
    );
    let path = git_dir.join("config");
    let old = fs::read_to_string(&path).unwrap_or_default();
    write(&path, old + &config);
    write(&git_dir.join("info/attributes"), "* filter=trap diff=trap merge=trap\n");
    for hook in ["post-checkout", "post-index-change", "reference-transaction", "post-merge"] {
        fs::create_dir_all(git_dir.join("hooks")).unwrap();
        program(&git_dir.join("hooks").join(hook), &format!("#!/bin/sh\nexec {trap}\n"));
    }
}

#[tokio::test]
async fn nothing_that_a_job_writes_runs_in_the_node() {
    let scene = Scene::new().await;
    scene.origin.write(".gitattributes", "*.txt filter=trap diff=trap merge=trap\n");
    scene.origin.write("a.txt", "a\n");
    scene.origin.commit("attributes");
    let (mirror, workspace) = scene.checked_out().await;
    let src = workspace.src();
    let (program, trace) = trap(&scene);
    set_traps(&src.join(".git"), &program);
    run(command(&src.join("lib")).args(["init", "-q"]));
    set_traps(&src.join("lib/.git"), &program);
    write(&src.join(".gitattributes"), "* filter=trap\n");
    write(&src.join("a.txt"), "modified\n");
    run(command(&src).args(["-c", "alias.clean=", "status"]));
    assert!(exists(&trace), "the trap works where git reads what the job wrote");
    fs::remove_file(&trace).unwrap();
    write(&src.join(".git/objects/info/alternates"), "/nowhere\n");

    scene.origin.write("a.txt", "new\n");
    scene.origin.write("b.txt", "b\n");
    scene.origin.commit("second");
    assert!(!scene.update(&mirror, &workspace).await.repaired);
    let seeded = scene.workspaces().workspace(&crate::fixture::pull(2));
    set_traps(&src.join(".git"), &program);
    seeded.seed_from(&workspace).await.unwrap();
    seeded.update(&mirror, &scene.main_tree(&mirror).await).await.unwrap();
    assert!(!exists(&trace), "it ran in the node");
    for src in [src, seeded.src()] {
        assert_eq!(read(src.join("a.txt")), "new\n");
        assert_eq!(read(src.join("b.txt")), "b\n");
    }
    let config = read(seeded.src().join(".git/config"));
    assert!(!config.contains("fsmonitor"), "{config}");
}

#[tokio::test]
async fn any_git_at_the_top_is_replaced() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    let git = workspace.src().join(".git");
    let outside = scene.path("outside");
    write(&outside.join("kept"), "kept");
    let replacements: [&dyn Fn(); 4] = [
        &|| write(&git, "gitdir: ../../outside\n"),
        &|| symlink(&outside, &git).unwrap(),
        &|| drop(run(Command::new("mkfifo").arg(&git))),
        &|| {
            write(&git.join("objects/info/alternates"), "/nowhere\n");
            write(&git.join("worktrees/x/y/z"), "");
            fs::set_permissions(git.join("worktrees"), fs::Permissions::from_mode(0o000)).unwrap();
        },
    ];
    for replace in replacements {
        fs::remove_dir_all(&git).unwrap();
        replace();
        assert!(!scene.update(&mirror, &workspace).await.repaired);
        let status = run(command(&workspace.src()).args(["status", "--porcelain"]));
        assert_eq!(status, "");
        assert_eq!(read(outside.join("kept")), "kept");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn a_link_in_the_place_of_a_folder_leads_nowhere() {
    let scene = Scene::new().await;
    scene.origin.write("lib/deep/b", "b\n");
    scene.origin.commit("deep");
    let (mirror, workspace) = scene.checked_out().await;
    let src = workspace.src();
    let outside = scene.path("outside");
    // The very same files: to git, nothing has changed.
    fs::rename(src.join("lib"), &outside).unwrap();
    symlink(&outside, src.join("lib")).unwrap();
    symlink(&outside, src.join("build")).unwrap();
    symlink(&outside, src.join("untracked")).unwrap();
    symlink("/nowhere", src.join("lib/deep/dangling")).unwrap();
    write(&outside.join("victim"), "kept");

    scene.origin.write("lib/a", "changed\n");
    scene.origin.remove("lib/deep/b");
    scene.origin.write("lib/victim", "new\n");
    scene.origin.commit("second");
    assert!(!scene.update(&mirror, &workspace).await.repaired);
    assert!(src.join("lib").symlink_metadata().unwrap().is_dir());
    assert_eq!(read(src.join("lib/a")), "changed\n");
    assert_eq!(read(src.join("lib/victim")), "new\n");
    assert!(!exists(src.join("untracked")));
    assert_eq!(read(outside.join("a")), "a\n");
    assert_eq!(read(outside.join("deep/b")), "b\n");
    assert_eq!(read(outside.join("victim")), "kept");
}

#[tokio::test]
async fn a_folder_of_the_old_tree_only_is_not_followed_either() {
    let scene = Scene::new().await;
    scene.origin.write("old/a", "a\n");
    scene.origin.commit("old");
    let (mirror, workspace) = scene.checked_out().await;
    let (old, outside) = (workspace.src().join("old"), scene.path("outside"));
    fs::rename(&old, &outside).unwrap();
    symlink(&outside, &old).unwrap();
    scene.origin.remove("old/a");
    scene.origin.commit("without");
    scene.update(&mirror, &workspace).await;
    assert!(!exists(old));
    assert_eq!(read(outside.join("a")), "a\n");
}

#[tokio::test]
async fn a_link_in_the_place_of_the_whole_leads_nowhere() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    let outside = scene.path("outside");
    for part in [workspace.src(), workspace.home()] {
        fs::remove_dir_all(&part).unwrap();
        fs::create_dir_all(&outside).unwrap();
        write(&outside.join("kept"), "kept");
        symlink(&outside, &part).unwrap();
        let copy = scene.workspaces().workspace(&crate::fixture::pull(2));
        copy.seed_from(&workspace).await.unwrap();
        scene.update(&mirror, &workspace).await;
        assert!(part.symlink_metadata().unwrap().is_dir());
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        workspace.remove().await.unwrap();
        assert_eq!(read(outside.join("kept")), "kept");
        scene.update(&mirror, &workspace).await;
    }
}

#[tokio::test]
async fn a_hard_link_is_cut_before_it_is_written() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    let (top, outside) = (workspace.src().join("top"), scene.path("outside"));
    write(&outside, "kept");
    fs::remove_file(&top).unwrap();
    fs::hard_link(&outside, &top).unwrap();
    scene.update(&mirror, &workspace).await;
    assert_eq!((read(top), read(outside)), ("top\n".to_owned(), "kept".to_owned()));
}

#[tokio::test]
async fn a_pipe_that_git_waits_for_is_found_after_its_limit() {
    let scene = Scene::new().await;
    let (_, workspace) = scene.checked_out().await;
    fs::create_dir(workspace.src().join("new")).unwrap();
    run(Command::new("mkfifo").arg(workspace.src().join("new/.gitignore")));
    let config = MirrorConfig { timeout: Duration::from_secs(1), ..scene.config() };
    let (mirror, _) = Mirror::open(config).await.unwrap();
    assert!(scene.update(&mirror, &workspace).await.repaired);
    assert!(!exists(workspace.src().join("new")));
}

/// Makes folders within folders, so deep that no path can name the last one.
fn dig(place: &Path) {
    let name = "d".repeat(20);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut folder = open(place, flags, Mode::empty()).unwrap();
    for _ in 0..3000 {
        mkdirat(&folder, &name, Mode::RWXU).unwrap();
        folder = openat(&folder, &name, flags, Mode::empty()).unwrap();
    }
}

#[tokio::test]
async fn a_bottomless_folder_is_removed() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    for place in [workspace.src(), workspace.home(), workspace.src().join(".git")] {
        dig(&place);
    }
    scene.update(&mirror, &workspace).await;
    assert!(!exists(workspace.src().join("d".repeat(20))));
    workspace.remove().await.unwrap();
    assert!(!exists(workspace.dir()));
}

#[tokio::test]
async fn a_file_with_old_times_is_still_found_changed() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    let top = workspace.src().join("top");
    let modified = fs::metadata(&top).unwrap().modified().unwrap();
    write(&top, "TOP\n");
    fs::File::options().write(true).open(&top).unwrap().set_modified(modified).unwrap();
    scene.update(&mirror, &workspace).await;
    assert_eq!(read(top), "top\n");
}
