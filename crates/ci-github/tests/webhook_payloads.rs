//! Deliveries that GitHub really sent; see `payloads/NOTICE`.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};

use ci_domain::forge::{ForgeEvent, PullNews, Timestamp};
use ci_domain::ids::{BranchName, CommitSha, PullNumber};
use ci_github::webhook::{Delivery, Headers};
use serde_json::Value;

/// Names the unpacked npm package `@octokit/webhooks-examples`, to read all of it.
const EXAMPLES: &str = "GITHUB_WEBHOOK_EXAMPLES";

fn parse(event: &str, body: &[u8]) -> Delivery {
    let headers = Headers {
        event: Some(event),
        delivery: Some("00000000-0000-0000-0000-000000000001"),
        content_type: Some("application/json"),
    };
    Delivery::parse(headers, body).unwrap_or_else(|error| panic!("{event}: {error:?}"))
}

fn recorded(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads");
    std::fs::read(folder.join(name).with_added_extension("json")).unwrap()
}

/// Reads the recorded payload `<event>.<rest>`.
fn check(name: &str, expected: &ForgeEvent) {
    let (event, _) = name.split_once('.').unwrap_or((name, ""));
    let delivery = parse(event, &recorded(name));
    assert_eq!(delivery.event, *expected, "{name}");
    assert!(delivery.repo.unwrap().as_str().ends_with("/Hello-World"), "{name}");
}

fn ignored(reason: &str) -> ForgeEvent {
    ForgeEvent::Ignored { reason: reason.to_owned() }
}

#[test]
fn recorded_pull_requests_and_reviews_are_hints() {
    let head = CommitSha::new("ec26c3e57ca3a959ca5aad62de7213c562f8c821").unwrap();
    for (name, updated_at) in [
        ("pull_request.opened", 1_557_933_633),
        ("pull_request.synchronize", 1_557_933_633),
        ("pull_request.closed", 1_557_933_678),
        ("pull_request.converted_to_draft", 1_557_933_678),
        ("pull_request_review.submitted", 1_557_933_638),
        ("pull_request_review.dismissed", 1_557_933_638),
    ] {
        let news = PullNews::Hint { head: head.clone(), updated_at: Timestamp(updated_at) };
        check(name, &ForgeEvent::PullChanged { number: PullNumber(2), news });
    }
}

#[test]
fn recorded_pushes_and_comments_are_understood() {
    let sha = CommitSha::new("6113728f27ae82c7b1a177c8d03f9e96e0adf246").unwrap();
    let branch = BranchName::new("master").unwrap();
    check("push.branch", &ForgeEvent::Pushed { branch, sha: Some(sha) });
    check("push.tag-deleted", &ignored("a push to something that is not a branch"));
    check("issue_comment.created-on-issue", &ignored("a comment on an issue"));
    check("issue_comment.edited", &ignored("a comment that is not new"));
    check("ping", &ForgeEvent::Ping);
    check("check_run.completed", &ignored("no interest in such events"));
}

#[test]
fn a_recorded_comment_counts_once_its_issue_is_a_pull_request() {
    let mut payload: Value =
        serde_json::from_slice(&recorded("issue_comment.created-on-issue")).unwrap();
    payload["issue"]["pull_request"] = serde_json::json!({ "url": "…", "merged_at": null });
    let delivery = parse("issue_comment", payload.to_string().as_bytes());
    let ForgeEvent::Commented(found) = delivery.event else { panic!("{delivery:?}") };
    assert_eq!((found.pull, found.comment.author.as_str()), (PullNumber(1), "Codertocat"));
    assert!(found.comment.body.starts_with("You are totally right"));
}

#[test]
fn every_recorded_payload_cut_anywhere_is_refused() {
    for name in ["pull_request.opened", "push.branch", "issue_comment.edited"] {
        let body = recorded(name);
        let (event, _) = name.split_once('.').unwrap();
        let end = body.trim_ascii_end().len();
        for cut in (0..end).step_by(7) {
            let headers = Headers {
                event: Some(event),
                delivery: Some("1"),
                content_type: Some("application/json"),
            };
            assert!(Delivery::parse(headers, &body[..cut]).is_err(), "{name} cut at {cut}");
        }
    }
}

#[test]
fn every_published_example_is_understood_or_ignored() {
    let Some(folder) = std::env::var_os(EXAMPLES).map(PathBuf::from) else {
        eprintln!(
            "SKIPPED (needs {EXAMPLES}: `npm pack @octokit/webhooks-examples`, unpack, name the folder)"
        );
        return;
    };
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let index = entry.unwrap().path().join("index.json");
        if !index.is_file() {
            continue;
        }
        let events: Vec<Value> = serde_json::from_slice(&std::fs::read(index).unwrap()).unwrap();
        for event in events {
            let name = event["name"].as_str().unwrap();
            for example in event["examples"].as_array().unwrap() {
                let delivery = parse(name, example.to_string().as_bytes());
                let told = !matches!(delivery.event, ForgeEvent::Ignored { .. });
                let hint = matches!(name, "pull_request" | "pull_request_review" | "ping");
                assert!(told || !hint, "{name}: {:?}", delivery.event);
                read += 1;
            }
        }
    }
    assert!(read > 300, "only {read} examples in the package");
}
