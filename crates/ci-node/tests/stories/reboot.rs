//! A machine that is started anew while jobs run.

use std::fs;
use std::path::PathBuf;

use crate::processes;
use crate::repository::Change;
use crate::world::{NO_APPROVAL, World};

/// How often the machine goes down: more often than a job's runner may be killed.
const REBOOTS: usize = 3;

/// Two jobs that say that they run, and wait to be let go.
const FILES: [(&str, &str); 3] = [
    (
        "lib/ci.yaml",
        "jobs:\n  one:\n    - echo one >> {outside}; while [ ! -e {outside}.go ]; do sleep 0.05; done\n  \
         two:\n    - echo two >> {outside}; while [ ! -e {outside}.go ]; do sleep 0.05; done\n",
    ),
    ("lib/word", "hello\n"),
    NO_APPROVAL,
];

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_when_the_machine_went_down_runs_again() {
    let world = World::new(&FILES).await;
    let mut node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    for reboot in 1..=REBOOTS {
        world.until("both jobs to run", || world.outside().len() == 2 * reboot).await;
        node.kill9();
        processes::kill_all(world.folder());
        go_down(&world, reboot);
        node = world.start().await;
    }
    world.until("both jobs to run", || world.outside().len() == 2 * (REBOOTS + 1)).await;
    fs::write(world.folder().join("outside.go"), "").unwrap();
    world.says(pull, "success pull request can be merged").await;
    assert_eq!(world.outside().len(), 2 * (REBOOTS + 1), "no job ran once more");
    drop(node);
}

/// Makes the runs look as after a loss of power: all of an earlier boot, the spec of one torn.
fn go_down(world: &World, reboot: usize) {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let mut unfinished = unfinished(world);
    unfinished.sort();
    assert_eq!(unfinished.len(), 2, "{unfinished:?}");
    for run in &unfinished {
        let path = run.join("identity.json");
        let identity = fs::read_to_string(&path).unwrap();
        fs::write(&path, identity.replace(boot.trim(), "an-earlier-boot")).unwrap();
    }
    fs::write(unfinished[reboot % 2].join("spec.json"), "").unwrap();
}

/// The run directories without an outcome that this boot has written.
fn unfinished(world: &World) -> Vec<PathBuf> {
    let runs = fs::read_dir(world.data().join("runs")).unwrap();
    let paths = runs.map(|entry| entry.unwrap().path());
    let is_open = |path: &PathBuf| {
        let identity = fs::read_to_string(path.join("identity.json")).unwrap_or_default();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        !path.join("exit.json").exists()
            && !identity.is_empty()
            && !identity.contains("an-earlier-boot")
            && !name.ends_with("-aside")
    };
    paths.filter(is_open).collect()
}
