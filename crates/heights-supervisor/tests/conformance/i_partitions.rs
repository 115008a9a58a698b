//! Section I, continued: partition supervisors, as Elixir has them.

use std::collections::HashSet;

use heights_supervisor::{
    ChildRef, PartitionBuilder, PartitionSupervisor, Strategy, Supervisor, TaskSupervisor,
};

use crate::support::{Msg, Probe, SECOND, Trace, settle, start};

const FOUR: usize = 4;

fn probes(trace: &Trace) -> PartitionBuilder<ChildRef<Msg>> {
    let trace = trace.clone();
    let make = move |partition: usize| {
        let probe = Probe::new(&trace, ["zero", "one", "two", "three"][partition]);
        (probe.spec, probe.reference)
    };
    PartitionSupervisor::builder("root", make).partitions(FOUR.try_into().unwrap())
}

#[tokio::test(start_paused = true)]
async fn i00_each_partition_is_a_child_with_its_number_as_id() {
    let trace = Trace::default();
    let root = probes(&trace).start().await.unwrap();
    assert_eq!(trace.take(), "start zero, start one, start two, start three");
    let ids: Vec<String> =
        root.which_children().await.iter().map(|child| child.id.to_string()).collect();
    assert_eq!(ids, ["0", "1", "2", "3"]);
    let counts = root.count_children().await;
    assert_eq!((counts.active, counts.workers), (FOUR, FOUR));
    root.stop().await;
    assert_eq!(trace.take(), "stop three, stop two, stop one, stop zero");
}

#[tokio::test(start_paused = true)]
async fn i00b_a_key_belongs_to_the_same_partition_always_and_keys_are_spread() {
    let trace = Trace::default();
    let root = probes(&trace).start().await.unwrap();
    let before: Vec<usize> = (0..1000).map(|key| root.partition_of(&key)).collect();
    for partition in 0..FOUR {
        let share = before.iter().filter(|of| **of == partition).count();
        assert!((200..300).contains(&share), "{share} keys in partition {partition}");
    }
    // A restart of a partition moves no key, and disturbs no other partition.
    let victim = root.via("a key").clone();
    let life = victim.current().unwrap().process().clone();
    victim.cast(Msg::Panic("boom")).unwrap();
    life.gone().await;
    assert_ne!(victim.running().await.pid(), life.pid());
    let after: Vec<usize> = (0..1000).map(|key| root.partition_of(&key)).collect();
    assert_eq!(before, after);
    assert_eq!(root.via("a key").current().unwrap().pid(), victim.current().unwrap().pid());
    let lives = root.partitions().iter().map(|one| one.current().unwrap().process().incarnation());
    assert_eq!(lives.sum::<u32>(), 5);
}

#[tokio::test(start_paused = true)]
async fn i00c_what_a_supervisor_takes_a_partition_supervisor_takes() {
    let trace = Trace::default();
    let builder = probes(&trace)
        .supervisor(|builder| builder.strategy(Strategy::OneForAll).intensity(0, SECOND));
    let (spec, partitions) = builder.child_spec();
    let _root = start(Supervisor::builder("top").child(spec)).await;
    let pids: HashSet<_> =
        partitions.partitions().iter().map(|one| one.current().unwrap().pid()).collect();
    let process = partitions.process().unwrap();
    partitions.via(&7).cast(Msg::Panic("boom")).unwrap();
    // One restart is too many here, and the parent restarts the whole.
    assert_eq!(process.gone().await.to_string(), "shutdown: reached max intensity");
    for partition in partitions.partitions() {
        assert!(!pids.contains(&partition.running().await.pid()));
    }
}

#[tokio::test(start_paused = true)]
async fn i00d_a_partition_may_be_a_supervisor() {
    let make = |_partition| TaskSupervisor::builder("tasks").child_spec();
    let root = PartitionSupervisor::builder("root", make).start().await.unwrap();
    let supervisors = root.count_children().await.supervisors;
    assert_eq!(supervisors, std::thread::available_parallelism().unwrap().get());
    let tasks = root.via("a key");
    tasks.async_nolink("wait", |cx| async move { cx.shutdown().await }).await.unwrap();
    settle().await;
    assert_eq!(tasks.count_children().await.active, 1);
    root.stop().await;
}
