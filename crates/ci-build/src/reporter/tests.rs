//! What reaches the forge when answers, records and the reporter itself are lost.

mod checks;

use ci_domain::forge::{StatusState, StatusWrite};
use ci_domain::ids::{BranchName, PullNumber};
use ci_github::fake::{FakeGitHub, FakeRepo};
use ci_store::MemoryLedger;
use heights::{Supervisor, SupervisorRef, TaskSupervisor};

use super::*;
use crate::reporter::write::{Findings, TailSource};

struct NoTails;

impl TailSource for NoTails {
    fn tail(&self, _: &RepoName, _: &ci_domain::ids::AttemptId, _: usize) -> Vec<String> {
        Vec::new()
    }

    fn findings(&self, _: &ci_domain::ids::AttemptId) -> Findings {
        checks::marks()
    }
}

/// A reporter, what it writes to, and what it records in.
struct World {
    github: FakeGitHub,
    repo: FakeRepo,
    ledger: Arc<MemoryLedger>,
    reporter: ReporterHandle,
    tree: SupervisorRef,
}

impl World {
    async fn new() -> Self {
        let github = FakeGitHub::new();
        let repo = github.add_repo(name(), BranchName::new("main").unwrap(), sha());
        let ledger = Arc::new(MemoryLedger::new());
        let (tree, reporter) = start_reporter(&github, &ledger).await;
        Self { github, repo, ledger, reporter, tree }
    }

    /// Ends the reporter and starts another on the same record.
    async fn restart(&mut self) {
        self.tree.stop().await;
        (self.tree, self.reporter) = start_reporter(&self.github, &self.ledger).await;
    }

    fn wish(&self, state: StatusState) {
        self.reporter.publish(&name(), report(state));
    }

    /// Waits until the forge has heard `expected`, and then for as long as any retry could take.
    async fn hears(&self, expected: &[StatusState]) {
        let heard = || -> Vec<StatusState> {
            self.repo.statuses(&sha()).iter().map(|status| status.state).collect()
        };
        let all = async {
            while heard().len() < expected.len() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(300), all).await;
        assert!(in_time.is_ok(), "the forge heard only {:?}", heard());
        tokio::time::sleep(Duration::from_secs(300)).await;
        assert_eq!(heard(), expected);
    }
}

async fn start_reporter(
    github: &FakeGitHub,
    ledger: &Arc<MemoryLedger>,
) -> (SupervisorRef, ReporterHandle) {
    let (writes_spec, writes) = TaskSupervisor::builder("writes").child_spec();
    let queue = Regulator::builder("queue").build();
    let forges: Directory<Arc<dyn Forge>> = Directory::default();
    forges.put(name(), Arc::new(github.clone()));
    let (spec, reporter) = start(ReporterArgs {
        voice: Voice { node: "ci".to_owned(), public_url: String::new() },
        forges,
        ledger: LedgerHandle::new(ledger.clone()),
        writes,
        regulator: queue.clone(),
        reads: queue.clone(),
        tails: Arc::new(NoTails),
    });
    let tree = Supervisor::builder("root").child(queue.child_spec()).child(writes_spec).child(spec);
    (tree.start().await.unwrap(), reporter)
}

fn name() -> RepoName {
    RepoName::new("acme/shop").unwrap()
}

fn sha() -> CommitSha {
    CommitSha::new("a".repeat(40)).unwrap()
}

