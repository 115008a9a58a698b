//! What is on record of deliveries, in today's form and in that of earlier programs.

use ci_store::{Replay, Seq, Snapshot};
use serde_json::json;

use super::*;
use crate::intake::segment::Segment;

const NOW: Timestamp = Timestamp(1_700_000_000);

fn entry(delivery: &str, event: ForgeEvent) -> Entry {
    Entry { delivery: delivery.to_owned(), repo: "acme/shop".parse().unwrap(), event, at: NOW }
}

fn events() -> Vec<ForgeEvent> {
    let sha = CommitSha::new("a".repeat(40)).unwrap();
    let check =
        CheckAgain { name: "ci/lib:test".to_owned(), reference: "x-1".to_owned(), afresh: true };
    let comment = Comment {
        id: CommentId(7),
        author: "ada".parse().unwrap(),
        body: "/ci why".to_owned(),
        created_at: Timestamp(9),
    };
    vec![
        ForgeEvent::PullChanged {
            number: PullNumber(1),
            news: PullNews::Hint { as_of: Some(Timestamp(7)) },
        },
        ForgeEvent::Pushed {
            branch: "main".parse().unwrap(),
            former: FormerTip::Absent,
            sha: Some(sha.clone()),
        },
        ForgeEvent::Pushed {
            branch: "main".parse().unwrap(),
            former: FormerTip::At(sha.clone()),
            sha: None,
        },
        ForgeEvent::Pushed {
            branch: "main".parse().unwrap(),
            former: FormerTip::Unsaid,
            sha: None,
        },
        ForgeEvent::Commented(PullComment { pull: PullNumber(1), comment }),
        ForgeEvent::Rerequested { sha: sha.clone(), by: "ada".parse().unwrap(), check: None },
        ForgeEvent::Rerequested { sha, by: "ada".parse().unwrap(), check: Some(check) },
        ForgeEvent::RepositoryChanged { was: Some("acme/old".parse().unwrap()) },
        ForgeEvent::RepositoryChanged { was: None },
    ]
}

fn replay(snapshot: Option<Value>, records: Vec<Record>) -> Segment {
    let snapshot = snapshot.map(|body| Snapshot { seq: Seq(1), body });
    let records = (2..).map(Seq).zip(records).collect();
    Segment::replay(&Replay { snapshot, records }, NOW).unwrap()
}

fn all(segment: &Segment) -> (Vec<Entry>, Vec<&str>) {
    let ids = segment.ids().iter().map(|id| &**id).collect();
    (segment.pending().values().cloned().collect(), ids)
}

#[test]
fn a_snapshot_holds_what_the_records_did() {
    let named = |(number, event)| entry(&format!("d-{number}"), event);
    let entries: Vec<Entry> = events().into_iter().enumerate().map(named).collect();
    let records =
        entries.iter().map(Entry::record).chain([finished(&["d-2".to_owned()])]).collect();
    let mut segment = replay(None, records);
    let pending: Vec<Entry> =
        entries.iter().filter(|entry| entry.delivery != "d-2").cloned().collect();
    let ids = entries.iter().map(|entry| entry.delivery.as_str()).collect();
    assert_eq!(all(&segment), (pending, ids));
    let (end, body) = segment.fold().unwrap();
    assert_eq!(end, Seq(1 + entries.len() as u64 + 1));
    let again = replay(Some(body), Vec::new());
    assert_eq!((all(&again), again.latest()), (all(&segment), NOW));
}

#[test]
fn what_earlier_programs_wrote_is_taken_to_have_come_now() {
    let snapshot = json!({
        "pending": [{"delivery": "p", "repo": "acme/shop", "event": {"pull": {"number": 1}}}],
        "seen": ["s", "p"],
    });
    let record = |delivery: &str| {
        let event = json!({"pull": {"number": 1}});
        let body = json!({"delivery": delivery, "repo": "acme/shop", "event": event});
        record::record("received", &body)
    };
    let done = record::record("finished", &json!({"delivery": "f"}));
    let segment = replay(Some(snapshot), vec![record("r"), record("f"), done]);
    let hint = PullNews::Hint { as_of: None };
    let event = ForgeEvent::PullChanged { number: PullNumber(1), news: hint };
    let pending = ["p", "r"].map(|delivery| entry(delivery, event.clone()));
    assert_eq!(all(&segment), (pending.to_vec(), vec!["s", "p", "r", "f"]));
    assert_eq!(segment.latest(), NOW);
}

#[test]
fn ids_that_an_earlier_program_kept_by_the_hour_are_as_old_as_the_last() {
    let body = json!({"pending": [], "hours": [{"at": 3600, "seen": ["a"]}, {"at": 7200, "seen": ["b", "c"]}]});
    let segment = replay(Some(body), Vec::new());
    assert_eq!(all(&segment), (Vec::new(), vec!["a", "b", "c"]));
    assert_eq!(segment.latest(), Timestamp(7200));
}
