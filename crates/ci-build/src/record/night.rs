//! What the policy says of nightly jobs, and what is remembered of them, as stored.

use std::collections::BTreeMap;
use std::str::FromStr;

use ci_domain::branch::{Night, NightRun, Nights};
use ci_domain::ids::{CommitSha, Login};
use ci_domain::nightly::{Mention, Nightly};
use ci_domain::policy::Policy;
use serde::{Deserialize, Serialize};

use super::RecordError;
use super::build::StoredOutcome;

/// What a [`Policy`] says of nightly jobs, as stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredNightly {
    between: String,
    timezone: String,
    mention: Option<String>,
}

/// [`Night`] as stored.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredNight {
    day: String,
    by: Option<String>,
    mention: Option<String>,
}

/// [`NightRun`] as stored.
#[derive(Serialize, Deserialize)]
struct StoredRun {
    night: StoredNight,
    commit: String,
    outcome: StoredOutcome,
}

/// [`Nights`] as stored.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct StoredNights {
    runs: BTreeMap<String, Vec<StoredRun>>,
    forced: BTreeMap<String, String>,
}

impl From<&Policy> for StoredNightly {
    fn from(policy: &Policy) -> Self {
        Self {
            between: policy.nightly.between.to_string(),
            timezone: policy.nightly.timezone.clone(),
            mention: policy.mention_on_nightly_failure.as_ref().map(ToString::to_string),
        }
    }
}

impl StoredNightly {
    /// What a policy says of nightly jobs.
    pub(super) fn read(self) -> Result<(Nightly, Option<Mention>), RecordError> {
        let nightly = Nightly { between: read(&self.between)?, timezone: self.timezone };
        Ok((nightly, mention(self.mention)?))
    }
}

impl From<&Night> for StoredNight {
    fn from(night: &Night) -> Self {
        Self {
            day: night.day.to_string(),
            by: night.by.as_ref().map(ToString::to_string),
            mention: night.mention.as_ref().map(ToString::to_string),
        }
    }
}

impl TryFrom<StoredNight> for Night {
    type Error = RecordError;

    fn try_from(stored: StoredNight) -> Result<Self, RecordError> {
        let by = stored.by.map(Login::new).transpose()?;
        Ok(Self { day: read(&stored.day)?, by, mention: mention(stored.mention)? })
    }
}

impl From<&NightRun> for StoredRun {
    fn from(run: &NightRun) -> Self {
        let (night, commit) = ((&run.night).into(), run.commit.to_string());
        Self { night, commit, outcome: (&run.outcome).into() }
    }
}

impl TryFrom<StoredRun> for NightRun {
    type Error = RecordError;

    fn try_from(stored: StoredRun) -> Result<Self, RecordError> {
        let StoredRun { night, commit, outcome } = stored;
        let commit = CommitSha::new(commit)?;
        Ok(Self { night: night.try_into()?, commit, outcome: outcome.try_into()? })
    }
}

impl From<&Nights> for StoredNights {
    fn from(nights: &Nights) -> Self {
        let runs = nights.runs.iter();
        let forced = nights.forced.iter().map(|(job, by)| (job.to_string(), by.to_string()));
        Self {
            runs: runs
                .map(|(job, runs)| (job.to_string(), runs.iter().map(Into::into).collect()))
                .collect(),
            forced: forced.collect(),
        }
    }
}

impl TryFrom<StoredNights> for Nights {
    type Error = RecordError;

    fn try_from(stored: StoredNights) -> Result<Self, RecordError> {
        let runs = stored.runs.into_iter().map(|(job, runs)| {
            let runs: Result<Vec<NightRun>, _> = runs.into_iter().map(TryInto::try_into).collect();
            Ok((job.parse()?, runs?))
        });
        let forced = stored.forced.into_iter();
        let forced = forced.map(|(job, by)| Ok((job.parse()?, Login::new(by)?)));
        Ok(Self {
            runs: runs.collect::<Result<_, RecordError>>()?,
            forced: forced.collect::<Result<_, RecordError>>()?,
        })
    }
}

fn mention(stored: Option<String>) -> Result<Option<Mention>, RecordError> {
    stored.map(|text| read(&text)).transpose()
}

fn read<T: FromStr<Err: ToString>>(text: &str) -> Result<T, RecordError> {
    text.parse().map_err(|error: T::Err| RecordError::Value(error.to_string()))
}
