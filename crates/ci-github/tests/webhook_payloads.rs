//! Deliveries that GitHub really sent; see `payloads/NOTICE`.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "support/recorded.rs"]
mod recorded;

use std::collections::BTreeMap;

use ci_domain::forge::{ForgeEvent, FormerTip, PullNews};
use ci_domain::ids::{BranchName, CommitSha, PullNumber};
use ci_github::TimestampParser;
use ci_github::webhook::{BadDelivery, Delivery, Headers};
use recorded::{Recorded, payloads, published};

fn parse(event: &str, body: &[u8]) -> Result<Delivery, BadDelivery> {
    let headers = Headers {
        event: Some(event),
        delivery: Some("00000000-0000-0000-0000-000000000001"),
        content_type: Some("application/json"),
    };
    Delivery::parse(headers, body)
}

fn understood(recorded: &Recorded) -> Delivery {
    let Recorded { event, variant, payload } = recorded;
    parse(event, payload.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{event} {variant}: {error}"))
}

/// How many of the published examples say what.
const TOLD: [&str; 13] = [
    "20 a check that nobody wants again",
    "6 a comment on an issue",
    "6 a comment that is not new",
    "8 a push to something that is not a branch",
    "279 no interest in such events",
    "5 ping",
    "40 pull changed",
    "4 pushed",
    "27 repository changed",
    "2 rerequested by octocat",
    "3 rerequested by octocoders-linter[bot]",
    "1 was Octocoders/Hello-World",
    "3 was octocat/Hello-World",
];

/// The recorded payload `<event>.<variant>`.
fn payload(name: &str) -> Recorded {
    let is_it = |recorded: &Recorded| format!("{}.{}", recorded.event, recorded.variant) == name;
    payloads().into_iter().find(is_it).unwrap()
}

fn ignored(reason: &str) -> ForgeEvent {
    ForgeEvent::Ignored { reason: reason.to_owned() }
}

#[test]
fn every_recorded_payload_is_understood_or_ignored() {
    let all = payloads();
    assert!(all.len() > 25, "only {} payloads", all.len());
    let hint = |recorded: &Recorded| {
        let updated = recorded.payload["pull_request"]["updated_at"].as_str().unwrap();
        let as_of = Some(TimestampParser::parse(updated).unwrap());
        ForgeEvent::PullChanged { number: PullNumber(2), news: PullNews::Hint { as_of } }
    };
    let sha = CommitSha::new("6113728f27ae82c7b1a177c8d03f9e96e0adf246").unwrap();
    let branch = BranchName::new("master").unwrap();
    for recorded in all {
        let expected = match (recorded.event.as_str(), recorded.variant.as_str()) {
            ("pull_request" | "pull_request_review", _) => hint(&recorded),
            ("push", "branch") => {
                let (branch, sha) = (branch.clone(), Some(sha.clone()));
                ForgeEvent::Pushed { branch, former: FormerTip::Absent, sha }
            }
            ("push", _) => ignored("a push to something that is not a branch"),
            ("issue_comment", "created") => ignored("a comment on an issue"),
            ("issue_comment", _) => ignored("a comment that is not new"),
            ("ping", _) => ForgeEvent::Ping,
            ("merge_group", _) => ForgeEvent::Pushed {
                branch: "gh-readonly-queue/main/pr-104-929f8209d40f77f4abc622a499c93a83babdbe64"
                    .parse()
                    .unwrap(),
                former: FormerTip::Absent,
                sha: Some("2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d".parse().unwrap()),
            },
            ("installation", _) => ForgeEvent::RepositoryChanged { was: None },
            ("check_run", _) => ignored("a check that nobody wants again"),
            _ => ignored("no interest in such events"),
        };
        let Delivery { event, repo, repo_id, .. } = understood(&recorded);
        let name = format!("{} {}", recorded.event, recorded.variant);
        assert_eq!(event, expected, "{name}");
        if matches!(event, ForgeEvent::PullChanged { .. } | ForgeEvent::Pushed { .. }) {
            assert!(repo.is_some() && repo_id.is_some(), "{name}");
        }
    }
}

/// What was recorded of the events that are read: all of it tells something, or is ignored on purpose.
#[test]
fn every_published_example_is_understood_or_ignored_on_purpose() {
    let mut told = BTreeMap::<String, usize>::new();
    for recorded in published() {
        let name = format!("{} {}", recorded.event, recorded.variant);
        let word = match understood(&recorded).event {
            ForgeEvent::PullChanged { .. } => "pull changed".to_owned(),
            ForgeEvent::Pushed { .. } => "pushed".to_owned(),
            ForgeEvent::Commented(_) => panic!("{name}: no comment on a pull request was recorded"),
            ForgeEvent::Rerequested { by, .. } => format!("rerequested by {by}"),
            ForgeEvent::RepositoryChanged { was: Some(was) } => format!("was {was}"),
            ForgeEvent::RepositoryChanged { was: None } => "repository changed".to_owned(),
            ForgeEvent::Ping => "ping".to_owned(),
            ForgeEvent::Ignored { reason } => reason,
        };
        *told.entry(word).or_default() += 1;
    }
    let told: Vec<String> = told.iter().map(|(word, count)| format!("{count} {word}")).collect();
    assert_eq!(told, TOLD);
}

#[test]
fn a_recorded_comment_counts_once_its_issue_is_a_pull_request() {
    let mut recorded = payload("issue_comment.created");
    recorded.payload["issue"]["pull_request"] =
        serde_json::json!({ "url": "…", "merged_at": null });
    let delivery = understood(&recorded);
    let ForgeEvent::Commented(found) = delivery.event else { panic!("{delivery:?}") };
    assert_eq!((found.pull, found.comment.author.as_str()), (PullNumber(1), "Codertocat"));
    assert!(found.comment.body.starts_with("You are totally right"));
}

#[test]
fn a_recorded_payload_needs_few_of_its_fields() {
    let needed = |name: &str| match name {
        "pull_request" | "pull_request_review" => vec!["pull_request", "repository"],
        "push" => vec!["ref", "after", "repository"],
        "issue_comment" => vec!["action", "repository"],
        "merge_group" => vec!["action", "merge_group", "repository"],
        "check_run" => vec!["action"],
        _ => vec![],
    };
    for recorded in payloads() {
        for field in recorded.payload.as_object().unwrap().keys() {
            let mut payload = recorded.payload.clone();
            payload.as_object_mut().unwrap().remove(field);
            let read = parse(&recorded.event, payload.to_string().as_bytes());
            let name = format!("{} {} without {field}", recorded.event, recorded.variant);
            match read {
                Ok(_) => {}
                Err(error) => {
                    assert!(needed(&recorded.event).contains(&field.as_str()), "{name}: {error}");
                    assert!(error.to_string().contains(&format!("`{field}")), "{name}: {error}");
                }
            }
        }
    }
}

#[test]
fn every_recorded_payload_cut_anywhere_is_refused() {
    for name in ["pull_request.opened", "push.branch", "issue_comment.edited"] {
        let recorded = payload(name);
        let body = recorded.payload.to_string().into_bytes();
        for cut in (0..body.len()).step_by(29) {
            assert!(parse(&recorded.event, &body[..cut]).is_err(), "{name} cut at {cut}");
        }
    }
}
