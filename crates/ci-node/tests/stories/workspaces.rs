//! Workspaces: what flows into them, what never flows out, and when they go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::isolation::{has_bubblewrap, isolate};
use crate::repository::Change;
use crate::world::{NO_APPROVAL, OFTEN, World};

const GREEN: &str = "success pull request can be merged";

/// What builds of the base leave, and what jobs of a pull request do with it.
const FILES: [(&str, &str); 6] = [
    NO_APPROVAL,
    (".gitignore", "built\n"),
    (".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n"),
    (
        "lib/ci.yaml",
        "jobs:\n  compile:\n    - mkdir -p built; test -e built/warm || echo base > built/warm\n    \
         - echo base > $CI_CACHE_DIR/warm; ln -f $CI_CACHE_DIR/warm built/link; echo base > $HOME/warm\n  \
         test: [sh ./work]\n",
    ),
    ("lib/work", "cat built/warm $CI_CACHE_DIR/warm $HOME/warm\n"),
    ("lib/word", "hello\n"),
];

/// Writes wherever a path leads that is known or can be guessed, and leaves links for the node to follow.
const HOSTILE: &str = r#"
base=$CI_CACHE_DIR/../../branch-main
other=$CI_CACHE_DIR/../../pull-1
objects=$(cat ../.git/objects/info/alternates)
find "$CI_CACHE_DIR" "$HOME" .. -type f ! -path '*/.git/*' ! -name work | while read -r file; do
  echo evil >> "$file"
