//! Check runs, when answers and the reporter itself are lost.

use ci_domain::annotation::{Annotation, Level};
use ci_domain::forge::CheckState;
use ci_domain::outcome::JobResult;
use ci_domain::report::{CheckWish, Standing};

use super::*;

const PUBLIC_KEY: &str = include_str!("../../../../ci-github/tests/keys/app.pub.pem");

/// A hundred and twenty marks for whatever attempt.
pub(super) fn marks() -> Findings {
    let mark = |line| Annotation {
        level: Level::Failure,
        path: "lib/word".to_owned(),
        line,
        column: None,
        title: None,
        message: "bad".to_owned(),
    };
    Findings { marks: (1..=120).map(mark).collect(), found: 130 }
}

async fn world() -> World {
    let world = World::new().await;
    world.github.install_app(PUBLIC_KEY);
    world
}

impl World {
    fn wish_check(&self, stands: Standing) {
        let job = "lib:test".parse().unwrap();
        let wish = CheckWish { stands, url: Some("https://ci/x".to_owned()) };
        let checks = Some([(job, wish)].into());
        self.reporter.publish(&name(), Report { checks, ..report(StatusState::Pending) });
    }

    /// Waits for as long as any retry could take, and says how each check run came to what it is: its
    /// states, and how many marks each call brought.
    async fn shown(&self) -> Vec<(Vec<CheckState>, Vec<usize>)> {
        tokio::time::sleep(Duration::from_secs(300)).await;
        let all = self.repo.checks(&sha());
        all.into_iter().map(|check| (check.history, check.batches)).collect()
    }
}

fn failed() -> Standing {
    let attempt = Some("x-1".parse().unwrap());
    Standing::Ended { result: JobResult::Failed, attempt, optional: false }
}

#[tokio::test(start_paused = true)]
async fn marks_are_added_fifty_at_a_time_and_once() {
    use CheckState::{Failure, Running};
    let mut world = world().await;
    world.wish_check(Standing::Running);
    assert_eq!(world.shown().await, [(vec![Running], vec![0])]);
    world.wish_check(failed());
    let expected = [(vec![Running, Failure, Failure, Failure], vec![0, 50, 50, 20])];
    assert_eq!(world.shown().await, expected);
    world.restart().await;
    world.wish_check(failed());
    assert_eq!(world.shown().await, expected);
    let shows = world.repo.checks(&sha()).pop().unwrap().shows;
    assert_eq!((shows.title.as_str(), shows.reference.as_str()), ("failed", "x-1"));
    assert!(shows.summary.contains("130 lines of code were found"), "{}", shows.summary);
    assert_eq!(shows.annotations, marks().marks);
}

#[tokio::test(start_paused = true)]
async fn a_check_run_whose_answer_was_lost_is_not_written_again() {
    use CheckState::{Failure, Running};
    // The status goes first, so which write loses its answer depends on how many there were.
    for (lost, restarts) in [(0, false), (1, false), (1, true), (2, false), (2, true), (3, true)] {
        let mut world = world().await;
        world.wish_check(Standing::Running);
        world.shown().await;
        if lost > 0 {
            world.github.drop_answer_after(lost - 1);
        }
        world.wish_check(failed());
        if restarts {
            tokio::time::sleep(Duration::from_millis(500)).await;
            world.restart().await;
            world.wish_check(failed());
        }
        let shown = world.shown().await;
        let expected = [(vec![Running, Failure, Failure, Failure], vec![0, 50, 50, 20])];
        assert_eq!(shown, expected, "the answer {lost} was lost, {restarts}");
        assert_eq!(world.reporter.undelivered().await.unwrap(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_run_that_was_added_and_not_answered_is_found() {
    let mut world = world().await;
    world.wish(StatusState::Pending);
    world.hears(&[StatusState::Pending]).await;
    world.github.drop_next_answer();
    world.wish_check(Standing::Running);
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.restart().await;
    world.wish_check(Standing::Running);
    assert_eq!(world.shown().await, [(vec![CheckState::Running], vec![0])]);
}

#[tokio::test(start_paused = true)]
async fn without_an_app_there_are_no_check_runs() {
    let world = World::new().await;
    world.wish_check(failed());
    assert_eq!(world.shown().await, []);
    assert_eq!(world.reporter.undelivered().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_check_run_that_nobody_speaks_of_ends_in_the_next_life_too() {
    use CheckState::{Neutral, Running};
    let mut world = world().await;
    world.wish_check(Standing::Running);
    assert_eq!(world.shown().await.len(), 1);
    world.restart().await;
    tokio::time::sleep(Duration::from_secs(400)).await;
    assert_eq!(world.shown().await, [(vec![Running, Neutral], vec![0, 0])]);
}
