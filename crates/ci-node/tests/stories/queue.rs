//! GitHub's merge queue: what it would merge is tested as a pull request is, and told by the umbrella; what
//! fails, in the conversation of the pull request that it would have added.

use ci_domain::ids::{BranchName, CommitSha, PullNumber};
use ci_github::fake::{CommentedOn, FakeGitHub};
use serde_json::json;

use crate::recorded::signed;
use crate::recordings::payloads;
use crate::repository::Change;
use crate::world::{NO_APPROVAL, OFTEN, REPO, World, branch};

const FILES: [(&str, &str); 5] = [
    NO_APPROVAL,
    (
        "lib/ci.yaml",
        "jobs:\n  test: ['test ! -e fails', 'echo \"lib $CI_BRANCH $CI_BASE\" >> {outside}']\n  \
         pack: {on: [branch], steps: ['echo \"packed $CI_BRANCH\" >> {outside}']}\n",
    ),
    ("lib/word", "hello\n"),
    ("shop/ci.yaml", "jobs:\n  test: ['echo \"shop $CI_BRANCH\" >> {outside}']\n"),
    ("shop/page", "words\n"),
];

impl World {
    /// Has the merge queue make a head that adds a pull request to main's tip.
    fn queue(&self, pull: PullNumber, changes: &[Change]) -> (BranchName, CommitSha) {
        let name = format!("gh-readonly-queue/main/pr-{pull}-{}", self.tip());
        let sha = self.commit(&name, changes);
        self.repo.push(&branch(&name), &sha);
        (branch(&name), sha)
    }

    async fn umbrella_of(&self, commit: &CommitSha, text: &str) {
        let says = || {
            let statuses = self.repo.statuses(commit);
            let is_umbrella = |context: &str| context == "continuous-integration/ci/mergeable";
            let last = statuses.iter().rev().find(|status| is_umbrella(&status.context));
            last.is_some_and(|last| format!("{} {}", last.state.as_str(), last.description) == text)
        };
        self.until(&format!("the umbrella of {commit} to say: {text}"), says).await;
    }

    fn has_workspace_of(&self, name: &str) -> bool {
        let all = std::fs::read_dir(self.data().join("workspaces/acme/shop")).unwrap();
        all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).any(|found| {
            // What is being removed has another name.
            found.starts_with("branch-gh-readonly-queue") && found.contains(name)
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_of_the_merge_queue_runs_the_jobs_of_pull_requests() {
    let world = World::new(&FILES).await;
    let node = world.start().await;
    world.until("main to be built", || world.outside() == ["packed main"]).await;
    let pull = world.open("change", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, "success pull request can be merged").await;
    assert_eq!(world.outside()[1..], ["lib change main"]);

    let (name, head) = world.queue(pull, &[Change::file("lib/word", "bye, bye\n")]);
    // GitHub tells of it by an event of its own, beside the push.
    let _pushes = world.webhooks();
    let recorded = payloads().into_iter().find(|recorded| recorded.event == "merge_group");
    let mut payload = recorded.unwrap().payload;
    payload["repository"]["full_name"] = json!(REPO);
    payload["merge_group"]["head_ref"] = json!(format!("refs/heads/{name}"));
    payload["merge_group"]["head_sha"] = json!(head.as_str());
    assert_eq!(node.post(&signed("merge_group", "queued", &payload)).await, 202);
    world.umbrella_of(&head, "success pull request can be merged").await;
    assert_eq!(world.outside()[2..], [format!("lib {name} main")], "only what it affects");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_fails_says_so_and_is_forgotten_when_the_queue_drops_it() {
    let world = World::new(&FILES).await;
    world.configure(OFTEN, "");
    let _node = world.start().await;
    let pull = world.open("change", &[Change::file("lib/word", "bye\n")]);
    let (name, head) = world.queue(pull, &[Change::file("lib/fails", "")]);
    world.umbrella_of(&head, "failure lib:test failed").await;
    let said = || {
        let ours = world.repo.comments(&CommentedOn::Pull(pull)).into_iter();
        let ours = ours.filter(|comment| comment.author.as_str() == FakeGitHub::LOGIN);
        ours.map(|comment| comment.body).filter(|body| body.contains("In the merge queue"))
    };
    world.until("the pull request to be told", || said().next().is_some()).await;
    let told = said().next().unwrap();
    assert!(told.contains("**lib:test failed**"), "{told}");
    assert!(told.contains("add the pull request to the queue again"), "{told}");
    assert!(world.repo.comments(&CommentedOn::Commit(head.clone())).is_empty());
    assert!(world.has_workspace_of("pr-"));
    world.repo.delete_branch(&name);
    world.until("its workspace to be gone", || !world.has_workspace_of("pr-")).await;
    world.umbrella_of(&head, "failure lib:test failed").await;
    assert_eq!(said().collect::<Vec<_>>(), [told]);
}
