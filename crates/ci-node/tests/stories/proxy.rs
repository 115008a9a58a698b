//! A node that reaches GitHub over HTTPS through a proxy, by a certificate authority of the company's own.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ci_domain::forge::CheckState;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::app::FILES;
use crate::node::{self, Node};
use crate::repository::Change;
use crate::world::World;

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");

/// A proxy, the host behind it, and what the proxy was asked for.
struct Network {
    proxy: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _servers: JoinSet<()>,
}

impl Network {
    /// Lets `github.test` be what answers at `upstream`, but only for those who come through the proxy.
    async fn around(upstream: SocketAddr) -> Self {
        let mut servers = JoinSet::new();
        let host = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (behind, address) = (host.local_addr().unwrap(), proxy.local_addr().unwrap());
        servers.spawn(terminate_tls(host, upstream));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        servers.spawn(connect(proxy, behind, asked.clone()));
        Self { proxy: address, asked, _servers: servers }
    }
}

async fn terminate_tls(listener: TcpListener, upstream: SocketAddr) {
    let chain = vec![CertificateDer::from_pem_file(format!("{KEYS}/host.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(format!("{KEYS}/host.key.pem")).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let (acceptor, mut connections) = (TlsAcceptor::from(Arc::new(config)), JoinSet::new());
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            // Whoever does not trust us says no more.
            let Ok(mut plain) = acceptor.accept(socket).await else { return };
            let mut behind = TcpStream::connect(upstream).await.unwrap();
            let _cut = copy_bidirectional(&mut plain, &mut behind).await;
        });
    }
}

async fn connect(listener: TcpListener, host: SocketAddr, asked: Arc<Mutex<Vec<String>>>) {
    let mut connections = JoinSet::new();
    loop {
        let (mut socket, _) = listener.accept().await.unwrap();
        let asked = asked.clone();
        connections.spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = socket.read_u8().await else { return };
                head.push(byte);
            }
            let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
            asked.lock().unwrap().push(line);
            let mut behind = TcpStream::connect(host).await.unwrap();
            socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            let _cut = copy_bidirectional(&mut socket, &mut behind).await;
        });
    }
}

/// Starts a node whose GitHub is `github.test`, with this certificate authority.
async fn start(world: &World, network: &Network, authority: Option<&Path>) -> Node {
    let path = world.folder().join("ci-node.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let of_github = |line: &str| match line.split_once(" = ") {
        Some(("api_url", _)) => "api_url = \"https://github.test\"".to_owned(),
        Some(("graphql_url", _)) => "graphql_url = \"https://github.test/graphql\"".to_owned(),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = config.lines().map(of_github).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let log = world.folder().join("node.log");
    let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
    let mut command = node::command(world.folder(), log);
    command.env("https_proxy", format!("http://{}", network.proxy));
    if let Some(authority) = authority {
        command.env("SSL_CERT_FILE", authority);
    }
    Node::of(command.spawn().unwrap(), world.port())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_works_through_a_proxy_with_an_authority_of_its_own() {
    let world = World::new(&FILES).await;
    world.become_app();
    let network = Network::around(world.github_at()).await;
    let authority = format!("{KEYS}/authority.pem");
    let node = start(&world, &network, Some(Path::new(&authority))).await;
    node.ready().await;
    let pull = world.open("bye", &[Change::file("lib/word", "bye\n")]);
    world.deliver(&node).await;
    world.says(pull, "failure lib:test failed").await;
    world.checks(&world.head(pull), "lib:test", CheckState::Failure).await;
    let asked = network.asked.lock().unwrap();
    assert!(!asked.is_empty(), "nothing came through the proxy");
    let is_it = |line: &String| line == "CONNECT github.test:443 HTTP/1.1";
    assert!(asked.iter().all(is_it), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_authority_is_unknown_is_not_told_anything() {
    let world = World::new(&FILES).await;
    world.become_app();
    let network = Network::around(world.github_at()).await;
    let _node = start(&world, &network, None).await;
    world.until("the refusal", || world.log().contains("certificate")).await;
    assert_eq!(world.github.calls(), 0);
}
