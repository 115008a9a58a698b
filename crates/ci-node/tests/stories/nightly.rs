//! Nightly jobs: once a night and commit, beside nothing else of their branch, and whoever has to know is
//! called where one fails.

use ci_github::fake::{CommentedOn, FakeGitHub};

use crate::repository::Change;
use crate::world::{OFTEN, REPO, World, now};

/// Windows where it is about noon.
const OPEN: &str = "06:00-20:00";
const SHUT: &str = "00:00-05:00";

/// `soak` says on which commit it runs, waits to be let go where it is `slow`, and fails as it is told;
/// `compile` is what it needs.
const PIPELINE: &str = r#"
jobs:
  compile: ['echo "compile $CI_COMMIT" >> {outside}']
nightly:
  soak:
    - 'echo "soak $CI_COMMIT" >> {outside}'
    - 'test ! -e slow || until test -e {outside}.go; do sleep 0.1; done'
    - 'echo "@acme/all look"; test ! -e fails'
"#;

fn files(window: &str) -> Vec<(&'static str, String)> {
    let policy = format!(
        "mergeable: {{approvals: 0}}\nnightly: {{between: \"{window}\", timezone: {}}}\n\
         notify: {{mention_on_nightly_failure: \"@acme/dev\"}}\n",
        where_it_is_noon()
    );
    vec![
        ("ci-policy.yaml", policy),
        ("lib/ci.yaml", PIPELINE.to_owned()),
        ("lib/word", "hello\n".to_owned()),
    ]
}

/// A time zone in which no day ends while a story is told.
fn where_it_is_noon() -> String {
    let hour = i64::try_from(now() / 3600 % 24).unwrap();
    match 12 - hour {
        0 => "UTC".to_owned(),
        // Their names count from the zone to UTC.
        east @ 1.. => format!("Etc/GMT-{east}"),
        west => format!("Etc/GMT+{}", -west),
    }
}

impl World {
    /// The line of the list of nightly jobs that is about `job`.
    fn night_of(&self, job: &str) -> String {
        let list = self.answer(&["nightly", "list"]);
        let line = list.lines().find(|line| line.contains(job)).unwrap_or_default();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    async fn until_night(&self, job: &str, part: &str) {
        let what = format!("the night of {job} to be: {part}");
        self.until(&what, || self.night_of(job).contains(part)).await;
    }

    /// How often the nightly job has begun.
    fn soaked(&self) -> usize {
        self.outside().iter().filter(|line| line.starts_with("soak")).count()
    }

    fn commented(&self) -> Vec<String> {
        let ours = self.repo.comments(&CommentedOn::Commit(self.tip())).into_iter();
        let ours = ours.filter(|comment| comment.author.as_str() == FakeGitHub::LOGIN);
        ours.map(|comment| comment.body).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_runs_once_for_a_commit_and_calls_whom_the_policy_names() {
    let world = World::new(&files(OPEN)).await;
    world.configure(OFTEN, "");
    let node = world.start().await;
    world.until_night("lib:soak", "main lib:soak passed").await;
    assert!(world.commented().is_empty(), "it passed");

    node.kill9();
    let node = world.start().await;
    world.until_night("lib:soak", "has run on this commit").await;
    world.push_main(&[Change::file("lib/fails", "")]);
    world.until("the push to be built", || world.outside().len() == 3).await;
    world.until_night("lib:soak", "has run today").await;
    assert_eq!(world.soaked(), 1, "{:?}", world.outside());

    let printed = world.answer(&["nightly", "force", "main", "lib:soak"]);
    assert!(printed.contains("lib:soak"), "{printed}");
    world.until("a comment", || !world.commented().is_empty()).await;
    let said = world.commented();
    assert!(said[0].starts_with("@acme/dev: nightly job of "), "{}", said[0]);
    assert!(said[0].contains("\n@acme/all look\n[exit code 1]\n```"), "{}", said[0]);
    assert!(said[0].contains("ci-node nightly force main lib:soak"), "{}", said[0]);
    let log = world.answer(&["nightly", "logs", "main", "lib:soak"]);
    assert!(log.contains("@acme/all look"), "{log}");
    let page = node.get(&format!("/{REPO}/branch/main")).await.text().await.unwrap();
    assert!(page.contains("Nightly jobs") && page.contains("asked for by"), "{page}");

    node.kill9();
    let _node = world.start().await;
    world.until_night("lib:soak", "main lib:soak failed").await;
    assert_eq!((world.soaked(), world.commented().len()), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_cancels_the_night_and_a_node_that_dies_does_not() {
    let mut all = files(OPEN);
    all.push(("lib/slow", String::new()));
    let world = World::new(&all).await;
    world.configure(OFTEN, "");
    let node = world.start().await;
    world.until("the night to begin", || world.soaked() == 1).await;
    node.kill9();
    let _node = world.start().await;
    world.until_night("lib:soak", "under way").await;
    assert_eq!(world.soaked(), 1, "it went on");

    world.push_main(&[Change::file("lib/word", "bye\n")]);
    world.until("the night to begin again", || world.soaked() == 2).await;
    let lines = world.outside();
    let tip = world.tip();
    assert_eq!(lines[2..], [format!("compile {tip}"), format!("soak {tip}")], "{lines:?}");
    std::fs::write(world.folder().join("outside.go"), "").unwrap();
    world.until_night("lib:soak", "main lib:soak passed").await;
    assert_eq!(world.soaked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_of_the_window_only_what_is_asked_for_runs() {
    let world = World::new(&files(SHUT)).await;
    world.configure(OFTEN, "");
    let _node = world.start().await;
    world.until_night("lib:soak", "awaiting the night").await;
    for (arguments, code, said) in [
        (&["nightly", "force", "main", "lib:lint"][..], 3, "there is no nightly job `lib:lint`"),
        (&["nightly", "force", "main", "lib:compile"], 3, "there are: lib:soak"),
        (&["nightly", "force", "topic", "all"], 3, "topic is not a branch"),
        (&["branch", "force", "main", "lib:soak"], 3, "there is no job `lib:soak`"),
    ] {
        let output = world.ask(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    assert_eq!(world.soaked(), 0);
    world.answer(&["nightly", "force", "main", "all"]);
    world.until_night("lib:soak", "main lib:soak passed").await;
    assert_eq!(world.soaked(), 1);
}
