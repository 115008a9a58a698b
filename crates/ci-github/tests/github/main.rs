//! What only GitHub's client does: calls on the wire, refusals, limits, tokens, odd answers.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod app;
mod calls;
mod checks;
mod credentials;
mod described;
mod examine;
mod graphql;
mod network;
mod polls;
mod redeliver;
mod refusals;
mod sign_in;
#[path = "../support/stand_in.rs"]
mod stand_in;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use ci_domain::forge::{StatusState, StatusWrite};
use ci_domain::ids::{BranchName, CommitSha, RepoName};
use ci_github::fake::{FakeGitHub, FakeRepo, FakeRequest, FakeResponse};
use ci_github::{Credentials, GitHub, GitHubConfig, Secret};
use stand_in::StandIn;

/// What a server was asked, in order.
type Seen = Arc<Mutex<Vec<FakeRequest>>>;

fn repo() -> RepoName {
    RepoName::new("acme/shop").unwrap()
}

fn sha(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

/// The time by this machine's clock, in seconds.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn config(url: &str) -> GitHubConfig {
    GitHubConfig {
        api_url: url.to_owned(),
        graphql_url: format!("{url}/graphql"),
        credentials: Credentials::Token(Secret::new(FakeGitHub::TOKEN)),
        timeout: Duration::from_secs(10),
    }
}

fn client(stand_in: &StandIn) -> GitHub {
    GitHub::new(config(&stand_in.url)).unwrap()
}

fn status() -> StatusWrite {
    StatusWrite {
        context: "ci/mergeable".to_owned(),
        state: StatusState::Pending,
        description: "initializing".to_owned(),
        target_url: None,
    }
}

/// A fake behind HTTP, and a client of it.
async fn fake() -> (FakeGitHub, FakeRepo, StandIn, GitHub) {
    let fake = FakeGitHub::new();
    let shop = fake.add_repo(repo(), BranchName::new("main").unwrap(), sha('a'));
    let behind = fake.clone();
    let stand_in = StandIn::start(move |request| behind.answer(&request)).await;
    let client = client(&stand_in);
    (fake, shop, stand_in, client)
}

/// A server that answers everything with `body`, and what it was asked.
async fn scripted(status: u16, body: &'static str) -> (StandIn, Seen) {
    let seen = Seen::default();
    let record = seen.clone();
    let stand_in = StandIn::start(move |request| {
        record.lock().unwrap().push(request);
        FakeResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    })
    .await;
    (stand_in, seen)
}
