//! Jobs in containers, by podman with images and containers of its own.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use crate::isolation::isolate;
use crate::repository::Change;
use crate::world::{OFTEN, World};

/// The image that jobs begin with: nothing but busybox, which needs no library.
const IMAGE: &str = "localhost/busybox:story";
const BUSYBOX: &str = "/bin/busybox";
/// Podman needs control groups of version 2. Where a machine has both versions, it is shown only those.
const ONLY_V2: &str = "umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec \"$@\"";

/// Puts a podman with everything of its own in the way of the node, where this machine can be brought to
/// it. What is missing cannot be had everywhere, so that it is is no failure.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn has_podman(world: &World) -> bool {
    let engine = world.folder().join("engine").display().to_string();
    let own = format!("--root {engine}/root --runroot {engine}/run --tmpdir {engine}/tmp");
    let text = format!(
        "#!/bin/sh\nexport BUILDAH_ISOLATION=chroot\n\
         exec unshare --mount /bin/sh -c '{ONLY_V2}' sh /usr/bin/podman {own} \"$@\"\n"
    );
    let podman = world.install("podman", &text);
    let works = Path::new(BUSYBOX).exists() && import(&podman, world.folder()).status.success();
    if !works {
        eprintln!("SKIPPED (needs podman, and root: apt-get install podman crun busybox-static)");
    }
    works
}

fn import(podman: &Path, folder: &Path) -> Output {
    let files = folder.join("image");
    std::fs::create_dir_all(files.join("bin")).unwrap();
    std::fs::copy(BUSYBOX, files.join("bin/busybox")).unwrap();
    for tool in ["sh", "cat", "ls", "sleep", "touch"] {
        symlink("busybox", files.join("bin").join(tool)).unwrap();
    }
    let archive = folder.join("image.tar");
    let tar = Command::new("tar").arg("-C").arg(&files).arg("-cf").arg(&archive).arg(".").output();
    assert!(tar.unwrap().status.success());
    Command::new(podman).arg("import").arg(archive).arg(IMAGE).output().unwrap()
}

/// What a job sees of the image, of the merge and of the node.
const LOOK: &str = "set -ex
[ \"$MADE\" = here ] && [ \"$PATH\" = /bin ] && [ \"$CI_COMPONENT\" = lib ]
[ \"$(cat /file)\" = \"beside it\" ]
[ ! -e /usr ] && [ ! -e \"$CI_CACHE_DIR/../images\" ] && [ ! -e \"$CI_CACHE_DIR/../meta\" ]
for folder in \"$CI_CACHE_DIR\" \"$HOME\" \"$TMPDIR\" /tmp .; do echo x > \"$folder/written\"; done
cat word
";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_in_the_image_of_the_merge_and_outlives_its_node() {
    let dockerfile = format!("FROM {IMAGE}\nENV MADE=here PATH=/bin\nCOPY file /file\n");
    let script =
        format!("{LOOK}touch \"$HOME/up\"; until [ -e \"$HOME/go\" ]; do sleep 0.05; done\n");
    let files = [
        ("ci-policy.yaml", "mergeable: {approvals: 0}\n"),
        ("lib/ci.yaml", "image: image/Dockerfile\njobs:\n  test: [sh ./look]\n"),
        ("lib/look", script.as_str()),
        ("lib/word", "hello\n"),
        ("image/Dockerfile", "FROM nothing\n"),
        ("image/file", "beside it\n"),
    ];
    let world = World::new(&files).await;
    world.configure(OFTEN, "");
    isolate(&world, "auto");
    if !has_podman(&world) {
        return;
    }
    let node = world.start().await;
    let status = world.answer(&["status"]);
    assert!(status.contains("isolation: containers (with podman"), "{status}");
    let pull = world.open("build", &[Change::file("image/Dockerfile", dockerfile.as_str())]);
    let home = world.data().join(format!("workspaces/acme/shop/pull-{pull}/home"));
    world.until("the job to run", || home.join("up").exists()).await;
    node.kill9();
    let node = world.start().await;
    std::fs::write(home.join("go"), "").unwrap();
    world.says(pull, "success pull request can be merged").await;
    let log = world.answer(&["pr", "logs", &pull.to_string(), "lib:test"]);
    assert!(log.contains("COPY file /file") && log.contains("hello"), "{log}");
    world.nothing_runs_beside(&node).await;
    let left =
        Command::new(world.folder().join("bin/podman")).args(["ps", "-aq"]).output().unwrap();
    assert!(left.status.success() && left.stdout.is_empty(), "{left:?}");
}
