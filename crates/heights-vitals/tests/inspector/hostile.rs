//! Clients that mean no good, or know no better.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use heights_vitals::Tier;
use heights_vitals::wire::State;

use crate::support::{CEILING, Msg, refusal, start, start_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_client_keeps_others_from_being_answered() {
    let tree = start(Tier::Read).await;
    let connect = || UnixStream::connect(tree.inspector.socket()).unwrap();
    let mut hostile = Vec::new();
    for _ in 0..10 {
        // One that says nothing, one that never ends its head, one that sends garbage, one that
        // never reads what it watches, one that never reads a large answer.
        for request in [
            &b""[..],
            b"GET /v1/tree HTTP/1.1\r\nhost: ",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET /v1/watch HTTP/1.1\r\nhost: x\r\n\r\n",
            b"GET /v1/picture HTTP/1.1\r\nhost: x\r\n\r\n",
        ] {
            let mut stream = connect();
            stream.write_all(request).unwrap();
            hostile.push(stream);
        }
    }
    let mut huge = connect();
    let head = "POST /v1/actors/store/stop HTTP/1.1\r\nhost: x\r\n\
                content-type: application/json\r\ncontent-length: 1000000000\r\n\r\n";
    huge.write_all(head.as_bytes()).unwrap();
    // Whoever is refused need not take all of it.
    let _cut_off = huge.write_all(&[b' '; 64 * 1024]);
    let store = tree.client.actor("store").await.unwrap().actor;
    assert_eq!(store.state, State::Idle);
    tree.store.call(Msg::Ping).await.unwrap();
    let cost = tree.client.picture().await.unwrap().runtime.unwrap().cost.unwrap();
    assert!(cost.clients <= cost.clients_max, "{cost:?}");
    tree.root.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_one_too_many_is_told_so() {
    let tree = start(Tier::Read).await;
    let connect = || UnixStream::connect(tree.inspector.socket()).unwrap();
    let open: Vec<_> = (0..64).map(|_| connect()).collect();
    // They are let in one after the other.
    let refused = tokio::task::spawn_blocking({
        let socket = tree.inspector.socket();
        move || {
            let mut stream = UnixStream::connect(socket).unwrap();
            stream.set_read_timeout(Some(CEILING)).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        }
    });
    let answer = refused.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let (status, body) = refusal(tree.client.tree().await);
    assert_eq!((status, body.code.as_str()), (503, "busy"));
    drop(open);
    let again = async {
        while tree.client.tree().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(CEILING, again).await.expect("there is room again");
    tree.root.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_answers_cost_stays_within_the_budget() {
    // So little that what is saved up is soon spent.
    let budget_ppm = 200_000;
    let tree = start_with(|inspector| inspector.budget_ppm(budget_ppm)).await;
    let cpu = |picture: heights_vitals::wire::Picture| picture.runtime.unwrap().inspector_cpu_us;
    let before = std::time::Instant::now();
    let asking = (0..10).map(|_| {
        let client = tree.client.clone();
        async move {
            loop {
                // Who is refused asks again at once.
                if let Ok(picture) = client.picture().await
                    && picture.runtime.as_ref().unwrap().cost.unwrap().delayed > 20
                {
                    return picture;
                }
            }
        }
    });
    let answered = tokio::time::timeout(CEILING, futures_util::future::join_all(asking)).await;
    let last = answered.expect("the budget is felt").pop().unwrap();
    let spent = u128::from(cpu(last).unwrap());
    let earned = before.elapsed().as_micros() * u128::from(budget_ppm) / 1_000_000;
    // What was saved up, what was earned since, and as much again as one answer may be above it.
    assert!(spent < 1_000_000 + earned * 12 / 10 + 300_000, "{spent} of {earned}");
    tree.root.stop().await;
}
