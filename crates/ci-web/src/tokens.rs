//! Tokens: who may do what over HTTP.
//!
//! They live in the ledger, by their hash only, and are read from there for every request that shows one:
//! the stream is short, and one that was revoked must not work for another moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use ci_store::{Append, Ledger, Record, Replay, StreamId, WriteError};
use heights::Fault;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::moment;
use crate::wire::{NewToken, Role, Token, TokenRequest};

/// What every token begins with, so that scanners for leaked secrets can know it.
const PREFIX: &str = "cinode_";
/// Random bytes of a token; guessing is hopeless.
const SECRET_BYTES: usize = 32;
/// Random bytes of its public part: enough that no two are the same.
const ID_BYTES: usize = 6;
/// The longest label that is kept.
const MAX_LABEL: usize = 200;

/// The tokens of a node.
#[derive(Clone)]
pub(crate) struct Tokens(Arc<dyn Ledger>);

/// Why a token was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// There is none of that id.
    #[error("there is no token {0:?}")]
    Unknown(String),
    /// The label cannot be kept.
    #[error("a label is at most {MAX_LABEL} printable characters")]
    Label,
    /// The kernel has no randomness, or the ledger does not work.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A token as it is kept.
#[derive(Clone, Serialize, Deserialize)]
struct Created {
    id: String,
    role: StoredRole,
    label: String,
    sha256: String,
    created_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct Revoked {
    id: String,
}

/// The role as it is kept; the wire may change its words.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredRole {
    Read,
    Build,
    Admin,
}

impl Tokens {
    pub(crate) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self(ledger)
    }

    /// The token whose text is `text`, if it is valid.
    pub(crate) async fn find(&self, text: &str) -> Result<Option<Token>, Fault> {
        let Some(id) = public_part(text) else { return Ok(None) };
        let found = self.read().await?.0.remove(id);
        let hash = hash(text);
        Ok(found.filter(|created| is_same(&created.sha256, &hash)).map(Token::from))
    }

    /// The token of that id, if it is valid.
    pub(crate) async fn get(&self, id: &str) -> Result<Option<Token>, Fault> {
        Ok(self.read().await?.0.remove(id).map(Token::from))
    }

    /// Those that are valid, the oldest first.
    pub(crate) async fn list(&self) -> Result<Vec<Token>, Fault> {
        let mut tokens: Vec<Token> = self.read().await?.0.into_values().map(Token::from).collect();
        tokens.sort_by_key(|token| token.created_ms);
        Ok(tokens)
    }

    /// Makes a token. Its text is known to the answer only.
    pub(crate) async fn create(&self, request: TokenRequest) -> Result<NewToken, TokenError> {
        let TokenRequest { role, label } = request;
        if label.chars().count() > MAX_LABEL || label.chars().any(char::is_control) {
            return Err(TokenError::Label);
        }
        let id = random::<ID_BYTES>()?;
        let text = format!("{PREFIX}{id}_{}", random::<SECRET_BYTES>()?);
        let created_ms = moment::millis(SystemTime::now());
        let created = Created { id, role: role.into(), label, sha256: hash(&text), created_ms };
        let append = Append::new(stream(), vec![record("created", &created)]);
        self.0.append(append).await.map_err(Fault::from)?;
        Ok(NewToken { token: created.into(), text })
    }

    /// Makes a token invalid.
    pub(crate) async fn revoke(&self, id: &str) -> Result<(), TokenError> {
        loop {
            let (tokens, seq) = self.read().await?;
            if !tokens.contains_key(id) {
                return Err(TokenError::Unknown(id.to_owned()));
            }
            let revoked = record("revoked", &Revoked { id: id.to_owned() });
            let append = Append::new(stream(), vec![revoked]).expecting(seq);
            match self.0.append(append).await {
                Ok(_) => return Ok(()),
                Err(WriteError::Conflict { .. }) => {}
                Err(error) => return Err(TokenError::Fault(error.into())),
            }
        }
    }

    async fn read(&self) -> Result<(BTreeMap<String, Created>, ci_store::Seq), Fault> {
        let ledger = self.0.clone();
        let replay = tokio::task::spawn_blocking(move || ledger.read(&stream())).await??;
        Ok((fold(&replay)?, replay.last()))
    }
}