done
rm -rf "$base/cache" "$other/src"
echo evil > "$base/src/lib/word"
for file in "$objects"/pack/* "$objects"/??/*; do chmod u+w "$file"; echo evil >> "$file"; rm "$file"; done
git gc --prune=now; git repack -adq; git prune; git config core.worktree "$base/src"
rm -rf ../lib/built; ln -s "$base/src/lib/built" ../lib/built
rm ../lib/word; ln -s "$base/src/lib/word" ../lib/word
mv ../lib "../lib-away"; ln -s "$base/src/lib" ../lib
rm -rf "$HOME/x"; ln -s "$base/home" "$HOME/x"; ln -s "$base/cache" "$CI_CACHE_DIR/x"
ln "$base/cache/warm" "$CI_CACHE_DIR/hard"
exit 0
"#;

/// Every file below `folders`, with what is in it; a link is where it leads.
fn contents(folders: &[PathBuf]) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut waiting = folders.to_vec();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let found = path.symlink_metadata().unwrap();
            if found.is_dir() {
                waiting.push(path);
            } else if found.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                all.insert(path, target.into_os_string().into_encoded_bytes());
            } else {
                let bytes = std::fs::read(&path).unwrap();
                all.insert(path, bytes);
            }
        }
    }
    all
}

fn workspace(world: &World, name: &str) -> PathBuf {
    world.data().join("workspaces/acme/shop").join(name)
}

fn parts(world: &World, name: &str) -> [PathBuf; 3] {
    ["src", "home", "cache"].map(|part| workspace(world, name).join(part))
}

/// Asks the node on the command line.
fn ask(world: &World, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ci-node"));
    command.args(arguments).arg("--config").arg(world.folder().join("ci-node.toml"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until the workspace of `main` is warm and nobody is there.
async fn warm(world: &World) {
    let is_warm = || workspace(world, "branch-main").join("home/warm").exists();
    world.until("the base to be built", is_warm).await;
    let shown = || ask(world, &["branch", "show", "main"]);
    world.until("its build to end", || shown().contains("passed")).await;
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_flows_from_a_pull_request_to_its_base_or_to_another() {
    if !has_bubblewrap() {
        return;
    }
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    isolate(&world, "namespaces");
    let _node = world.start().await;
    warm(&world).await;
    let good = world.open("good", &[Change::file("lib/word", "bye\n")]);
    world.says(good, GREEN).await;
    let mut guarded = parts(&world, "branch-main").to_vec();
    guarded.extend(parts(&world, "pull-1"));
    let before = contents(&guarded);
    let objects = [world.data().join("mirrors/acme/shop.git/objects")];
    let mirrored = contents(&objects);
    assert!(before.len() > 20 && !mirrored.is_empty());

    let evil = world.open("evil", &[Change::file("lib/work", HOSTILE)]);
    world.says(evil, GREEN).await;
    assert!(exists(&workspace(&world, "pull-2").join("home/x")), "it did what it could");
    // The node puts things right there, and follows nothing.
    world.push_pull(evil, &[Change::file("lib/work", "test -f word; cat built/*\n")]);
    world.until("the next head to be built", || world.umbrella(evil) == GREEN).await;
    ask(&world, &["pr", "force", "2", "lib:test", "--clean"]);
    world.says(evil, GREEN).await;
    world.repo.close(evil);
    let is_gone = || !exists(&workspace(&world, "pull-2"));
    world.until("its workspace to go", is_gone).await;
    let after = contents(&guarded);
    for (path, bytes) in &before {
        assert_eq!(after.get(path), Some(bytes), "{}", path.display());
    }
    assert_eq!(after.len(), before.len());
    let after = contents(&objects);
    for (path, bytes) in &mirrored {
        assert_eq!(after.get(path), Some(bytes), "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_start_is_a_new_copy_of_the_base() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let _node = world.start().await;
    warm(&world).await;
    let pull = world
        .open("bye", &[Change::file("lib/work", "echo mine > built/warm; touch $HOME/mine\n")]);
    world.says(pull, GREEN).await;
    let warm = workspace(&world, "pull-1").join("src/lib/built/warm");
    assert_eq!(std::fs::read_to_string(&warm).unwrap(), "mine\n");
    ask(&world, &["pr", "force", "1", "lib:compile", "--clean"]);
    let is_new = || std::fs::read_to_string(&warm).is_ok_and(|text| text == "base\n");
    world.until("the workspace to be made anew", is_new).await;
    assert!(!exists(&workspace(&world, "pull-1").join("home/mine")));
    world.says(pull, GREEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_jobs_would_miss_is_told() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.until("the umbrella", || !world.umbrella(pull).is_empty()).await;
    let says = || ask(&world, &["pr", "show", "1"]).contains(".gitattributes:1: files in Git LFS");
    world.until("it to be said", says).await;
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n";
    let changes = [Change::gone(".gitattributes"), Change::file("lib/big.bin", pointer)];
    let other = world.open("pointer", &changes);
    world.deliver(&node).await;
    world.until("the umbrella", || !world.umbrella(other).is_empty()).await;
    let says = || ask(&world, &["pr", "show", "2"]).contains("lib/big.bin: the pointer to a file");
    world.until("it to be said", says).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workspaces_that_take_too_much_go_and_come_back() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "[retention]\nworkspaces = \"1KiB\"");
    let mut node = world.start().await;
    warm(&world).await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.says(pull, GREEN).await;
    node.kill9();
    node = world.start().await;
    let left = || ["pull-1", "branch-main"].iter().any(|name| exists(&workspace(&world, name)));
    world.until("the workspaces to be removed", || !left()).await;
    world.push_pull(pull, &[Change::file("lib/word", "good day\n")]);
    let is_back = || exists(&workspace(&world, "pull-1").join("src/lib/built/warm"));
    world.until("it to be made anew", is_back).await;
    world.says(pull, GREEN).await;
    drop(node);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_job_starts_while_the_disk_is_low_and_all_do_once_there_is_room() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let config = world.folder().join("ci-node.toml");
    let enough = std::fs::read_to_string(&config).unwrap();
    let never = enough.replace("min_free = \"1MiB\"", "min_free = \"1000TiB\"");
    assert_ne!(never, enough);
    std::fs::write(&config, never).unwrap();
    // It is not ready then, and says so.
    let mut node = world.spawn();
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.says(pull, "pending waiting for disk").await;
    assert!(!exists(&workspace(&world, "pull-1").join("home/warm")));
    node.kill9();
    std::fs::write(&config, enough).unwrap();
    node = world.start().await;
    world.says(pull, GREEN).await;
    drop(node);
}
