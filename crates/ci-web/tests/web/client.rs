//! The command line's way in.

use std::os::unix::fs::PermissionsExt;

use ci_domain::ids::{BranchName, PullNumber};
use ci_store::MemoryLedger;
use ci_web::ReadAccess;
use ci_web::client::{AdminClient, ByteStream, ClientError, Follow};
use ci_web::wire::{JobState, VerdictState};

use crate::support::http::get;
use crate::support::node::{Node, REPO, repo_name};
use crate::support::until;

async fn whole(mut stream: ByteStream) -> String {
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.chunk().await.unwrap() {
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_node_is_there_is_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let absent = AdminClient::connect(folder.path().join("none.sock")).await;
    assert!(matches!(absent, Err(ClientError::NoServer { .. })));
    let path = folder.path().join("left.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let refused = AdminClient::connect(path).await;
    assert!(matches!(refused, Err(ClientError::NoServer { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_sees_and_does_everything() {
    let node = Node::start(ReadAccess::Token).await;
    let client = node.client().await;
    let mode = std::fs::metadata(&node.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let number = node.open_pull("a change", "  test:\n    - echo one\n    - echo two\n");
    let job = node.job(number, |job| job.state == JobState::Passed).await;
    let (repo, id) = (repo_name(), job.job.parse().unwrap());

    let status = client.status().await.unwrap();
    assert_eq!((status.repos[0].name.as_str(), status.repos[0].open.as_slice()), (REPO, &[1][..]));
    assert!(status.queues.iter().any(|queue| queue.name == "jobs" && queue.granted == 1));
    let pulls = client.pulls(&repo).await.unwrap();
    let summary = (pulls[0].title.as_deref(), pulls[0].author.as_deref(), pulls[0].number);
    assert_eq!(summary, (Some("a change"), Some("ada"), 1));
    let attempt = job.attempt.unwrap().parse().unwrap();
    let log = whole(client.job_log(&attempt, Follow::No).await.unwrap()).await;
    assert!(log.starts_with("$ echo one\none\n[exit 0, "), "{log}");
    assert!(log.contains("]\n$ echo two\ntwo\n[exit 0, "), "{log}");
    let followed = whole(client.job_log(&attempt, Follow::Yes).await.unwrap()).await;
    assert_eq!(followed, log);

    let nothing = client.retry(&repo, number, None).await;
    assert!(
        matches!(&nothing, Err(ClientError::Refused { status: 409, detail }) if detail.contains("nothing to retry"))
    );
    let unknown = client.retry(&repo, number, Some(&"app:nothing".parse().unwrap())).await;
    assert!(
        matches!(&unknown, Err(ClientError::NotFound { detail }) if detail.contains("there is no job `app:nothing`"))
    );
    let forced = client.force(&repo, number, Some(&id), true).await.unwrap();
    assert_eq!(forced.jobs, ["app:test"]);
    let other = client.pull(&repo, PullNumber(99)).await;
    assert!(matches!(other, Err(ClientError::NotFound { .. })));
    let lifted = client.lift(&repo, number).await;
    assert!(matches!(lifted, Err(ClientError::NotFound { .. })));
    assert_eq!(client.quarantined(None).await.unwrap(), []);
    let is_new = |job: &ci_web::wire::Job| job.attempt.as_deref() != Some(attempt.as_str());
    node.job(number, |job| is_new(job) && job.state == JobState::Passed).await;
    assert_eq!(client.pull(&repo, number).await.unwrap().pull.state, VerdictState::Success);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_are_listed_shown_and_forced() {
    let node = Node::start(ReadAccess::Token).await;
    let (client, repo) = (node.client().await, repo_name());
    node.push_branch("release/1", "  test: {on: [branch], steps: [\"echo shipped\"]}\n");
    let name = BranchName::new("release/1").unwrap();
    let passed = async || {
        let branch = client.branch(&repo, &name).await.ok()?;
        let job = branch.jobs.first()?;
        (job.state == JobState::Passed).then(|| job.attempt.clone().unwrap())
    };
    let attempt = until("the branch to pass", passed).await;
    let listed = client.branches(&repo).await.unwrap();
    assert_eq!((listed[0].name.as_str(), listed.len()), ("release/1", 1));
    assert_eq!(listed[0].page, "/acme/shop/branch/release%2F1");
    let forced = client.force_branch(&repo, &name, None).await.unwrap();
    assert_eq!(forced.jobs, ["app:test"]);
    until("another attempt", async || passed().await.filter(|new| *new != attempt)).await;
    let unknown = "app:nothing".parse().unwrap();
    let refused = client.force_branch(&repo, &name, Some(&unknown)).await;
    assert!(matches!(refused, Err(ClientError::NotFound { .. })), "{refused:?}");
    let other = BranchName::new("main").unwrap();
    let refused = client.force_branch(&repo, &other, None).await;
    assert!(matches!(refused, Err(ClientError::NotFound { .. })), "{refused:?}");
    let refused = client.branch(&repo, &other).await;
    assert!(matches!(refused, Err(ClientError::NotFound { .. })), "{refused:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_checked_and_exported_while_it_is_used() {
    let node = Node::start(ReadAccess::Token).await;
    let client = node.client().await;
    node.token(ci_web::wire::Role::Read).await;
    let audit = client.check_store().await.unwrap();
    assert!(audit.records > 0 && audit.findings.is_empty());
    let export = whole(client.export_store().await.unwrap()).await;
    let copy = MemoryLedger::import(&mut export.as_bytes()).unwrap();
    let tokens = ci_store::StreamId::new("tokens").unwrap();
    assert!(!ci_store::Ledger::read(&copy, &tokens).unwrap().is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_listed_refused_and_lifted() {
    let node = Node::start(ReadAccess::Public).await;
    let client = node.client().await;
    let number = node.open_pull("unlucky", "  test:\n    - echo one\n");
    let repo = repo_name();
    node.job(number, |job| job.state == JobState::Passed).await;
    let given_up = until("the quarantine", async || {
        if let Some(pull) = node.process.hub().find("ci-node/repos/acme.shop/pulls/pull-1/pull") {
            pull.kill();
            pull.gone().await;
        }
        client.quarantined(Some(&repo)).await.ok().filter(|all| !all.is_empty())
    })
    .await;
    assert_eq!((given_up[0].repo.as_str(), given_up[0].number), (REPO, 1));
    let refused = client.retry(&repo, number, None).await;
    let said = matches!(&refused, Err(ClientError::Refused { status: 409, detail }) if detail.contains("quarantined"));
    assert!(said, "{refused:?}");
    assert!(get("/acme/shop").of(node.address).await.text().contains("is quarantined: "));
    client.lift(&repo, number).await.unwrap();
    assert_eq!(client.quarantined(None).await.unwrap(), []);
    node.job(number, |job| job.state == JobState::Passed).await;
    node.stop().await;
}
