//! What the credentials may do, found out without a change.

use ci_domain::forge::Timestamp;
use ci_github::fake::{FakeRequest, FakeResponse};
use ci_github::{Answered, ForgeError, GitHub, Permission};
use serde_json::{Value, json};

use super::stand_in::StandIn;
use super::{Seen, client, repo};

const HOOK: &str = "https://ci.example.com/webhooks/github";

/// A GitHub with one pull request and one hook, which refuses `refused` with 403.
async fn github(refused: &'static [&'static str]) -> (StandIn, Seen) {
    let seen = Seen::default();
    let record = seen.clone();
    let stand_in = StandIn::start(move |request| {
        let call = format!("{} {}", request.method, request.path.replace("/repos/acme/shop", ""));
        let (status, body) = match () {
            () if refused.contains(&call.as_str()) => {
                (403, json!({ "message": "Resource not accessible by personal access token" }))
            }
            () => answer(&call, &request),
        };
        record.lock().unwrap().push(request);
        let headers = vec![("date", "Sat, 31 Jan 2026 12:00:00 GMT".to_owned())];
        FakeResponse { status, headers, body: body.to_string().into_bytes() }
    })
    .await;
    (stand_in, seen)
}

fn answer(call: &str, request: &FakeRequest) -> (u16, Value) {
    match call {
        "GET " => (200, json!({ "full_name": "acme/shop" })),
        "GET /pulls" => (200, json!([{ "number": 7 }])),
        "GET /hooks" => {
            let last = json!({ "code": 502, "status": "failed", "message": "Bad Gateway" });
            let hook = json!({ "id": 77, "config": { "url": HOOK }, "active": true, "events": ["push"],
                               "last_response": last });
            (200, json!([hook]))
        }
        "POST /statuses/0000000000000000000000000000000000000000" => {
            (422, json!({ "message": "No commit found for SHA" }))
        }
        "POST /issues/7/comments" => {
            assert_eq!(request.body, br#"{"body":""}"#, "nothing that GitHub would take");
            (422, json!({ "message": "Validation Failed" }))
        }
        "POST /commits/0000000000000000000000000000000000000000/comments" => {
            (404, json!({ "message": "Not Found" }))
        }
        "POST /hooks/77/deliveries/0/attempts" => (404, json!({ "message": "Not Found" })),
        "GET /commits" | "GET /issues/comments" => (200, json!([])),
        "GET /commits/HEAD/status" => (200, json!({ "statuses": [] })),
        other => panic!("nobody asked for {other}"),
    }
}

async fn answers(github: &GitHub) -> Vec<(Permission, Answered)> {
    let found = github.examine(&repo()).await.unwrap();
    found.grants.into_iter().map(|grant| (grant.permission, grant.answer)).collect()
}

#[tokio::test]
async fn a_token_that_may_all_is_seen_so_and_changes_nothing() {
    let (stand_in, seen) = github(&[]).await;
    let found = client(&stand_in).examine(&repo()).await.unwrap();
    assert_eq!(found.clock, Some(Timestamp(1_769_860_800)));
    let granted = |answer: &Answered| *answer == Answered::Granted;
    assert!(found.grants.iter().all(|grant| granted(&grant.answer)), "{found:?}");
    let [hook] = <[_; 1]>::try_from(found.hooks.unwrap()).unwrap();
    assert_eq!((hook.url.as_str(), hook.active, hook.last_status), (HOOK, true, Some(502)));
    let writes: Vec<String> =
        seen.lock().unwrap().iter().map(|asked| asked.method.clone()).collect();
    assert_eq!(writes.iter().filter(|method| *method == "POST").count(), 4, "{writes:?}");
}

#[tokio::test]
async fn each_missing_permission_is_named() {
    const STATUSES: &str = "POST /statuses/0000000000000000000000000000000000000000";
    const COMMIT: &str = "POST /commits/0000000000000000000000000000000000000000/comments";
    for (refused, permission) in [
        ("GET /commits", Permission::Contents),
        ("GET /issues/comments", Permission::Comments),
        ("GET /commits/HEAD/status", Permission::Statuses),
        (STATUSES, Permission::SetStatuses),
        ("POST /issues/7/comments", Permission::WriteComments),
        (COMMIT, Permission::CommitComments),
        ("POST /hooks/77/deliveries/0/attempts", Permission::Webhooks),
    ] {
        let (stand_in, _) = github(Box::leak(Box::new([refused]))).await;
        let mut missing = answers(&client(&stand_in)).await;
        missing.retain(|(_, answer)| *answer != Answered::Granted);
        let message = "Resource not accessible by personal access token".to_owned();
        assert_eq!(missing, [(permission, Answered::Missing { message })], "{refused}");
    }
}

#[tokio::test]
async fn comments_cannot_be_tried_where_no_pull_request_can_be_read() {
    let (stand_in, _) = github(&["GET /pulls"]).await;
    let found = answers(&client(&stand_in)).await;
    let of = |permission| found.iter().find(|(one, _)| *one == permission).unwrap().1.clone();
    assert!(matches!(of(Permission::Pulls), Answered::Missing { .. }), "{found:?}");
    assert!(matches!(of(Permission::WriteComments), Answered::Untested { .. }), "{found:?}");
}

#[tokio::test]
async fn hooks_that_may_not_be_listed_are_no_failure_of_the_rest() {
    let (stand_in, _) = github(&["GET /hooks"]).await;
    let found = client(&stand_in).examine(&repo()).await.unwrap();
    assert!(matches!(found.hooks, Err(ForgeError::Unauthorized { .. })), "{found:?}");
    let missing = found.grants.iter().filter(|grant| grant.answer != Answered::Granted);
    let missing: Vec<Permission> = missing.map(|grant| grant.permission).collect();
    assert_eq!(missing, [Permission::Webhooks]);
}

#[tokio::test]
async fn a_hidden_repository_is_the_error() {
    let (stand_in, _) = super::scripted(404, "{}").await;
    let error = client(&stand_in).examine(&repo()).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotFound { .. }), "{error}");
}
