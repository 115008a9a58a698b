//! Workspaces that jobs have worked in, honestly.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use ci_git::{LastUpdate, Subject, Updated};

use crate::fixture::{LIMIT, Scene, branch, command, exists, read, run, write};

/// What shows whether a file was touched.
fn identity(path: &Path) -> (u64, i64, i64) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

#[tokio::test]
async fn the_first_update_makes_everything() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    let workspace = scene.workspace();
    assert!(!workspace.exists());
    assert_eq!(workspace.last_update().unwrap(), None);
    let tree = scene.main_tree(&mirror).await;
    let updated = workspace.update(&mirror, &tree).await.unwrap();
    assert_eq!(updated, Updated { previous: None, repaired: false });
    assert_eq!(read(workspace.src().join("lib/a")), "a\n");
    assert!(workspace.home().is_dir() && workspace.cache().is_dir() && workspace.exists());
    let Some(LastUpdate { commit, .. }) = workspace.last_update().unwrap() else { panic!() };
    assert_eq!(&commit, tree.commit());
}

#[tokio::test]
async fn only_changed_files_are_touched() {
    let scene = Scene::new().await;
    scene.origin.write("gone", "gone\n");
    scene.origin.write("was/a/folder", "x\n");
    scene.origin.write("was a file", "x\n");
    let before = scene.origin.commit("before");
    let (mirror, workspace) = scene.checked_out().await;
    let src = workspace.src();
    let kept = identity(&src.join("lib/a"));
    fs::remove_dir_all(scene.origin.path.join("was")).unwrap();
    scene.origin.remove("was a file");
    scene.origin.remove("gone");
    scene.origin.write("was", "a file now\n");
    scene.origin.write("was a file/now", "a folder\n");
    scene.origin.write("top", "changed\n");
    scene.origin.write("new", "new\n");
    scene.origin.commit("second");
    let updated = scene.update(&mirror, &workspace).await;
    assert_eq!(updated, Updated { previous: Some(before), repaired: false });
    assert_eq!(identity(&src.join("lib/a")), kept);
    assert_eq!(read(src.join("top")), "changed\n");
    assert_eq!(read(src.join("new")), "new\n");
    assert_eq!(read(src.join("was")), "a file now\n");
    assert_eq!(read(src.join("was a file/now")), "a folder\n");
    assert!(!exists(src.join("gone")));
}

#[tokio::test]
async fn what_jobs_left_goes_unless_it_is_ignored() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    let src = workspace.src();
    write(&src.join("top"), "modified by a job");
    fs::remove_file(src.join("lib/a")).unwrap();
    let odd =
        ["new", "lib/new", "-rf", "new\nline", "a'b\"c", "🚀", " ", "*", "deep/er/and/deeper"];
    odd.iter().for_each(|name| write(&src.join(name), "untracked"));
    let kept = ["build/cache", "lib/x.o", "build/new\nline"];
    kept.iter().for_each(|name| write(&src.join(name), "ignored"));
    fs::create_dir_all(src.join("empty/folder")).unwrap();
    fs::create_dir(src.join("read-only")).unwrap();
    write(&src.join("read-only/file"), "");
    fs::set_permissions(src.join("read-only"), fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(src.join("lib"), fs::Permissions::from_mode(0o000)).unwrap();
    write(&workspace.home().join(".config/tool"), "home");

    scene.update(&mirror, &workspace).await;
    assert_eq!((read(src.join("top")), read(src.join("lib/a"))), ("top\n".into(), "a\n".into()));
    for name in odd.iter().chain(&["empty", "read-only", "deep"]) {
        assert!(!exists(src.join(name)), "{name:?}");
    }
    assert!(kept.iter().all(|name| exists(src.join(name))));
    assert_eq!(read(workspace.home().join(".config/tool")), "home");
}

#[tokio::test]
async fn files_and_folders_that_changed_places_are_put_back() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    let src = workspace.src();
    fs::remove_file(src.join("top")).unwrap();
    write(&src.join("top/build/x.o"), "ignored, but in the place of a file");
    fs::remove_dir_all(src.join("lib")).unwrap();
    fs::write(src.join("lib"), "a file in the place of a folder").unwrap();
    scene.update(&mirror, &workspace).await;
    assert_eq!((read(src.join("top")), read(src.join("lib/a"))), ("top\n".into(), "a\n".into()));
}

#[tokio::test]
async fn repositories_inside_are_removed() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    let src = workspace.src();
    for folder in ["nested", "lib", "build/dependency"] {
        fs::create_dir_all(src.join(folder)).unwrap();
        run(command(&src.join(folder)).args(["init", "-q"]));
    }
    run(command(&src.join("nested")).args(["commit", "-q", "--allow-empty", "-m", "inner"]));
    write(&src.join("fake/.git"), "gitdir: /nowhere\n");
    scene.update(&mirror, &workspace).await;
    assert!(
        !exists(src.join("nested")) && !exists(src.join("fake")) && !exists(src.join("lib/.git"))
    );
    assert!(exists(src.join("build/dependency/.git")), "what is ignored is the job's own affair");
}

