//! That the watch over our calls sees what is wrong with one.

use ci_github::fake::{FakeRequest, FakeResponse};
use serde_json::{Value, json};

use super::stand_in::described::{faults_of_request, faults_of_response};

fn request(call: &str, body: Value) -> FakeRequest {
    let (method, place) = call.split_once(' ').unwrap();
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    let header = |value: &str| Some(value.to_owned());
    FakeRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        authorization: header("Bearer t"),
        user_agent: header("ci-node/1"),
        accept: header("application/vnd.github+json"),
        api_version: header("2022-11-28"),
        if_none_match: None,
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
    }
}

/// The faults of a request, those that an Enterprise Server alone finds included.
#[track_caller]
fn check(call: &str, body: Value, expected: &[&str]) {
    let faults = faults_of_request(&request(call, body));
    let said = |words: &&&str| !faults.iter().any(|fault| fault.contains(**words));
    let unsaid: Vec<_> = expected.iter().filter(said).collect();
    assert!(unsaid.is_empty() && faults.is_empty() == expected.is_empty(), "{unsaid:?} {faults:?}");
}

#[test]
fn calls_that_are_not_described_are_found_out() {
    let at = "/repos/acme/shop";
    let text = || json!({ "body": "hello" });
    check(&format!("POST {at}/issues/7/comments"), text(), &[]);
    check(&format!("PUT {at}/issues/7/comments"), text(), &["is not described"]);
    check(&format!("POST {at}/issues/7/remarks"), text(), &["is not described"]);
    check(&format!("POST {at}/issues/seven/comments"), text(), &["issue_number is \"seven\""]);
    check(&format!("POST {at}/issues/7/comments"), Value::Null, &["the body is missing"]);
    check(&format!("POST {at}/issues/7/comments"), json!({ "body": 7 }), &["not type: \"string\""]);
    let more = json!({ "text": "hello" });
    check(
        &format!("POST {at}/issues/7/comments"),
        more,
        &["body is missing", "text is not described"],
    );
    check(&format!("GET {at}/pulls?state=all&per_page=1"), Value::Null, &[]);
    check(
        &format!("GET {at}/pulls?state=new&per_page=x"),
        Value::Null,
        &["state is", "per_page is"],
    );
    check(&format!("GET {at}/pulls?sorted=yes"), Value::Null, &["sorted is not described"]);
    check(&format!("GET {at}/pulls"), text(), &["no body is described"]);
    let nameless = FakeRequest { user_agent: None, ..request(&format!("GET {at}"), Value::Null) };
    assert_eq!(faults_of_request(&nameless), ["the header user-agent is None"]);
}

fn query(text: &str, variables: Value) -> Value {
    json!({ "query": text, "variables": variables })
}

#[test]
fn questions_that_are_not_valid_are_found_out() {
    let of = |text: &str, variables: Value, expected: &[&str]| {
        check("POST /graphql", query(text, variables), expected);
    };
    let viewer = "query V($n: Int!) { viewer { login } rateLimit(dryRun: true) { limit } \
                  repository(owner: \"a\", name: \"b\") { pullRequest(number: $n) { title } } }";
    of(viewer, json!({ "n": 7 }), &[]);
    of(viewer, json!({}), &["the variables"]);
    of(viewer, json!({ "n": "seven" }), &["the variables"]);
    of(viewer, json!({ "n": 7, "m": 8 }), &["the variable m is not declared"]);
    of("{ viewer { surname } }", json!({}), &["surname"]);
    of("{ viewer }", json!({}), &["subselection"]);
    of("{ viewer { login }", json!({}), &["syntax error"]);
}

#[test]
fn answers_that_do_not_fit_are_found_out() {
    let check = |request: &FakeRequest, status, body: Value, expected: &[&str]| {
        let body = body.to_string().into_bytes();
        let faults =
            faults_of_response(request, &FakeResponse { status, headers: Vec::new(), body });
        let said = |words: &&str| faults.iter().any(|fault| fault.contains(words));
        assert!(expected.iter().all(said) && faults.len() == expected.len(), "{faults:?}");
    };
    let list = request("GET /repos/acme/shop/git/matching-refs/heads", Value::Null);
    let object = json!({ "type": "commit", "sha": "a".repeat(40), "url": "https://x" });
    let entry =
        json!({ "ref": "refs/heads/main", "node_id": "x", "url": "https://x", "object": object });
    check(&list, 200, json!([entry]), &[]);
    check(
        &list,
        200,
        json!([{ "ref": 7, "node_id": "x", "url": "x", "object": object }]),
        &["0/ref is 7", "0/url is \"x\""],
    );
    check(&list, 200, json!({}), &["not type: \"array\""]);
    check(
        &list,
        201,
        json!([]),
        &["201 to GET /repos/acme/shop/git/matching-refs/heads is not described"],
    );
    check(&list, 503, json!({ "message": "ill" }), &[]);
    check(&list, 503, json!({}), &["message is missing"]);

    let ask = query("{ viewer { login } rateLimit { limit } }", json!({}));
    let ask = request("POST /graphql", ask);
    let viewer = json!({ "login": "ann" });
    check(&ask, 200, json!({ "data": { "viewer": viewer, "rateLimit": null } }), &[]);
    check(
        &ask,
        200,
        json!({ "data": { "viewer": null, "rateLimit": { "limit": "5" } } }),
        &["data.viewer is null", "limit is \"5\", no Int"],
    );
    check(
        &ask,
        200,
        json!({ "data": { "viewer": { "login": 1, "id": 2 } } }),
        &["login is 1, no String", "viewer.id was not asked for", "rateLimit is missing"],
    );
    check(&ask, 200, json!({ "data": null, "errors": [{ "message": "no" }] }), &[]);
}