fn report(state: StatusState) -> Report {
    let umbrella = StatusWrite {
        context: "continuous-integration/ci/mergeable".to_owned(),
        state,
        description: "words".to_owned(),
        target_url: None,
    };
    Report {
        subject: Subject::Pull(PullNumber(1)),
        head: sha(),
        open: true,
        umbrella: Some(umbrella),
        components: None,
        checks: None,
        comments: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_whose_answer_was_lost_is_not_written_again() {
    use StatusState::{Pending, Success};
    let world = World::new().await;
    world.github.drop_next_answer();
    world.wish(Pending);
    world.hears(&[Pending]).await;
    world.wish(Success);
    world.hears(&[Pending, Success]).await;
    assert_eq!(world.reporter.undelivered().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_status_whose_record_was_lost_is_not_written_again() {
    use StatusState::{Pending, Success};
    let mut world = World::new().await;
    world.wish(Pending);
    world.hears(&[Pending]).await;
    // That a write begins is recorded, that it was answered is not.
    world.ledger.fail_appends_after(1, 1);
    world.wish(Success);
    world.hears(&[Pending, Success]).await;
    world.wish(Success);
    world.hears(&[Pending, Success]).await;
    world.restart().await;
    world.wish(Success);
    world.hears(&[Pending, Success]).await;
}

#[tokio::test(start_paused = true)]
async fn a_forge_that_takes_no_write_is_tried_ever_more_slowly() {
    let world = World::new().await;
    world.github.set_read_only(true);
    world.wish(StatusState::Pending);
    tokio::time::sleep(Duration::from_secs(600)).await;
    // A write and a look each, after 1, 2, 4, 8, 16, 32 seconds, and then every minute.
    let calls = world.github.calls();
    assert!((20..=40).contains(&calls), "{calls} calls in ten minutes");
    assert_eq!(world.reporter.undelivered().await.unwrap().len(), 1);
    world.github.set_read_only(false);
    world.hears(&[StatusState::Pending]).await;
    assert_eq!(world.reporter.undelivered().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn what_is_on_record_is_not_looked_at() {
    let mut world = World::new().await;
    world.wish(StatusState::Pending);
    world.hears(&[StatusState::Pending]).await;
    world.restart().await;
    let calls = world.github.calls();
    world.wish(StatusState::Pending);
    world.hears(&[StatusState::Pending]).await;
    assert_eq!(world.github.calls(), calls);
}

#[tokio::test(start_paused = true)]
async fn a_forge_that_does_not_show_statuses_is_written_to_all_the_same() {
    use StatusState::{Pending, Success};
    for error in [
        ForgeError::Unauthorized { message: "no".to_owned() },
        ForgeError::Transient { reason: "ill".to_owned(), retry_after: None },
    ] {
        let mut world = World::new().await;
        world.wish(Pending);
        world.hears(&[Pending]).await;
        world.restart().await;
        for _ in 0..3 {
            world.github.fail_next(error.clone());
            if !error.is_passing() {
                break;
            }
        }
        world.wish(Success);
        world.hears(&[Pending, Success]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_may_stand_is_looked_for_though_what_was_told_before_is_wanted_again() {
    use StatusState::{Pending, Success};
    let mut world = World::new().await;
    for restarts in [false, true] {
        world.wish(Success);
        tokio::time::sleep(Duration::from_secs(300)).await;
        world.github.drop_next_answer();
        world.wish(Pending);
        // The answer is lost, and before one can look the old words are right again.
        tokio::time::sleep(Duration::from_millis(100)).await;
        if restarts {
            world.restart().await;
        }
        world.wish(Success);
        tokio::time::sleep(Duration::from_secs(300)).await;
        let heard = world.repo.statuses(&sha());
        let heard: Vec<_> = heard.iter().map(|status| status.state).collect();
        assert_eq!(heard.last_chunk(), Some(&[Success, Pending, Success]), "{heard:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_may_stand_and_cannot_be_seen_is_written_over() {
    use StatusState::{Pending, Success};
    let world = World::new().await;
    world.wish(Success);
    world.hears(&[Success]).await;
    world.github.drop_next_answer();
    world.wish(Pending);
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.github.fail_next(ForgeError::Unauthorized { message: "no".to_owned() });
    world.wish(Success);
    world.hears(&[Success, Pending, Success]).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_answers_are_lost_every_head_hears_its_last_wish() {
    let world = World::new().await;
    let head = |number: u64| CommitSha::new(format!("{number:040x}")).unwrap();
    let mut seed = 20_u64;
    let mut below = |limit: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % limit
    };
    for step in 0..400 {
        let number = below(20);
        if below(3) == 0 {
            world.github.drop_next_answer();
        }
        let words = format!("words {step}");
        let state = [StatusState::Pending, StatusState::Success][below(2) as usize];
        let mut report = report(state);
        report.subject = Subject::Pull(PullNumber(number));
        report.head = head(number);
        let umbrella = report.umbrella.as_mut().unwrap();
        umbrella.description = words;
        world.reporter.publish(&name(), report);
        tokio::time::sleep(Duration::from_millis(below(900))).await;
    }
    for number in 0..20 {
        let mut last = report(StatusState::Success);
        last.subject = Subject::Pull(PullNumber(number));
        last.head = head(number);
        if below(2) == 0 {
            world.github.drop_next_answer();
        }
        world.reporter.publish(&name(), last);
        tokio::time::sleep(Duration::from_millis(below(200))).await;
    }
    tokio::time::sleep(Duration::from_secs(300)).await;
    for number in 0..20 {
        let said = world.repo.statuses(&head(number));
        let last = said.last().map(|status| (status.state, status.description.as_str()));
        assert_eq!(last, Some((StatusState::Success, "words")), "{number}: {said:?}");
    }
}
