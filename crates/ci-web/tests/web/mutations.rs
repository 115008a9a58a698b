//! Every route that changes something, found in the source: none takes what another site has a browser send,
//! and none heeds a cookie without a proof.

use std::fs;
use std::path::Path;

use ci_web::ReadAccess;
use ci_web::wire::Role;
use hyper::{Method, StatusCode};

use crate::support::http::{Ask, ask, post};
use crate::support::node::Node;

/// The files that make routes, and below what. A new one has to be named here.
const FILES: [(&str, &str); 3] = [("routes.rs", ""), ("page.rs", ""), ("api.rs", "/api/v1")];
/// The ways to change something.
const METHODS: [&str; 4] = ["post", "put", "delete", "patch"];
/// What is signed instead: no browser sends it.
const SIGNED: &str = "/webhooks/github";

/// Every route that changes something, with names filled in.
fn mutations() -> Vec<(Method, String)> {
    let mut found = Vec::new();
    for (file, below) in FILES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
        let source: String = fs::read_to_string(path).unwrap().split_whitespace().collect();
        for route in source.split("(\"/").skip(1) {
            let (path, handlers) = route.split_once('"').unwrap();
            let handlers = handlers.split(".layer(").next().unwrap();
            assert!(!handlers.contains("any("), "{path}: say which methods");
            let is_there = |name: &str| {
                [",", "."].iter().any(|before| handlers.contains(&format!("{before}{name}(")))
            };
            for name in METHODS.into_iter().filter(|name| is_there(name)) {
                let path = format!("{below}/{path}");
                found.push((name.to_uppercase().parse().unwrap(), filled(&path)));
            }
        }
    }
    found
}

fn filled(path: &str) -> String {
    let path = path.replace("{owner}/{repo}", "acme/shop").replace("{number}", "1");
    let path = path.replace("{attempt}", "a-p1-b1").replace("{command}", "a-p1-b1.0-1");
    path.replace("{id}", "0123").replace("{branch}", "main")
}

fn form(method: &Method, path: &str, body: &'static str) -> Ask {
    match *method {
        Method::POST if !path.starts_with("/api") => {
            post(path, "application/x-www-form-urlencoded", body)
        }
        _ => ask(method.clone(), path).header("content-type", "application/json"),
    }
}

#[test]
fn routes_are_made_where_they_are_looked_for() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs")
            {
                let has_routes = fs::read_to_string(&path).unwrap().contains(".route(");
                let is_known = FILES.iter().any(|(file, _)| path.ends_with(format!("src/{file}")));
                assert!(!has_routes || is_known, "{} makes routes", path.display());
            }
        }
    }
    let found = mutations();
    assert!(found.len() > 10, "{found:?}");
    for known in [(Method::DELETE, "/api/v1/tokens/0123"), (Method::POST, "/logout")] {
        assert!(found.contains(&(known.0, known.1.to_owned())), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_by_another_site_or_without_a_proof() {
    let node = Node::start(ReadAccess::Token).await;
    let session = node.log_in(&node.token(Role::Admin).await).await;
    let strangers = [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for (method, path) in mutations().into_iter().filter(|(_, path)| path != SIGNED) {
        let body = "token=x&proof=x&verb=retry";
        for (name, value) in strangers {
            let sent = form(&method, &path, body).cookie(&session).header(name, value);
            let answer = sent.of(node.address).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} {name}: {value}");
        }
        let unproven = form(&method, &path, body).cookie(&session).of(node.address).await;
        let is_refused =
            matches!(unproven.status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED);
        assert!(is_refused, "{method} {path}: {}", unproven.status);
        // Our own pages are let through to whatever the route says.
        let own = form(&method, &path, body).header("origin", "https://ci.test");
        let own = own.header("sec-fetch-site", "same-origin").of(node.address).await;
        assert!(!own.text().contains("another site"), "{method} {path}");
    }
    let tokens = node.client().await.tokens().await.unwrap();
    assert_eq!(tokens.len(), 1, "nothing was made");
    node.stop().await;
}
