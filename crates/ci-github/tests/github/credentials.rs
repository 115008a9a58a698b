//! Credentials that change while the node runs.

use std::sync::{Arc, Mutex};

use ci_github::fake::FakeGitHub;
use ci_github::{CredentialSource, Credentials, Forge, ForgeError, GitHub, Secret};

use super::{config, fake, repo, sha, status};

/// Says these credentials in turn.
struct Said(Mutex<Vec<&'static str>>);

impl CredentialSource for Said {
    fn changed(&self) -> Option<Credentials> {
        let next = self.0.lock().unwrap().pop()?;
        Some(Credentials::Token(Secret::new(next)))
    }
}

/// A client whose token has expired, and what its source will say, the last first.
fn expired(url: &str, said: Vec<&'static str>) -> (GitHub, Arc<Said>) {
    let mut config = config(url);
    config.credentials = Credentials::Token(Secret::new("expired"));
    let source = Arc::new(Said(Mutex::new(said)));
    let github = GitHub::new(config).unwrap();
    github.follow(source.clone());
    (github, source)
}

#[tokio::test]
async fn a_refused_token_is_looked_up_and_the_call_made_with_the_new_one() {
    let (_, shop, stand_in, _) = fake().await;
    let (github, _) = expired(&stand_in.url, vec![FakeGitHub::TOKEN]);
    github.set_status(&repo(), &sha('a'), &status()).await.unwrap();
    assert_eq!(shop.statuses(&sha('a')).len(), 1);
    let (github, _) = expired(&stand_in.url, vec![FakeGitHub::TOKEN]);
    assert_eq!(github.identity().await.unwrap().as_str(), FakeGitHub::LOGIN);
    let (github, _) = expired(&stand_in.url, vec![FakeGitHub::TOKEN]);
    assert_eq!(github.snapshot(&repo()).await.unwrap().branches.len(), 1);
}

#[tokio::test]
async fn a_source_without_a_better_token_is_asked_once_for_each_refusal() {
    let (_, _, stand_in, _) = fake().await;
    let (github, source) =
        expired(&stand_in.url, vec!["expired", "unusable token", "also-expired"]);
    for left in [2, 1, 0] {
        let error = github.set_status(&repo(), &sha('a'), &status()).await.unwrap_err();
        assert_eq!(error, ForgeError::Unauthorized { message: "Bad credentials".to_owned() });
        assert_eq!(source.0.lock().unwrap().len(), left);
    }
}
