//! Everything at once: people do whatever they like to a crowd of pull requests, some of them from a fork,
//! webhooks are lost, repeated and shuffled, GitHub fails, is slow or gone, and the node and its actors are
//! killed; in the end each pull request says what a model says that reads GitHub alone.
//!
//! `CHAOS_PULLS` and `CHAOS_STEPS` say how much, `STORY_SEED` which: what people do and what goes wrong
//! follows from the seed, and only how far the node has come meanwhile does not.

mod model;
mod people;

use std::collections::BTreeSet;
use std::time::Duration;

use ci_domain::ids::PullNumber;
use ci_github::ForgeError;
use ci_github::fake::FakeGitHub;
use heights_vitals::wire::ControlRequest;
use tokio::time::sleep;

use crate::actors::vitals;
use crate::chance::Chance;
use crate::chaos::people::People;
use crate::isolation::{has_bubblewrap, isolate};
use crate::kills::seed;
use crate::node::Node;
use crate::wait::wait_for;
use crate::world::World;

const PULLS: u64 = 8;
const STEPS: u64 = 60;
/// How long everything may take once nothing goes wrong any more, for each pull request.
const END_EACH: Duration = Duration::from_secs(15);
/// The longest pause between two steps, in milliseconds.
const PAUSE: u64 = 300;
/// How slow GitHub is at its worst, in milliseconds.
const SLOW: u64 = 120;
/// Whose actors are killed.
const KILLED: [&str; 6] = ["/pulls/", "/branches/", "/reporter", "/watcher", "/mirror", "/intake"];

/// What goes wrong around a node.
struct Chaos {
    world: World,
    node: Node,
    /// What people do, what goes wrong, and how that meets what the node has done by then: each by itself,
    /// since the last draws as often as the moment wants.
    acts: Chance,
    faults: Chance,
    moments: Chance,
    people: People,
    /// Webhooks that come later, if at all.
    held: Vec<ci_github::fake::SignedDelivery>,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_github_is_told_what_a_model_says() {
    let number =
        |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (pulls, steps) = (number("CHAOS_PULLS", PULLS), number("CHAOS_STEPS", STEPS));
    let mut chaos = Chaos::start(pulls).await;
    for _ in 0..steps {
        chaos.step().await;
    }
    chaos.calm_down().await;
    chaos.ends_as_the_model_says().await;
}

impl Chaos {
    async fn start(pulls: u64) -> Self {
        let seed = seed();
        #[expect(clippy::print_stdout, reason = "whoever sees it fail needs the seed")]
        {
            println!("STORY_SEED={seed} CHAOS_PULLS={pulls}");
        }
        let world = World::new(&people::files()).await;
        world.configure("1s", "");
        // Heads of forks run in a sandbox or not at all.
        let has_forks = has_bubblewrap();
        if has_forks {
            isolate(&world, "namespaces");
        }
        let people = People::of(&world, pulls, has_forks);
        let node = world.start().await;
        let chance = |number| Chance::new(seed.wrapping_mul(3).wrapping_add(number));
        let (acts, faults, moments) = (chance(0), chance(1), chance(2));
        Self { world, node, acts, faults, moments, people, held: Vec::new() }
    }

    /// Somebody does something, something goes wrong, and a while passes.
    async fn step(&mut self) {
        for _ in 0..=self.acts.below(2) {
            self.people.act(&self.world, &mut self.acts);
        }
        self.deliver().await;
        match self.faults.below(12) {
            0 => {
                let next = self.world.spawn();
                std::mem::replace(&mut self.node, next).kill9();
            }
            1 | 2 => self.kill_an_actor().await,
            3 => self
                .world
                .github
                .fail_next(ForgeError::Transient { reason: "chaos".to_owned(), retry_after: None }),
            4 | 5 => self.world.github.drop_next_answer(),
            6 => self.world.github.set_offline(true),
            7 => self.world.slow_down(SLOW),
            _ => {
                self.world.github.set_offline(false);
                self.world.slow_down(0);
            }
        }
        // A moment that no fact announces.
        sleep(Duration::from_millis(self.faults.below(PAUSE))).await;
    }

    /// Posts some of the webhooks, in any order, now and then twice; others are held back or lost.
    async fn deliver(&mut self) {
        self.held.extend(self.world.webhooks());
        self.moments.shuffle(&mut self.held);
        for delivery in std::mem::take(&mut self.held) {
            match self.moments.below(6) {
                0 => {}
                1 => self.held.push(delivery),
                2 => {
                    self.node.post(&delivery).await;
                    self.node.post(&delivery).await;
                }
                // Nobody answers for a node that comes up just now: its poll will tell.
                _ => drop(self.node.post(&delivery).await),
            }
        }
    }

