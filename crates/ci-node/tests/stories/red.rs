//! A pull request that fails, is asked about and run again.

use ci_domain::forge::Reaction;

use crate::repository::Change;
use crate::world::{World, login};

/// A job that passes once somebody mends the world around it.
const FILES: [(&str, &str); 2] = [
    (
        "lib/ci.yaml",
        "jobs:\n  test:\n    - echo $CI_ATTEMPT >> {outside}\n    - seq -f 'line %g of ````' 1 150\n    \
         - run: test -e {outside}.mended\n      name: is it mended\n",
    ),
    ("lib/word", "hello\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_once_and_recovers_when_someone_who_may_asks_for_a_retry() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.until("a comment", || world.said(pull).len() == 1).await;
    assert!(world.umbrella(pull).starts_with("failure lib:test failed"));
    let told = world.comments(pull).remove(0);
    for part in [
        "**lib:test failed**",
        "https://ci.example.com/",
        "`/ci retry lib:test`",
        "line 150 of ````",
        "$ is it mended",
    ] {
        assert!(told.body.contains(part), "{part} is not in:\n{}", told.body);
    }
    assert!(!told.body.contains("line 50 of"), "only the end of the log is shown:\n{}", told.body);

    world.repo.comment(pull, &login("mallory"), "/ci retry");
    world.deliver(&node).await;
    let unheeded = "a command by someone without write access was not heeded";
    world.until("the stranger's command to be refused", || world.log().contains(unheeded)).await;
    assert_eq!(world.outside().len(), 1);

    std::fs::write(world.folder().join("outside.mended"), "").unwrap();
    let wish = world.repo.comment(pull, &login("linus"), "/ci retry\nplease");
    world.deliver(&node).await;
    world.tested(pull).await;
    let is_edited = || !world.comments(pull)[0].earlier.is_empty();
    world.until("the failure comment to be edited", is_edited).await;
    let comments = world.comments(pull);
    assert_eq!(comments[0].id, told.id);
    assert!(comments[0].body.contains("has passed since"), "{}", comments[0].body);
    assert!(world.said(pull)[1].starts_with("Standard tests have passed "));
    let wish = comments.iter().find(|comment| comment.id == wish).unwrap();
    assert_eq!(wish.reactions, [Reaction::ThumbsUp]);
    assert_eq!(world.outside().len(), 2, "only the failed job ran again");
}
