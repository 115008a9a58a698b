//! Logs by offset and as events: no gap, no duplicate.

use ci_web::ReadAccess;
use ci_web::wire::{Command, JobRun, JobState, LogTime};
use hyper::StatusCode;

use crate::support::http::{Answer, get};
use crate::support::node::Node;
use crate::support::until;

/// What events say, put together, with the ids they had.
fn events(text: &str) -> (String, Vec<u64>) {
    let (mut log, mut ids) = (String::new(), Vec::new());
    for event in text.split("\n\n").filter(|event| event.contains("id: ")) {
        let field =
            |name: &'static str| event.lines().filter_map(move |line| line.strip_prefix(name));
        ids.extend(field("id: ").map(|id| id.parse::<u64>().unwrap()));
        if event.contains("event: end") {
            continue;
        }
        let data: Vec<&str> =
            field("data:").map(|data| data.strip_prefix(' ').unwrap_or(data)).collect();
        log.push_str(&data.join("\n"));
    }
    (log, ids)
}

async fn run_of(node: &Node, attempt: &str, is_meant: impl Fn(&JobRun) -> bool) -> JobRun {
    let client = node.client().await;
    let attempt = attempt.parse().unwrap();
    until("the run", async || client.job_run(&attempt).await.ok().filter(|run| is_meant(run))).await
}

async fn log(node: &Node, command: &Command, rest: &str) -> Answer {
    get(&format!("/api/v1/commands/{}/log{rest}", command.id)).of(node.address).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_read_while_it_grows_and_resumed_where_it_was_left() {
    let node = Node::start(ReadAccess::Public).await;
    let go = node.path("go");
    let wait = node.wait_for(&go);
    let job = format!("  slow:\n    - printf 'first \\303\\251\\n'; {wait}; printf 'second\\n'\n");
    let number = node.open_pull("slow", &job);
    let attempt = node.job(number, |job| job.since_ms.is_some()).await.attempt.unwrap();
    let run =
        run_of(&node, &attempt, |run| run.commands.iter().any(|command| command.log_bytes == 9))
            .await;
    let command = &run.commands[0];

    let first = log(&node, command, "").await;
    assert_eq!(first.text(), "first é\n");
    assert_eq!(first.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(first.header("x-content-type-options"), "nosniff");
    assert_eq!(log(&node, command, "?offset=9").await.text(), "");
    let path = format!("/api/v1/commands/{}/log/events", command.id);
    let mut live = get(&path).stream(node.address).await;
    let begun = live.read_until(|text| text.contains("first é") && text.ends_with("\n\n")).await;
    assert_eq!(events(&begun), ("first é\n".to_owned(), vec![9]));

    let mut followed =
        get(&format!("/api/v1/jobs/{attempt}/log?follow=true")).stream(node.address).await;
    std::fs::write(go, "").unwrap();
    let rest = live.read_until(|text| text.contains("event: end") && text.ends_with("\n\n")).await;
    assert_eq!(events(&rest), ("second\n".to_owned(), vec![16, 16]));
    let text = followed.read_until(|_| false).await;
    let title = &command.title;
    assert!(text.starts_with(&format!("$ {title}\nfirst é\nsecond\n[exit 0, ")), "{text}");

    node.job(number, |job| job.state == JobState::Passed).await;
    let resumed = get(&path).header("last-event-id", "9").of(node.address).await.text();
    assert_eq!(events(&resumed), ("second\n".to_owned(), vec![16, 16]));
    let over = get(&path).header("last-event-id", "16").of(node.address).await;
    assert_eq!(over.status, StatusCode::NO_CONTENT);
    assert_eq!(log(&node, command, "?offset=10").await.text(), "econd\n");
    let times: Vec<LogTime> =
        serde_json::from_str(&log(&node, command, "/times").await.text()).unwrap();
    assert_eq!(times[0].offset, 0);
    assert!(times[0].at_ms >= command.started_ms, "{times:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_many_chunks_is_whole_in_every_way() {
    let node = Node::start(ReadAccess::Public).await;
    let number = node.open_pull("long", "  long:\n    - seq 1 60000\n");
    let job = node.job(number, |job| job.state == JobState::Passed).await;
    let run = run_of(&node, job.attempt.as_deref().unwrap(), |run| run.ended).await;
    let command = &run.commands[0];
    let expected: String = (1..=60_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(command.log_bytes, expected.len() as u64);
    assert_eq!(log(&node, command, "").await.text(), expected);
    assert_eq!(log(&node, command, "?offset=100000&follow=true").await.text(), expected[100_000..]);
    let (told, ids) = events(&log(&node, command, "/events").await.text());
    assert_eq!(told, expected);
    assert!(ids.is_sorted() && ids.len() > 2, "{ids:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_not_is_not_found() {
    let node = Node::start(ReadAccess::Public).await;
    for (path, status) in [
        ("/api/v1/commands/a-p1-b1.0-1/log", StatusCode::NOT_FOUND),
        ("/api/v1/commands/..%2F..%2Fetc.0-1/log", StatusCode::NOT_FOUND),
        ("/api/v1/commands/x/log/events", StatusCode::NOT_FOUND),
        ("/api/v1/jobs/a-p1-b1", StatusCode::NOT_FOUND),
        ("/api/v1/jobs/A%00/log", StatusCode::NOT_FOUND),
        ("/api/v1/commands/a.0-1/log?offset=-1", StatusCode::BAD_REQUEST),
        ("/api/v1/repos/acme/nothing/pulls", StatusCode::NOT_FOUND),
        ("/api/v1/repos/acme/shop/pulls/x", StatusCode::NOT_FOUND),
        ("/api/v1/nothing", StatusCode::NOT_FOUND),
    ] {
        let answer = get(path).of(node.address).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert_eq!(answer.json()["status"], status.as_u16(), "{path}");
    }
    node.stop().await;
}
