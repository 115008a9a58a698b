//! Deliveries that failed are asked for again.

use std::sync::{Arc, Mutex};

use ci_domain::forge::Timestamp;
use ci_github::fake::{FakeGitHub, FakeRepo, FakeResponse, SignedDelivery};
use ci_github::{AppKey, Credentials, Forge, GitHub, GitHubConfig, Secret};
use serde_json::json;

use super::stand_in::StandIn;
use super::{config, fake, repo, sha};

const HOOK: &str = "https://ci.example.com/webhooks/github";

/// Has the fake send some webhooks.
fn sent(fake: &FakeGitHub, shop: &FakeRepo, count: usize) -> Vec<SignedDelivery> {
    let main = ci_domain::ids::BranchName::new("main").unwrap();
    (0..count).for_each(|_| shop.push(&main, &sha('e')));
    fake.take_deliveries()
}

#[tokio::test]
async fn what_was_never_delivered_is_delivered_again_once() {
    let (fake, shop, _stand_in, github) = fake().await;
    fake.set_page_size(2);
    fake.set_hook(HOOK);
    let all = sent(&fake, &shop, 5);
    let [old, lost, made, retried, refused] = <[_; 5]>::try_from(all).unwrap();
    fake.set_clock(Timestamp(1_000));
    fake.note_delivery(old, 0);
    fake.set_clock(Timestamp(2_000));
    for (delivery, status) in
        [(&lost, 0), (&made, 202), (&retried, 502), (&refused, 503), (&retried, 200), (&lost, 502)]
    {
        fake.note_delivery(delivery.clone(), status);
    }
    let since = Timestamp(2_000);
    assert_eq!(github.redeliver(&repo(), HOOK, since).await, Ok(2));
    assert_eq!(fake.take_deliveries(), [refused, lost], "in the order of their last attempts");
    assert_eq!(github.redeliver(&repo(), HOOK, since).await, Ok(0), "they were made meanwhile");
    assert_eq!(fake.take_deliveries(), []);
}

#[tokio::test]
async fn a_repository_whose_hook_leads_elsewhere_has_nothing_to_deliver() {
    let (fake, shop, _stand_in, github) = fake().await;
    for delivery in sent(&fake, &shop, 1) {
        fake.note_delivery(delivery, 502);
    }
    assert_eq!(github.redeliver(&repo(), HOOK, Timestamp(0)).await, Ok(0));
    fake.set_hook("https://other.example.com");
    assert_eq!(github.redeliver(&repo(), HOOK, Timestamp(0)).await, Ok(0));
    fake.set_hook(HOOK);
    assert_eq!(github.redeliver(&repo(), HOOK, Timestamp(0)).await, Ok(1));
}

#[tokio::test]
async fn an_app_asks_for_its_own() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = seen.clone();
    let stand_in = StandIn::start(move |request| {
        let body = match request.method.as_str() {
            "GET" => json!([{ "id": 7, "guid": "g", "status_code": 502,
                              "delivered_at": "2026-01-31T12:00:00Z" }]),
            _ => json!({}),
        };
        record.lock().unwrap().push(format!("{} {}", request.method, request.path));
        FakeResponse { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
    })
    .await;
    let private_key = Secret::new(include_str!("../keys/app.pem"));
    let key = AppKey { id: "7".to_owned(), private_key };
    let config = GitHubConfig { credentials: Credentials::App(key), ..config(&stand_in.url) };
    let github = GitHub::new(config).unwrap();
    assert_eq!(github.redeliver(&repo(), HOOK, Timestamp(0)).await, Ok(1));
    let calls = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(calls, ["GET /app/hook/deliveries", "POST /app/hook/deliveries/7/attempts"]);
}
