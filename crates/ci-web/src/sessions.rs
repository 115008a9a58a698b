//! Sessions: whom a browser has shown to be its user, until then or until it says goodbye.
//!
//! They live in the ledger, by the hash of what the cookie holds, and so outlive the process. A session says
//! who somebody is and never what they may do: that is asked anew each time, of the token it was opened with
//! or of the forge.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ci_domain::ids::Login;
use ci_store::{Append, Ledger, Record, Replay, Seq, StreamId};
use heights::Fault;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::access::{Person, SessionKey};
use crate::moment;

/// How long a session lasts, whatever happens in it.
pub(crate) const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// Sessions of one user at once; the oldest gives way.
const MOST_OF_ONE: usize = 20;
/// Records after which the stream is folded.
const FOLD_AFTER: usize = 500;

/// The sessions of a node. Only this process writes them, so they are read from the ledger once.
#[derive(Clone)]
pub(crate) struct Sessions {
    ledger: Arc<dyn Ledger>,
    open: Arc<Mutex<Option<Open>>>,
}

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Whoever entered the token of this id.
    Token(String),
    /// Somebody who signed in at the forge.
    Person(Person),
}

/// The sessions that are open, and what the stream holds of them.
struct Open {
    by_hash: BTreeMap<String, Kept>,
    /// Where the stream stands.
    last: Seq,
    /// Records since the last fold.
    records: usize,
}

/// A session as it is kept.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    sha256: String,
    owner: StoredOwner,
    opened_ms: u64,
    ends_ms: u64,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredOwner {
    Token { id: String },
    Person { id: u64, login: String },
}

#[derive(Serialize, Deserialize)]
struct Closed {
    sha256: String,
}

impl Sessions {
    pub(crate) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger, open: Arc::default() }
    }

    /// Opens a session under a key that nobody has had before: what a browser brought along is never taken.
    pub(crate) async fn open(&self, owner: Owner, now: SystemTime) -> Result<SessionKey, Fault> {
        let key = SessionKey::random()?;
        let kept = Kept {
            sha256: key.sha256(),
            owner: owner.into(),
            opened_ms: moment::millis(now),
            ends_ms: moment::millis(now + LIFETIME),
        };
        let mut guard = self.open.lock().await;
        let open = self.loaded(&mut guard).await?;
        let mut records: Vec<Record> = open.surplus(&kept.owner).map(closed).collect();
        records.push(record("opened", &kept));
        self.write(&mut guard, records).await?;
        Ok(key)
    }

    /// Whose session it is, if it is one.
    pub(crate) async fn find(
        &self,
        key: &SessionKey,
        now: SystemTime,
    ) -> Result<Option<Owner>, Fault> {
        let mut guard = self.open.lock().await;
        let open = self.loaded(&mut guard).await?;
        let found = open.by_hash.get(&key.sha256());
        let is_alive = |kept: &&Kept| moment::millis(now) < kept.ends_ms;
        Ok(found.filter(is_alive).and_then(|kept| kept.owner.clone().into_owner()))
    }

    /// Ends a session for good, if there is one.
    pub(crate) async fn close(&self, key: &SessionKey) -> Result<(), Fault> {
        let mut guard = self.open.lock().await;
        let open = self.loaded(&mut guard).await?;
        let sha256 = key.sha256();
        if open.by_hash.contains_key(&sha256) {
            self.write(&mut guard, vec![closed(sha256)]).await?;
        }
        Ok(())
    }

    async fn loaded<'a>(&self, open: &'a mut Option<Open>) -> Result<&'a mut Open, Fault> {
        match open {
            Some(open) => Ok(open),
            None => {
                let ledger = self.ledger.clone();
                let read = tokio::task::spawn_blocking(move || ledger.read(&stream())).await??;
                Ok(open.insert(Open::replay(&read)?))
            }
        }
    }

    /// Records what happens, and then has it happen. Whoever gives up between the two leaves nothing behind
    /// that contradicts the record: it is read again.
    async fn write(&self, guard: &mut Option<Open>, records: Vec<Record>) -> Result<(), Fault> {
        let Some(mut open) = guard.take() else { return Err("write before reading".into()) };
        open.last = self.ledger.append(Append::new(stream(), records.clone())).await?;
        for record in &records {
            open.apply(record)?;
        }
        if open.records >= FOLD_AFTER {
            open.forget_ended(moment::millis(SystemTime::now()));
            let body = serde_json::to_value(open.by_hash.values().collect::<Vec<_>>())?;
            self.ledger.snapshot(stream(), open.last, body).await?;
            open.records = 0;
        }
        *guard = Some(open);
        Ok(())
    }
}

impl Open {
    fn replay(replay: &Replay) -> Result<Self, Fault> {
        let mut open = Self { by_hash: BTreeMap::new(), last: replay.last(), records: 0 };
        if let Some(snapshot) = &replay.snapshot {
            let kept: Vec<Kept> = serde_json::from_value(snapshot.body.clone())?;
            open.by_hash.extend(kept.into_iter().map(|kept| (kept.sha256.clone(), kept)));
        }
        for (_, record) in &replay.records {
            open.apply(record)?;
        }
        Ok(open)
    }

