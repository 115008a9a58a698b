//! Who may do what.

use ci_web::ReadAccess;
use ci_web::wire::Role;
use hyper::{Method, StatusCode};

use crate::support::http::{Answer, ask, get, post};
use crate::support::node::Node;

const FORM: &str = "application/x-www-form-urlencoded";
const OPENAPI: &str = include_str!("../../src/api/openapi.json");

/// Every operation of the description: its method, a path with names filled in, and the least role.
fn operations() -> Vec<(Method, String, String)> {
    let description: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        let path = path.replace("{owner}/{repo}", "acme/shop").replace("{number}", "1");
        let path = path.replace("{attempt}", "a-p1-b1").replace("{command}", "a-p1-b1.0-1");
        let path = path.replace("{id}", "0123").replace("{branch}", "main");
        for (method, operation) in methods.as_object().unwrap() {
            if let Some(role) = operation["x-role"].as_str() {
                let method = method.to_uppercase().parse().unwrap();
                operations.push((method, path.clone(), role.to_owned()));
            }
        }
    }
    operations
}

async fn send(node: &Node, method: &Method, path: &str, token: Option<&str>) -> Answer {
    let mut asked = ask(method.clone(), path).header("content-type", "application/json");
    if let Some(token) = token {
        asked = asked.bearer(token);
    }
    asked.of(node.address).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_that_is_described_exists_and_demands_its_role() {
    let node = Node::start(ReadAccess::Token).await;
    let roles = [("read", Role::Read), ("build", Role::Build), ("admin", Role::Admin)];
    let mut tokens = Vec::new();
    for (name, role) in roles {
        tokens.push((name, role, node.token(role).await));
    }
    for (method, path, needed) in operations() {
        let needed = roles.iter().find(|(name, _)| *name == needed).unwrap().1;
        let is_description = path.ends_with("openapi.json");
        let answer = send(&node, &method, &path, None).await;
        if !is_description {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
        for (name, role, token) in &tokens {
            let answer = send(&node, &method, &path, Some(token)).await;
            let is_refused = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(is_refused, *role < needed, "{method} {path} as {name}");
            assert!(!answer.text().contains("see /api/v1/openapi.json"), "{method} {path}");
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_and_false_tokens_confer_nothing() {
    let node = Node::start(ReadAccess::Token).await;
    let pull = ["/acme/shop/pull/1", "/acme/shop/pull/1/jobs/a-p1-b1"];
    let branch = ["/acme/shop/branch/main", "/acme/shop/branch/main/jobs/a-t1-b1"];
    for path in ["/", "/system", "/acme/shop"].into_iter().chain(pull).chain(branch) {
        let answer = get(path).of(node.address).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(answer.text().contains("name=\"token\""), "{path} shows the form to log in");
    }
    for path in ["/metrics", "/api/v1/status"] {
        assert_eq!(get(path).of(node.address).await.status, StatusCode::UNAUTHORIZED, "{path}");
        let false_token = get(path).bearer("cinode_000000000000_00").of(node.address).await;
        assert_eq!(false_token.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let wrong_method = post("/api/v1/status", "text/plain", "").of(node.address).await;
    assert_eq!(wrong_method.status, StatusCode::METHOD_NOT_ALLOWED);
    let too_large = post("/login", "text/plain", vec![0; 1 << 17]).of(node.address).await;
    assert_eq!(too_large.status, StatusCode::PAYLOAD_TOO_LARGE);
    for path in ["/healthz", "/readyz", "/login"] {
        assert_ne!(get(path).of(node.address).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn public_means_to_look_and_no_more() {
    let node = Node::start(ReadAccess::Public).await;
    for path in ["/", "/system", "/acme/shop", "/metrics", "/api/v1/status", "/api/v1/quarantine"] {
        assert_eq!(get(path).of(node.address).await.status, StatusCode::OK, "{path}");
    }
    let retry = post("/api/v1/repos/acme/shop/pulls/1/retry", "application/json", "{}");
    assert_eq!(retry.of(node.address).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(get("/api/v1/tokens").of(node.address).await.status, StatusCode::UNAUTHORIZED);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_good_for_looking_and_a_revoked_token_for_nothing() {
    let node = Node::start(ReadAccess::Token).await;
    let token = node.token(Role::Admin).await;
    let session = node.log_in(&token).await;
    let tokens = get("/api/v1/tokens").cookie(&session).of(node.address).await;
    assert_eq!(tokens.status, StatusCode::OK);
    let check = ask(Method::POST, "/api/v1/store/check").cookie(&session);
    assert_eq!(check.of(node.address).await.status, StatusCode::UNAUTHORIZED);
    let client = node.client().await;
    let id = client.tokens().await.unwrap().pop().unwrap().id;
    client.revoke_token(&id).await.unwrap();
    let cookie = get("/").cookie(&session).of(node.address).await;
    assert_eq!(cookie.status, StatusCode::UNAUTHORIZED);
    let bearer = get("/api/v1/status").bearer(&token).of(node.address).await;
    assert_eq!(bearer.status, StatusCode::UNAUTHORIZED);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_in_opens_a_session_that_outlives_the_server_and_ends_with_logging_out() {
    let node = Node::start(ReadAccess::Token).await;
    let token = node.token(Role::Read).await;
    let wrong = post("/login", FORM, "token=wrong&next=/system").of(node.address).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.text().contains("not valid") && wrong.text().contains("value=\"/system\""));
    let body = format!("token={token}&next=/system");
    // What a browser brings along is never made a session of.
    let planted = format!("__Host-ci_node_session={}", "0a".repeat(32));
    let right = post("/login", FORM, body.clone()).cookie(&planted).of(node.address).await;
    assert_eq!((right.status, right.header("location")), (StatusCode::SEE_OTHER, "/system"));
    let cookie = right.header("set-cookie");
    assert!(cookie.contains("HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    let session = cookie.split(';').next().unwrap();
    assert!(session != planted && !session.contains(&token), "{cookie}");
    let web = node.process.hub().find("ci-node/web").unwrap();
    web.kill();
    web.gone().await;
    let page = get("/system").cookie(session).of(node.address).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    let (_, rest) = text.split_once("name=\"proof\" value=\"").expect("a form to log out");
    let proof = format!("proof={}", rest.split('"').next().unwrap());
    let forged = post("/logout", FORM, "proof=x").cookie(session).of(node.address).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let left = post("/logout", FORM, proof).cookie(session).of(node.address).await;
    assert_eq!(left.status, StatusCode::SEE_OTHER);
    let over = get("/system").cookie(session).of(node.address).await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED, "a copy of the cookie is worth nothing");
    node.stop().await;
}
