//! Copies on file systems that share blocks: made on a file, mounted for the test.
//!
//! That takes root and loop devices, which test machines often do not have, so these tests are left out
//! there even where nothing else may be.
#![expect(clippy::print_stderr, reason = "what is left out is said aloud")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use ci_git::{Git, Mirror, MirrorConfig, Workspaces};
use tempfile::TempDir;

use crate::fixture::{LIMIT, Scene, pull, read, run, write};

/// Large enough for either file system.
const DISK: u64 = 400 << 20;
/// Four of these do not fit unless they share blocks.
const CACHE: usize = 120 << 20;

/// A file system of its own.
struct Volume {
    _folder: TempDir,
    mounted: PathBuf,
}

impl Volume {
    fn mount(kind: &str) -> Result<Self, String> {
        let folder = TempDir::new().unwrap();
        let (image, mounted) = (folder.path().join("image"), folder.path().join("mounted"));
        File::create(&image).unwrap().set_len(DISK).unwrap();
        fs::create_dir(&mounted).unwrap();
        attempt(Command::new(format!("mkfs.{kind}")).arg("-q").arg(&image))?;
        attempt(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&mounted))?;
        Ok(Self { _folder: folder, mounted })
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.mounted).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "unmount {:?}", self.mounted);
    }
}

fn attempt(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

async fn a_large_cache_takes_its_place_once(kind: &str) {
    let volume = match Volume::mount(kind) {
        Ok(volume) => volume,
        Err(why) => {
            eprintln!("SKIPPED (needs root, loop devices and mkfs.{kind}: {why})");
            return;
        }
    };
    let scene = Scene::new().await;
    let mirror = mirror(&scene, &volume.mounted).await;
    let root = volume.mounted.join("workspaces");
    let workspaces = Workspaces::open(Git::discover(None).await.unwrap(), &root, LIMIT).unwrap();
    let warm = workspaces.workspace(&pull(1));
    let tree = scene.main_tree(&mirror).await;
    warm.update(&mirror, &tree).await.unwrap();
    let large = warm.cache().join("large");
    File::create(&large).unwrap().write_all(&vec![b'x'; CACHE]).unwrap();
    write(&warm.src().join("build/out"), "built");
    run(Command::new("sync").arg("--file-system").arg(&large));
    for number in 2..6 {
        let copy = workspaces.workspace(&pull(number));
        copy.seed_from(&warm).await.unwrap();
        copy.update(&mirror, &tree).await.unwrap();
        assert_eq!(fs::metadata(copy.cache().join("large")).unwrap().len(), CACHE as u64);
        fs::write(copy.src().join("build/out"), "mine").unwrap();
        let file = File::options().write(true).open(copy.cache().join("large")).unwrap();
        std::os::unix::fs::FileExt::write_at(&file, b"mine", 0).unwrap();
    }
    let mut begin = [0; 4];
    std::os::unix::fs::FileExt::read_exact_at(&File::open(large).unwrap(), &mut begin, 0).unwrap();
    assert_eq!(&begin, b"xxxx");
    assert_eq!(read(warm.src().join("build/out")), "built");
}

async fn mirror(scene: &Scene, folder: &Path) -> Mirror {
    let config = MirrorConfig { dir: folder.join("mirror.git"), ..scene.config() };
    let (mirror, _) = Mirror::open(config).await.unwrap();
    mirror.fetch().await.unwrap();
    mirror
}

#[tokio::test]
async fn btrfs_shares_blocks() {
    a_large_cache_takes_its_place_once("btrfs").await;
}

#[tokio::test]
async fn xfs_shares_blocks() {
    a_large_cache_takes_its_place_once("xfs").await;
}
