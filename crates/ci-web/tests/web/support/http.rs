//! HTTP as any client speaks it.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::CEILING;
use super::contract::{self, Exchange};

/// One request.
pub struct Ask {
    request: Request<Full<Bytes>>,
}

/// A whole answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// An answer that is read as it comes.
pub struct Stream {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    connection: JoinHandle<()>,
}

pub fn get(path: &str) -> Ask {
    ask(Method::GET, path)
}

pub fn post(path: &str, content_type: &str, body: impl Into<Bytes>) -> Ask {
    let ask = ask(Method::POST, path).header("content-type", content_type);
    Ask { request: ask.request.map(|_| Full::new(body.into())) }
}

pub fn ask(method: Method, path: &str) -> Ask {
    let request = Request::builder().method(method).uri(path).header("host", "test");
    Ask { request: request.body(Full::default()).unwrap() }
}

impl Ask {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// Adds one more of that name.
    pub fn and_header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Shows a session.
    pub fn cookie(self, session: &str) -> Self {
        self.header("cookie", session)
    }

    /// Sends it and reads the whole answer.
    pub async fn of(self, address: SocketAddr) -> Answer {
        let (method, uri) = (self.request.method().clone(), self.request.uri().clone());
        let answer = async {
            let mut stream = self.stream(address).await;
            let mut body = Vec::new();
            while let Some(bytes) = stream.next().await {
                body.extend_from_slice(&bytes);
            }
            let Stream { status, ref headers, .. } = stream;
            Answer { status, headers: headers.clone(), body: body.into() }
        };
        let answer = tokio::time::timeout(CEILING, answer).await.expect("an answer in time");
        let Answer { status, headers, body } = &answer;
        let body = Some(&**body);
        contract::check(&Exchange {
            method: &method,
            path: uri.path(),
            status: *status,
            headers,
            body,
        });
        answer
    }

    /// Sends it and reads the head of the answer.
    pub async fn stream(self, address: SocketAddr) -> Stream {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test's connection ends with its runtime")]
        let connection = tokio::spawn(async move {
            // A server that goes away is what some tests are about.
            let _ended = connection.await;
        });
        let (method, uri) = (self.request.method().clone(), self.request.uri().clone());
        let (head, body) = sender.send_request(self.request).await.unwrap().into_parts();
        let (status, headers) = (head.status, &head.headers);
        contract::check(&Exchange {
            method: &method,
            path: uri.path(),
            status,
            headers,
            body: None,
        });
        Stream { status: head.status, headers: head.headers, body, connection }
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Stream {
    /// The next bytes; none at the end, however it came.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            let frame = tokio::time::timeout(CEILING, self.body.frame()).await;
            match frame.expect("bytes in time")?.ok()?.into_data() {
                Ok(bytes) => return Some(bytes),
                Err(_trailers) => {}
            }
        }
    }

    /// Reads until `is_enough`, or to the end.
    pub async fn read_until(&mut self, is_enough: impl Fn(&str) -> bool) -> String {
        let mut text = String::new();
        while !is_enough(&text) {
            match self.next().await {
                Some(bytes) => text.push_str(&String::from_utf8_lossy(&bytes)),
                None => break,
            }
        }
        text
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
