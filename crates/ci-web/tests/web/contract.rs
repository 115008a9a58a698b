//! The description of the API is true: all of it is done once, and refused in many ways.

use ci_domain::ids::PullNumber;
use ci_web::ReadAccess;
use ci_web::wire::{JobState, Role};
use hyper::{Method, StatusCode};
use serde_json::json;

use crate::support::contract::{done, operations, parameters};
use crate::support::http::{Answer, ask, get, post};
use crate::support::node::Node;
use crate::support::until;

const JSON: &str = "application/json";
const PULL: &str = "/api/v1/repos/acme/shop/pulls/1";
const BRANCH: &str = "/api/v1/repos/acme/shop/branches/release%2F1";

/// What stands in a path for a parameter and names nothing, or not what it should.
const HOSTILE: [&str; 15] = [
    "-1",
    "0",
    "99999999999999999999999999",
    "1e3",
    "%2e%2e",
    "%2E%2E%2F%2e%2e%2fetc%2fpasswd",
    "%00",
    "a%0d%0aset-cookie:%20x",
    "%ff%fe",
    "%F0%9F%92%A3",
    "%E2%80%AE",
    "null",
    "%7Bid%7D",
    "a'%20or%20'1'%3D'1",
    "%25",
];

/// A node with a job that failed, one that runs, a branch that has passed, and a token for all of it.
struct Scene {
    node: Node,
    token: String,
    failed: String,
    go: std::path::PathBuf,
}

impl Scene {
    async fn start() -> Self {
        let node = Node::start(ReadAccess::Token).await;
        let go = node.path("go");
        let jobs = format!(
            "  bad:\n    - {{run: \"echo no; echo '<testsuite><testcase><failure/></testcase></testsuite>' > a.txt; exit 3\", artifacts: a.txt, reports: {{junit: a.txt}}}}\n  slow:\n    - {}\n",
            node.wait_for(&go)
        );
        let branch =
            "  test: {on: [branch], steps: [\"echo shipped\"]}\nnightly:\n  deep: [\"true\"]\n";
        node.push_branch("release/1", branch);
        let number = node.open_pull("red", &jobs);
        let is_failed = |job: &ci_web::wire::Job| job.state == JobState::Failed;
        let failed = node.job(number, is_failed).await.attempt.unwrap();
        node.job(number, |job| job.since_ms.is_some()).await;
        let token = node.token(Role::Admin).await;
        Self { node, token, failed, go }
    }

    async fn get(&self, path: &str) -> Answer {
        get(path).bearer(&self.token).of(self.node.address).await
    }

