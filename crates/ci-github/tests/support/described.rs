//! GitHub's own description of its API, as far as it is used; see `../description/NOTICE`.
//!
//! What is asked must be described there, for GitHub and for its oldest Enterprise Server; what a fake
//! answers must be what is described for the question. Each check says what is wrong, in words.

mod graphql;
mod openapi;
mod schema;

use std::sync::LazyLock;

use ci_github::fake::{FakeRequest, FakeResponse};

use self::graphql::Graphql;
use self::openapi::OpenApi;

static REST: LazyLock<OpenApi> =
    LazyLock::new(|| OpenApi::read(include_str!("../description/rest.json")));
static ENTERPRISE: LazyLock<OpenApi> =
    LazyLock::new(|| OpenApi::read(include_str!("../description/enterprise.json")));
static GRAPHQL: LazyLock<Graphql> =
    LazyLock::new(|| Graphql::read(include_str!("../description/schema.graphql")));

/// Where an Enterprise Server has its API.
const ENTERPRISE_ROOT: &str = "/api/v3";

/// What is wrong with a request.
pub fn faults_of_request(request: &FakeRequest) -> Vec<String> {
    let mut faults = faults_of_headers(request);
    if request.path == "/graphql" {
        faults.extend(GRAPHQL.faults_of_request(&request.body));
    } else {
        let path = request.path.strip_prefix(ENTERPRISE_ROOT).unwrap_or(&request.path);
        let request = FakeRequest { path: path.to_owned(), ..request.clone() };
        faults.extend(REST.faults_of_request(&request));
        faults.extend(ENTERPRISE.faults_of_request(&request).iter().map(on_enterprise));
    }
    faults
}

/// What is wrong with an answer to `request`.
pub fn faults_of_response(request: &FakeRequest, response: &FakeResponse) -> Vec<String> {
    if request.path == "/graphql" && response.status == 200 {
        return GRAPHQL.faults_of_response(&request.body, &response.body);
    }
    REST.faults_of_response(request, response)
}

/// The headers that GitHub asks of everybody.
fn faults_of_headers(request: &FakeRequest) -> Vec<String> {
    let wanted = [
        ("user-agent", &request.user_agent, "ci-node/"),
        ("authorization", &request.authorization, "Bearer "),
        ("accept", &request.accept, "application/vnd.github+json"),
        ("x-github-api-version", &request.api_version, "2022-11-28"),
    ];
    let is_bad = |value: &Option<String>, start| {
        !value.as_deref().is_some_and(|value| value.starts_with(start))
    };
    let bad = wanted.into_iter().filter(|(_, value, start)| is_bad(value, *start));
    bad.map(|(name, value, _)| format!("the header {name} is {value:?}")).collect()
}

fn on_enterprise(fault: &String) -> String {
    format!("{fault} (Enterprise Server)")
}