    fn apply(&mut self, record: &Record) -> Result<(), Fault> {
        match (record.kind.as_str(), record.version) {
            ("opened", 1) => {
                let kept: Kept = serde_json::from_value(record.body.clone())?;
                self.by_hash.insert(kept.sha256.clone(), kept);
            }
            ("closed", 1) => {
                let closed: Closed = serde_json::from_value(record.body.clone())?;
                self.by_hash.remove(&closed.sha256);
            }
            (kind, version) => {
                return Err(format!("read a session's record {kind} of version {version}").into());
            }
        }
        self.records += 1;
        Ok(())
    }

    /// The sessions of `owner` that give way to another one.
    fn surplus(&self, owner: &StoredOwner) -> impl Iterator<Item = String> + use<> {
        let mut own: Vec<&Kept> =
            self.by_hash.values().filter(|kept| kept.owner == *owner).collect();
        own.sort_by_key(|kept| kept.opened_ms);
        let count = (own.len() + 1).saturating_sub(MOST_OF_ONE);
        let oldest: Vec<String> =
            own.into_iter().take(count).map(|kept| kept.sha256.clone()).collect();
        oldest.into_iter()
    }

    fn forget_ended(&mut self, now_ms: u64) {
        self.by_hash.retain(|_, kept| now_ms < kept.ends_ms);
    }
}

impl StoredOwner {
    /// A login that is none any more owns nothing.
    fn into_owner(self) -> Option<Owner> {
        match self {
            Self::Token { id } => Some(Owner::Token(id)),
            Self::Person { id, login } => {
                Some(Owner::Person(Person { id, login: Login::new(login).ok()? }))
            }
        }
    }
}

impl From<Owner> for StoredOwner {
    fn from(owner: Owner) -> Self {
        match owner {
            Owner::Token(id) => Self::Token { id },
            Owner::Person(Person { id, login }) => Self::Person { id, login: login.to_string() },
        }
    }
}

fn closed(sha256: String) -> Record {
    record("closed", &Closed { sha256 })
}

fn record(kind: &str, body: &impl Serialize) -> Record {
    let body = serde_json::to_value(body).expect("plain fields are JSON");
    Record { kind: kind.to_owned(), version: 1, body }
}

fn stream() -> StreamId {
    StreamId::new("sessions").expect("a plain word names a stream")
}

#[cfg(test)]
mod tests {
    use ci_store::MemoryLedger;

    use super::*;

    fn ada() -> Owner {
        Owner::Person(Person { id: 7, login: Login::new("ada").unwrap() })
    }

    #[tokio::test]
    async fn a_session_outlives_the_process_and_ends_when_it_is_told_to() {
        let ledger = Arc::new(MemoryLedger::new());
        let now = SystemTime::now();
        let sessions = Sessions::new(ledger.clone());
        let key = sessions.open(ada(), now).await.unwrap();
        let other = sessions.open(Owner::Token("0123".to_owned()), now).await.unwrap();
        let again = Sessions::new(ledger.clone());
        assert_eq!(again.find(&key, now).await.unwrap(), Some(ada()));
        again.close(&key).await.unwrap();
        again.close(&key).await.unwrap();
        assert_eq!(again.find(&key, now).await.unwrap(), None);
        let third = Sessions::new(ledger.clone());
        assert_eq!(third.find(&key, now).await.unwrap(), None);
        let kept = third.find(&other, now).await.unwrap();
        assert_eq!(kept, Some(Owner::Token("0123".to_owned())));
        assert_eq!(third.find(&other, now + LIFETIME).await.unwrap(), None);
        let stored = format!("{:?}", ledger.read(&stream()).unwrap());
        let cookie = key.set_cookie(false);
        let text = cookie.to_str().unwrap().split(['=', ';']).nth(1).unwrap();
        assert!(stored.contains(&key.sha256()) && !stored.contains(text), "{stored}");
    }

    #[tokio::test]
    async fn the_oldest_session_gives_way_and_the_stream_stays_short() {
        let ledger = Arc::new(MemoryLedger::new());
        let now = SystemTime::now();
        let sessions = Sessions::new(ledger.clone());
        let first = sessions.open(ada(), now - LIFETIME / 2).await.unwrap();
        let bob = Owner::Person(Person { id: 8, login: Login::new("bob").unwrap() });
        let his = sessions.open(bob.clone(), now).await.unwrap();
        for _ in 0..FOLD_AFTER {
            assert!(sessions.open(ada(), now).await.is_ok());
        }
        assert_eq!(sessions.find(&first, now).await.unwrap(), None);
        let again = Sessions::new(ledger.clone());
        assert_eq!(again.find(&his, now).await.unwrap(), Some(bob));
        assert!(ledger.read(&stream()).unwrap().records.len() < FOLD_AFTER);
        let mut guard = again.open.lock().await;
        let open = again.loaded(&mut guard).await.unwrap();
        assert_eq!(open.by_hash.len(), MOST_OF_ONE + 1);
    }
}
