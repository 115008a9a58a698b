//! Forgetting builds, and pull requests and branches that are gone, once they are old.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ci_domain::ids::RepoName;
use ci_store::{Seq, StreamId};
use heights::Fault;
use tracing::info;

use crate::ledger::{
    LedgerHandle, branch_stream, branch_streams, build_streams, pull_stream, pull_streams,
    retention_stream,
};
use crate::record::{self, RecordError};
use crate::repo::RepoHandle;
use crate::retention::RetentionArgs;
use crate::retention::calendar::{Calendar, Page};
use crate::watcher::WatcherView;

/// The kind of the records.
const PAGE: &str = "page";
/// Of a day.
const SECONDS: u64 = 86_400;

/// Notes which builds there are today, and drops the streams of those that are too old.
pub(super) async fn forget_old(args: &RetentionArgs) -> Result<(), Fault> {
    let mut streams = Streams::default();
    for repo in args.repos.all() {
        streams.read(&args.ledger, &repo).await?;
    }
    let today = days((args.now)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
    let last = today.checked_sub(days(args.keep.builds).max(1));
    turn_page(&args.ledger, &streams, today, last).await
}

/// Notes what there is on the day `today`, and forgets what was there on the day `last`.
async fn turn_page(
    ledger: &LedgerHandle,
    streams: &Streams,
    today: u64,
    last: Option<u64>,
) -> Result<(), Fault> {
    let (mut calendar, mut seq) = load(ledger).await?;
    if let Some(page) = calendar.news(today, &streams.newest(), &streams.ended) {
        let record = record::record(PAGE, &page);
        seq = Some(ledger.append(&retention_stream(), vec![record]).await?);
        calendar.pages.push(page);
    }
    let (builds, ended) = last.map(|day| calendar.tear_off(day)).unwrap_or_default();
    let (Some(seq), false) = (seq, builds.is_empty() && ended.is_empty()) else { return Ok(()) };
    let ended: Vec<&String> = ended.intersection(&streams.ended).collect();
    let old = streams.builds_up_to(&builds);
    info!(builds = old.len(), gone = ended.len(), "forgets what is old");
    for stream in old.iter().chain(ended) {
        ledger.drop_stream(&StreamId::new(stream.clone())?).await?;
    }
    // Only now: what a crash leaves is on the same pages again.
    ledger.snapshot(&retention_stream(), seq, record::record(PAGE, &calendar).body).await?;
    Ok(())
}

/// The streams that are to be forgotten one day.
#[derive(Default)]
struct Streams {
    /// The numbers of builds, by the names of their streams without them.
    builds: BTreeMap<String, BTreeSet<u64>>,
    /// Pull requests that are closed, and branches that are gone or not built any more.
    ended: BTreeSet<String>,
}

impl Streams {
    async fn read(&mut self, ledger: &LedgerHandle, repo: &RepoHandle) -> Result<(), Fault> {
        let name = &repo.elders.repo;
        for stream in ledger.streams(build_streams(name)).await? {
            if let Some((of, number)) = stream.as_str().rsplit_once('/')
                && let Ok(number) = number.parse()
            {
                self.builds.entry(of.to_owned()).or_default().insert(number);
            }
        }
        let mut streams = ledger.streams(pull_streams(name)).await?;
        streams.extend(ledger.streams(branch_streams(name)).await?);
        // Asked after the streams were listed: what is opened in between counts as open.
        let ended = without_live(streams, name, &repo.watcher.view().await?);
        self.ended.extend(ended.iter().map(|stream| stream.as_str().to_owned()));
        Ok(())
    }

    fn newest(&self) -> BTreeMap<String, u64> {
        let newest =
            |(of, numbers): (&String, &BTreeSet<u64>)| Some((of.clone(), *numbers.last()?));
        self.builds.iter().filter_map(newest).collect()
    }

    fn builds_up_to(&self, last: &BTreeMap<String, u64>) -> Vec<String> {
        let old = last.iter().flat_map(|(of, last)| {
            let numbers = self.builds.get(of).into_iter().flatten();
            let old = numbers.take_while(move |number| *number <= last);
            old.map(move |number| format!("{of}/{number}"))
        });
        old.collect()
    }
}

/// Those of `streams` that are of pull requests and branches of which nobody speaks any more.
fn without_live(streams: Vec<StreamId>, repo: &RepoName, view: &WatcherView) -> Vec<StreamId> {
    let quarantined = view.quarantined.iter().map(|(number, _)| number);
    let open = view.open.iter().chain(quarantined).map(|pull| pull_stream(repo, *pull));
    let built = view.branches.iter().map(|branch| branch_stream(repo, branch));
    let live: BTreeSet<StreamId> = open.chain(built).collect();
    streams.into_iter().filter(|stream| !live.contains(stream)).collect()
}

async fn load(ledger: &LedgerHandle) -> Result<(Calendar, Option<Seq>), Fault> {
    let replay = ledger.read(&retention_stream()).await?;
    let mut calendar = match &replay.snapshot {
        Some(snapshot) => serde_json::from_value(snapshot.body.clone())?,
        None => Calendar::default(),
    };
    let pages: Result<Vec<Page>, RecordError> =
        replay.records.iter().map(|(_, record)| record::body(record)).collect();
    calendar.pages.extend(pages?);
    let of_records = replay.records.last().map(|(seq, _)| *seq);
    Ok((calendar, of_records.or(replay.snapshot.map(|snapshot| snapshot.seq))))
}

fn days(duration: Duration) -> u64 {
    duration.as_secs() / SECONDS
}

#[cfg(test)]
mod tests {
    use ci_domain::ids::PullNumber;

    use super::*;

    #[test]
    fn builds_are_forgotten_with_all_before_them() {
        let numbers = |numbers: &[u64]| numbers.iter().copied().collect();
        let streams = Streams {
            builds: BTreeMap::from([
                ("build/a/b/7".to_owned(), numbers(&[1, 2, 10])),
                ("build/a/b/8".to_owned(), numbers(&[1])),
            ]),
            ended: BTreeSet::new(),
        };
        assert_eq!(streams.newest()["build/a/b/7"], 10);
        let last = BTreeMap::from([("build/a/b/7".to_owned(), 9), ("build/a/b/9".to_owned(), 1)]);
        assert_eq!(streams.builds_up_to(&last), ["build/a/b/7/1", "build/a/b/7/2"]);
    }

    #[test]
    fn what_nobody_speaks_of_any_more_has_ended() {
        let repo: RepoName = "acme/shop".parse().unwrap();
        let branch = |name: &str| branch_stream(&repo, &name.parse().unwrap());
        let pull = |number| pull_stream(&repo, PullNumber(number));
        let view = WatcherView {
            open: vec![PullNumber(7)],
            quarantined: vec![(PullNumber(8), "crashed".to_owned())],
            branches: vec!["main".parse().unwrap()],
            ..WatcherView::default()
        };
        let all = vec![pull(7), pull(8), pull(9), branch("main"), branch("release/1")];
        assert_eq!(without_live(all, &repo, &view), [pull(9), branch("release/1")]);
        assert!(branch("main").as_str().starts_with(&branch_streams(&repo)));
    }

    async fn write(ledger: &LedgerHandle, names: &[&str]) {
        for name in names {
            let record = record::record("x", &());
            ledger.append(&StreamId::new((*name).to_owned()).unwrap(), vec![record]).await.unwrap();
        }
    }

    async fn names(ledger: &LedgerHandle) -> Vec<String> {
        let streams = ledger.streams(String::new()).await.unwrap();
        streams.iter().map(|stream| stream.as_str().to_owned()).collect()
    }

    #[tokio::test]
    async fn what_is_old_is_dropped_and_what_is_young_stays() {
        let ledger = LedgerHandle::new(std::sync::Arc::new(ci_store::MemoryLedger::default()));
        write(&ledger, &["build/a/b/7/1", "build/a/b/7/2", "pull/a/b/7", "pull/a/b/8"]).await;
        let numbers = |numbers: &[u64]| {
            BTreeMap::from([("build/a/b/7".to_owned(), numbers.iter().copied().collect())])
        };
        let ended: BTreeSet<String> = ["pull/a/b/8".to_owned()].into();
        let first = Streams { builds: numbers(&[1, 2]), ended: ended.clone() };
        turn_page(&ledger, &first, 100, None).await.unwrap();
        write(&ledger, &["build/a/b/7/3"]).await;
        let second = Streams { builds: numbers(&[1, 2, 3]), ended };
        turn_page(&ledger, &second, 150, Some(99)).await.unwrap();
        assert_eq!(names(&ledger).await.len(), 6, "with the calendar itself");
        turn_page(&ledger, &second, 280, Some(100)).await.unwrap();
        assert_eq!(names(&ledger).await, ["build/a/b/7/3", "pull/a/b/7", "retention"]);
        let third = Streams { builds: numbers(&[3]), ended: BTreeSet::new() };
        turn_page(&ledger, &third, 330, Some(150)).await.unwrap();
        assert_eq!(names(&ledger).await, ["pull/a/b/7", "retention"]);
    }
}
