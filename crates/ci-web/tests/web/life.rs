//! The server in its tree: restarts, stops, and what it does meanwhile.

use std::time::Duration;

use ci_web::ReadAccess;
use ci_web::wire::Role;
use hyper::StatusCode;

use crate::support::http::get;
use crate::support::node::Node;
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_on_the_same_port_and_socket() {
    let node = Node::start(ReadAccess::Token).await;
    let token = node.token(Role::Read).await;
    let web = node.process.hub().find("ci-node/web").unwrap();
    web.kill();
    web.gone().await;
    let answer = get("/healthz").of(node.address).await;
    assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "ok\n"));
    let again = node.process.hub().find("ci-node/web").unwrap();
    assert!(again.incarnation() > web.incarnation());
    let status = node.client().await.status().await.unwrap();
    assert_eq!((status.name.as_str(), status.version.as_str()), ("test-ci", "1.2.3"));
    let known = get("/api/v1/status").bearer(&token).of(node.address).await;
    assert_eq!(known.status, StatusCode::OK);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_ready_once_its_repositories_were_polled_or_their_trouble_is_known() {
    let node = Node::start(ReadAccess::Token).await;
    let ready = async || {
        let answer = get("/readyz").of(node.address).await;
        (answer.status == StatusCode::OK).then(|| answer.text())
    };
    assert_eq!(until("the node to be ready", ready).await, "ready\n");
    let client = node.client().await;
    node.github.set_offline(true);
    let trouble = async || client.repos().await.unwrap().remove(0).trouble;
    until("the trouble to be told", trouble).await;
    assert_eq!(get("/readyz").of(node.address).await.status, StatusCode::OK);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_streams_and_takes_the_socket_away() {
    let node = Node::start(ReadAccess::Public).await;
    // The runner outlives the node: it ends with the folder.
    let job = format!("  slow:\n    - echo begun; {}\n", node.wait_for(&node.path("never")));
    let number = node.open_pull("slow", &job);
    let running = node.job(number, |job| job.since_ms.is_some()).await;
    let attempt = running.attempt.unwrap();
    let id = until("the command", async || {
        let run = node.client().await.job_run(&attempt.parse().unwrap()).await.ok()?;
        Some(run.commands.first()?.id.clone())
    })
    .await;
    let mut events = get(&format!("/api/v1/commands/{id}/log/events")).stream(node.address).await;
    events.read_until(|text| text.contains("begun")).await;
    let (root, socket) = (node.root.clone(), node.socket.clone());
    let stop = tokio::time::timeout(Duration::from_secs(30), root.stop());
    assert!(stop.await.is_ok(), "an open stream does not hold the stop up");
    assert!(!events.read_until(|_| false).await.contains("event: end"));
    assert!(!socket.exists());
}
