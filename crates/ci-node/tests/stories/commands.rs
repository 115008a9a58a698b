//! Commands in comments: heard once, whatever is lost, and only as they were first written.

use ci_domain::forge::Reaction;

use crate::repository::Change;
use crate::world::{OFTEN, World, login};

/// A job that fails.
const FILES: [(&str, &str); 2] = [
    ("lib/ci.yaml", "jobs: {test: ['echo $CI_ATTEMPT >> {outside}', 'false']}\n"),
    ("lib/word", "hello\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_that_becomes_a_command_is_none() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let _node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.until("a failure", || world.said(pull).len() == 1).await;
    let remark = world.repo.comment(pull, &login("linus"), "looks fine");
    world.repo.edit_comment(remark, "/ci force all");
    let wish = world.repo.comment(pull, &login("linus"), "/ci why");
    world.until("an answer", || world.said(pull).len() == 2).await;
    assert_eq!(world.outside().len(), 1, "the edited comment was carried out");
    let comments = world.comments(pull);
    let quiet = comments.iter().filter(|comment| [remark, wish].contains(&comment.id));
    assert!(quiet.flat_map(|comment| &comment.reactions).next().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_given_once_though_its_arrival_is_lost_and_the_node_dies() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.until("a failure", || world.said(pull).len() == 1).await;
    world.says(pull, "failure lib:test failed").await;
    let is_told = || world.statuses(pull).iter().any(|said| said.starts_with("lib: failure"));
    world.until("all that is to be said", is_told).await;
    world.repo.comment(pull, &login("linus"), "/ci dance");
    world.github.drop_next_answer();
    world.deliver(&node).await;
    let is_lost = || world.log().contains("failed to answer a command; it is tried again");
    world.until("the answer to be lost", is_lost).await;
    let retry = world.repo.comment(pull, &login("linus"), "/ci retry");
    world.deliver(&node).await;
    world.until("the job to run again", || world.outside().len() == 2).await;
    node.kill9();
    world.configure(OFTEN, "");
    let _node = world.start().await;
    let is_heeded = || {
        let comments = world.comments(pull);
        let wish = comments.iter().find(|comment| comment.id == retry).unwrap();
        wish.reactions == [Reaction::ThumbsUp]
    };
    world.until("the retry to be answered", is_heeded).await;
    // The poll that gave what was owed has read the comments; another one finds nothing to do.
    let calls = world.github.calls();
    world.until("more polls", || world.github.calls() > calls + 4).await;
    let danced = world.said(pull).iter().filter(|said| said.contains("`dance`")).count();
    assert_eq!((danced, world.outside().len()), (1, 2), "{:?}", world.said(pull));
}
