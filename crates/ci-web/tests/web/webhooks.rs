//! Each row of what a delivery is answered with.

use ci_github::Secret;
use ci_github::fake::{FakeGitHub, SignedDelivery};
use ci_github::webhook::sign;
use ci_web::ReadAccess;
use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{Answer, get, post};
use crate::support::node::Node;
use crate::support::until;

const PATH: &str = "/webhooks/github";

async fn deliver(node: &Node, delivery: &SignedDelivery) -> Answer {
    post(PATH, &delivery.content_type, delivery.body.clone())
        .header("x-github-event", &delivery.event)
        .header("x-github-delivery", &delivery.id)
        .header("x-hub-signature-256", &delivery.signature)
        .of(node.address)
        .await
}

/// A delivery of our own, signed as GitHub would.
fn signed(event: &str, id: &str, content_type: &str, body: &str) -> SignedDelivery {
    SignedDelivery {
        event: event.to_owned(),
        id: id.to_owned(),
        content_type: content_type.to_owned(),
        signature: sign(&Secret::new(FakeGitHub::WEBHOOK_SECRET), body.as_bytes()),
        body: body.as_bytes().to_vec(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_answered_as_the_contract_says() {
    let node = Node::start(ReadAccess::Token).await;
    let json = "application/json";
    node.repo.push(&"other".parse().unwrap(), &"1".repeat(40).parse().unwrap());
    let push = node.github.take_deliveries().pop().unwrap();
    let body = String::from_utf8(push.body.clone()).unwrap();
    let form: String = body.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("payload={form}");
    let elsewhere = body.replace("acme/shop", "acme/other");
    let form_type = "application/x-www-form-urlencoded";
    let rows = [
        ("stored", StatusCode::ACCEPTED, push.clone()),
        ("duplicate", StatusCode::OK, push.clone()),
        ("form", StatusCode::ACCEPTED, signed("push", "d-form", form_type, &form)),
        ("ping", StatusCode::OK, signed("ping", "d-1", json, "{\"zen\":\"x\"}")),
        ("no interest", StatusCode::OK, signed("star", "d-2", json, &body)),
        ("another repository", StatusCode::OK, signed("push", "d-3", json, &elsewhere)),
        ("not JSON", StatusCode::BAD_REQUEST, signed("push", "d-4", json, "{")),
        ("no event", StatusCode::BAD_REQUEST, signed("", "d-5", json, &body)),
        ("no id", StatusCode::BAD_REQUEST, signed("push", "", json, &body)),
        ("text", StatusCode::BAD_REQUEST, signed("push", "d-6", "text/plain", &body)),
        (
            "wrong signature, and not JSON",
            StatusCode::UNAUTHORIZED,
            SignedDelivery { body: b"{".to_vec(), ..push.clone() },
        ),
        (
            "no signature",
            StatusCode::UNAUTHORIZED,
            SignedDelivery { signature: String::new(), ..push },
        ),
    ];
    for (row, expected, delivery) in rows {
        let answer = deliver(&node, &delivery).await;
        assert_eq!(answer.status, expected, "{row}: {}", answer.text());
    }
    let metrics = get("/metrics").bearer(&node.token(ci_web::wire::Role::Read).await);
    let metrics = metrics.of(node.address).await.text();
    assert!(metrics.contains("ci_webhooks_total{result=\"stored\"} 2\n"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_is_not_acknowledged() {
    let node = Node::start(ReadAccess::Token).await;
    // The first poll writes, too: the failure is for the delivery.
    let is_ready =
        async || (get("/readyz").of(node.address).await.status.is_success()).then_some(());
    until("the first poll", is_ready).await;
    node.repo.push(&"other".parse().unwrap(), &"1".repeat(40).parse().unwrap());
    let push = node.github.take_deliveries().pop().unwrap();
    node.ledger.fail_next_appends(1);
    assert_eq!(deliver(&node, &push).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(deliver(&node, &push).await.status, StatusCode::ACCEPTED);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_a_body_above_the_limit_gets_to_see_the_answer() {
    let node = Node::start(ReadAccess::Token).await;
    let length = 26_214_401;
    let body = vec![b' '; length];
    let chunk = format!("{length:x}\r\n");
    for (head, before, after) in [
        (format!("content-length: {length}"), "", ""),
        ("transfer-encoding: chunked".to_owned(), chunk.as_str(), "\r\n0\r\n\r\n"),
    ] {
        let mut stream = TcpStream::connect(node.address).await.unwrap();
        let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n{before}");
        for part in [head.as_bytes(), &body, after.as_bytes()] {
            stream.write_all(part).await.unwrap();
        }
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 413");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_the_limit_is_refused_before_it_is_read() {
    let node = Node::start(ReadAccess::Token).await;
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", 26_214_401);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_nothing_is_believed_and_a_new_one_counts_at_once() {
    let node = Node::start(ReadAccess::Token).await;
    let ping = signed("ping", "d-1", "application/json", "{}");
    node.secret.send_replace(None);
    assert_eq!(deliver(&node, &ping).await.status, StatusCode::UNAUTHORIZED);
    node.secret.send_replace(Some(Secret::new(FakeGitHub::WEBHOOK_SECRET)));
    assert_eq!(deliver(&node, &ping).await.status, StatusCode::OK);
    node.stop().await;
}
