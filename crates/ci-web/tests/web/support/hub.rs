//! The fake GitHub behind a socket, for browsers and for the client that signs people in.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, Response};
use ci_domain::ids::Login;
use ci_github::fake::{FakeGitHub, FakeRequest};
use ci_github::{Secret, SignIn, SignInConfig};
use ci_web::Gate;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::CEILING;
use super::node::Node;

const CLIENT: (&str, &str) = ("Iv1.0123", "a-client-secret");

/// A running server; dropping it ends it.
pub struct Hub {
    _server: JoinSet<()>,
}

impl Hub {
    /// Has people sign in to `node` by their accounts; those administrators may do everything.
    pub async fn start(node: &Node, public_url: &str, administrators: &[&str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(handle).with_state(node.github.clone());
        let mut server = JoinSet::new();
        server.spawn(async { axum::serve(listener, router).await.unwrap() });
        node.github.register(CLIENT.0, CLIENT.1, &format!("{public_url}/login/github/back"));
        let sign_in = SignIn::new(SignInConfig {
            web_url: url.clone(),
            api_url: url.clone(),
            client_id: CLIENT.0.to_owned(),
            client_secret: Secret::new(CLIENT.1),
            timeout: CEILING,
        });
        let administrators = administrators.iter().map(|login| Login::new(*login).unwrap());
        node.gate.send_replace(Some(Gate {
            sign_in: Arc::new(sign_in.unwrap()),
            administrators: administrators.collect(),
        }));
        Self { _server: server }
    }
}

async fn handle(State(github): State<FakeGitHub>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let header = |name: &str| Some(head.headers.get(name)?.to_str().unwrap().to_owned());
    let response = github.answer(&FakeRequest {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        authorization: header("authorization"),
        user_agent: header("user-agent"),
        accept: header("accept"),
        api_version: header("x-github-api-version"),
        if_none_match: header("if-none-match"),
        body: to_bytes(body, 1 << 20).await.unwrap().to_vec(),
    });
    let mut built = Response::builder().status(response.status);
    for (name, value) in response.headers {
        built = built.header(HeaderName::from_static(name), value);
    }
    built.body(Body::from(response.body)).unwrap()
}
