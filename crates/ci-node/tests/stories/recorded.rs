//! Webhooks as GitHub really sent them, with the names of this world in them.
//!
//! What people do is told by recorded payloads alone. In each, only the fields of [`REPLACED`] are made
//! to name what was done here; every other field says what it said when it was recorded, of another
//! repository and often of another state: a webhook is a hint, and GitHub is the truth.

use std::cell::RefCell;
use std::collections::BTreeSet;

use ci_domain::forge::ReviewState;
use ci_domain::ids::PullNumber;
use ci_github::Secret;
use ci_github::fake::{FakeGitHub, SignedDelivery};
use ci_github::webhook::sign;
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::kills::{KILLS, act, ends_well, files, killed_ten_times, seed};
use crate::recordings::{Recorded, payloads, published};
use crate::world::{NEVER, World, login};

/// What is replaced in a recorded payload where it has the field: names, numbers, commits and moments.
const REPLACED: [&str; 21] = [
    "/repository/full_name",
    "/repository/id",
    "/number",
    "/pull_request/number",
    "/pull_request/head/sha",
    "/pull_request/head/ref",
    "/pull_request/base/sha",
    "/pull_request/base/ref",
    "/pull_request/created_at",
    "/pull_request/updated_at",
    "/review/id",
    "/review/commit_id",
    "/review/submitted_at",
    "/ref",
    "/after",
    "/issue/number",
    "/comment/id",
    "/comment/created_at",
    // Those who command must be known, and what they say must be a command.
    "/comment/user/login",
    "/comment/body",
    // GitHub says "edited" of pull requests too, but nobody has recorded it.
    "/action",
];
/// Set although it was not recorded: every recorded comment is on an issue that is no pull request.
const PULL_OF_ISSUE: &str = "pull_request";

/// Everything that was recorded, and what has happened in this world.
struct Post {
    recorded: Vec<Recorded>,
    /// The payloads that the fake wrote of pull requests, oldest first.
    truths: RefCell<Vec<Value>>,
    told: RefCell<BTreeSet<String>>,
}

impl Post {
    fn new() -> Self {
        let recorded = payloads();
        Self { recorded, truths: RefCell::default(), told: RefCell::default() }
    }

    /// The recorded form of a delivery that the fake wrote.
    fn dressed(&self, delivery: &SignedDelivery) -> SignedDelivery {
        let truth: Value = serde_json::from_slice(&delivery.body).unwrap();
        if delivery.event == "pull_request" {
            self.truths.borrow_mut().push(truth.clone());
        }
        let variant = truth["action"].as_str().unwrap_or("branch");
        let of_event = || self.recorded.iter().filter(|recorded| recorded.event == delivery.event);
        let exact = of_event().find(|recorded| recorded.variant == variant);
        let recorded = exact.or_else(|| of_event().next()).unwrap();
        self.dress(recorded, &truth, &delivery.id)
    }

    fn dress(&self, recorded: &Recorded, truth: &Value, id: &str) -> SignedDelivery {
        let mut payload = recorded.payload.clone();
        for field in REPLACED {
            if let (Some(here), Some(new)) = (payload.pointer_mut(field), truth.pointer(field)) {
                *here = new.clone();
            }
        }
        if truth.pointer("/issue/pull_request").is_some() {
            payload["issue"][PULL_OF_ISSUE] = truth["issue"][PULL_OF_ISSUE].clone();
        }
        self.told.borrow_mut().insert(format!("{}.{}", recorded.event, recorded.variant));
        signed(&recorded.event, id, &payload)
    }

    /// Everything that was recorded, about pull requests at some moment of their past: hints that are
    /// old, or say what never was.
    fn hearsay(&self, life: u64, chance: &mut Chance) -> Vec<SignedDelivery> {
        let truths = self.truths.borrow();
        let dress = |(number, recorded): (usize, &Recorded)| {
            let of = usize::try_from(chance.below(truths.len() as u64)).unwrap();
            let mut truth = truths[of].clone();
            truth["action"] = recorded.payload["action"].clone();
            self.dress(recorded, &truth, &format!("hearsay-{life}-{number}"))
        };
        self.recorded.iter().enumerate().map(dress).collect()
    }
}

