//! What a copy keeps of each file, and what it shares with nobody.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use ci_git::{Mirror, Workspace};

use crate::fixture::{Scene, command, exists, pull, read, run, write};

/// A workspace that was built in, and an empty one.
async fn warm(scene: &Scene) -> (Mirror, Workspace, Workspace) {
    let (mirror, warm) = scene.checked_out().await;
    (mirror, warm, scene.workspaces().workspace(&pull(2)))
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[tokio::test]
async fn times_permissions_and_links_are_kept() {
    let scene = Scene::new().await;
    let (_, warm, copy) = warm(&scene).await;
    let build = warm.src().join("build");
    write(&build.join("tool"), "#!/bin/sh\n");
    set_mode(&build.join("tool"), 0o4751);
    write(&build.join("module/file"), "x");
    set_mode(&build.join("module/file"), 0o444);
    set_mode(&build.join("module"), 0o555);
    symlink("/nowhere/at all", build.join("link")).unwrap();
    symlink(scene.path(""), build.join("away")).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    let times = FileTimes::new().set_modified(old);
    File::open(build.join("tool")).unwrap().set_times(times).unwrap();
    File::open(build.join("module")).unwrap().set_times(times).unwrap();

    copy.seed_from(&warm).await.unwrap();
    let built = copy.src().join("build");
    assert_eq!(mode(&built.join("tool")), 0o751, "but not to run as somebody else");
    assert_eq!((mode(&built.join("module")), mode(&built.join("module/file"))), (0o555, 0o444));
    for name in ["tool", "module"] {
        assert_eq!(fs::metadata(built.join(name)).unwrap().modified().unwrap(), old, "{name}");
    }
    let of_link = |path: PathBuf| fs::symlink_metadata(path).unwrap().modified().unwrap();
    assert_eq!(of_link(built.join("link")), of_link(build.join("link")));
    assert_eq!(fs::read_link(built.join("link")).unwrap(), Path::new("/nowhere/at all"));
    assert_eq!(fs::read_link(built.join("away")).unwrap(), scene.path(""));
}

#[tokio::test]
async fn names_of_one_file_stay_names_of_one_file_within_the_copy() {
    let scene = Scene::new().await;
    let (_, warm, copy) = warm(&scene).await;
    let outside = scene.path("outside");
    write(&outside, "outside");
    let build = warm.src().join("build");
    write(&warm.cache().join("store/a"), "stored");
    fs::create_dir_all(build.join("deep")).unwrap();
    fs::hard_link(warm.cache().join("store/a"), build.join("deep/a")).unwrap();
    fs::hard_link(&outside, build.join("out")).unwrap();

    copy.seed_from(&warm).await.unwrap();
    let inode = |path: PathBuf| fs::metadata(path).unwrap().ino();
    let built = copy.src().join("build");
    assert_eq!(inode(built.join("deep/a")), inode(copy.cache().join("store/a")));
    assert_ne!(inode(built.join("deep/a")), inode(build.join("deep/a")));
    fs::write(built.join("out"), "changed").unwrap();
    fs::write(built.join("deep/a"), "changed").unwrap();
    assert_eq!(read(outside), "outside");
    assert_eq!(read(warm.cache().join("store/a")), "stored");
}

#[tokio::test]
async fn holes_stay_holes_and_pipes_stay_behind() {
    let scene = Scene::new().await;
    let (_, warm, copy) = warm(&scene).await;
    write(&warm.cache().join("image"), "begin");
    let image = File::options().write(true).open(warm.cache().join("image")).unwrap();
    image.set_len(1 << 32).unwrap();
    std::os::unix::fs::FileExt::write_at(&image, b"end", (1 << 32) - 3).unwrap();
    run(Command::new("mkfifo").arg(warm.cache().join("pipe")));
    std::os::unix::net::UnixListener::bind(warm.home().join("socket")).unwrap();

    copy.seed_from(&warm).await.unwrap();
    let image = File::open(copy.cache().join("image")).unwrap();
    let metadata = image.metadata().unwrap();
    assert_eq!(metadata.len(), 1 << 32);
    assert!(metadata.blocks() * 512 < 1 << 20, "{} blocks", metadata.blocks());
    let mut end = [0; 8];
    std::os::unix::fs::FileExt::read_exact_at(&image, &mut end, (1 << 32) - 8).unwrap();
    assert_eq!(&end, b"\0\0\0\0\0end");
    assert!(!exists(copy.cache().join("pipe")) && !exists(copy.home().join("socket")));
}

#[tokio::test]
async fn git_need_not_read_the_files_of_a_copy_again() {
    let scene = Scene::new().await;
    scene.origin.write("odd \"name\"\n🚀/file", "odd\n");
    scene.origin.write(&format!("{}/end", "long/".repeat(60)), "long\n");
    symlink("top", scene.origin.path.join("link")).unwrap();
    scene.origin.commit("names");
    let (mirror, warm, copy) = warm(&scene).await;
    // Git looks twice at what is as young as its index.
    let index = warm.dir().join("meta/index");
    let young = fs::metadata(&index).unwrap().modified().unwrap() + Duration::from_secs(10);
    let times = FileTimes::new().set_modified(young);
    File::options().append(true).open(&index).unwrap().set_times(times).unwrap();
    write(&warm.src().join("lib/a"), "changed by a job\n");

    copy.seed_from(&warm).await.unwrap();
    let changed = |workspace: &Workspace| {
        let mut git = command(&workspace.src());
        git.env("GIT_DIR", mirror.dir()).env("GIT_WORK_TREE", workspace.src());
        git.env("GIT_INDEX_FILE", workspace.dir().join("meta/index"));
        run(git.args(["diff-files", "--name-only"]))
    };
    assert_eq!(changed(&copy), "lib/a");
    assert_eq!(changed(&copy), changed(&warm));
}

#[tokio::test]
async fn an_index_that_is_not_understood_is_made_anew() {
    for index in ["", "DIRC", "DIRC\0\0\0\u{4}\0\0\0\u{1}", "no index at all, but long enough"] {
        let scene = Scene::new().await;
        let (mirror, warm, copy) = warm(&scene).await;
        write(&warm.dir().join("meta/index"), index);
        copy.seed_from(&warm).await.unwrap();
        scene.update(&mirror, &copy).await;
        assert_eq!(read(copy.src().join("lib/a")), "a\n", "{index:?}");
    }
}

#[tokio::test]
async fn a_copy_that_fails_leaves_what_was_there() {
    let scene = Scene::new().await;
    let (_, warm, copy) = warm(&scene).await;
    write(&copy.dir().join("meta/subject"), "pull 2");
    write(&copy.cache().join("mine"), "mine");
    // Nobody can make a file in the place of the staging folder's parent.
    let seeds = scene.path("workspaces/.seeds");
    fs::remove_dir(&seeds).unwrap();
    write(&seeds, "in the way");
    assert!(copy.seed_from(&warm).await.is_err());
    assert_eq!(read(copy.cache().join("mine")), "mine");
}
