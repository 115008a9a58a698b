//! The owners of changed paths, and who belongs to them, as stored.

use std::collections::BTreeMap;

use ci_domain::code_owners::{Owned, Owner};
use ci_domain::ids::{InvalidId, Login};
use ci_domain::pull::Question;
use serde::{Deserialize, Serialize};

use super::RecordError;

/// [`Owned`] as stored; owners as they are written in the file.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredOwned {
    owners: Vec<String>,
    path: String,
    more: u64,
}

/// What the forge answered.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredAnswer {
    login: String,
    owner: String,
    belongs: bool,
}

impl From<&Owned> for StoredOwned {
    fn from(owned: &Owned) -> Self {
        Self {
            owners: owned.owners.iter().map(ToString::to_string).collect(),
            path: owned.path.clone(),
            more: owned.more,
        }
    }
}

impl TryFrom<StoredOwned> for Owned {
    type Error = RecordError;

    fn try_from(stored: StoredOwned) -> Result<Self, RecordError> {
        let owners = stored.owners.into_iter().map(owner).collect::<Result<_, _>>()?;
        Ok(Self { owners, path: stored.path, more: stored.more })
    }
}

pub(super) fn stored_answers(answers: &BTreeMap<Question, bool>) -> Vec<StoredAnswer> {
    let stored = |(question, belongs): (&Question, &bool)| StoredAnswer {
        login: question.login.to_string(),
        owner: question.owner.to_string(),
        belongs: *belongs,
    };
    answers.iter().map(stored).collect()
}

pub(super) fn answers(stored: Vec<StoredAnswer>) -> Result<BTreeMap<Question, bool>, RecordError> {
    let answer = |stored: StoredAnswer| {
        let question = Question { login: Login::new(stored.login)?, owner: owner(stored.owner)? };
        Ok((question, stored.belongs))
    };
    stored.into_iter().map(answer).collect()
}

fn owner(text: String) -> Result<Owner, RecordError> {
    let expected = "@person, @organization/team or an address";
    Ok(Owner::parse(&text).map_err(|_| InvalidId { kind: "owner", text, expected })?)
}