pub fn signed(event: &str, id: &str, payload: &Value) -> SignedDelivery {
    let body = payload.to_string().into_bytes();
    SignedDelivery {
        event: event.to_owned(),
        id: id.to_owned(),
        content_type: "application/json".to_owned(),
        signature: sign(&Secret::new(FakeGitHub::WEBHOOK_SECRET), &body),
        body,
    }
}

/// What people do beside what they do in every story of kills: it changes no verdict.
async fn act_more(world: &World, life: u64) {
    if life == 5 {
        let pull = PullNumber(1);
        world.tested(pull).await;
        world.repo.close(pull);
        world.repo.reopen(pull);
        world.repo.retitle(pull, "Another title");
        world.repo.comment(pull, &login("linus"), "/ci why");
    }
    if life == 6 {
        let (draft, review) = (PullNumber(11), PullNumber(13));
        world.repo.set_draft(draft, true);
        world.repo.set_draft(draft, false);
        let id = world.repo.review(review, &login("linus"), ReviewState::ChangesRequested);
        world.repo.dismiss(review, id);
    }
}

/// What was done in a life, in order, and hearsay here and there between.
fn letters(world: &World, post: &Post, life: u64, chance: &mut Chance) -> Vec<SignedDelivery> {
    let mut letters: Vec<_> = world.webhooks().iter().map(|made| post.dressed(made)).collect();
    for hearsay in post.hearsay(life, chance) {
        let place = usize::try_from(chance.below(letters.len() as u64 + 1)).unwrap();
        letters.insert(place, hearsay);
    }
    letters
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_webhooks_and_polls_tell_a_node_that_is_killed_ten_times() {
    let world = World::new(&files()).await;
    world.configure("1s", "");
    let (post, mut chance) = (Post::new(), Chance::new(seed() + 1));
    killed_ten_times(&world, async |node, life| {
        // Half of the lives are told everything, half what comes after they are there.
        if chance.below(2) == 0 {
            node.ready().await;
        }
        act_more(&world, life).await;
        let mut letters = letters(&world, &post, life, &mut chance);
        // Where webhooks overtake each other, the next poll puts it right.
        chance.shuffle(&mut letters);
        for letter in letters {
            let status = node.post(&letter).await;
            // Nobody answers for a node that comes up just now.
            assert!([0, 200, 202].contains(&status), "{}: {status}", letter.event);
        }
    })
    .await;
    let answers = world.said(PullNumber(1));
    assert!(answers.iter().filter(|said| said.contains("met by")).count() <= 1, "{answers:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_webhooks_alone_tell_everything() {
    let world = World::new(&files()).await;
    world.configure(NEVER, "");
    let (post, mut chance) = (Post::new(), Chance::new(seed()));
    let node = world.start().await;
    for life in 0..KILLS {
        act(&world, life);
        act_more(&world, life).await;
        for letter in letters(&world, &post, life, &mut chance) {
            let status = node.post(&letter).await;
            assert!([200, 202].contains(&status), "{}: {status}", letter.event);
        }
    }
    ends_well(&world, &node).await;
    assert_eq!(post.told.borrow().len(), post.recorded.len(), "{:?}", post.told);
    let answers = world.said(PullNumber(1));
    assert_eq!(answers.iter().filter(|said| said.contains("met by")).count(), 1, "{answers:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_published_payload_is_taken_as_it_is() {
    let world = World::new(&[("README.md", "A shop.\n")]).await;
    let node = world.start().await;
    let own = json!({"repository": {"full_name": crate::world::REPO, "id": 1}});
    let post = Post::new();
    for (number, recorded) in payloads().iter().chain(&published()).enumerate() {
        let name = format!("{} {}", recorded.event, recorded.variant);
        let as_it_is = signed(&recorded.event, &format!("as-it-is-{number}"), &recorded.payload);
        assert_eq!(node.post(&as_it_is).await, 200, "{name} of another repository");
        let ours = post.dress(recorded, &own, &format!("ours-{number}"));
        assert!([200, 202].contains(&node.post(&ours).await), "{name}");
        let mut unknown = recorded.payload.clone();
        unknown["action"] = json!("an_action_of_tomorrow");
        let unknown = signed(&recorded.event, &format!("unknown-{number}"), &unknown);
        assert_eq!(node.post(&unknown).await, 200, "{name} with an unknown action");
    }
    assert!(!world.log().contains("child terminated"), "an actor crashed");
}
