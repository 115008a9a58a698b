//! Twenty jobs at a time, and at random moments the node, the actor of a job, or a runner is killed.
//!
//! `SOAK_ROUNDS` says how often, `STORY_SEED` which and when.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use ci_domain::ids::PullNumber;
use heights_vitals::wire::ControlRequest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::sleep;

use crate::actors::{actors, vitals};
use crate::chance::Chance;
use crate::kills::seed;
use crate::node::Node;
use crate::repository::Change;
use crate::runners;
use crate::wait::wait_for;
use crate::world::{NO_APPROVAL, World};

const PULLS: u64 = 5;
const COMPONENTS: u64 = 4;
const ROUNDS: u64 = 12;
const LINES: u64 = 2000;
/// The shortest and the longest pause between two kills, in milliseconds.
const PAUSE: (u64, u64) = (50, 800);
/// How long all jobs may take once nobody kills any more.
const END: Duration = Duration::from_secs(120);

/// A command that says when it begins and ends, and that holds a lock which no other of the same head and
/// component can take while any process of it is left.
const PIPELINE: &str = r#"
jobs:
  test:
    - name: print
      run: |
        exec 9>> {outside}.$CI_HEAD.$CI_COMPONENT
        flock -n 9 || echo "twice $CI_ATTEMPT $CI_HEAD $CI_COMPONENT" >> {outside}
        echo "start $CI_ATTEMPT $CI_HEAD $CI_COMPONENT" >> {outside}
        for part in 0 1 2 3 4 5 6 7 8 9; do
          seq -f 'line %.0f' $((part * 200 + 1)) $((part * 200 + 200))
          sleep 0.1
        done
        echo "end $CI_ATTEMPT $CI_HEAD $CI_COMPONENT" >> {outside}
"#;

/// A head and a component.
type Subject = (String, String);

