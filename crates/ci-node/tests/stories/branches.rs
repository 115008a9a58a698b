//! Branches are built on push, and a pull request begins with what its base branch has made.

use std::process::{Command, Output};

use ci_github::fake::{CommentedOn, FakeGitHub};

use crate::repository::Change;
use crate::world::{NO_APPROVAL, OFTEN, World, branch};

/// `lib` says of each build what it found; `shop` only that it was built.
const FILES: [(&str, &str); 6] = [
    NO_APPROVAL,
    (".gitignore", "warm\n"),
    (
        "lib/ci.yaml",
        "jobs:\n  compile:\n    - 'test ! -e fails'\n    \
         - 'test ! -e slow || until test -e {outside}.go; do sleep 0.1; done'\n    \
         - 'echo \"lib $CI_BRANCH $CI_BASE $(cat warm 2>/dev/null) pull=$CI_PULL\" >> {outside}'\n    \
         - 'echo warm > warm'\n  test: ['true']\n",
    ),
    ("lib/word", "hello\n"),
    ("shop/ci.yaml", "jobs:\n  compile: ['echo \"shop $CI_BRANCH\" >> {outside}']\n"),
    ("shop/page", "words\n"),
];
const PASSED: &str = "success all jobs passed";

impl World {
    /// What a component of main's tip has said last.
    fn component(&self, name: &str) -> String {
        let context = format!("continuous-integration/ci/{name}");
        let statuses = self.repo.statuses(&self.tip());
        let last = statuses.iter().rev().find(|status| status.context == context);
        last.map_or("none".to_owned(), |last| {
            format!("{} {}", last.state.as_str(), last.description)
        })
    }

    async fn component_says(&self, name: &str, text: &str) {
        self.until(&format!("{name} to say: {text}"), || self.component(name) == text).await;
    }

    /// What the node has said about main's tip.
    fn said_of_tip(&self) -> Vec<String> {
        let ours = self.repo.comments(&CommentedOn::Commit(self.tip())).into_iter();
        let ours = ours.filter(|comment| comment.author.as_str() == FakeGitHub::LOGIN);
        ours.map(|comment| comment.body).collect()
    }

    /// Lets the slow job of `lib` end.
    fn let_go(&self) {
        std::fs::write(self.folder().join("outside.go"), "").unwrap();
    }

    /// Asks the node on the command line.
    pub fn ask(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ci-node"));
        command.args(arguments).arg("--config").arg(self.folder().join("ci-node.toml"));
        command.output().unwrap()
    }

