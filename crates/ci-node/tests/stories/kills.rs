//! Twenty pull requests on two thousand files, and a node that is killed ten times meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ci_domain::ids::PullNumber;
use tokio::time::sleep;

use crate::chance::Chance;
use crate::node::Node;
use crate::repository::Change;
use crate::wait::wait_for;
use crate::world::World;

const COMPONENTS: u64 = 8;
const FILES_EACH: u64 = 250;
const PULLS: u64 = 20;
pub const KILLS: u64 = 10;
/// The shortest and the longest life of a node, in milliseconds.
const LIFE: (u64, u64) = (100, 2500);
/// How long everything may take once nobody kills any more.
const END: Duration = Duration::from_secs(90);

/// Commands that print numbered lines, and tell of their attempt outside.
const PIPELINE: &str = r#"
jobs:
  compile:
    - echo "$CI_ATTEMPT $CI_HEAD $CI_COMPONENT:$CI_JOB start" >> {outside}
    - run: seq -f 'compiling %.0f' 1 1500; sleep 0.2; seq -f 'compiling %.0f' 1501 3000
      name: print
    - echo "$CI_ATTEMPT $CI_HEAD $CI_COMPONENT:$CI_JOB end" >> {outside}
  test:
    - echo "$CI_ATTEMPT $CI_HEAD $CI_COMPONENT:$CI_JOB start" >> {outside}
    - run: seq -f 'testing %.0f' 1 1500; sleep 0.2; seq -f 'testing %.0f' 1501 3000
      name: print
    - grep -q good f0
    - run: echo "$CI_ATTEMPT $CI_HEAD $CI_COMPONENT:$CI_JOB end" >> {outside}
      always: true
"#;

/// What a pull request of this story is like, all of it from its number.
#[derive(Clone, Copy)]
struct Kind(u64);

impl Kind {
    fn component(self) -> String {
        format!("c{}", self.0 % COMPONENTS)
    }

    fn is_bad(self) -> bool {
        self.0.is_multiple_of(5)
    }

    fn is_pushed_again(self) -> bool {
        matches!(self.0, 7 | 12)
    }

    fn is_approved(self) -> bool {
        self.0.is_multiple_of(3)
    }

    fn conflicts(self) -> bool {
        matches!(self.0, 4 | 14)
    }

    fn is_closed(self) -> bool {
        self.0 == 18
    }

    fn number(self) -> PullNumber {
        PullNumber(self.0)
    }

    fn changes(self) -> Vec<Change> {
        let component = self.component();
        let word = if self.is_bad() || self.is_pushed_again() { "bad" } else { "good" };
        let mut changes =
            vec![Change::file(format!("{component}/f0"), format!("{word} {}\n", self.0))];
        if self.conflicts() {
            changes.push(Change::file(format!("{component}/f1"), format!("mine {}\n", self.0)));
        }
        changes
    }

    /// The jobs that a build of it runs: a change of `c0` tests `c1` too.
    fn jobs(self) -> BTreeSet<String> {
        let component = self.component();
        let behind = (component == "c0").then(|| "c1".to_owned());
        let components = [component].into_iter().chain(behind);
        components.flat_map(|name| [format!("{name}:compile"), format!("{name}:test")]).collect()
    }

    fn verdict(self) -> (&'static str, String) {
        if self.conflicts() {
            ("failure", "there are merge conflicts".to_owned())
        } else if self.is_bad() {
            ("failure", format!("{}:test failed", self.component()))
        } else if self.is_approved() {
            ("success", "pull request can be merged".to_owned())
        } else {
            ("pending", "awaiting approval".to_owned())
        }
    }

    fn comments(self) -> Vec<&'static str> {
        if self.is_bad() {
            vec!["On "]
        } else if self.is_approved() {
            vec!["Pull request can be merged "]
        } else {
            vec!["Standard tests have passed "]
        }
    }
}

fn kinds() -> impl Iterator<Item = Kind> {
    (1..=PULLS).map(Kind)
}