    async fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        post(path, JSON, body.to_string()).bearer(&self.token).of(self.node.address).await
    }

    /// Asks for everything that can be done with jobs.
    async fn ask_for_all(&self) {
        let shell = self.post(&format!("{PULL}/shell"), &json!({"component": "app"})).await;
        assert_eq!(shell.status, StatusCode::CONFLICT, "a job is at work in its workspace");
        for (path, body) in [
            (format!("{PULL}/retry"), json!({})),
            (format!("{PULL}/force"), json!({"job": "app:bad"})),
            (format!("{PULL}/cancel"), json!({"job": null, "clean": false})),
            (format!("{BRANCH}/force"), json!({"job": "all"})),
            (format!("{BRANCH}/nightly/force"), json!({"job": "all"})),
            ("/api/v1/store/check".to_owned(), json!({})),
        ] {
            let answer = self.post(&path, &body).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        }
    }

    /// Makes a token and a quarantine, and ends both.
    async fn make_and_end(&self) {
        let made = self.post("/api/v1/tokens", &json!({"role": "read", "label": "é"})).await;
        assert_eq!(made.status, StatusCode::CREATED);
        let token = format!("/api/v1/tokens/{}", made.json()["token"]["id"].as_str().unwrap());
        for expected in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND] {
            assert_eq!(self.send("DELETE", &token).await.status, expected);
        }
        self.give_up().await;
        let quarantine = "/api/v1/repos/acme/shop/quarantine/1";
        assert_eq!(
            self.post(&format!("{PULL}/retry"), &json!({})).await.status,
            StatusCode::CONFLICT
        );
        for expected in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND] {
            assert_eq!(self.send("DELETE", quarantine).await.status, expected);
        }
    }

    /// Has the pull request given up, by killing it more often than is borne.
    async fn give_up(&self) {
        let hub = self.node.process.hub();
        let is_pull = |path: &str| path.ends_with("/pull-1/pull");
        until("the pull request to be given up", async || {
            let quarantined = self.get("/api/v1/quarantine").await.json();
            if quarantined.as_array().is_some_and(|all| !all.is_empty()) {
                return Some(());
            }
            let tree = hub.snapshot();
            let pull = tree.processes.iter().find(|process| is_pull(&process.path))?;
            hub.find(&pull.path)?.kill();
            None
        })
        .await;
    }

    async fn send(&self, method: &str, path: &str) -> Answer {
        let method: Method = method.parse().unwrap();
        ask(method, path).bearer(&self.token).of(self.node.address).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_described_is_done_as_it_is_described() {
    let scene = Scene::start().await;
    let job = format!("/api/v1/jobs/{}", scene.failed);
    let command = scene.get(&job).await.json()["commands"][0]["id"].as_str().unwrap().to_owned();
    let log = format!("/api/v1/commands/{command}/log");
    let file = format!("/api/v1/commands/{command}/artifacts/app%2Fa.txt");
    until("the branch to be built", async || {
        let branch = scene.get(BRANCH).await;
        (branch.status == StatusCode::OK && branch.json()["built"].is_string()).then_some(())
    })
    .await;
    for path in [
        "/api/v1/openapi.json",
        "/api/v1/status",
        "/api/v1/repos",
        "/api/v1/repos/acme/shop/pulls",
        PULL,
        &format!("{PULL}/tests"),
        "/api/v1/repos/acme/shop/branches",
        "/api/v1/repos/acme/shop/nightly",
        "/api/v1/quarantine",
        "/api/v1/repos/acme/shop/quarantine",
        &job,
        &format!("{job}/log"),
        &format!("{job}/artifacts"),
        &file,
        &log,
        &format!("{log}/times"),
        &format!("{log}/events"),
        "/api/v1/audit",
        "/api/v1/tokens",
        "/api/v1/store/export",
    ] {
        assert_eq!(scene.get(path).await.status, StatusCode::OK, "{path}");
    }
    scene.ask_for_all().await;
    std::fs::write(&scene.go, "").unwrap();
    until("a shell", async || {
        let shell = scene.post(&format!("{PULL}/shell"), &json!({"component": "app"})).await;
        (shell.status == StatusCode::OK).then_some(())
    })
    .await;
    let again = get(&format!("{log}/events")).bearer(&scene.token).header("last-event-id", "3");
    assert_eq!(again.of(scene.node.address).await.status, StatusCode::NO_CONTENT);
    scene.make_and_end().await;
    let left: Vec<_> = operations().difference(&done()).cloned().collect();
    assert_eq!(left, [], "described, and not done here");
    scene.node.stop().await;
}

/// Paths that name something, for each path that is described.
fn named(scene: &Scene, path: &str, (parameter, value): (&str, &str)) -> String {
    let command = format!("{}.0-1", scene.failed);
    let usual = [
        ("owner", "acme"),
        ("repo", "shop"),
        ("number", "1"),
        ("branch", "release%2F1"),
        ("attempt", &scene.failed),
        ("command", &command),
        ("id", "0123"),
        ("path", "app%2Fa.txt"),
    ];
    let path = path.replace(&format!("{{{parameter}}}"), value);
    usual.iter().fold(path, |path, (name, usual)| path.replace(&format!("{{{name}}}"), usual))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_nothing_is_refused_as_it_is_described() {
    let scene = Scene::start().await;
    let (long, longer) = ("a".repeat(9_000), "a".repeat(20_000));
    let values: Vec<&str> = HOSTILE.into_iter().chain([long.as_str(), longer.as_str()]).collect();
    for (method, path) in operations() {
        // Nothing is refused that is not even a method of the path.
        let refused = scene.send("BREW", &named(&scene, &path, ("", ""))).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        for (place, name) in parameters(&path, &method) {
            for value in &values {
                let path = match place {
                    "path" => named(&scene, &path, (name, value)),
                    "query" => format!("{}?{name}={value}", named(&scene, &path, ("", ""))),
                    // What clients send in headers is bounded by HTTP.
                    _ => continue,
                };
                // Of what goes on for ever only the beginning is of interest.
                let method: Method = method.parse().unwrap();
                let asked = ask(method, &path).bearer(&scene.token);
                let status = asked.stream(scene.node.address).await.status;
                assert!(!status.is_server_error(), "{path}: {status}");
                if *value == longer {
                    assert_eq!(status.as_u16(), 431, "{path}");
                }
            }
        }
    }
    std::fs::write(&scene.go, "").unwrap();
    scene.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_every_shape_are_refused_as_it_is_described() {
    let scene = Scene::start().await;
    let deep = "[".repeat(60_000);
    let large = format!("{{\"job\": \"{}\"}}", "a".repeat(64 * 1024));
    let bodies: [&[u8]; 12] = [
        b"[]",
        b"null",
        b"\"all\"",
        b"{\"job\": 1}",
        b"{\"job\": \"a:b:c d\"}",
        b"{\"job\": \"no:such\", \"other\": 1}",
        b"{\"job\": \"\\u0000\"}",
        b"{\"role\": \"root\", \"component\": \"..\"}",
        b"{\"role\": \"read\", \"label\": \"a\\nb\"}",
        b"{\"job\": \"\xff\xfe\"}",
        deep.as_bytes(),
        large.as_bytes(),
    ];
    for (method, path) in operations() {
        let path = named(&scene, &path, ("", ""));
        let takes_fields = method == "POST" && !path.ends_with("/check");
        for body in bodies.iter().filter(|_| takes_fields) {
            let asked = post(&path, JSON, body.to_vec()).bearer(&scene.token);
            let status = asked.of(scene.node.address).await.status;
            let said = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            assert!(status.is_client_error(), "{path}, {said}: {status}");
        }
    }
    std::fs::write(&scene.go, "").unwrap();
    scene.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_answer_is_not_told_it_again() {
    let scene = Scene::start().await;
    std::fs::write(&scene.go, "").unwrap();
    scene.node.job(PullNumber(1), |job| job.state == JobState::Passed).await;
    let asked = |etag: &str| {
        let path = "/api/v1/openapi.json";
        get(path).header("if-none-match", etag).of(scene.node.address)
    };
    let first = asked("\"other\"").await;
    let etag = first.header("etag").to_owned();
    assert_eq!((first.status, etag.len()), (StatusCode::OK, 26));
    assert_eq!(first.header("cache-control"), "private, no-cache");
    for known in [etag.clone(), format!("\"x\", W/{etag}"), "*".to_owned()] {
        let again = asked(&known).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
        assert_eq!((again.header("etag"), again.header("content-type")), (etag.as_str(), ""));
    }
    let pull = scene.get(PULL).await;
    let changed = scene.post(&format!("{PULL}/force"), &json!({"job": "app:slow"})).await;
    assert_eq!(changed.status, StatusCode::OK);
    let again = get(PULL).bearer(&scene.token).header("if-none-match", pull.header("etag"));
    assert_eq!(again.of(scene.node.address).await.status, StatusCode::OK);
    scene.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_told_in_pages_that_lead_to_each_other() {
    let node = Node::start(ReadAccess::Public).await;
    let jobs = "  quick:\n    - echo fine\n";
    for (branch, title) in [("release/1", "one"), ("release/2", "two"), ("release/3é", "three")] {
        node.push_branch(branch, &format!("{jobs}    - echo {branch}\n"));
        node.open_pull(title, &format!("{jobs}    - echo {title}\n"));
    }
    for (list, key) in [("pulls", "number"), ("branches", "name")] {
        let whole = format!("/api/v1/repos/acme/shop/{list}");
        let all = until("all of them", async || {
            let all = get(&whole).of(node.address).await;
            assert_eq!(all.header("link"), "");
            let all = all.json().as_array().unwrap().clone();
            (all.len() >= 3).then_some(all)
        })
        .await;
        let (mut told, mut next) = (Vec::new(), Some(format!("{whole}?limit=2")));
        while let Some(path) = next {
            let page = get(&path).of(node.address).await;
            let items = page.json().as_array().unwrap().clone();
            assert!((1..=2).contains(&items.len()), "{items:?}");
            told.extend(items);
            let link = page.header("link");
            next =
                link.strip_prefix('<').and_then(|link| link.split_once('>')).map(|(path, rel)| {
                    assert_eq!(rel, "; rel=\"next\"");
                    path.to_owned()
                });
        }
        let keys = |items: &[serde_json::Value]| -> Vec<String> {
            items.iter().map(|item| item[key].to_string()).collect()
        };
        assert_eq!(keys(&told), keys(&all), "{list}");
        for limit in ["0", "1001", "-1", "x"] {
            let answer = get(&format!("{whole}?limit={limit}")).of(node.address).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{limit}");
        }
    }
    assert_eq!(
        node.client().await.pulls(&crate::support::node::repo_name()).await.unwrap().len(),
        3
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_by_itself_is_a_problem_too() {
    let node = Node::start(ReadAccess::Public).await;
    let long = format!("/healthz?{}", "a".repeat(20_000));
    let many = (0..120).fold(get("/healthz"), |asked, _| asked.and_header("x", "y"));
    for (row, asked, expected) in [
        ("another method", post("/healthz", JSON, ""), 405),
        ("a long address", get(&long), 431),
        ("many fields", many, 431),
    ] {
        let answer = asked.of(node.address).await;
        assert_eq!(answer.status.as_u16(), expected, "{row}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{row}");
        assert_eq!(answer.json()["status"], expected, "{row}");
    }
    let page = post("/acme/shop", JSON, "").of(node.address).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(page.header("content-type").starts_with("text/html"), "{}", page.text());
    node.stop().await;
}
