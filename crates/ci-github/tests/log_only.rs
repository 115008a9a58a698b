//! With writing off, GitHub is read and never written.

use std::sync::Arc;

use ci_domain::forge::{CommentId, Reaction, StatusState, StatusWrite};
use ci_domain::ids::{BranchName, CommitSha, PullNumber, RepoName};
use ci_github::fake::FakeGitHub;
use ci_github::{Forge, LogOnly};

#[tokio::test]
async fn writes_are_logged_and_reads_go_through() {
    let fake = FakeGitHub::new();
    let (name, sha) =
        (RepoName::new("acme/shop").unwrap(), CommitSha::new("a".repeat(40)).unwrap());
    let repo = fake.add_repo(name.clone(), BranchName::new("main").unwrap(), sha.clone());
    let forge = LogOnly::new(Arc::new(fake.clone()));
    let status = StatusWrite {
        context: "ci".to_owned(),
        state: StatusState::Success,
        description: String::new(),
        target_url: None,
    };
    forge.set_status(&name, &sha, &status).await.unwrap();
    forge.edit_comment(&name, CommentId(1), "hello").await.unwrap();
    forge.react(&name, CommentId(1), Reaction::Eyes).await.unwrap();
    let posted = forge.create_comment(&name, PullNumber(1), "hello").await.unwrap();
    assert_eq!(posted, LogOnly::NOT_POSTED);
    assert_eq!(forge.commit_comment(&name, &sha, "hello").await, Ok(LogOnly::NOT_POSTED));
    assert_eq!(fake.calls(), 0);
    assert_eq!(repo.statuses(&sha), []);
    assert_eq!(forge.snapshot(&name).await.unwrap().branches.len(), 1);
}