/// What has been done to the world so far.
struct Soak {
    world: World,
    chance: Chance,
    node: Node,
    /// The heads that were pushed.
    heads: BTreeMap<PullNumber, Vec<String>>,
    /// Whose runner was killed: once for each, since the second counts as a crash.
    runners_killed: BTreeSet<Subject>,
    /// The actors that were killed, once for each.
    actors_killed: BTreeSet<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_every_job_has_one_outcome_and_a_whole_log() {
    let rounds = std::env::var("SOAK_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let mut soak = Soak::start().await;
    for round in 0..rounds {
        if soak.is_settled() {
            soak.push(round);
        }
        soak.round().await;
    }
    soak.node.ready().await;
    wait_for("all jobs to pass", END, async || soak.is_settled().then_some(())).await;
    soak.world.nothing_runs_beside(&soak.node).await;
    soak.check_commands();
    soak.check_statuses();
    soak.check_logs().await;
}

impl Soak {
    async fn start() -> Self {
        let component = |number: u64| (format!("c{number}/ci.yaml"), PIPELINE.to_owned());
        let mut files: Vec<(String, String)> = (0..COMPONENTS).map(component).collect();
        files.push((NO_APPROVAL.0.to_owned(), NO_APPROVAL.1.to_owned()));
        let world = World::new(&files).await;
        world.configure("1s", "");
        let node = world.start().await;
        Self {
            world,
            chance: Chance::new(seed()),
            node,
            heads: BTreeMap::new(),
            runners_killed: BTreeSet::new(),
            actors_killed: BTreeSet::new(),
        }
    }

    /// Gives each pull request a head that changes every component.
    fn push(&mut self, round: u64) {
        for number in 1..=PULLS {
            let text = format!("{number} in round {round}\n");
            let change = |component| Change::file(format!("c{component}/f"), text.clone());
            let changes: Vec<Change> = (0..COMPONENTS).map(change).collect();
            let number = PullNumber(number);
            match self.heads.contains_key(&number) {
                true => drop(self.world.push_pull(number, &changes)),
                false => {
                    assert_eq!(self.world.open(&format!("change-{number}"), &changes), number);
                }
            }
            let head = self.world.head(number).to_string();
            self.heads.entry(number).or_default().push(head);
        }
    }

    /// Lets a while pass, and kills something.
    async fn round(&mut self) {
        for delivery in self.world.webhooks() {
            // Nobody answers for a node that comes up just now: its poll will tell.
            self.node.post(&delivery).await;
        }
        // A moment that no fact announces.
        sleep(Duration::from_millis(PAUSE.0 + self.chance.below(PAUSE.1 - PAUSE.0))).await;
        match self.chance.below(3) {
            0 => {
                let next = self.world.spawn();
                std::mem::replace(&mut self.node, next).kill9();
            }
            1 => self.kill_an_actor().await,
            _ => self.kill_a_runner(),
        }
    }

    async fn kill_an_actor(&mut self) {
        self.node.ready().await;
        let vitals = vitals(&self.world, &self.node);
        let jobs = actors(&vitals).await.into_iter().filter(|actor| actor.path.contains("/job-"));
        let mut alive: Vec<_> = jobs
            .filter(|actor| !self.actors_killed.contains(&actor.path))
            .filter_map(|actor| Some((actor.path, actor.pid?)))
            .collect();
        self.chance.shuffle(&mut alive);
        if let Some((path, pid)) = alive.pop() {
            self.actors_killed.insert(path);
            let request = ControlRequest { dry_run: false, reason: Some("a story".to_owned()) };
            // One that has ended meanwhile needs no killing.
            let _gone = vitals.kill(&pid, &request).await;
        }
    }

    fn kill_a_runner(&mut self) {
        let mut alive: Vec<(Pid, Subject)> = runners::of(self.world.folder())
            .into_iter()
            .filter_map(|(pid, run)| Some((pid, subject(&fs::read(run.join("spec.json")).ok()?)?)))
            .filter(|(_, subject)| !self.runners_killed.contains(subject))
            .collect();
        self.chance.shuffle(&mut alive);
        if let Some((pid, subject)) = alive.pop() {
            self.runners_killed.insert(subject);
            // One that has ended meanwhile needs no killing.
            let _gone = kill_process(pid, Signal::KILL);
        }
    }

    /// Whether each pull request can be merged.
    fn is_settled(&self) -> bool {
        let green = |number: &PullNumber| {
            self.world.umbrella(*number) == "success pull request can be merged"
        };
        self.heads.keys().all(green)
    }

    /// The attempts that said `word`, by head and component.
    fn said(&self, word: &str) -> BTreeMap<Subject, Vec<String>> {
        let mut said: BTreeMap<Subject, Vec<String>> = BTreeMap::new();
        for line in self.world.outside() {
            if let [first, attempt, head, component] = *line.split(' ').collect::<Vec<_>>()
                && first == word
            {
                let subject = (head.to_owned(), component.to_owned());
                said.entry(subject).or_default().push(attempt.to_owned());
            }
        }
        said
    }

    fn subjects(&self) -> Vec<Subject> {
        let heads = self.heads.values().flatten();
        let of = |head: &String| {
            (0..COMPONENTS).map(|number| (head.clone(), format!("c{number}"))).collect::<Vec<_>>()
        };
        heads.flat_map(of).collect()
    }

    fn check_commands(&self) {
        assert_eq!(self.said("twice"), BTreeMap::new(), "a command ran beside itself");
        let (started, ended) = (self.said("start"), self.said("end"));
        let attempts: Vec<&String> = started.values().flatten().collect();
        let distinct: BTreeSet<&String> = attempts.iter().copied().collect();
        assert_eq!(attempts.len(), distinct.len(), "an attempt ran twice");
        for subject in self.subjects() {
            let most = 1 + usize::from(self.runners_killed.contains(&subject));
            let (started, ended) = (started[&subject].len(), ended[&subject].len());
            assert!(started <= most && (1..=started).contains(&ended), "{subject:?}: {started}");
        }
    }

    /// Each component of each head was pending, and then it had passed.
    fn check_statuses(&self) {
        for head in self.heads.values().flatten() {
            let mut told: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for status in self.world.repo.statuses(&head.parse().unwrap()) {
                told.entry(status.context).or_default().push(status.state.as_str());
            }
            assert_eq!(told.len(), 1 + usize::try_from(COMPONENTS).unwrap(), "{head}: {told:?}");
            for (context, mut states) in told {
                states.dedup();
                assert_eq!(states, ["pending", "success"], "{context} of {head}");
            }
        }
    }

    async fn check_logs(&self) {
        let expected: String = (1..=LINES).map(|line| format!("line {line}\n")).collect();
        for (subject, attempts) in self.said("end") {
            let run = self.node.api(&format!("/jobs/{}", attempts.last().unwrap())).await;
            let [command] = run["commands"].as_array().unwrap().as_slice() else {
                panic!("{subject:?}: {run}")
            };
            let id = command["id"].as_str().unwrap();
            let log = self.node.get(&format!("/api/v1/commands/{id}/log")).await;
            assert!(log.text().await.unwrap() == expected, "the log {id} is not whole");
        }
    }
}

/// What a runner is at work for.
fn subject(spec: &[u8]) -> Option<Subject> {
    let spec: Value = serde_json::from_slice(spec).ok()?;
    let env = |name: &str| Some(spec["env"][name].as_str()?.to_owned());
    Some((env("CI_HEAD")?, env("CI_COMPONENT")?))
}