pub fn files() -> Vec<(String, String)> {
    let file = |component: u64, file: u64| {
        (format!("c{component}/f{file}"), format!("good\n{component} {file}\n"))
    };
    let mut files: Vec<(String, String)> = (0..COMPONENTS)
        .flat_map(|component| (0..FILES_EACH - 1).map(move |number| file(component, number)))
        .collect();
    for component in 0..COMPONENTS {
        let depends = if component == 1 { "depends_on: [c0]" } else { "" };
        files.push((format!("c{component}/ci.yaml"), format!("{depends}{PIPELINE}")));
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_killed_ten_times_loses_nothing_and_does_nothing_twice() {
    let world = World::new(&files()).await;
    world.configure("1s", "");
    killed_ten_times(&world, async |node, _| {
        for delivery in world.webhooks() {
            // Nobody answers for a node that comes up just now: its first poll will tell.
            node.post(&delivery).await;
        }
    })
    .await;
}

/// Lets people act through ten lives of a node; `tell` tells the node what they did in each.
pub async fn killed_ten_times(world: &World, mut tell: impl AsyncFnMut(&Node, u64)) {
    let mut chance = Chance::new(seed());
    let mut node = world.start().await;
    for life in 0..KILLS {
        act(world, life);
        tell(&node, life).await;
        // A moment that no fact announces.
        sleep(Duration::from_millis(LIFE.0 + chance.below(LIFE.1 - LIFE.0))).await;
        node.kill9();
        node = world.spawn();
    }
    node.ready().await;
    ends_well(world, &node).await;
}

/// Waits for the end, and sees that nothing was lost and nothing done twice.
pub async fn ends_well(world: &World, node: &Node) {
    settles(world, node).await;
    world.nothing_runs_beside(node).await;
    every_job_ran_once(world);
    every_log_is_whole(world, node).await;
    nothing_was_said_twice(world);
    no_status_went_back(world);
    assert!(!world.log().contains("child terminated"), "an actor crashed");
}

/// Which moments the node is killed at; another seed finds others.
pub fn seed() -> u64 {
    std::env::var("STORY_SEED").map_or(20, |seed| seed.parse().unwrap())
}

/// What people do in a life: they open pull requests, and do all the rest in the fourth and seventh.
pub fn act(world: &World, life: u64) {
    for kind in kinds().skip(usize::try_from(life).unwrap() * 3).take(3) {
        let number = world.open(&format!("change-{}", kind.0), &kind.changes());
        assert_eq!(number, kind.number());
    }
    let opened = (life + 1) * 3;
    if life == 4 {
        for kind in kinds().filter(|kind| kind.conflicts()) {
            let path = format!("{}/f1", kind.component());
            world.push_main(&[Change::file(path, "theirs\n")]);
        }
    }
    if life == 7 {
        assert!(opened > PULLS);
        for kind in kinds().filter(|kind| kind.is_pushed_again()) {
            let path = format!("{}/f0", kind.component());
            world.push_pull(kind.number(), &[Change::file(path, "good again\n")]);
        }
        kinds().filter(|kind| kind.is_approved()).for_each(|kind| world.approve(kind.number()));
        kinds().filter(|kind| kind.is_closed()).for_each(|kind| world.repo.close(kind.number()));
    }
}

/// Waits until every pull request stands as it should, on its page and on GitHub.
async fn settles(world: &World, node: &Node) {
    let open: Vec<Kind> = kinds().filter(|kind| !kind.is_closed()).collect();
    let mut missing = String::new();
    let look = async || {
        let pulls = node.api("/repos/acme/shop/pulls").await;
        let shown: BTreeMap<u64, String> = pulls
            .as_array()
            .unwrap()
            .iter()
            .map(|pull| (pull["number"].as_u64().unwrap(), pull["description"].to_string()))
            .collect();
        let wrong = |kind: &&Kind| {
            let (state, description) = kind.verdict();
            shown.get(&kind.0) != Some(&format!("\"{description}\""))
                || !world.umbrella(kind.number()).starts_with(state)
        };
        missing = open.iter().filter(wrong).map(|kind| format!("{} ", kind.0)).collect();
        (missing.is_empty() && shown.len() == open.len()).then_some(())
    };
    wait_for("every pull request to have its verdict", END, look).await;
}

/// One line that a command wrote outside: its attempt, and head and job.
fn lines(world: &World, end: &str) -> Vec<(String, (String, String))> {
    let all = world.outside();
    let ended = all.iter().filter_map(|line| line.strip_suffix(end));
    ended
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[0].to_owned(), (words[1].to_owned(), words[2].to_owned()))
        })
        .collect()
}