    async fn kill_an_actor(&mut self) {
        let vitals = vitals(&self.world, &self.node);
        // A node that comes up just now has nobody to kill.
        let Ok(tree) = vitals.tree().await else { return };
        let is_ours = |path: &str| KILLED.iter().any(|part| path.contains(part));
        let alive = tree.actors.into_iter().filter(|actor| is_ours(&actor.path));
        let mut alive: Vec<_> = alive.filter_map(|actor| actor.pid).collect();
        self.moments.shuffle(&mut alive);
        if let Some(pid) = alive.pop() {
            let request = ControlRequest { dry_run: false, reason: Some("chaos".to_owned()) };
            // One that has ended meanwhile needs no killing.
            let _gone = vitals.kill(&pid, &request).await;
        }
    }

    /// Nothing goes wrong any more, and the last webhooks are lost: polls will tell.
    async fn calm_down(&mut self) {
        self.world.github.set_offline(false);
        self.world.slow_down(0);
        self.world.webhooks();
        self.node.ready().await;
    }

    async fn ends_as_the_model_says(&mut self) {
        let end = END_EACH * u32::try_from(self.people.all().count()).unwrap();
        let mut last = Vec::new();
        let agree = async || {
            self.people.make_up_for_cancelling(&self.world);
            last = self.differences();
            last.is_empty().then_some(())
        };
        let settled = tokio::time::timeout(end, wait_for("GitHub to agree", end * 2, agree)).await;
        let pulls = self.node.api("/repos/acme/shop/pulls").await;
        assert!(
            settled.is_ok(),
            "GitHub is not told what the model says:\n{}\nthe node says: {pulls:#}",
            last.join("\n")
        );
        self.world.nothing_runs_beside(&self.node).await;
        let after = self.differences();
        assert!(after.is_empty(), "it does not stay so:\n{}", after.join("\n"));
        self.nothing_was_said_twice();
    }

    /// What GitHub was told other than what the model says.
    fn differences(&self) -> Vec<String> {
        let open = self.people.open(&self.world);
        open.into_iter().flat_map(|pull| self.differences_of(pull)).collect()
    }

    fn differences_of(&self, pull: PullNumber) -> Vec<String> {
        let expected = self.people.model(&self.world, pull).verdict();
        let mut wrong = Vec::new();
        let mut compare = |what: &str, is: String, should: &str| {
            if is != should {
                wrong.push(format!("#{pull} {what}: {is:?} instead of {should:?}"));
            }
        };
        let umbrella = self.world.umbrella(pull);
        compare("umbrella", model::in_short(&umbrella), &model::in_short(&expected.umbrella));
        let head = self.world.head(pull);
        for (component, states) in &expected.components {
            let context = format!("continuous-integration/ci/{component}");
            let statuses = self.world.repo.statuses(&head);
            let last = statuses.iter().rfind(|status| status.context == context);
            let is = last.map_or("none", |status| status.state.as_str()).to_owned();
            let should = states.iter().find(|state| **state == is).unwrap_or(&states[0]);
            compare(component, is, should);
        }
        for (topic, should) in &expected.comments {
            let is = self.comments(pull).iter().filter(|marker| marker.contains(topic)).count();
            compare(topic, is.to_string(), &should.to_string());
        }
        for unanswered in self.people.unanswered(&self.world, pull) {
            compare("command", "no answer".to_owned(), &unanswered);
        }
        wrong
    }

    /// The markers of our comments about the present head.
    fn comments(&self, pull: PullNumber) -> Vec<String> {
        let head = self.world.head(pull).to_string();
        markers(&self.world, pull).into_iter().filter(|marker| marker.contains(&head)).collect()
    }

    fn nothing_was_said_twice(&self) {
        for pull in self.people.all() {
            let all = markers(&self.world, pull);
            let distinct: BTreeSet<&String> = all.iter().collect();
            assert_eq!(all.len(), distinct.len(), "of pull request {pull}: {all:#?}");
        }
    }
}

/// What our comments on a pull request are for.
fn markers(world: &World, pull: PullNumber) -> Vec<String> {
    let ours = world.comments(pull).into_iter();
    let ours = ours.filter(|comment| comment.author.as_str() == FakeGitHub::LOGIN);
    let marker = |body: String| Some(body.rsplit_once("<!-- ci-node:")?.1.to_owned());
    ours.filter_map(|comment| marker(comment.body)).collect()
}
