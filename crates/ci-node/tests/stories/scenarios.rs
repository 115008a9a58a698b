//! Scenarios of AircloakCI's own list that no other story tells; `docs/scenarios.md` has them all.

use ci_domain::forge::Head;
use ci_domain::ids::PullNumber;
use ci_github::fake::NewPull;

use crate::repository::Change;
use crate::world::{OFTEN, World, branch, login};

/// `lib` says how warm it is, and on the release branch it waits to be let go.
const WARMTH: [(&str, &str); 4] = [
    ("ci-policy.yaml", "mergeable: {approvals: 0}\nbranches: [main, 'release/*']\n"),
    (".gitignore", "warm\n"),
    (
        "lib/ci.yaml",
        r#"
jobs:
  compile:
    - 'echo "$CI_BRANCH $(cat warm 2>/dev/null)" >> {outside}'
    - 'test "$CI_BRANCH" != release/1 || until test -e {outside}.go; do sleep 0.1; done'
    - 'echo warm > warm'
"#,
    ),
    ("lib/word", "hello\n"),
];
const GREEN: &str = "success pull request can be merged";

impl World {
    /// A pull request into a branch other than main.
    fn open_into(&self, base: &str, from: &str) -> PullNumber {
        let sha = self.commit(from, &[Change::file("lib/word", format!("{from}\n"))]);
        let head = Head { sha, branch: branch(from), repo: Some(self.repo.name().clone()) };
        let (title, author) = (format!("Change by {from}"), login("ada"));
        let pull = NewPull { title, author, head, base: branch(base), draft: false };
        let number = self.repo.open_pull(pull);
        self.git.set(&format!("refs/pull/{number}/head"), &self.head(number));
        number
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_requests_into_a_branch_that_is_being_built_begin_cold_and_later_ones_warm() {
    let world = World::new(&WARMTH).await;
    world.configure(OFTEN, "");
    world.git.set("refs/heads/release/1", &world.tip());
    world.repo.push(&branch("release/1"), &world.tip());
    let _node = world.start().await;
    let has = |line: &str| world.outside().iter().any(|said| said.trim() == line);
    world.until("both branches to be compiled", || has("main") && has("release/1")).await;
    let pulls = ["a", "b"].map(|from| world.open_into("release/1", from));
    for pull in pulls {
        world.says(pull, GREEN).await;
    }
    assert!(has("a") && has("b"), "nobody waits for what may take long: {:?}", world.outside());
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
    let shown = || world.answer(&["branch", "show", "release/1"]);
    world.until("the branch to be built", || shown().contains("success")).await;
    let pull = world.open_into("release/1", "c");
    world.says(pull, GREEN).await;
    assert!(has("c warm"), "{:?}", world.outside());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_runs_only_at_night_waits_for_nothing_but_approval() {
    let files = [
        ("ci-policy.yaml", "nightly: {between: \"00:00-00:01\", timezone: UTC}\n"),
        ("system/ci.yaml", "nightly: {soak: ['echo soak >> {outside}']}\n"),
        ("system/word", "hello\n"),
        ("lib/ci.yaml", "jobs: {test: ['echo lib >> {outside}']}\n"),
    ];
    let world = World::new(&files).await;
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("system/word", "bye\n")]);
    world.approve(pull);
    world.deliver(&node).await;
    world.says(pull, GREEN).await;
    assert!(!world.outside().contains(&"lib".to_owned()), "{:?}", world.outside());
}
