//! Plain actors that only their spans tell of: a program of its own, for spans are of the whole process.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
#![expect(clippy::disallowed_methods, reason = "they know nothing of supervisors")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use heights_supervisor::{ChildSpec, Hub, Supervisor};
use heights_vitals::wire::{Actor as Told, Kind, Sort};
use heights_vitals::{ActorSpans, Client, Inspector};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tempfile::TempDir;
use tracing_subscriber::layer::SubscriberExt;

const CEILING: Duration = Duration::from_secs(60);

/// How long it computes for each message, at least.
const WORK: Duration = Duration::from_millis(20);

/// How many messages there are.
const MESSAGES: u32 = 10;

/// Computes, and counts for how long by itself.
struct Plain;

enum Msg {
    Work,
    Total(RpcReplyPort<Duration>),
}

impl Actor for Plain {
    type Msg = Msg;
    type State = Duration;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Msg>, (): ()) -> Result<Duration, ActorProcessingErr> {
        Ok(Duration::ZERO)
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        msg: Msg,
        total: &mut Duration,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Work => {
                let begin = Instant::now();
                while begin.elapsed() < WORK {
                    std::hint::spin_loop();
                }
                *total += begin.elapsed();
            }
            Msg::Total(port) => port.send(*total)?,
        }
        Ok(())
    }
}

async fn foreign(client: &Client) -> Vec<Told> {
    let actors = client.tree().await.unwrap().actors;
    actors.into_iter().filter(|actor| actor.kind == Some(Kind::Foreign)).collect()
}

#[tokio::test]
async fn an_actor_without_a_name_is_seen_with_how_long_it_has_run() {
    let spans = ActorSpans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let hub = Hub::new();
    let (ours, _) = ChildSpec::actor("ours", || (Plain, ()));
    let root = Supervisor::builder("app").hub(hub.clone()).child(ours).start().await.unwrap();
    let inspector = Inspector::builder("app", &hub).directory(folder.path()).actor_spans(&spans);
    let inspector = inspector.start().unwrap();
    let client = Client::new(inspector.socket()).patience(CEILING);
    assert_eq!(foreign(&client).await, [], "those of the tree are none");
    let begin = Instant::now();
    let (plain, ended) = Actor::spawn(None, Plain, ()).await.unwrap();
    (0..MESSAGES).for_each(|_| plain.cast(Msg::Work).unwrap());
    let computed = plain.call(Msg::Total, Some(CEILING)).await.unwrap().unwrap();
    let seen = foreign(&client).await;
    let most = begin.elapsed().as_millis();
    let [seen] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(seen.path, format!("ractor:{}", plain.get_id()));
    // What it has counted itself, and no more than there was time.
    let busy = u128::from(seen.busy_ms.unwrap());
    assert!((computed.as_millis()..=most).contains(&busy), "{computed:?}, {busy} ms, {most} ms");
    assert_eq!((seen.mailbox, seen.handled, seen.restarts), (None, None, None), "not known");
    let top = client.top(Sort::Busy, 10, None).await.unwrap();
    assert!(top.actors.iter().any(|actor| actor.path == seen.path), "{top:?}");
    assert_eq!((top.actors.len(), top.total), (3, 3));
    plain.stop(None);
    ended.await.unwrap();
    assert_eq!(foreign(&client).await, []);
    root.stop().await;
}
