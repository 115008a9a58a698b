//! A node that is stopped in order while commands run.

use crate::repository::Change;
use crate::world::World;

const FILES: [(&str, &str); 2] = [
    (
        "lib/ci.yaml",
        "jobs:\n  test:\n    - echo start $$ >> {outside}\n    \
         - while [ ! -e {outside}.go ]; do sleep 0.05; done\n    - echo end >> {outside}\n",
    ),
    ("lib/word", "hello\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn commands_go_on_while_the_node_is_stopped_and_the_next_one_adopts_them() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.until("the job to start", || world.outside().len() == 1).await;
    let before = world.statuses(pull);
    let status = node.terminate().await;
    assert_eq!(status.code(), Some(0), "{status}");
    assert_eq!(world.statuses(pull), before, "stopping tells nothing");
    let node = world.start().await;
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
    world.tested(pull).await;
    assert_eq!(world.outside().len(), 2, "{:?}", world.outside());
    assert_eq!(node.terminate().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_end_while_no_node_is_there_count() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.until("the job to start", || world.outside().len() == 1).await;
    node.kill9();
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
    world.until("the job to end", || world.outside().len() == 2).await;
    let _node = world.start().await;
    world.tested(pull).await;
    assert_eq!(world.outside().len(), 2, "{:?}", world.outside());
}