fn fold(replay: &Replay) -> Result<BTreeMap<String, Created>, Fault> {
    let mut tokens = BTreeMap::new();
    for (_, record) in &replay.records {
        match (record.kind.as_str(), record.version) {
            ("created", 1) => {
                let created: Created = serde_json::from_value(record.body.clone())?;
                tokens.insert(created.id.clone(), created);
            }
            ("revoked", 1) => {
                let revoked: Revoked = serde_json::from_value(record.body.clone())?;
                tokens.remove(&revoked.id);
            }
            (kind, version) => {
                return Err(format!("read a token's record {kind} of version {version}").into());
            }
        }
    }
    Ok(tokens)
}

fn record(kind: &str, body: &impl Serialize) -> Record {
    let body = serde_json::to_value(body).expect("plain fields are JSON");
    Record { kind: kind.to_owned(), version: 1, body }
}

fn stream() -> StreamId {
    StreamId::new("tokens").expect("a plain word names a stream")
}

/// The id within a token's text.
fn public_part(text: &str) -> Option<&str> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    (id.len() == 2 * ID_BYTES && secret.len() == 2 * SECRET_BYTES).then_some(id)
}

/// Random bytes as hexadecimal digits, from the kernel.
pub(crate) fn random<const BYTES: usize>() -> Result<String, Fault> {
    let mut bytes = [0; BYTES];
    let mut filled = 0;
    while filled < BYTES {
        let rest = &mut bytes[filled..];
        filled += rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(hex(&bytes))
}

/// What stands for a secret text in the ledger; texts of 32 random bytes need no more than one round.
pub(crate) fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Compares in a time that does not tell where the first difference is.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    let difference = pairs.fold(0, |all, (a, b)| std::hint::black_box(all | (a ^ b)));
    one.len() == other.len() && difference == 0
}

impl From<Created> for Token {
    fn from(created: Created) -> Self {
        let role = match created.role {
            StoredRole::Read => Role::Read,
            StoredRole::Build => Role::Build,
            StoredRole::Admin => Role::Admin,
        };
        Self { id: created.id, role, label: created.label, created_ms: created.created_ms }
    }
}

impl From<Role> for StoredRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Read => Self::Read,
            Role::Build => Self::Build,
            Role::Admin => Self::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use ci_store::MemoryLedger;

    use super::*;

    fn request(role: Role) -> TokenRequest {
        TokenRequest { role, label: "for a test".to_owned() }
    }

    #[tokio::test]
    async fn a_token_works_until_it_is_revoked() {
        let ledger = Arc::new(MemoryLedger::new());
        let tokens = Tokens::new(ledger.clone());
        let made = tokens.create(request(Role::Build)).await.unwrap();
        let other = tokens.create(request(Role::Read)).await.unwrap();
        assert_eq!(tokens.find(&made.text).await.unwrap(), Some(made.token.clone()));
        assert_eq!(tokens.list().await.unwrap().len(), 2);
        tokens.revoke(&made.token.id).await.unwrap();
        assert_eq!(tokens.find(&made.text).await.unwrap(), None);
        let again = Tokens::new(ledger).find(&other.text).await.unwrap();
        assert_eq!(again, Some(other.token));
        let unknown = tokens.revoke(&made.token.id).await;
        assert!(matches!(unknown, Err(TokenError::Unknown(_))));
    }

    #[tokio::test]
    async fn what_is_not_a_token_finds_nothing() {
        let tokens = Tokens::new(Arc::new(MemoryLedger::new()));
        let made = tokens.create(request(Role::Admin)).await.unwrap();
        let (head, last) = made.text.split_at(made.text.len() - 1);
        let changed = format!("{head}{}", if last == "0" { "1" } else { "0" });
        for text in ["", "cinode_", "cinode__", &made.token.id, head, &changed, "cinode_é_é"] {
            assert_eq!(tokens.find(text).await.unwrap(), None, "{text}");
        }
    }

    #[tokio::test]
    async fn the_ledger_never_holds_the_text() {
        let ledger = Arc::new(MemoryLedger::new());
        let made = Tokens::new(ledger.clone()).create(request(Role::Read)).await.unwrap();
        let secret = made.text.rsplit('_').next().unwrap();
        let stored = format!("{:?}", ledger.read(&stream()).unwrap());
        assert!(stored.contains(&made.token.id) && !stored.contains(secret));
        assert!(!format!("{made:?}").contains(secret));
    }

    #[tokio::test]
    async fn a_label_is_short_and_printable() {
        let tokens = Tokens::new(Arc::new(MemoryLedger::new()));
        for label in ["a\nb".to_owned(), "x".repeat(MAX_LABEL + 1)] {
            let refused = tokens.create(TokenRequest { role: Role::Read, label }).await;
            assert!(matches!(refused, Err(TokenError::Label)));
        }
    }
}
