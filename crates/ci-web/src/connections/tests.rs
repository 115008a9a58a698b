//! Who is closed for whom, and when.

use axum::body::Bytes;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::stopping::{self, Stop};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// A server that answers `/` at once and `/never` never.
struct Server {
    connections: Connections,
    routes: Router,
    _stop: Stop,
}

impl Server {
    fn with(most: usize) -> Self {
        let (stop, stopping) = stopping::pair();
        let never = get(|| async { pending::<()>().await });
        let root = get(|| async { "hello" }).post(|_body: Bytes| async { "thanks" });
        let routes = Router::new().route("/", root).route("/never", never);
        let connections = Connections { most, ..Connections::new(stopping) };
        Self { connections, routes, _stop: stop }
    }

    /// A client that sends this.
    async fn client(&mut self, bytes: &[u8]) -> DuplexStream {
        let (mut client, server) = tokio::io::duplex(1024);
        self.connections.serve_guest(server, self.routes.clone());
        client.write_all(bytes).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        client
    }
}

/// What comes until the connection is closed.
async fn all(client: &mut DuplexStream) -> String {
    let mut all = Vec::new();
    // One that is cut off may end in an error.
    let _cut_off = client.read_to_end(&mut all).await;
    String::from_utf8(all).unwrap()
}

async fn is_open(client: &mut DuplexStream) -> bool {
    let wait = Duration::from_millis(1);
    tokio::time::timeout(wait, client.read_u8()).await.is_err()
}

async fn answer(client: &mut DuplexStream) -> String {
    let mut answer = vec![0; 15];
    client.read_exact(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_byte_by_byte_is_cut_off_in_time() {
    let mut server = Server::with(1);
    let began = Instant::now();
    let mut client = server.client(b"GET / HTTP/1.1\r\n").await;
    while client.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(began.elapsed() < HEAD_LIMIT * 2, "it is still open");
    }
    assert!(began.elapsed() >= HEAD_LIMIT);
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_makes_room_for_who_does() {
    let mut server = Server::with(3);
    let mut first = server.client(b"").await;
    let mut second = server.client(b"GET / HT").await;
    let mut third =
        server.client(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhal").await;
    for silent in [&mut first, &mut second, &mut third] {
        assert!(is_open(silent).await);
        assert!(server.connections.has_room());
        let mut client = server.client(REQUEST).await;
        assert_eq!(answer(&mut client).await, "HTTP/1.1 200 OK");
        assert!(!is_open(silent).await);
        // The client itself is idle from now on, but for less time than the others.
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_being_answered_makes_no_room_before_it_has_lasted() {
    let mut server = Server::with(1);
    let mut asked = server.client(b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!server.connections.has_room());
    tokio::time::sleep(LASTING * 2).await;
    assert!(is_open(&mut asked).await);
    assert!(server.connections.has_room());
    let mut client = server.client(REQUEST).await;
    assert_eq!(answer(&mut client).await, "HTTP/1.1 200 OK");
    assert_eq!(all(&mut asked).await, "");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_used_again_and_then_counts_as_new() {
    let mut server = Server::with(2);
    let mut first = server.client(REQUEST).await;
    let mut second = server.client(REQUEST).await;
    for _ in 0..2 {
        assert_eq!(answer(&mut first).await, "HTTP/1.1 200 OK");
        tokio::time::sleep(Duration::from_secs(1)).await;
        while !is_open(&mut first).await {}
        first.write_all(REQUEST).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let _third = server.client(b"").await;
    assert!(all(&mut second).await.ends_with("hello"), "it was the idlest");
    assert_eq!(answer(&mut first).await, "HTTP/1.1 200 OK");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_connection_makes_room() {
    let mut server = Server::with(1);
    drop(server.client(b"").await);
    server.connections.one_ended().await;
    assert!(server.connections.guests.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_operator_is_always_let_in() {
    let mut server = Server::with(1);
    let mut asked = server.client(b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let (mut operator, stream) = tokio::io::duplex(1024);
    server.connections.serve_operator(stream, server.routes.clone());
    operator.write_all(REQUEST).await.unwrap();
    assert_eq!(answer(&mut operator).await, "HTTP/1.1 200 OK");
    assert!(is_open(&mut asked).await);
}
