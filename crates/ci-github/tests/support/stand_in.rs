//! An HTTP server on the loopback whose answers a function decides, and which GitHub's own description
//! of its API watches: a call that is not described fails the test.

pub mod described;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, Response};
use ci_github::fake::{FakeRequest, FakeResponse};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What is no part of the API that the description is of: what `doctor` asks of the node's own public
/// address, which leads here in its tests, and how people sign in.
const NOT_DESCRIBED: [&str; 3] = ["/healthz", "/login/oauth/access_token", "/user"];

type Answer = dyn Fn(FakeRequest) -> FakeResponse + Send + Sync;

/// A running server; dropping it ends it, and fails the test if anything was amiss.
pub struct StandIn {
    /// Its root, such as `http://127.0.0.1:40123`.
    pub url: String,
    desk: Arc<Desk>,
    _server: JoinSet<()>,
}

/// What each connection shares.
struct Desk {
    answer: Box<Answer>,
    faults: Mutex<Vec<String>>,
    /// Places that need not be described, such as those where redirects lead.
    elsewhere: Mutex<Vec<String>>,
}

impl StandIn {
    /// Starts a server that answers with `answer`.
    pub async fn start(
        answer: impl Fn(FakeRequest) -> FakeResponse + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (faults, elsewhere) =
            (Mutex::default(), Mutex::new(NOT_DESCRIBED.map(str::to_owned).to_vec()));
        let desk = Arc::new(Desk { answer: Box::new(answer), faults, elsewhere });
        let router = Router::new().fallback(handle).with_state(desk.clone());
        let mut server = JoinSet::new();
        server.spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { url, desk, _server: server }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let faults = std::mem::take(&mut *self.desk.faults.lock().unwrap());
        if !std::thread::panicking() {
            assert!(
                faults.is_empty(),
                "GitHub's description says otherwise:\n{}",
                faults.join("\n")
            );
        }
    }
}

impl Desk {
    fn answer(&self, request: FakeRequest) -> FakeResponse {
        let mut faults = match self.elsewhere.lock().unwrap().contains(&request.path) {
            true => Vec::new(),
            false => described::faults_of_request(&request),
        };
        let response = (self.answer)(request.clone());
        let location = response.headers.iter().find(|(name, _)| *name == "location");
        if let Some((_, place)) = location {
            self.elsewhere.lock().unwrap().push(place.clone());
        }
        // What a test scripts may be less than GitHub says.
        let is_in_full = response.headers.iter().any(|(name, _)| *name == FakeResponse::MARK);
        if is_in_full && faults.is_empty() {
            faults = described::faults_of_response(&request, &response);
        }
        self.faults.lock().unwrap().extend(faults);
        response
    }
}

async fn handle(State(desk): State<Arc<Desk>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let header = |name: &str| Some(head.headers.get(name)?.to_str().unwrap().to_owned());
    let request = FakeRequest {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        authorization: header("authorization"),
        user_agent: header("user-agent"),
        accept: header("accept"),
        api_version: header("x-github-api-version"),
        if_none_match: header("if-none-match"),
        body: to_bytes(body, 1 << 20).await.unwrap().to_vec(),
    };
    let response = desk.answer(request);
    let mut built = Response::builder().status(response.status);
    for (name, value) in response.headers {
        built = built.header(HeaderName::from_static(name), value);
    }
    built.body(Body::from(response.body)).unwrap()
}
