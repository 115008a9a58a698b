//! `run --isolation`: a working copy, and of the rest of the machine only what is everybody's.

use std::process::Command;

use crate::support::{Done, Repo};

/// What a job sees of a working copy and of whose it is.
const LOOK: &str = "[ ! -e ../../beside ] && [ ! -e ../../home/.profile ] && \
    git log -1 --format=%s && ! touch ../.git/hooks/post-checkout && ! echo x >> ../.git/config && \
    echo x > made && echo x > $HOME/kept && echo x > $TMPDIR/x && echo x > $CI_CACHE_DIR/x";

/// Whether there is bubblewrap and it works; without it a test is skipped, loudly.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn has_bubblewrap() -> bool {
    let trial = Command::new("bwrap")
        .args(["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "true"])
        .output();
    let works = trial.is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("SKIPPED (needs bubblewrap: apt-get install bubblewrap, and user namespaces)");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "skipped in CI");
    }
    works
}

fn repo() -> Repo {
    let repo = Repo::on_topic(&[("air/ci.yaml", &format!("jobs: {{test: [{LOOK:?}]}}"))]);
    std::fs::write(repo.beside("beside"), "").unwrap();
    std::fs::create_dir_all(repo.beside("home")).unwrap();
    std::fs::write(repo.beside("home").join(".profile"), "").unwrap();
    repo
}

#[test]
fn commands_see_the_working_copy_and_nothing_of_its_owner() {
    if !has_bubblewrap() {
        return;
    }
    let repo = repo();
    for isolation in ["auto", "namespaces"] {
        let done = repo.ci_node(&["run", "--all", "--isolation", isolation]);
        done.ended_with(0);
        assert!(repo.root().join("air/made").exists());
    }
    assert!(!repo.beside("home").join("kept").exists());
    assert!(!repo.root().join(".git/hooks/post-checkout").exists());
    // Without being asked for there is none.
    repo.ci_node(&["run", "--all"]).ended_with(1);
}

#[test]
fn one_of_several_working_copies_has_its_history_too() {
    if !has_bubblewrap() {
        return;
    }
    let repo = Repo::on_topic(&[("air/ci.yaml", "jobs: {test: [git log -1]}")]);
    let other = repo.beside("other");
    repo.git(&["worktree", "add", "-q", "-b", "other", other.to_str().unwrap()]);
    let mut command = repo.command(&["run", "--all", "--isolation", "namespaces"]);
    Done::of(command.current_dir(other).output().unwrap()).ended_with(0);
}

#[test]
fn what_is_not_to_be_had_is_refused() {
    let repo = Repo::on_topic(&[("air/ci.yaml", "jobs: {test: [touch made]}")]);
    let mut command = repo.command(&["run", "--all", "--isolation", "auto"]);
    let tools = repo.beside("tools");
    std::fs::create_dir(&tools).unwrap();
    std::os::unix::fs::symlink("/usr/bin/git", tools.join("git")).unwrap();
    let done = Done::of(command.env("PATH", &tools).output().unwrap()).ended_with(1);
    assert!(
        done.stderr.contains("no isolation available: bubblewrap is not installed"),
        "{}",
        done.stderr
    );
    assert!(!repo.root().join("air/made").exists());
}

/// A podman of the repository's own before the machine's programs; `None` where this machine cannot be
/// brought to it, which is no failure.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn path_with_podman(repo: &Repo) -> Option<String> {
    let folder = repo.beside("engine");
    std::fs::create_dir_all(&folder).unwrap();
    let at = folder.display();
    let text = format!(
        "#!/bin/sh\nexec unshare --mount /bin/sh -c 'umount -R /sys/fs/cgroup; \
         mount -t cgroup2 none /sys/fs/cgroup; exec \"$@\"' sh /usr/bin/podman \
         --root {at}/root --runroot {at}/run --tmpdir {at}/tmp \"$@\"\n"
    );
    let podman = folder.join("podman");
    // By another process: while a thread of ours has it open for writing, nobody can run it.
    let write = "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"";
    let written = Command::new("sh").args(["-c", write, "sh"]).arg(&podman).arg(text).status();
    assert!(written.unwrap().success());
    let works = Command::new(&podman).arg("ps").output().is_ok_and(|done| done.status.success());
    if works && std::fs::exists("/bin/busybox").unwrap() {
        return Some(format!("{at}:{}", std::env::var("PATH").unwrap()));
    }
    eprintln!("SKIPPED (needs podman, and root: apt-get install podman crun busybox-static)");
    None
}

#[test]
fn commands_run_in_the_image_that_their_component_names() {
    let look = "[ $MADE = here ] && [ $PATH = /bin ] && [ ! -e /usr ] && [ ! -e ../../beside ] && \
        echo x > made && echo x > $HOME/kept && echo x > $CI_CACHE_DIR/x";
    let repo = Repo::on_topic(&[
        ("air/ci.yaml", &format!("image: image/Dockerfile\njobs: {{test: [{look:?}]}}")),
        ("image/Dockerfile", "FROM scratch\nCOPY busybox /bin/sh\nENV MADE=here\nENV PATH=/bin\n"),
    ]);
    let Some(path) = path_with_podman(&repo) else { return };
    std::fs::copy("/bin/busybox", repo.root().join("image/busybox")).unwrap();
    std::fs::write(repo.beside("beside"), "").unwrap();
    for isolation in ["container", "auto"] {
        let mut command = repo.command(&["run", "--all", "--isolation", isolation]);
        let done = Done::of(command.env("PATH", &path).output().unwrap());
        done.ended_with(0);
        assert!(repo.root().join("air/made").exists());
        std::fs::remove_file(repo.root().join("air/made")).unwrap();
    }
    repo.write("air/ci.yaml", "jobs: {test: [\"true\"]}");
    let mut command = repo.command(&["run", "--all", "--isolation", "container"]);
    let done = Done::of(command.env("PATH", &path).output().unwrap()).ended_with(1);
    assert!(done.stderr.contains("air names no `image`"), "{}", done.stderr);
}
