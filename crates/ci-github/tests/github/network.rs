//! What the network can do to a call.

use std::time::Duration;

use ci_domain::ids::PullNumber;
use ci_github::fake::FakeResponse;
use ci_github::{Forge, ForgeError, GitHub};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::stand_in::StandIn;
use super::{client, config, repo, scripted, sha, status};

/// A listener on a free port, and a client of it.
async fn raw(timeout: Duration) -> (TcpListener, GitHub) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut config = config(&format!("http://{}", listener.local_addr().unwrap()));
    config.timeout = timeout;
    (listener, GitHub::new(config).unwrap())
}

fn assert_passing(answer: Result<(), ForgeError>, said: &str) {
    let error = answer.unwrap_err();
    assert!(error.is_passing() && error.to_string().contains(said), "{error}");
}

#[tokio::test]
async fn nobody_there_nobody_answering_and_half_an_answer_are_passing() {
    let (listener, github) = raw(Duration::from_millis(200)).await;
    assert_passing(github.set_status(&repo(), &sha('a'), &status()).await, "timed out");
    drop(listener);
    assert_passing(github.set_status(&repo(), &sha('a'), &status()).await, "onnect");

    let (listener, github) = raw(Duration::from_secs(30)).await;
    let half = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        assert!(socket.read(&mut request).await.unwrap() > 0);
        socket.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{").await.unwrap();
    };
    let (repo, sha, status) = (repo(), sha('a'), status());
    let (answer, ()) = tokio::join!(github.set_status(&repo, &sha, &status), half);
    assert_passing(answer, "end of file before message length reached");
}

#[tokio::test]
async fn a_renamed_repository_is_followed_with_method_and_body() {
    let stand_in = StandIn::start(|request| {
        let moved = request.path.replace("acme/shop", "acme/store");
        if moved != request.path {
            let headers = vec![("location", moved)];
            return FakeResponse { status: 307, headers, body: Vec::new() };
        }
        let complete = request.method == "POST"
            && request.authorization.is_some()
            && request.body == br#"{"body":"hello"}"#;
        let status = if complete { 201 } else { 400 };
        FakeResponse { status, headers: Vec::new(), body: br#"{"id":9}"#.to_vec() }
    })
    .await;
    let id = client(&stand_in).create_comment(&repo(), PullNumber(1), "hello").await.unwrap();
    assert_eq!(id.0, 9);
}

#[tokio::test]
async fn no_redirect_leads_to_another_host_or_in_circles() {
    let (elsewhere, seen) = scripted(200, "[]").await;
    let target = elsewhere.url.clone();
    let stand_in = StandIn::start(move |request| {
        let location = match request.path.contains("/issues/1/") {
            true => format!("{target}/stolen"),
            false => request.path,
        };
        FakeResponse { status: 302, headers: vec![("location", location)], body: Vec::new() }
    })
    .await;
    for number in [1, 2] {
        let error = client(&stand_in).comments(&repo(), PullNumber(number)).await.unwrap_err();
        assert!(matches!(error, ForgeError::Rejected { status: 302, .. }), "{number}: {error}");
    }
    assert_eq!(seen.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn pages_without_an_end_are_given_up() {
    let stand_in = StandIn::start(|_| FakeResponse {
        status: 200,
        headers: vec![("link", "<https://x?page=2>; rel=\"next\"".to_owned())],
        body: b"[]".to_vec(),
    })
    .await;
    let error = client(&stand_in).comments(&repo(), PullNumber(1)).await.unwrap_err();
    assert_eq!(error, ForgeError::Malformed { reason: "there is no last page".to_owned() });
}
