//! GitHub that fails or is away, and a node that is away.

use ci_domain::forge::{Reaction, Timestamp};
use ci_github::ForgeError;

use crate::repository::Change;
use crate::world::{OFTEN, World, login, now};

/// A job that passes once somebody mends the world around it.
const FILES: [(&str, &str); 2] = [
    (
        "lib/ci.yaml",
        "jobs: {test: ['echo $CI_ATTEMPT >> {outside}', 'test -e {outside}.mended']}\n",
    ),
    ("lib/word", "hello\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_the_node_was_away_is_made_up_for() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let node = world.start().await;
    let word = |word: &str| [Change::file("lib/word", word)];
    let [red, pushed, closed] =
        ["red", "pushed", "closed"].map(|name| world.open(name, &word(name)));
    for pull in [red, pushed, closed] {
        world.until("a failure", || world.said(pull).len() == 1).await;
    }
    node.kill9();
    std::fs::write(world.folder().join("outside.mended"), "").unwrap();
    let wish = world.repo.comment(red, &login("linus"), "/ci retry lib:test");
    let ignored = world.repo.comment(red, &login("mallory"), "/ci force all");
    world.push_pull(pushed, &word("pushed again"));
    world.repo.close(closed);
    let opened = world.open("opened", &word("opened"));
    let _node = world.start().await;
    for pull in [red, pushed, opened] {
        world.tested(pull).await;
    }
    let reactions = |id| {
        let comments = world.comments(red);
        comments.into_iter().find(|comment| comment.id == id).unwrap().reactions
    };
    world.until("an answer", || reactions(wish) == [Reaction::ThumbsUp]).await;
    assert!(reactions(ignored).is_empty());
    let workspace = world.data().join(format!("workspaces/acme/shop/pull-{closed}"));
    world.until("the workspace to be freed", || !workspace.exists()).await;
    let of = |pull| {
        let part = format!("-p{pull}-");
        world.outside().iter().filter(|line| line.contains(&part)).count()
    };
    assert_eq!([of(red), of(pushed), of(closed), of(opened)], [2, 2, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forge_that_fails_and_loses_answers_is_told_everything_once() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    let trouble =
        |reason: &str| ForgeError::Transient { reason: reason.to_owned(), retry_after: None };
    world.github.fail_next(trouble("bad gateway"));
    world.deliver(&node).await;
    for _ in 0..3 {
        let calls = world.github.calls();
        world.github.drop_next_answer();
        world.until("another call", || world.github.calls() > calls).await;
        world.github.fail_next(trouble("try again"));
    }
    world.until("a failure", || world.said(pull).len() == 1).await;
    world.github.set_offline(true);
    std::fs::write(world.folder().join("outside.mended"), "").unwrap();
    world.repo.comment(pull, &login("linus"), "/ci retry");
    world.deliver(&node).await;
    let is_asked = || world.log().contains("failed to ask who gave a command");
    world.until("the node to ask in vain who that is", is_asked).await;
    let page = node.get(&format!("/acme/shop/pull/{pull}")).await.text().await.unwrap();
    assert!(page.contains("lib:test"));
    world.github.set_offline(false);
    world.tested(pull).await;
    let is_edited = || !world.comments(pull)[0].earlier.is_empty();
    world.until("the failure comment to be edited", is_edited).await;
    assert_eq!(world.said(pull).len(), 2, "{:#?}", world.comments(pull));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_git_cannot_fetch_from_is_told_so_though_polls_work() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    let away = world.folder().join("away.git");
    std::fs::rename(world.git.path(), &away).unwrap();
    let _node = world.start().await;
    let status = || world.answer(&["status"]);
    world.until("the status to tell", || status().contains("failed to fetch: run git")).await;
    std::fs::rename(&away, world.git.path()).unwrap();
    world.until("the status to tell", || status().contains(" worked")).await;
    world.until("a failure", || world.umbrella(pull) == "failure lib:test failed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_says_nothing_about_older_heads() {
    let world = World::new(&FILES).await;
    world.github.set_clock(Timestamp(now() - 3600));
    let pull = world.open("older", &[Change::file("lib/word", "older\n")]);
    world.repo.comment(pull, &login("linus"), "/ci retry");
    world.configure(OFTEN, "");
    let _node = world.start().await;
    world.github.set_clock(Timestamp(now() + 60));
    world.until("the verdict", || world.umbrella(pull).starts_with("failure")).await;
    let newer = world.open("newer", &[Change::file("lib/word", "newer\n")]);
    world.until("a comment", || world.said(newer).len() == 1).await;
    assert!(world.said(pull).is_empty(), "{:?}", world.said(pull));
    world.push_pull(pull, &[Change::file("lib/word", "older no more\n")]);
    world.until("a comment", || world.said(pull).len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_in_comments_are_carried_out_and_answered() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.until("a failure", || world.said(pull).len() == 1).await;
    for (command, answer) in [
        ("/ci why", "- lib:test failed; met by: a new head that mends it, or `/ci retry`\n"),
        ("/ci retry lib:lint", "there is no job `lib:lint`; there are: lib:test"),
        ("/ci run 0123456789ab", "that commit is not the head"),
        ("/ci dance", "there is no command `dance`"),
        ("/ci cancel", "there is nothing to cancel"),
    ] {
        let before = world.said(pull).len();
        world.repo.comment(pull, &login("linus"), command);
        world.deliver(&node).await;
        world.until("an answer", || world.said(pull).len() > before).await;
        let said = &world.said(pull)[before];
        assert!(said.starts_with(answer), "{command}: {said}");
    }
    world.repo.comment(pull, &login("linus"), "/ci force all");
    world.deliver(&node).await;
    world.until("the job to run again", || world.outside().len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_whose_webhook_was_lost_is_found_though_a_later_one_came() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.until("a failure", || world.said(pull).len() == 1).await;
    world.repo.comment(pull, &login("linus"), "/ci retry");
    drop(world.webhooks());
    world.repo.comment(pull, &login("linus"), "/ci why");
    world.deliver(&node).await;
    world.until("an answer", || world.said(pull).len() == 2).await;
    node.kill9();
    let _node = world.start().await;
    world.until("the job to run again", || world.outside().len() == 2).await;
}
