//! A node that is a GitHub app: its claims and tokens, check runs with marks, and their buttons.

use ci_domain::annotation::Level;
use ci_domain::forge::{CheckId, CheckState};
use ci_domain::ids::{CommitSha, PullNumber};
use ci_github::fake::{FakeCheck, FakeGitHub};

use crate::repository::Change;
use crate::world::{NEVER, NO_APPROVAL, World, login};

const PRIVATE_KEY: &str = include_str!("../../../ci-github/tests/keys/app.pem");
const PUBLIC_KEY: &str = include_str!("../../../ci-github/tests/keys/app.pub.pem");

/// A component that builds in any case, and whose test finds sixty faults until somebody mends the world.
pub const FILES: [(&str, &str); 4] = [
    NO_APPROVAL,
    (
        "lib/ci.yaml",
        "jobs:\n  compile: ['echo compile >> {outside}', 'echo src/word.c:1: warning: old']\n  test:\n    \
         - echo test >> {outside}\n    - |\n      test -e {outside}.mended && exit 0\n      \
         seq -f 'src/word.c:%g:5: error: bad @everyone' 1 60\n      \
         echo /etc/passwd:1:1: error: no\n      exit 1\n",
    ),
    ("lib/src/word.c", "hello\n"),
    ("lib/word", "hello\n"),
];

