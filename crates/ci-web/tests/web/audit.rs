//! Who did what, when and from where.

use ci_web::ReadAccess;
use ci_web::wire::{ActorKind, AuditEntry, JobState, Role};
use hyper::StatusCode;
use serde_json::json;

use crate::support::http::{get, post};
use crate::support::node::Node;

const FORM: &str = "application/x-www-form-urlencoded";
const RETRY: &str = "/api/v1/repos/acme/shop/pulls/1/retry";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_on_record_and_what_is_looked_at_is_not() {
    let node = Node::start(ReadAccess::Token).await;
    let number = node.open_pull("red", "  bad:\n    - echo no; exit 3\n");
    node.job(number, |job| job.state == JobState::Failed).await;
    let build = node.token(Role::Build).await;
    let read = node.token(Role::Read).await;
    let body = json!({"job": "app:bad"}).to_string();
    for token in [&read, &build] {
        let asked = post(RETRY, "application/json", body.clone()).bearer(token);
        asked.header("x-forwarded-for", "6.6.6.6").of(node.address).await;
    }
    let stranger = post(RETRY, "application/json", body).of(node.address).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    post("/login", FORM, "token=guess").of(node.address).await;
    node.log_in(&build).await;
    get("/").bearer(&build).of(node.address).await;
    let web = node.process.hub().find("ci-node/web").unwrap();
    web.kill();
    web.gone().await;

    let client = node.client().await;
    let mut found = client.audit(None, 100).await.unwrap();
    found.reverse();
    let shown: Vec<String> = found
        .iter()
        .map(|AuditEntry { kind, action, path, status, .. }| {
            format!("{kind:?} {action} {path} {status}")
        })
        .collect();
    let expected = [
        "Operator make a token with the role build /api/v1/tokens 201".to_owned(),
        "Operator make a token with the role read /api/v1/tokens 201".to_owned(),
        format!("Token POST {RETRY} 403"),
        format!("Token retry app:bad {RETRY} 200"),
        "Nobody log in with a token /login 401".to_owned(),
        "Token log in with a token /login 303".to_owned(),
    ];
    assert_eq!(shown, expected);
    let uid = rustix::process::geteuid().as_raw();
    assert_eq!(found[0].from, format!("uid {uid}"));
    assert_eq!(found[3].from, "127.0.0.1", "a proxy that nobody named is not believed");
    assert!(found[3].who.ends_with("for a test"), "{}", found[3].who);
    assert!(found.is_sorted_by_key(|entry| (entry.id, entry.at_ms)));
    assert!(!format!("{found:?}").contains(&build), "the record holds no token");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_is_for_administrators_and_read_page_by_page() {
    let node = Node::start(ReadAccess::Public).await;
    let (build, admin) = (node.token(Role::Build).await, node.token(Role::Admin).await);
    let path = "/api/v1/audit";
    assert_eq!(get(path).of(node.address).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(get(path).bearer(&build).of(node.address).await.status, StatusCode::FORBIDDEN);
    let page = get(&format!("{path}?limit=1")).bearer(&admin).of(node.address).await;
    assert_eq!(page.json().as_array().unwrap().len(), 1);
    let link = page.header("link");
    let next = link.strip_prefix('<').unwrap().split('>').next().unwrap();
    let rest = get(next).bearer(&admin).of(node.address).await;
    assert_eq!(rest.json()[0]["id"], 1);
    assert_eq!(rest.json()[0]["kind"], json!(ActorKind::Operator));
    assert_eq!(rest.header("link"), "");
    let none = get(&format!("{path}?limit=0")).bearer(&admin).of(node.address).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    node.stop().await;
}