#[tokio::test]
async fn pipes_and_sockets_are_removed() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    let src = workspace.src();
    fs::remove_file(src.join("lib/a")).unwrap();
    fs::create_dir(src.join("new")).unwrap();
    let pipes = ["pipe", "lib/a", "lib/.gitignore", "lib/.gitattributes", "new/pipe"];
    run(Command::new("mkfifo").args(pipes).current_dir(&src));
    std::os::unix::net::UnixListener::bind(src.join("lib/socket")).unwrap();
    let updated = scene.update(&mirror, &workspace).await;
    assert!(!updated.repaired);
    assert_eq!(read(src.join("lib/a")), "a\n");
    for gone in ["pipe", "lib/.gitignore", "lib/.gitattributes", "lib/socket", "new"] {
        assert!(!exists(src.join(gone)), "{gone}");
    }
}

#[tokio::test]
async fn jobs_get_a_repository_of_their_own() {
    let scene = Scene::new().await;
    scene.origin.git(["tag", "-m", "one", "v1"]);
    scene.origin.write("top", "second\n");
    let tip = scene.origin.commit("second");
    let (_, workspace) = scene.checked_out().await;
    let git = |args: &[&str]| run(command(&workspace.src().join("lib")).args(args));
    assert_eq!(git(&["rev-parse", "HEAD"]), tip.as_str());
    assert_eq!(git(&["rev-parse", "--abbrev-ref", "HEAD"]), "HEAD");
    assert_eq!(git(&["status", "--porcelain"]), "");
    assert_eq!(git(&["describe", "--tags"]), format!("v1-1-g{}", &tip.as_str()[..7]));
    assert_eq!(git(&["log", "--format=%s"]), "second\nfirst");
    assert_eq!(git(&["remote"]), "");
    git(&["commit", "-q", "--allow-empty", "-m", "by a job"]);
    git(&["fsck", "--connectivity-only"]);
}

#[tokio::test]
async fn a_lock_of_a_killed_git_is_no_obstacle() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    write(&workspace.dir().join("meta/index.lock"), "");
    write(&workspace.src().join("top"), "half");
    assert!(!scene.update(&mirror, &workspace).await.repaired);
    assert_eq!(read(workspace.src().join("top")), "top\n");
}

#[tokio::test]
async fn a_broken_index_is_made_anew() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    write(&workspace.dir().join("meta/index"), "DIRC");
    write(&workspace.src().join("untracked"), "");
    write(&workspace.src().join("top"), "modified");
    assert!(scene.update(&mirror, &workspace).await.repaired);
    assert_eq!(read(workspace.src().join("top")), "top\n");
    assert!(!exists(workspace.src().join("untracked")));
}

#[tokio::test]
async fn a_failed_update_is_remembered() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    let tree = scene.main_tree(&mirror).await;
    fs::remove_dir_all(mirror.dir().join("objects")).unwrap();
    write(&workspace.src().join("top"), "modified");
    assert!(workspace.update(&mirror, &tree).await.is_err());
    assert_eq!(workspace.last_update().unwrap(), None);
}

#[tokio::test]
async fn submodules_are_empty_folders() {
    let scene = Scene::new().await;
    let submodule = format!("160000,{},sub", scene.origin.tip("main"));
    scene.origin.git(["update-index", "--add", "--cacheinfo", &submodule]);
    scene.origin.git(["commit", "-q", "-m", "submodule"]);
    let (mirror, workspace) = scene.checked_out().await;
    let sub = workspace.src().join("sub");
    write(&sub.join("x"), "by a job");
    run(command(&sub).args(["init", "-q"]));
    assert!(!scene.update(&mirror, &workspace).await.repaired);
    assert_eq!(fs::read_dir(sub).unwrap().count(), 0);
}

#[tokio::test]
async fn workspaces_are_listed_measured_and_removed() {
    let scene = Scene::new().await;
    let (mirror, workspace) = scene.checked_out().await;
    let workspaces = scene.workspaces();
    let other = workspaces.workspace(&Subject::Branch(branch("release/'🚀'")));
    other.update(&mirror, &scene.main_tree(&mirror).await).await.unwrap();
    fs::create_dir(scene.path("workspaces/stranger")).unwrap();
    let listed = workspaces.list().await.unwrap();
    let subjects: Vec<_> = listed.iter().map(ci_git::Workspace::subject).collect();
    assert_eq!(subjects, [workspace.subject(), other.subject()]);

    let before = workspace.size().await.unwrap();
    write(&workspace.cache().join("large"), vec![1; 1024 * 1024]);
    drop(workspace.enter().await.unwrap());
    // Until a process that another test starts has become its program, it seems to be there.
    let grown = async { while workspace.size().await.unwrap() < before + 1024 * 1024 {} };
    tokio::time::timeout(LIMIT, grown).await.expect("it has grown");

    let read_only = workspace.home().join("go/pkg/mod");
    write(&read_only.join("file"), "");
    fs::set_permissions(&read_only, fs::Permissions::from_mode(0o555)).unwrap();
    workspace.remove().await.unwrap();
    workspace.remove().await.unwrap();
    assert!(!exists(workspace.dir()) && !workspace.exists());
    assert_eq!(fs::read_dir(scene.path("workspaces/.trash")).unwrap().count(), 0);
    assert_eq!(workspaces.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_interrupted_removal_is_finished_later() {
    let scene = Scene::new().await;
    let workspaces = scene.workspaces();
    write(&scene.path("workspaces/.trash/1-2-3/src/a/b"), "left");
    workspaces.empty_trash().await.unwrap();
    assert_eq!(fs::read_dir(scene.path("workspaces/.trash")).unwrap().count(), 0);
    assert_eq!(workspaces.list().await.unwrap().len(), 0);
}
