//! Deliveries as tests make them up; recorded ones are in `tests/webhook_payloads.rs`.

use ci_domain::forge::{
    CheckAgain, Comment, CommentId, FormerTip, PullComment, PullNews, Timestamp,
};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber};
use serde_json::json;

use super::*;

fn headers(event: &str) -> Headers<'_> {
    Headers {
        event: Some(event),
        delivery: Some("72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        content_type: Some("application/json"),
    }
}

fn parse(event: &str, body: &str) -> Result<Delivery, BadDelivery> {
    Delivery::parse(headers(event), body.as_bytes())
}

fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// What an event with this payload says, for a repository.
fn event(name: &str, mut payload: serde_json::Value) -> ForgeEvent {
    payload["repository"] = json!({"full_name": "acme/shop"});
    let delivery = parse(name, &payload.to_string()).unwrap();
    assert_eq!(delivery.repo, Some(RepoName::new("acme/shop").unwrap()));
    delivery.event
}

#[test]
fn every_action_on_a_pull_request_is_a_hint_to_read_it() {
    for (name, action) in [
        ("pull_request", "synchronize"),
        ("pull_request", "an action of tomorrow"),
        ("pull_request_review", "submitted"),
        ("pull_request_review", "dismissed"),
    ] {
        let hint = |as_of| ForgeEvent::PullChanged {
            number: PullNumber(7),
            news: PullNews::Hint { as_of },
        };
        let mut payload = json!({"action": action, "pull_request": {"number": 7}});
        assert_eq!(event(name, payload.clone()), hint(None), "{name} {action}");
        payload["pull_request"]["updated_at"] = json!("1970-01-01T00:00:09Z");
        assert_eq!(event(name, payload), hint(Some(Timestamp(9))), "{name} {action}");
    }
}

#[test]
fn a_push_names_the_branch_and_its_tip() {
    let push = |reference: &str, after: String| json!({"ref": reference, "after": after});
    let branch = BranchName::new("release/1").unwrap();
    let tip = Some(CommitSha::new(sha('b')).unwrap());
    let pushed = |former, sha| ForgeEvent::Pushed { branch: branch.clone(), former, sha };
    assert_eq!(
        event("push", push("refs/heads/release/1", sha('b'))),
        pushed(FormerTip::Unsaid, tip.clone())
    );
    assert_eq!(
        event("push", push("refs/heads/release/1", sha('0'))),
        pushed(FormerTip::Unsaid, None)
    );
    let from = |before: String| {
        let mut payload = push("refs/heads/release/1", sha('b'));
        payload["before"] = json!(before);
        event("push", payload)
    };
    let former = FormerTip::At(CommitSha::new(sha('a')).unwrap());
    assert_eq!(from(sha('a')), pushed(former, tip.clone()));
    assert_eq!(from(sha('0')), pushed(FormerTip::Absent, tip.clone()));
    assert_eq!(from("a word of tomorrow".to_owned()), pushed(FormerTip::Unsaid, tip));
    assert!(matches!(event("push", push("refs/tags/v1", sha('b'))), ForgeEvent::Ignored { .. }));
}

#[test]
fn a_head_of_the_merge_queue_is_a_branch_that_comes_and_goes() {
    let group = |action: &str| {
        let head =
            json!({"head_ref": "refs/heads/gh-readonly-queue/main/pr-7-b", "head_sha": sha('c')});
        json!({"action": action, "merge_group": head})
    };
    let branch = BranchName::new("gh-readonly-queue/main/pr-7-b").unwrap();
    let tip = CommitSha::new(sha('c')).unwrap();
    let pushed = |former, sha| ForgeEvent::Pushed { branch: branch.clone(), former, sha };
    let came = pushed(FormerTip::Absent, Some(tip.clone()));
    assert_eq!(event("merge_group", group("checks_requested")), came);
    assert_eq!(event("merge_group", group("destroyed")), pushed(FormerTip::At(tip), None));
    let unknown = event("merge_group", group("an action of tomorrow"));
    assert!(matches!(unknown, ForgeEvent::Ignored { .. }), "{unknown:?}");
}

