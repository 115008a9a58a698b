//! Who waits in which queue, for how long, and who is told what of it.

use super::*;

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_told_how_many_go_first_at_most() {
    let limit = QueueLimits { concurrency: Some(0), ..QueueLimits::default() };
    let queues = Queues::new(&BTreeMap::from([(JOBS.to_owned(), limit)]), BTreeSet::new());
    let id = job("a:test");
    let mut waiting = Vec::new();
    for party in ["@greedy", "@greedy", "@ada", "@greedy", "@ada", "@linus"] {
        let permit = queues.acquire_job((&id, JobKind::OnPush), party_of(party));
        let mut permit = Box::pin(permit);
        assert!(futures_util::poll!(permit.as_mut()).is_pending());
        waiting.push(permit);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let ahead =
        |party: &str, seconds| queues.ahead(JOBS, &party_of(party), Duration::from_secs(seconds));
    assert_eq!([ahead("@ada", 4), ahead("@ada", 2)], [Some(2), Some(1 + 2 + 1)]);
    assert_eq!([ahead("@linus", 1), ahead("@greedy", 6)], [Some(2), Some(2)]);
    assert_eq!([ahead("@greedy", 3), ahead("@nobody", 1)], [Some(2 + 2 + 1), None]);
}

#[tokio::test(start_paused = true)]
async fn the_pull_requests_of_an_author_share_the_turns_of_the_author() {
    let limit = QueueLimits { concurrency: Some(0), ..QueueLimits::default() };
    let queues = Queues::new(&BTreeMap::from([(JOBS.to_owned(), limit)]), BTreeSet::new());
    let id = job("a:test");
    let mut waiting = Vec::new();
    for party in ["@ada shop#7", "@ada shop#7", "@ada shop#7", "@ada shop#8", "@linus shop#9"] {
        let mut permit = Box::pin(queues.acquire_job((&id, JobKind::OnPush), party_of(party)));
        assert!(futures_util::poll!(permit.as_mut()).is_pending());
        waiting.push(permit);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let ahead =
        |party: &str, seconds| queues.ahead(JOBS, &party_of(party), Duration::from_secs(seconds));
    assert_eq!(ahead("@ada shop#8", 2), Some(1 + 1), "one of #7 and one of linus");
    assert_eq!(ahead("@ada shop#7", 3), Some(2 + 1 + 1), "two of its own, #8 and one of linus");
    assert_eq!(ahead("@linus shop#9", 1), Some(1), "one of ada, whatever she has");
}

async fn acquire(queues: &Queues, job: &JobId, kind: JobKind) -> Result<JobPermit, Refused> {
    queues.acquire_job((job, kind), party_of("@ada")).await
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_much_keeps_nobody_waiting_for_more_than_a_turn() {
    let limit = QueueLimits { concurrency: Some(1), ..QueueLimits::default() };
    let queues = Queues::new(&BTreeMap::from([(JOBS.to_owned(), limit)]), BTreeSet::new());
    let id = job("a:test");
    let running = acquire(&queues, &id, JobKind::OnPush).await.unwrap();
    let others = ["@ada", "@linus", "@ada", "@greedy shop#8", "@ada shop#9"];
    let parties = std::iter::repeat_n("@greedy shop#7", 1000).chain(others);
    let served = std::sync::Mutex::new(Vec::new());
    let wait = async |party: &str| {
        let permit = queues.acquire_job((&id, JobKind::OnPush), party_of(party)).await;
        served.lock().unwrap().push(party.to_owned());
        drop(permit.unwrap());
    };
    let all = futures_util::future::join_all(parties.map(wait));
    let release = async {
        tokio::task::yield_now().await;
        drop(running);
    };
    tokio::join!(all, release);
    let served = served.into_inner().unwrap();
    let [greedy, ada] = ["@greedy shop#7", "@ada"];
    let first = [greedy, ada, "@linus", "@greedy shop#8", "@ada shop#9", greedy, ada, greedy];
    assert_eq!(served[..8], first);
    assert_eq!(served.len(), 1005);
}

/// An author, and behind a blank the pull request.
fn party_of(text: &str) -> Party {
    let (who, what) = text.split_once(' ').map_or((text, None), |(who, what)| (who, Some(what)));
    Party { who: who.to_owned(), what: what.map(str::to_owned) }
}

fn job(text: &str) -> JobId {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn jobs_nest_in_their_queue_and_have_ports_of_their_own() {
    let limit = |n| QueueLimits { concurrency: Some(n), ..QueueLimits::default() };
    let limits =
        BTreeMap::from([(JOBS.to_owned(), limit(3)), ("jobs.compile".to_owned(), limit(1))]);
    let queues = Queues::new(&limits, BTreeSet::new());
    let compile = acquire(&queues, &job("a:compile"), JobKind::OnPush).await.unwrap();
    let test = acquire(&queues, &job("a:test"), JobKind::OnPush).await.unwrap();
    assert_ne!(compile.port_base(), test.port_base());
    assert_eq!(queues.get(JOBS).unwrap().info().held, 2);
    assert_eq!(queues.get("jobs.compile").unwrap().info().held, 1);
    drop(compile);
    assert_eq!(queues.get(JOBS).unwrap().info().held, 1);
}

#[tokio::test(start_paused = true)]
async fn new_limits_make_new_queues_and_lift_those_of_old_ones() {
    let limit = |n| QueueLimits { concurrency: Some(n), ..QueueLimits::default() };
    let name = str::to_owned;
    let queues = Queues::new(&BTreeMap::from([(name("jobs.a"), limit(1))]), BTreeSet::new());
    let held = acquire(&queues, &job("x:b"), JobKind::OnPush).await.unwrap();
    let news = queues.reconfigure(&BTreeMap::from([(name("jobs.b"), limit(2))]));
    assert_eq!(news.iter().map(Regulator::name).collect::<Vec<_>>(), ["jobs.b"]);
    let _later = acquire(&queues, &job("x:b"), JobKind::OnPush).await.unwrap();
    assert_eq!(queues.required("jobs.b").info().held, 1);
    assert_eq!(queues.required("jobs.a").info().limits.concurrency, None);
    assert_eq!(queues.required(JOBS).info().held, 2);
    drop(held);
    assert_eq!(queues.required(JOBS).info().held, 1);
}

#[tokio::test(start_paused = true)]
async fn nightly_jobs_have_a_queue_unless_the_job_has_one() {
    let limit = |n| QueueLimits { concurrency: Some(n), ..QueueLimits::default() };
    let limits =
        BTreeMap::from([(NIGHTLY.to_owned(), limit(1)), ("jobs.soak".to_owned(), limit(2))]);
    let queues = Queues::new(&limits, BTreeSet::new());
    let nightly = |name: &str| queues.name_for(&job(name), JobKind::Nightly);
    assert_eq!((nightly("a:soak"), nightly("a:fuzz")), ("jobs.soak".into(), NIGHTLY.into()));
    assert_eq!(queues.name_for(&job("a:fuzz"), JobKind::OnPush), JOBS);
    let _first = acquire(&queues, &job("a:fuzz"), JobKind::Nightly).await.unwrap();
    let (id, wait) = (job("b:fuzz"), std::time::Duration::from_secs(1));
    let second = tokio::time::timeout(wait, acquire(&queues, &id, JobKind::Nightly));
    assert!(second.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn no_job_starts_while_the_disk_is_low() {
    let queues = Queues::new(&BTreeMap::new(), BTreeSet::new());
    let wait = std::time::Duration::from_secs(1);
    queues.note_disk(Disk::Low);
    queues.note_disk(Disk::Low);
    let id = job("a:test");
    assert!(queues.is_disk_low());
    assert!(tokio::time::timeout(wait, acquire(&queues, &id, JobKind::OnPush)).await.is_err());
    queues.note_disk(Disk::Ok);
    assert!(!queues.is_disk_low());
    assert!(tokio::time::timeout(wait, acquire(&queues, &id, JobKind::OnPush)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_granted_before_adoption_has_ended() {
    let attempt: AttemptId = "x-1".parse().unwrap();
    let queues = Queues::new(&BTreeMap::new(), BTreeSet::from([attempt.clone()]));
    let wait = std::time::Duration::from_secs(1);
    let new = job("a:test");
    assert!(tokio::time::timeout(wait, acquire(&queues, &new, JobKind::OnPush)).await.is_err());
    let _adopted = queues.adopt_job((&job("b:test"), JobKind::OnPush), &attempt, None);
    assert!(tokio::time::timeout(wait, acquire(&queues, &new, JobKind::OnPush)).await.is_ok());
}
