//! Jobs in control groups.

use std::fs;
use std::path::{Path, PathBuf};

use ci_exec::{Bounds, Exit, Outcome, sweep};
use rustix::process::{Pid, test_kill_process};

use crate::support::{Place, absent, command, kill, until, until_lost, within, written};

/// A group of version 2 for one test, removed at its end.
struct Group(PathBuf);

impl Group {
    /// Makes one where this machine allows it.
    fn make(name: &str) -> Option<Self> {
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
        let root = roots.into_iter().find(|root| root.join("cgroup.controllers").exists())?;
        let path = root.join(format!("heights-{name}-{}", std::process::id()));
        fs::create_dir(&path).ok()?;
        Some(Self(path))
    }

    /// Lets groups inside be bounded by `controller`.
    fn allow(&self, controller: &str) -> bool {
        let control = |group: &Path| {
            fs::write(group.join("cgroup.subtree_control"), format!("+{controller}")).is_ok()
        };
        self.0.parent().is_some_and(control) && control(&self.0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            // Only the groups among them can be removed.
            let _file = fs::remove_dir(entry.path());
        }
        let _in_use = fs::remove_dir(&self.0);
    }
}

fn bounds(parent: &Path, memory: Option<u64>) -> Option<Bounds> {
    Some(Bounds { parent: parent.to_owned(), memory, pids: None, milli_cpus: None })
}

/// A folder does for a group: the kernel's part is what a command writes.
#[tokio::test]
async fn a_command_that_fails_when_memory_ran_out_says_so() {
    let says = |code: u32| format!("echo oom_kill 1 > $GROUP/memory.events; exit {code}");
    for (code, exit) in [(137, Exit::OutOfMemory), (0, Exit::Code(0))] {
        let mut place = Place::with_command(&says(code));
        let parent = place.file("groups");
        fs::create_dir_all(&parent).unwrap();
        let group = parent.join(format!("job-{}", place.spec.attempt));
        place.spec.env.insert("GROUP".to_owned(), group.to_str().unwrap().to_owned());
        place.spec.bounds = bounds(&parent, Some(1 << 30));
        let run = place.run().await;
        match (exit, &run.outcome) {
            (Exit::Code(0), Outcome::Passed) => {}
            (exit, Outcome::Failed { commands, .. }) => assert_eq!(commands[0].exit, exit),
            (_, outcome) => panic!("{code}: {outcome:?}"),
        }
        assert_eq!(fs::read_to_string(group.join("memory.max")).unwrap(), "1073741824");
    }
}

#[tokio::test]
async fn a_group_that_cannot_be_made_crashes_the_job() {
    let mut place = Place::with_command("true");
    place.spec.bounds = bounds(&place.file("missing"), None);
    let run = place.run().await;
    let Outcome::Crashed { reason } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(reason.starts_with("bound the job"), "{reason}");
}

#[tokio::test]
async fn what_hides_from_a_sweep_is_found_by_its_group() {
    let Some(group) = Group::make("sweep") else {
        return absent("control groups of version 2 that may be changed: run the tests as root");
    };
    // A session, an environment and a parent of its own: nothing but the group tells whose it is.
    let hidden =
        "setsid env -i sh -c 'sleep 600 & echo $! > hidden.tmp; mv hidden.tmp hidden'; sleep 600";
    let mut place = Place::new(vec![command(hidden)]);
    place.spec.bounds = bounds(&group.0, None);
    let dir = place.start().await;
    written(&place.file("hidden")).await;
    let hidden = fs::read_to_string(place.file("hidden")).unwrap().trim().parse().unwrap();
    let hidden = Pid::from_raw(hidden).unwrap();
    kill(dir.identity().unwrap().unwrap().pid);
    until_lost(&dir).await;
    test_kill_process(hidden).unwrap();
    within("the sweep", sweep(&dir)).await.unwrap();
    until("the hidden process to be reaped", || test_kill_process(hidden).is_err()).await;
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn memory_beyond_the_bound_ends_the_command_by_name() {
    let group = Group::make("memory").filter(|group| group.allow("memory"));
    let Some(group) = group else {
        return absent("memory in control groups of version 2: systemd.unified_cgroup_hierarchy=1");
    };
    let mut place = Place::with_command("head -c 200000000 /dev/zero | tail");
    place.spec.bounds = bounds(&group.0, Some(64 << 20));
    let run = place.run().await;
    let Outcome::Failed { commands, .. } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert_eq!(commands[0].exit, Exit::OutOfMemory);
}

#[tokio::test]
async fn processors_beyond_the_bound_are_waited_for() {
    let group = Group::make("cpu").filter(|group| group.allow("cpu"));
    let Some(group) = group else {
        return absent("cpu in control groups of version 2: systemd.unified_cgroup_hierarchy=1");
    };
    let busy = "until [ $(grep nr_throttled $GROUP/cpu.stat | cut -d' ' -f2) -gt 0 ]; do :; done";
    // So little that even on a busy machine it is given more.
    let mut place = Place::with_command(&format!("cat $GROUP/cpu.max; {busy}"));
    let own = group.0.join(format!("job-{}", place.spec.attempt));
    place.spec.env.insert("GROUP".to_owned(), own.to_str().unwrap().to_owned());
    place.spec.bounds =
        Some(Bounds { parent: group.0.clone(), memory: None, pids: None, milli_cpus: Some(20) });
    let run = place.run().await;
    assert_eq!((&run.outcome, run.log_text("0-1").as_str()), (&Outcome::Passed, "2000 100000\n"));
}

#[tokio::test]
async fn processes_beyond_the_bound_are_not_made() {
    let group = Group::make("pids").filter(|group| group.allow("pids"));
    let Some(group) = group else {
        return absent("pids in control groups of version 2: systemd.unified_cgroup_hierarchy=1");
    };
    let bomb = "for i in $(seq 50); do sleep 600 & done";
    let mut place = Place::with_command(bomb);
    place.spec.bounds =
        Some(Bounds { parent: group.0.clone(), memory: None, pids: Some(20), milli_cpus: None });
    let run = place.run().await;
    assert!(run.log_text("0-1").contains("annot fork"), "{}", run.log_text("0-1"));
    place.assert_nothing_is_left();
}