#[test]
fn checks_that_somebody_wants_again_name_a_commit_and_who() {
    for name in ["check_run", "check_suite"] {
        let payload = |action: &str| json!({"action": action, name: {"head_sha": sha('c')}, "sender": {"login": "ada"}});
        let (sha, by) = (CommitSha::new(sha('c')).unwrap(), Login::new("ada").unwrap());
        let check = None;
        assert_eq!(event(name, payload("rerequested")), ForgeEvent::Rerequested { sha, by, check });
        let ignored = event(name, payload("completed"));
        assert!(matches!(ignored, ForgeEvent::Ignored { .. }), "{name}");
    }
}

#[test]
fn a_check_run_that_somebody_wants_again_is_named_and_so_is_the_button() {
    let run = json!({ "head_sha": sha('c'), "name": "ci/lib:test", "external_id": "x-1" });
    let again = |action: &str, button: &str| {
        let payload = json!({ "action": action, "check_run": run, "sender": { "login": "ada" },
            "requested_action": { "identifier": button } });
        match event("check_run", payload) {
            ForgeEvent::Rerequested { check, .. } => check,
            _ => None,
        }
    };
    let (name, reference) = ("ci/lib:test".to_owned(), "x-1".to_owned());
    let check = CheckAgain { name, reference, afresh: false };
    assert_eq!(again("rerequested", ""), Some(check.clone()));
    let afresh = CheckAgain { afresh: true, ..check };
    assert_eq!(again("requested_action", AFRESH), Some(afresh));
    assert_eq!(again("requested_action", "somebody's"), None);
}

#[test]
fn a_repository_keeps_its_number_when_its_name_changes() {
    let check = |changes: serde_json::Value, was: Option<&str>| {
        let repository = json!({"full_name": "acme/store", "id": 42});
        let payload = json!({"action": "…", "changes": changes, "repository": repository});
        let delivery = parse("repository", &payload.to_string()).unwrap();
        let was = was.map(|name| RepoName::new(name).unwrap());
        assert_eq!(delivery.event, ForgeEvent::RepositoryChanged { was }, "{changes}");
        assert_eq!(delivery.repo.unwrap().as_str(), "acme/store");
        assert_eq!(delivery.repo_id, Some(42));
    };
    check(json!({"repository": {"name": {"from": "shop"}}}), Some("acme/shop"));
    check(json!({"owner": {"from": {"user": {"login": "ada"}}}}), Some("ada/store"));
    check(json!({"owner": {"from": {"organization": {"login": "old"}}}}), Some("old/store"));
    check(json!({"repository": {"name": {"from": "../etc"}}}), None);
    check(json!({"default_branch": {"from": "master"}}), None);
    check(serde_json::Value::Null, None);
}

