//! The base moves under a pull request, conflicts come and go, and at last it is closed.

use crate::repository::Change;
use crate::world::{NO_APPROVAL, World};

const FILES: [(&str, &str); 4] = [
    NO_APPROVAL,
    (
        "lib/ci.yaml",
        "jobs:\n  test: ['echo $CI_COMMIT >> {outside}', 'test ! -e slow || sleep 600']\n",
    ),
    ("lib/word", "hello\n"),
    ("docs/page", "words\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_base_merges_anew_and_keeps_what_has_passed() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, "success pull request can be merged").await;
    let word = |word: &str| [Change::file("lib/word", word)];
    for (change, umbrella) in [
        (word("good day\n"), "failure there are merge conflicts"),
        (word("hello\n"), "success pull request can be merged"),
        ([Change::file("docs/page", "more words\n")], "success pull request can be merged"),
        ([Change::gone("lib/word")], "failure there are merge conflicts"),
        (word("hello\n"), "success pull request can be merged"),
    ] {
        world.push_main(&change);
        world.deliver(&node).await;
        world.says(pull, umbrella).await;
    }
    assert_eq!(world.outside().len(), 1, "a finished outcome survives a moved base");
    assert_eq!(world.said(pull).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_ends_the_commands_and_frees_the_workspace() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("slow", &[Change::file("lib/slow", "")]);
    let other = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(other, "success pull request can be merged").await;
    world.until("both jobs to start", || world.outside().len() == 2).await;
    world.repo.close(pull);
    world.deliver(&node).await;
    world.nothing_runs_beside(&node).await;
    let workspaces = || {
        let folder = world.data().join("workspaces/acme/shop");
        let names = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name());
        names.filter_map(|name| name.into_string().ok()).collect::<Vec<_>>()
    };
    world
        .until("the workspace to be freed", || !workspaces().iter().any(|name| name == "pull-1"))
        .await;
    world.repo.reopen(pull);
    world.deliver(&node).await;
    world.until("the job to run again", || world.outside().len() == 3).await;
}