fn every_job_ran_once(world: &World) {
    let (started, ended) = (lines(world, " start"), lines(world, " end"));
    let attempts: BTreeSet<&String> = started.iter().map(|(attempt, _)| attempt).collect();
    assert_eq!(attempts.len(), started.len(), "an attempt ran twice");
    for kind in kinds().filter(|kind| !kind.is_closed() && !kind.conflicts()) {
        let head = world.head(kind.number()).to_string();
        let of_head = |all: &[(String, (String, String))]| {
            let jobs = all.iter().filter(|(_, (of, _))| *of == head);
            let mut jobs: Vec<String> = jobs.map(|(_, (_, job))| job.clone()).collect();
            jobs.sort();
            jobs
        };
        let expected: Vec<String> = kind.jobs().into_iter().collect();
        assert_eq!(of_head(&started), expected, "pull request {}", kind.0);
        assert_eq!(of_head(&ended), expected, "pull request {}", kind.0);
    }
}

async fn every_log_is_whole(world: &World, node: &Node) {
    for (attempt, (_, job)) in lines(world, " end") {
        let word = if job.ends_with(":compile") { "compiling" } else { "testing" };
        let expected: String = (1..=3000).map(|line| format!("{word} {line}\n")).collect();
        let run = node.api(&format!("/jobs/{attempt}")).await;
        let commands = run["commands"].as_array().unwrap();
        let print = commands.iter().find(|command| {
            command["title"].as_str().is_some_and(|title| title.starts_with("print ("))
        });
        let print = print.unwrap();
        let id = print["id"].as_str().unwrap();
        let log = node.get(&format!("/api/v1/commands/{id}/log")).await.text().await.unwrap();
        assert!(log == expected, "the log {id} is not whole");
    }
}

fn nothing_was_said_twice(world: &World) {
    for kind in kinds().filter(|kind| !kind.is_closed() && !kind.conflicts()) {
        let head = world.head(kind.number()).to_string();
        let ours = world.comments(kind.number());
        let said: Vec<&str> = ours
            .iter()
            .filter(|comment| comment.body.contains(&head))
            .map(|comment| comment.body.as_str())
            .collect();
        // Whoever approves before the tests have passed is not told that they have.
        let said =
            said.into_iter().filter(|body| !(kind.is_approved() && body.starts_with("Standard")));
        let said: Vec<&str> = said.collect();
        let expected = kind.comments();
        let matches = said.iter().zip(&expected).all(|(body, start)| body.starts_with(start));
        assert!(matches && said.len() == expected.len(), "pull request {}: {said:#?}", kind.0);
    }
}

fn no_status_went_back(world: &World) {
    let mut repeats = 0;
    for kind in kinds().filter(|kind| !kind.is_closed() && !kind.conflicts()) {
        for (context, history) in world.histories(kind.number()) {
            repeats += history.windows(2).filter(|pair| pair[0] == pair[1]).count();
            let mut states: Vec<&str> =
                history.iter().filter_map(|text| text.split(' ').next()).collect();
            states.dedup();
            let is_straight = matches!(states.as_slice(), [_] | ["pending", _]);
            assert!(is_straight, "{context} of pull request {}: {history:#?}", kind.0);
        }
    }
    assert_eq!(repeats, 0, "statuses that were written twice");
}
