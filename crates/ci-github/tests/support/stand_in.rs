//! An HTTP server on the loopback whose answers a function decides.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, Response};
use ci_github::fake::{FakeRequest, FakeResponse};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

type Answer = Arc<dyn Fn(FakeRequest) -> FakeResponse + Send + Sync>;

/// A running server; dropping it ends it.
pub struct StandIn {
    /// Its root, such as `http://127.0.0.1:40123`.
    pub url: String,
    _server: JoinSet<()>,
}

impl StandIn {
    /// Starts a server that answers with `answer`.
    pub async fn start(
        answer: impl Fn(FakeRequest) -> FakeResponse + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer: Answer = Arc::new(answer);
        let router = Router::new().fallback(handle).with_state(answer);
        let mut server = JoinSet::new();
        server.spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { url, _server: server }
    }
}

async fn handle(State(answer): State<Answer>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let header = |name: &str| Some(head.headers.get(name)?.to_str().unwrap().to_owned());
    let request = FakeRequest {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        authorization: header("authorization"),
        user_agent: header("user-agent"),
        body: to_bytes(body, 1 << 20).await.unwrap().to_vec(),
    };
    let response = answer(request);
    let mut built = Response::builder().status(response.status);
    for (name, value) in response.headers {
        built = built.header(HeaderName::from_static(name), value);
    }
    built.body(Body::from(response.body)).unwrap()
}