    /// What the command line prints.
    pub fn answer(&self, arguments: &[&str]) -> String {
        let output = self.ask(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_builds_what_it_affects_and_pull_requests_begin_warm() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let _node = world.start().await;
    world.component_says("lib", PASSED).await;
    world.component_says("shop", PASSED).await;
    let mut first = world.outside();
    first.sort();
    assert_eq!(first, ["lib main main  pull=", "shop main"]);

    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.says(pull, "success pull request can be merged").await;
    assert_eq!(world.outside()[2], format!("lib bye main warm pull={pull}"));
    world.push_main(&[Change::file("lib/word", "hello again\n")]);
    world.component_says("lib", PASSED).await;
    assert_eq!(world.outside()[3..], ["lib main main warm pull="]);
    assert_eq!(world.component("shop"), "none", "it is not affected");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_another_has_overtaken_takes_its_branch_nowhere() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    world.component_says("lib", PASSED).await;
    world.push_main(&[Change::file("lib/word", "overtaken\n")]);
    let overtaken = world.tip();
    world.push_main(&[Change::file("lib/word", "first\n"), Change::file("lib/slow", "")]);
    for delivery in world.webhooks().iter().rev() {
        assert_eq!(node.post(delivery).await, 202);
    }
    world.let_go();
    // No poll will tell.
    world.component_says("lib", PASSED).await;
    assert!(world.repo.statuses(&overtaken).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_on_a_branch_is_told_once_at_its_commit() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let node = world.start().await;
    world.component_says("lib", PASSED).await;
    world.push_main(&[Change::file("lib/fails", "")]);
    world.component_says("lib", "failure lib:compile failed").await;
    world.until("a comment", || !world.said_of_tip().is_empty()).await;
    let said = world.said_of_tip();
    assert!(said[0].contains("ci-node branch force main lib:compile"), "{}", said[0]);

    node.kill9();
    let _node = world.start().await;
    let ran = world.outside().len();
    let printed = world.answer(&["branch", "force", "main", "lib:compile"]);
    assert!(printed.contains("lib:compile"), "{printed}");
    let both = "the job to fail again, and nothing to be said again";
    let history = || world.answer(&["branch", "show", "main"]);
    world.until(both, || history().contains("failed") && !history().contains("under way")).await;
    assert_eq!(world.said_of_tip().len(), 1, "{:#?}", world.said_of_tip());
    assert_eq!(world.outside().len(), ran);

    world.push_main(&[Change::gone("lib/fails")]);
    world.component_says("lib", PASSED).await;
    assert!(world.said_of_tip().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_push_and_a_crash_in_the_middle_lose_nothing() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let node = world.start().await;
    world.component_says("lib", PASSED).await;
    world.component_says("shop", PASSED).await;
    world.push_main(&[Change::file("lib/slow", "")]);
    world.until("lib to run", || world.component("lib").starts_with("pending")).await;
    // What was not built to its end is built with what comes after it.
    world.push_main(&[Change::file("shop/page", "other\n")]);
    world.until("lib to run", || world.component("lib").starts_with("pending")).await;
    node.kill9();
    let _node = world.start().await;
    world.let_go();
    world.component_says("lib", PASSED).await;
    world.component_says("shop", PASSED).await;
    let mut after = world.outside().split_off(2);
    after.sort();
    assert_eq!(after, ["lib main main warm pull=", "shop main"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_is_gone_leaves_nothing_behind() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let _node = world.start().await;
    world.git.set("refs/heads/release/1", &world.tip());
    world.repo.push(&branch("release/1"), &world.tip());
    let policy = "mergeable: {approvals: 0}\nbranches: [main, 'release/*']\n";
    world.push_main(&[Change::file("ci-policy.yaml", policy)]);
    let is_there = || {
        let folder = std::fs::read_dir(world.data().join("workspaces/acme/shop")).unwrap();
        let mut names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.any(|name| name.contains("release"))
    };
    world.until("release/1 to be built", is_there).await;
    world.git.delete("refs/heads/release/1");
    world.repo.delete_branch(&branch("release/1"));
    world.until("its workspace to be freed", || !is_there()).await;
    let is_listed = || world.answer(&["branch", "list"]).contains("release");
    world.until("it to leave the list", || !is_listed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_shows_forces_and_follows_branches() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let _node = world.start().await;
    world.component_says("lib", PASSED).await;
    world.component_says("shop", PASSED).await;
    let listed = world.answer(&["branch", "list"]);
    let row = listed.lines().nth(1).unwrap();
    assert!(row.starts_with("main") && row.contains(&world.tip().as_str()[..12]), "{listed}");
    let shown = world.answer(&["branch", "show", "main"]);
    for job in ["lib:compile", "shop:compile"] {
        assert!(shown.contains(job), "{shown}");
    }
    assert!(!shown.contains("lib:test"), "only what runs on branches: {shown}");
    let ran = world.outside().len();
    world.answer(&["branch", "force", "main", "all"]);
    world.until("both to run again", || world.outside().len() == ran + 2).await;
    let followed = world.answer(&["branch", "logs", "main", "lib:compile", "--follow"]);
    assert!(followed.contains("$ echo warm > warm\n[exit 0"), "{followed}");
    for (arguments, code) in [
        (&["branch", "show", "nowhere"][..], 3),
        (&["branch", "force", "main", "lib:lint"], 3),
        (&["branch", "show", "a..b"], 2),
    ] {
        let output = world.ask(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(arguments.last().unwrap()), "{said}");
    }
}
