//! What is on record of deliveries, in today's form and in that of earlier programs.

use ci_store::{Seq, Snapshot};
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp(1_700_000_000);

fn entry(delivery: &str, event: ForgeEvent) -> Entry {
    Entry { delivery: delivery.to_owned(), repo: "acme/shop".parse().unwrap(), event, at: NOW }
}

fn events() -> Vec<ForgeEvent> {
    let sha = CommitSha::new("a".repeat(40)).unwrap();
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
        ForgeEvent::Pushed { branch: "main".parse().unwrap(), sha: Some(sha.clone()) },
        ForgeEvent::Pushed { branch: "main".parse().unwrap(), sha: None },
        ForgeEvent::Commented(PullComment { pull: PullNumber(1), comment }),
        ForgeEvent::Rerequested { sha, by: "ada".parse().unwrap() },
        ForgeEvent::RepositoryChanged { was: Some("acme/old".parse().unwrap()) },
        ForgeEvent::RepositoryChanged { was: None },
    ]
}

fn replay(snapshot: Option<Value>, records: Vec<Record>) -> IntakeState {
    let snapshot = snapshot.map(|body| Snapshot { seq: Seq(1), body });
    let records = (2..).map(Seq).zip(records).collect();
    IntakeState::replay(&Replay { snapshot, records }, NOW).unwrap()
}

fn all(state: &IntakeState) -> (Vec<Entry>, usize) {
    (state.pending().cloned().collect(), state.remembered())
}

#[test]
fn a_snapshot_holds_what_the_records_did() {
    let named = |(number, event)| entry(&format!("d-{number}"), event);
    let entries: Vec<Entry> = events().into_iter().enumerate().map(named).collect();
    let records =
        entries.iter().map(Entry::record).chain([finished(&["d-2".to_owned()])]).collect();
    let state = replay(None, records);
    let pending: Vec<Entry> =
        entries.iter().filter(|entry| entry.delivery != "d-2").cloned().collect();
    assert_eq!(all(&state), (pending, entries.len()));
    let again = replay(Some(state.snapshot().unwrap()), Vec::new());
    assert_eq!(all(&again), all(&state));
    assert!(again.has("d-2") && !again.is_pending("d-2"));
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
    let state = replay(Some(snapshot), vec![record("r"), record("f"), done]);
    let (pending, remembered) = all(&state);
    let hint = PullNews::Hint { as_of: None };
    let event = ForgeEvent::PullChanged { number: PullNumber(1), news: hint };
    assert_eq!(pending, ["p", "r"].map(|delivery| entry(delivery, event.clone())));
    assert_eq!(remembered, 4);
    assert!(state.has("s"));
}