impl World {
    /// Makes the node an app, by its configuration and on GitHub.
    pub fn become_app(&self) {
        self.github.install_app(PUBLIC_KEY);
        std::fs::write(self.folder().join("app.pem"), PRIVATE_KEY).unwrap();
        let path = self.folder().join("ci-node.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        let token = "token = { file = \"token\" }";
        let app = "app = { id = 7, private_key = { file = \"app.pem\" } }";
        assert!(config.contains(token), "{config}");
        std::fs::write(&path, config.replace(token, app)).unwrap();
        std::fs::remove_file(self.folder().join("token")).unwrap();
    }

    /// The newest check run of a job on a commit.
    pub fn check(&self, commit: &CommitSha, job: &str) -> Option<FakeCheck> {
        let name = format!("continuous-integration/ci/{job}");
        self.repo.checks(commit).into_iter().rfind(|check| check.shows.name == name)
    }

    /// Waits until the newest check run of a job is like this.
    pub async fn checks(&self, commit: &CommitSha, job: &str, state: CheckState) -> FakeCheck {
        let is_so = || self.check(commit, job).is_some_and(|check| check.shows.state == state);
        self.until(&format!("the check run of {job} to be {}", state.as_str()), is_so).await;
        self.check(commit, job).unwrap()
    }

    /// Waits until there is a newer check run of a job that has passed.
    async fn passed_since(&self, commit: &CommitSha, job: &str, earlier: CheckId) -> FakeCheck {
        let is_so =
            |check: &FakeCheck| check.id != earlier && check.shows.state == CheckState::Success;
        self.until("a newer check run", || self.check(commit, job).is_some_and(|c| is_so(&c)))
            .await;
        self.check(commit, job).unwrap()
    }

    fn mend(&self) {
        std::fs::write(self.folder().join("outside.mended"), "").unwrap();
    }

    fn ran(&self, what: &str) -> usize {
        self.outside().iter().filter(|line| *line == what).count()
    }

    fn bot_said(&self, pull: PullNumber) -> usize {
        let comments = self.repo.comments(&ci_github::fake::CommentedOn::Pull(pull));
        comments.iter().filter(|comment| comment.author.as_str() == FakeGitHub::BOT).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_shows_marks_and_heeds_its_buttons() {
    let world = World::new(&FILES).await;
    world.become_app();
    // GitHub's tokens are asked for anew five minutes before they end: these at every call.
    world.github.set_token_lifetime(300);
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    let head = world.head(pull);
    world.deliver(&node).await;
    world.says(pull, "failure lib:test failed").await;
    let compiled = world.checks(&head, "lib:compile", CheckState::Success).await;
    assert_eq!(compiled.shows.annotations[0].level, Level::Warning, "{compiled:?}");
    world.checks(&head, "lib:test", CheckState::Failure).await;
    let is_whole = || world.check(&head, "lib:test").unwrap().shows.annotations.len() == 60;
    world.until("every mark", is_whole).await;
    let failed = world.check(&head, "lib:test").unwrap();
    assert_eq!(failed.batches.iter().filter(|marks| **marks > 0).collect::<Vec<_>>(), [&50, &10]);
    let mark = &failed.shows.annotations[59];
    assert_eq!((mark.path.as_str(), mark.line, mark.column), ("lib/src/word.c", 60, Some(5)));
    assert!(failed.shows.summary.contains("```text\n"), "{}", failed.shows.summary);
    let url = failed.shows.details_url.as_deref().unwrap();
    assert!(url.contains(&format!("/jobs/{}", failed.shows.reference)), "{url}");
    assert_eq!(world.repo.checks(&head).len(), 2, "the umbrella has none");
    world.until("a comment", || world.bot_said(pull) == 1).await;

    world.mend();
    world.repo.rerun_check(failed.id, &login("mallory"));
    world.repo.rerun_check(failed.id, &login("linus"));
    world.deliver(&node).await;
    world.says(pull, "success pull request can be merged").await;
    let passed = world.checks(&head, "lib:test", CheckState::Success).await;
    assert_ne!(passed.id, failed.id, "another run has another check run");
    assert_eq!(world.check(&head, "lib:compile"), Some(compiled));
    assert_eq!(world.ran("test"), 2);

    // Whoever pressed the button of what has run again since has had it.
    world.repo.rerun_check(failed.id, &login("linus"));
    world.repo.press(passed.id, "afresh", &login("linus"));
    world.deliver(&node).await;
    world.until("the job to run afresh", || world.ran("test") == 3).await;
    world.checks(&head, "lib:test", CheckState::Success).await;
    assert!(world.github.tokens_handed_out() > 1, "tokens were renewed");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_runs_are_told_once_whatever_ends_the_node() {
    let world = World::new(&FILES).await;
    world.become_app();
    let mut node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    let head = world.head(pull);
    world.deliver(&node).await;
    for _ in 0..3 {
        let known = world.repo.checks(&head).len();
        world.until("a check run", || world.repo.checks(&head).len() >= known.max(1)).await;
        node.kill9();
        node = world.start().await;
    }
    world.checks(&head, "lib:test", CheckState::Failure).await;
    let is_whole = || world.check(&head, "lib:test").unwrap().shows.annotations.len() >= 60;
    world.until("every mark", is_whole).await;
    node.kill9();
    let _node = world.start().await;
    world.says(pull, "failure lib:test failed").await;
    let all = world.repo.checks(&head);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all.iter().all(|check| check.shows.annotations.len() <= 60), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tip_of_a_branch_and_a_head_of_the_merge_queue_run_again_too() {
    let files = [
        NO_APPROVAL,
        (
            "lib/ci.yaml",
            "jobs:\n  test: {on: [pull, branch], steps: ['echo test >> {outside}', 'test -e {outside}.mended', \
                'test ! -e warm || echo warm >> {outside}', 'touch warm']}\n",
        ),
        (".gitignore", "warm\n"),
    ];
    let world = World::new(&files).await;
    world.become_app();
    let node = world.start().await;
    let tip = world.tip();
    let failed = world.checks(&tip, "lib:test", CheckState::Failure).await;
    world.mend();
    world.repo.rerun_check(failed.id, &login("linus"));
    world.deliver(&node).await;
    let passed = world.checks(&tip, "lib:test", CheckState::Success).await;
    assert_eq!((world.ran("test"), world.ran("warm")), (2, 0));
    world.repo.press(passed.id, "afresh", &login("linus"));
    world.deliver(&node).await;
    world.until("the job to run afresh", || world.ran("test") == 3).await;
    let passed = world.passed_since(&tip, "lib:test", passed.id).await;
    assert_eq!(world.ran("warm"), 0);
    world.repo.rerun_check(passed.id, &login("linus"));
    world.deliver(&node).await;
    world.until("the job to run warm", || world.ran("warm") == 1).await;

    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, "success pull request can be merged").await;
    std::fs::remove_file(world.folder().join("outside.mended")).unwrap();
    let name = format!("gh-readonly-queue/main/pr-{pull}-{tip}");
    let head = world.commit(&name, &[Change::file("lib/word", "bye, bye\n")]);
    world.repo.push(&crate::world::branch(&name), &head);
    world.deliver(&node).await;
    let failed = world.checks(&head, "lib:test", CheckState::Failure).await;
    world.mend();
    world.repo.rerun_check(failed.id, &login("linus"));
    world.deliver(&node).await;
    world.checks(&head, "lib:test", CheckState::Success).await;
    assert_eq!(world.ran("test"), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_without_the_permission_writes_statuses_alone() {
    let world = World::new(&FILES).await;
    world.become_app();
    world.github.take_permission("checks");
    let node = world.start().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, "failure lib:test failed").await;
    assert_eq!(world.repo.checks(&world.head(pull)), []);
    let status = world.answer(&["status"]);
    assert!(!status.contains("check run"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_key_is_wrong_says_so_and_not_what_it_is() {
    let world = World::new(&FILES).await;
    world.configure(NEVER, "");
    world.become_app();
    world.github.install_app(include_str!("../../../ci-github/tests/keys/other.pub.pem"));
    let _node = world.spawn();
    world.until("the refusal", || world.log().contains("Bad credentials")).await;
    assert!(!world.log().contains("PRIVATE KEY"), "{}", world.log());
}
