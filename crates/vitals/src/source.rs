//! What is looked into: a process, or a picture that was taken of one.

use std::fs;
use std::path::Path;

use heights_vitals::wire::{ActorDetail, Crashes, Judgement, Picture, Sort, Tree, Why};
use heights_vitals::{Client, ClientError, Condition};

use crate::command::Vitals;
use crate::failure::Failure;

/// Answers questions; both kinds give the same answers about the same tree.
pub enum Source {
    Living(Client),
    Kept(Box<Picture>),
}

impl Vitals {
    /// Finds what is meant.
    pub async fn source(&self) -> Result<Source, Failure> {
        self.source_of(self.process.as_deref()).await
    }

    /// Finds a process, or the picture that is looked into instead.
    pub async fn source_of(&self, process: Option<&str>) -> Result<Source, Failure> {
        match &self.from {
            Some(file) => read(file).map(|picture| Source::Kept(Box::new(picture))),
            None => self.client_of(process).await.map(Source::Living),
        }
    }
}

/// Reads a picture that was kept.
pub fn read(file: &Path) -> Result<Picture, Failure> {
    let failed = |why: String| Failure::Snapshot { file: file.to_owned(), why };
    let text = fs::read(file).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}

impl Source {
    /// Returns the way to the process, if it is one.
    pub fn living(&self) -> Option<&Client> {
        match self {
            Self::Living(client) => Some(client),
            Self::Kept(_) => None,
        }
    }

    pub async fn tree(&self) -> Result<Tree, ClientError> {
        match self {
            Self::Living(client) => client.tree().await,
            Self::Kept(picture) => Ok(picture.tree.clone()),
        }
    }

    pub async fn top(
        &self,
        sort: Sort,
        limit: usize,
        filter: Option<&str>,
    ) -> Result<Tree, ClientError> {
        match self {
            Self::Living(client) => client.top(sort, limit, filter).await,
            Self::Kept(picture) => Ok(picture.top(sort, limit, filter)),
        }
    }

    pub async fn crashes(&self) -> Result<Crashes, ClientError> {
        match self {
            Self::Living(client) => client.crashes().await,
            Self::Kept(picture) => {
                let crashes = picture.crashes.clone();
                Ok(Crashes { taken_ms: picture.tree.taken_ms, crashes })
            }
        }
    }

    pub async fn actor(&self, reference: &str) -> Result<ActorDetail, ClientError> {
        match self {
            Self::Living(client) => client.actor(reference).await,
            Self::Kept(picture) => picture.detail(reference),
        }
    }

    pub async fn why(&self, reference: &str) -> Result<Why, ClientError> {
        match self {
            Self::Living(client) => client.why(reference).await,
            Self::Kept(picture) => picture.why(reference),
        }
    }

    pub async fn judge(&self, condition: &Condition) -> Result<Judgement, ClientError> {
        match self {
            Self::Living(client) => client.judge(condition).await,
            Self::Kept(picture) => Ok(condition.judge(picture)),
        }
    }

    pub async fn picture(&self) -> Result<Picture, ClientError> {
        match self {
            Self::Living(client) => client.picture().await,
            Self::Kept(picture) => Ok((**picture).clone()),
        }
    }
}