#[test]
fn news_of_an_installation_are_about_every_repository() {
    for name in ["installation", "installation_repositories"] {
        let delivery = parse(name, r#"{"action": "suspend"}"#).unwrap();
        assert_eq!(delivery.event, ForgeEvent::RepositoryChanged { was: None });
        assert_eq!((delivery.repo, delivery.repo_id), (None, None));
    }
}

#[test]
fn only_new_comments_on_pull_requests_count() {
    let payload = |action: &str, user: serde_json::Value| {
        json!({"action": action, "issue": {"number": 7, "pull_request": {"url": "…"}}, "comment": {
            "id": 9_007_199_254_740_993_u64, "user": user, "body": "/ci why", "created_at": "1970-01-01T00:00:09Z",
        }})
    };
    let expected = |author: &str| {
        ForgeEvent::Commented(PullComment {
            pull: PullNumber(7),
            comment: Comment {
                id: CommentId(9_007_199_254_740_993),
                author: Login::new(author).unwrap(),
                body: "/ci why".to_owned(),
                created_at: Timestamp(9),
            },
        })
    };
    let ada = json!({"login": "ada", "type": "User"});
    assert_eq!(event("issue_comment", payload("created", ada.clone())), expected("ada"));
    assert_eq!(
        event("issue_comment", payload("created", serde_json::Value::Null)),
        expected("ghost")
    );
    for action in ["edited", "deleted", "pinned"] {
        let ignored = event("issue_comment", payload(action, ada.clone()));
        assert!(matches!(ignored, ForgeEvent::Ignored { .. }), "{action}");
    }
}

#[test]
fn a_form_says_the_same_as_json() {
    let json = r#"{"zen":"50% off & more","repository":{"full_name":"acme/shop"}}"#;
    let form = "payload=%7B%22zen%22%3A%2250%25+off+%26+more%22%2C%22repository%22%3A%7B%22full_name%22%3A%22acme%2Fshop%22%7D%7D";
    let form_headers = Headers {
        content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
        ..headers("ping")
    };
    let delivery = Delivery::parse(form_headers, form.as_bytes()).unwrap();
    assert_eq!(delivery, parse("ping", json).unwrap());
    assert_eq!(delivery.repo, Some(RepoName::new("acme/shop").unwrap()));
    let error = Delivery::parse(form_headers, b"load=1").unwrap_err();
    assert!(matches!(error, BadDelivery::NoPayload));
}

#[test]
fn what_cannot_be_read_says_why() {
    let deep = "[".repeat(100_000);
    for body in ["", "{", "{\"a\":", "null garbage", deep.as_str(), "\u{0}"] {
        assert!(matches!(parse("push", body), Err(BadDelivery::Json(_))), "{body:.20}");
    }
    let repo = r#""repository":{"full_name":"acme/shop"}"#;
    for (name, body, said) in [
        ("push", "{}", "`ref` is missing"),
        ("push", "[]", "`ref` is missing"),
        ("push", r#"{"ref":7}"#, "`ref` is not a text"),
        (
            "push",
            r#"{"ref":"refs/heads/a..b","after":"0"}"#,
            "`ref` is not a name that git accepts",
        ),
        ("push", r#"{"ref":"refs/heads/a"}"#, "`after` is missing"),
        ("push", r#"{"ref":"refs/heads/a","after":"HEAD"}"#, "`after` is not a full object name"),
        ("push", r#"{"ref":"refs/heads/a","after":"0"}"#, "`repository.full_name` is missing"),
        ("pull_request", "{}", "`pull_request.number` is missing"),
        (
            "pull_request",
            r#"{"pull_request":{"number":-1}}"#,
            "`pull_request.number` is not a number",
        ),
        ("issue_comment", "{}", "`action` is missing"),
        ("merge_group", "{}", "`action` is missing"),
        (
            "merge_group",
            r#"{"action":"destroyed","merge_group":{"head_ref":7}}"#,
            "`merge_group.head_ref` is not a text",
        ),
        (
            "check_suite",
            r#"{"action":"rerequested","check_suite":{"head_sha":"HEAD"}}"#,
            "`check_suite.head_sha` is not a full object name",
        ),
        ("repository", "{}", "`repository.full_name` is missing"),
        (
            "issue_comment",
            r#"{"action":"created","issue":{"pull_request":{}},REPO}"#,
            "`comment.id` is missing",
        ),
    ] {
        let error = parse(name, &body.replace("REPO", repo)).unwrap_err().to_string();
        assert!(error.contains(said), "{body}: {error}");
    }
}

#[test]
fn what_is_not_needed_may_be_missing_or_wrong() {
    for (name, body) in [
        ("ping", r#"{"repository":{"full_name":"../etc"}}"#),
        ("ping", "{}"),
        ("an_event_of_tomorrow", "[]"),
        ("check_run", r#"{"action":"completed","repository":7}"#),
    ] {
        assert_eq!(parse(name, body).unwrap().repo, None, "{name} {body}");
    }
    let comment = json!({"action": "created", "comment": {"id": 9}, "issue": {
        "number": 7, "pull_request": {},
    }});
    let ForgeEvent::Commented(found) = event("issue_comment", comment) else { panic!() };
    assert_eq!((found.comment.author.as_str(), found.comment.body.as_str()), ("ghost", ""));
}

#[test]
fn headers_must_be_there_and_plain() {
    let long = "x".repeat(101);
    for bad in [None, Some(""), Some("a/b"), Some("a\nb"), Some(long.as_str())] {
        let event = Headers { event: bad, ..headers("ping") };
        let delivery = Headers { delivery: bad, ..headers("ping") };
        for headers in [event, delivery] {
            assert!(matches!(Delivery::parse(headers, b"{}"), Err(BadDelivery::Header(_))));
        }
    }
    let untyped = Headers { content_type: None, ..headers("ping") };
    assert!(matches!(Delivery::parse(untyped, b"{}"), Err(BadDelivery::Header("Content-Type"))));
    let xml = Headers { content_type: Some("text/xml"), ..headers("ping") };
    assert!(matches!(Delivery::parse(xml, b"{}"), Err(BadDelivery::ContentType(_))));
}
