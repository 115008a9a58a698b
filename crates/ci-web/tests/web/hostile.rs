//! Who finds the port and means no good: what they send, and how.

use std::time::Duration;

use ci_github::Secret;
use ci_github::fake::FakeGitHub;
use ci_github::webhook::sign;
use ci_web::ReadAccess;
use hyper::StatusCode;
use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::get;
use crate::support::node::Node;
use crate::support::{CEILING, until};

const BODY: &str = r#"{"ref":"refs/heads/x","after":"1111111111111111111111111111111111111111","repository":{"full_name":"acme/shop"}}"#;

fn signature(body: &[u8]) -> String {
    sign(&Secret::new(FakeGitHub::WEBHOOK_SECRET), body)
}

/// A delivery as bytes on the wire, with these headers beside the length of the body.
fn request(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /webhooks/github HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The headers of a delivery that would be taken.
fn good(id: &str, body: &[u8]) -> String {
    format!(
        "content-type: application/json\r\nx-github-event: push\r\nx-github-delivery: {id}\r\n\
         x-hub-signature-256: {}\r\n",
        signature(body)
    )
}

/// The status that is answered to these bytes; 0 where the connection is closed without a word.
async fn status(node: &Node, bytes: &[u8]) -> u16 {
    let answer = async {
        let mut stream = TcpStream::connect(node.address).await.unwrap();
        // Who is refused in the middle of a body may find the connection closed.
        let _refused = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = tokio::time::timeout(CEILING, answer).await.expect("an answer in time");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn tricks_with_headers_are_seen_through() {
    let node = Node::start(ReadAccess::Token).await;
    let body = BODY.as_bytes();
    let genuine = signature(body);
    let forged = signature(b"something else");
    let digits = genuine.trim_start_matches("sha256=").to_owned();
    let upper = digits.to_uppercase();
    let signed = |headers: &str| {
        let common = "content-type: application/json\r\nx-github-event: push\r\n";
        format!("{common}x-github-delivery: trick\r\n{headers}\r\n")
    };
    let with = |more: &str| format!("{}{more}\r\n", good("trick", body));
    for (row, headers, expected) in [
        ("forged", signed(&format!("x-hub-signature-256: {forged}")), 401),
        ("no signature", signed("x: y"), 401),
        (
            "sha1 only",
            signed("x-hub-signature: sha1=0123456789012345678901234567890123456789"),
            401,
        ),
        (
            "sha1 as sha256",
            signed("x-hub-signature-256: sha1=0123456789012345678901234567890123456789"),
            401,
        ),
        ("no hex", signed(&format!("x-hub-signature-256: sha256={}", "zz".repeat(32))), 401),
        ("cut", signed(&format!("x-hub-signature-256: {}", &genuine[..genuine.len() - 1])), 401),
        ("longer", signed(&format!("x-hub-signature-256: {genuine}00")), 401),
        ("scheme in capitals", signed(&format!("x-hub-signature-256: SHA256={digits}")), 401),
        ("in quotes", signed(&format!("x-hub-signature-256: \"{genuine}\"")), 401),
        ("a list", signed(&format!("x-hub-signature-256: {genuine}, {genuine}")), 401),
        ("genuine before forged", with(&format!("x-hub-signature-256: {forged}")), 401),
        ("the same twice", with(&format!("x-hub-signature-256: {genuine}")), 401),
        ("folded", signed(&format!("x-hub-signature-256: sha256=\r\n {digits}")), 400),
        ("no text", signed("x-hub-signature-256: sha256=\u{e9}"), 401),
        ("a space before the colon", signed(&format!("x-hub-signature-256 : {genuine}")), 400),
        ("two events", with("x-github-event: ping"), 400),
        ("two ids", with("x-github-delivery: another"), 400),
        ("two content types", with("content-type: application/json"), 400),
        ("compressed", with("content-encoding: gzip"), 400),
        ("compressed twice", with("content-encoding: identity\r\ncontent-encoding: gzip"), 400),
        ("two lengths", with("content-length: 7"), 400),
        ("a length and chunks", with("transfer-encoding: chunked"), 400),
        ("many headers", with(&"x: y\r\n".repeat(500)), 431),
        ("a long header", with(&format!("x: {}", "y".repeat(300_000))), 431),
        ("identity", with("content-encoding: identity"), 202),
        ("digits in capitals", signed(&format!("x-hub-signature-256: sha256={upper}")), 200),
    ] {
        assert_eq!(status(&node, &request(&headers, body)).await, expected, "{row}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_not_what_they_say_are_refused() {
    let node = Node::start(ReadAccess::Token).await;
    let packed =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00";
    let deep = "[".repeat(1_000_000);
    for (row, body, expected) in [
        ("empty", b"".as_slice(), 400),
        ("cut", &BODY.as_bytes()[..60], 400),
        ("gzip that says it is JSON", packed, 400),
        ("a form that says it is JSON", b"payload=%7B%7D", 400),
        ("a million lists", deep.as_bytes(), 400),
        ("no text", b"{\"ref\":\"\xff\xfe\"}", 400),
        ("JSON of another shape", b"[1e999]", 400),
    ] {
        let bytes = request(&good("body", body), body);
        assert_eq!(status(&node, &bytes).await, expected, "{row}");
    }
    let forged = request(&good("body", b"x"), deep.as_bytes());
    assert_eq!(status(&node, &forged).await, 401, "not parsed before it is believed");
    let thirty = vec![b' '; 30 << 20];
    assert_eq!(status(&node, &request(&good("large", b""), &thirty)).await, 413, "30 MiB");
    let mut truncated = request(&good("cut", BODY.as_bytes()), BODY.as_bytes());
    truncated.truncate(truncated.len() - 10);
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    stream.write_all(&truncated).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_replayed_a_thousand_times_is_stored_once() {
    let node = Node::start(ReadAccess::Token).await;
    let bytes = request(&good("replayed", BODY.as_bytes()), BODY.as_bytes());
    let mut stored = 0;
    for _ in 0..20 {
        let fifty = (0..50).map(|_| status(&node, &bytes));
        let answers = futures_util::future::join_all(fifty).await;
        assert!(answers.iter().all(|status| [200, 202].contains(status)), "{answers:?}");
        stored += answers.iter().filter(|status| **status == 202).count();
    }
    // Those who ask while it is on its way to the disk hear that it is there now.
    assert!((1..=50).contains(&stored), "{stored}");
    let streams = ci_store::Ledger::streams(&*node.ledger, "intake").unwrap();
    let records = streams
        .iter()
        .flat_map(|stream| ci_store::Ledger::read(&*node.ledger, stream).unwrap().records);
    assert_eq!(records.filter(|(_, record)| record.kind == "received").count(), 1);
    node.stop().await;
}

/// Ten thousand connections that say nothing or nothing whole; fewer where not so many files may be open.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_keeps_nobody_from_an_answer() {
    const WANTED: usize = 10_000;
    let node = Node::start(ReadAccess::Token).await;
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let many = WANTED.min(usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(2500));
    if many < WANTED {
        println!("only {many} connections of {WANTED}: not more than {files} files may be open");
    }
    let before = resident();
    let mut flood = Vec::new();
    let half = format!(
        "POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n\r\n{}",
        "x".repeat(9000)
    );
    for number in 0..many {
        let mut stream = TcpStream::connect(node.address).await.unwrap();
        let words = ["", "GET /hea", half.as_str()][number % 3];
        // Those that were closed for others hear of it here.
        let _closed = stream.write_all(words.as_bytes()).await;
        flood.push(stream);
        if number % 1000 == 999 {
            assert_eq!(get("/healthz").of(node.address).await.status, StatusCode::OK);
        }
    }
    assert_eq!(get("/healthz").of(node.address).await.status, StatusCode::OK);
    let delivery = request(&good("amid", BODY.as_bytes()), BODY.as_bytes());
    assert_eq!(status(&node, &delivery).await, 202);
    let open = async || {
        let mut open = 0;
        for stream in &flood {
            let is_open = matches!(stream.try_read(&mut [0; 1]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
            open += usize::from(is_open);
        }
        (open <= 1024).then_some(())
    };
    until("all but a bounded number to be closed", open).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 400 << 20, "{} MiB more than before", grown >> 20);
    drop(flood);
    tokio::time::timeout(Duration::from_secs(60), node.stop()).await.expect("a stop in time");
}

/// The memory of this process, which holds both sides, in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
