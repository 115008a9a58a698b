//! A web server as a child: how it starts, stops, and comes back.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::get;
use axum::{Extension, Router};
use heights::http::{HttpRef, HttpServer, Stopping};
use heights::prelude::*;
use heights::{Process, SupervisorRef};
use heights_testkit::{CEILING, Probe, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

const LOOPBACK: &str = "127.0.0.1:0";

fn server(routes: Router) -> HttpServer {
    HttpServer::new(LOOPBACK.parse().unwrap(), routes)
}

async fn start(server: HttpServer) -> (SupervisorRef, HttpRef, SocketAddr) {
    let (spec, web) = server.child_spec("web");
    let root = Supervisor::builder("root").child(spec).start().await.unwrap();
    let address = web.address().expect("a server that has started listens");
    (root, web, address)
}

fn process(root: &SupervisorRef) -> Option<Process> {
    root.hub()?.find("root/web")
}

async fn ask(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// Reads what comes until the connection ends or is quiet for having been answered.
async fn answer(stream: &mut TcpStream, ends_with: &str) -> String {
    let mut heard = String::new();
    let reading = async {
        let mut buffer = [0; 1024];
        while !heard.ends_with(ends_with) || ends_with.is_empty() {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(read) => heard.push_str(str::from_utf8(&buffer[..read]).unwrap()),
            }
        }
    };
    timeout(CEILING, reading).await.unwrap_or_else(|_| panic!("no answer"));
    heard
}

async fn get_body(address: SocketAddr, path: &str, body: &str) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, path).await;
    let heard = answer(&mut stream, body).await;
    assert!(heard.starts_with("HTTP/1.1 200") && heard.ends_with(body), "{heard}");
}

/// A request that says when it is there and waits to be let go.
fn slow(probe: &Probe<&'static str>) -> (Router, Arc<Semaphore>) {
    let (told, gate) = (probe.recipient(), Arc::new(Semaphore::new(0)));
    let opens = Arc::clone(&gate);
    let handler = async move || {
        told.tell("under way");
        opens.acquire().await.unwrap().forget();
        "at last"
    };
    (Router::new().route("/", get(handler)), gate)
}

#[tokio::test]
async fn serves_and_frees_its_port() {
    let (root, _web, address) =
        start(server(Router::new().route("/", get(async || "hello")))).await;
    get_body(address, "/", "hello").await;
    root.stop().await;
    TcpListener::bind(address).await.expect("the port is free");
}

#[tokio::test]
async fn a_port_in_use_is_named_and_nothing_starts() {
    let taken = TcpListener::bind(LOOPBACK).await.unwrap();
    let address = taken.local_addr().unwrap();
    let (spec, web) = HttpServer::new(address, Router::new()).child_spec("web");
    let error = Supervisor::builder("root").child(spec).start().await.unwrap_err();
    let expected = format!("listen on {address}: the port is in use");
    assert!(error.to_string().contains(&expected), "{error}");
    assert_eq!(web.address(), None);
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_lets_nobody_in() {
    let mut probe = Probe::new();
    let (routes, gate) = slow(&probe);
    let (root, _web, address) = start(server(routes).drain(CEILING)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, "/").await;
    probe.next("the request").await;
    let stopping = async {
        let exit = root.stop().await;
        assert!(!exit.is_abnormal(), "{exit}");
    };
    let meanwhile = async {
        let refused = async || TcpStream::connect(address).await.err();
        eventually("new connections to be refused", refused).await;
        gate.add_permits(1);
        let heard = answer(&mut stream, "").await;
        assert!(heard.ends_with("at last"), "{heard}");
    };
    tokio::join!(stopping, meanwhile);
}

#[tokio::test]
async fn what_does_not_end_is_cut_off_and_the_stop_is_clean() {
    let mut probe = Probe::new();
    let (routes, _gate) = slow(&probe);
    let (root, _web, address) = start(server(routes).drain(Duration::from_millis(50))).await;
    let web = process(&root).unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, "/").await;
    probe.next("the request").await;
    root.stop().await;
    assert!(!web.exit().unwrap().is_abnormal(), "{:?}", web.exit());
    assert_eq!(answer(&mut stream, "").await, "");
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_a_stop() {
    let routes = Router::new().route("/", get(async || "hello"));
    let (root, _web, address) = start(server(routes).drain(CEILING * 10)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, "/").await;
    answer(&mut stream, "hello").await;
    timeout(CEILING, root.stop()).await.expect("it does not wait for the next request");
}

#[tokio::test]
async fn an_answer_that_lasts_is_told_of_the_stop() {
    let mut probe = Probe::new();
    let told = probe.recipient();
    let handler = async move |Extension(stopping): Extension<Stopping>| {
        told.tell("under way");
        stopping.told().await;
        "bye"
    };
    let routes = Router::new().route("/", get(handler));
    let (root, _web, address) = start(server(routes).drain(CEILING * 10)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, "/").await;
    probe.next("the request").await;
    timeout(CEILING, root.stop()).await.expect("the answer ends");
    assert!(answer(&mut stream, "").await.ends_with("bye"));
}

#[tokio::test]
async fn a_life_after_a_kill_binds_the_same_port() {
    let routes = Router::new().route("/", get(async || "hello"));
    let (root, web, address) = start(server(routes)).await;
    for life in 1..=3 {
        let current = async || process(&root).filter(|web| web.incarnation() == life);
        let current = eventually("a life", current).await;
        let up = async || TcpStream::connect(address).await.ok();
        eventually("the port", up).await;
        get_body(address, "/", "hello").await;
        current.kill();
        current.gone().await;
    }
    assert_eq!(web.address(), Some(address));
    root.stop().await;
}

#[tokio::test]
async fn a_handler_that_panics_costs_its_own_connection_only() {
    let crash = async || -> &'static str { panic!("on purpose") };
    let routes = Router::new().route("/", get(async || "hello")).route("/crash", get(crash));
    let (root, _web, address) = start(server(routes)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, "/crash").await;
    assert_eq!(answer(&mut stream, "").await, "");
    get_body(address, "/", "hello").await;
    assert_eq!(process(&root).unwrap().incarnation(), 1);
    root.stop().await;
}

#[tokio::test]
async fn no_more_are_let_in_than_asked_for() {
    let mut probe = Probe::new();
    let (routes, gate) = slow(&probe);
    let (root, _web, address) = start(server(routes).max_connections(1)).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    ask(&mut first, "/").await;
    ask(&mut second, "/").await;
    probe.next("the first").await;
    gate.add_permits(2);
    assert!(answer(&mut first, "at last").await.ends_with("at last"));
    assert!(probe.rest().is_empty(), "the second waits for the first to leave");
    drop(first);
    probe.next("the second").await;
    root.stop().await;
}
