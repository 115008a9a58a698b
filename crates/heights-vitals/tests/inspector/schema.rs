//! The schema of the answers, and answers that keep to it.

mod validator;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc;

use heights_registry::{Owner, Registry};
use heights_vitals::wire::{TraceEvent, TraceRequest, schema};
use heights_vitals::{Client, Tier};
use ractor::{Actor, ActorRef};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use self::validator::Validator;
use crate::names::Plain;
use crate::support::{CEILING, Msg, Tree, picture_when, reborn, start_with};

/// What changes here changes for every program that reads answers: only additions keep the protocol.
#[test]
fn the_schema_is_what_it_was() {
    insta::assert_snapshot!(format!("{:#}", schema()));
}

#[tokio::test]
async fn the_schema_is_served() {
    let tree = start_with(|inspector| inspector).await;
    assert_eq!(tree.client.schema().await.unwrap(), schema());
    tree.root.stop().await;
}

/// Every path, of a tree in which something has crashed, something hangs and something waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_as_the_schema_says() {
    let names = Registry::duplicate();
    let (nobody, _lives) = Owner::new();
    names.register("a", 1_u64, &nobody).unwrap();
    let shown = names.clone();
    let tree = start_with(|inspector| {
        let inspector =
            inspector.registry_with_values("names", &shown, |value| Some(format!("{value}")));
        inspector.tier(Tier::Control)
    })
    .await;
    let (plain, ended) = join_a_group().await;
    let mut validator = Validator::new(schema());
    let gone = tree.client.actor("store").await.unwrap().actor.pid.unwrap();
    let mut asked = BTreeSet::new();
    let release = fall_ill(&tree).await;
    let socket = tree.inspector.socket();
    for (path, parameters) in [
        ("/v1/hello", ""),
        ("/v1/schema", ""),
        ("/v1/tree", ""),
        ("/v1/actors", "?sort=mailbox&limit=2&filter=app"),
        ("/v1/actors/{ref}", ""),
        ("/v1/actors/{ref}/state", "?bytes=1000"),
        ("/v1/actors/{ref}/why", ""),
        ("/v1/crashes", ""),
        ("/v1/picture", ""),
        ("/v1/judge", "?condition=mailbox(store)%3D0"),
        ("/v1/registry", "?limit=7"),
        ("/v1/groups", ""),
    ] {
        for actor in ["store", "pull-7", "pulls", "idle", "@root"] {
            let path = path.replace("{ref}", actor) + parameters;
            let answer = get(&socket, &path).await;
            let told = format!("GET {}", path_of(&path, actor));
            validator.check(&format!("/paths/{}/answer", pointer(&told)), &answer);
            asked.insert(told);
        }
    }
    for reference in ["nobody", "pull", &*gone] {
        let refused = get(&socket, &format!("/v1/actors/{reference}")).await;
        validator.check("/refusal", &refused);
    }
    let text = tree.client.metrics().await.unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    asked.insert("GET /v1/metrics".to_owned());
    asked.extend(listen(&tree.client, &mut validator, release).await);
    asked.extend(act(&tree.client, &mut validator).await);
    let paths: BTreeSet<String> = schema()["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(asked, paths, "every path is asked");
    validator.assert_all_was_seen();
    plain.stop(None);
    ended.await.unwrap();
    tree.root.stop().await;
}

/// Groups are ractor's, and open to actors that know nothing of supervisors.
#[expect(clippy::disallowed_methods, reason = "it knows nothing of supervisors")]
async fn join_a_group() -> (ActorRef<()>, JoinHandle<()>) {
    let (plain, ended) = Actor::spawn(None, Plain, None).await.unwrap();
    ractor::pg::join("passers-by".to_owned(), vec![plain.get_cell()]);
    (plain, ended)
}

/// Something crashes, something hangs, and something waits for it.
async fn fall_ill(tree: &Tree) -> mpsc::Sender<()> {
    tree.store.cast(Msg::Crash).unwrap();
    reborn(&tree.client, "store").await;
    tree.client.state("store", None).await.unwrap();
    let (entered, is_in) = mpsc::channel();
    let (release, until) = mpsc::channel();
    let store = tree.store.running().await;
    store.cast(Msg::Block(entered, until)).unwrap();
    is_in.recv_timeout(CEILING).unwrap();
    tree.pull_7.running().await.cast(Msg::Ask(tree.store.clone())).unwrap();
    picture_when(&tree.client, "the thread to be blocked", |picture| {
        let runtime = picture.runtime.as_ref().unwrap();
        let waiting = |actor: &heights_vitals::wire::Actor| actor.waiting_for.is_some();
        !runtime.blocked.is_empty() && picture.tree.actors.iter().any(waiting)
    })
    .await;
    release
}

/// Hears what goes on without end.
async fn listen(
    client: &Client,
    validator: &mut Validator,
    release: mpsc::Sender<()>,
) -> [String; 2] {
    let mut watch = client.watch(Some(0)).await.unwrap();
    let event = serde_json::to_value(watch.next().await.unwrap().unwrap()).unwrap();
    validator.check(&format!("/paths/{}/answer", pointer("GET /v1/watch")), &event);
    let request =
        TraceRequest { actors: vec!["store".to_owned()], max: 2, ..TraceRequest::default() };
    let body = serde_json::to_value(&request).unwrap();
    validator.check(&format!("/paths/{}/request", pointer("POST /v1/traces")), &body);
    let mut trace = client.trace(&request).await.unwrap();
    drop(release);
    let answer = format!("/paths/{}/answer", pointer("POST /v1/traces"));
    let tracing = async {
        while let Some(event) = trace.next().await.unwrap() {
            validator.check(&answer, &serde_json::to_value(&event).unwrap());
            if matches!(event, TraceEvent::Ended { .. }) {
                return;
            }
        }
    };
    tokio::time::timeout(CEILING, tracing).await.expect("the trace ends");
    ["GET /v1/watch".to_owned(), "POST /v1/traces".to_owned()]
}

async fn act(client: &Client, validator: &mut Validator) -> [String; 1] {
    let request = heights_vitals::wire::ControlRequest { dry_run: true, reason: None };
    let path = "POST /v1/actors/{ref}/{action}";
    let body = serde_json::to_value(&request).unwrap();
    validator.check(&format!("/paths/{}/request", pointer(path)), &body);
    let outcome = client.kill("store", &request).await.unwrap();
    let outcome = serde_json::to_value(outcome).unwrap();
    validator.check(&format!("/paths/{}/answer", pointer(path)), &outcome);
    [path.to_owned()]
}

/// Asks as any program can that knows a socket and HTTP.
async fn get(socket: &Path, path: &str) -> Value {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    let head = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    tokio::time::timeout(CEILING, reading).await.expect("an answer").unwrap();
    let (_head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"))
}

fn path_of(path: &str, actor: &str) -> String {
    let path = path.split('?').next().unwrap();
    path.replace(&format!("/v1/actors/{actor}"), "/v1/actors/{ref}")
}

/// Escapes a key so that it is one segment of a pointer.
fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
