//! Pull requests that share a head: one commit has one umbrella, and it is that of the one that fares worst.

use ci_domain::forge::Head;
use ci_github::fake::NewPull;

use crate::repository::Change;
use crate::world::{World, branch, login};

const FILES: [(&str, &str); 2] =
    [("lib/ci.yaml", "jobs: {test: ['true']}\n"), ("lib/word", "hello\n")];

#[tokio::test(flavor = "multi_thread")]
async fn pull_requests_that_share_a_head_share_the_umbrella_of_the_worse() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let release = world.commit("release", &[Change::file("lib/other", "new\n")]);
    world.repo.push(&branch("release"), &release);
    let first = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.approve(first);
    world.deliver(&node).await;
    world.says(first, "success pull request can be merged").await;
    let head = Head {
        sha: world.head(first),
        branch: branch("bye"),
        repo: Some(world.repo.name().clone()),
    };
    let (title, author, base) = ("The same".to_owned(), login("ada"), branch("release"));
    let second = world.repo.open_pull(NewPull { title, author, head, base, draft: false });
    world.git.set(&format!("refs/pull/{second}/head"), &world.head(first));
    world.deliver(&node).await;
    // It is pending at once; its last words may take half a minute.
    world.says(first, "pending #2: awaiting approval").await;
    world.repo.close(second);
    world.deliver(&node).await;
    world.says(first, "success pull request can be merged").await;
}
