//! What is looked into: a process, or what was kept of one.

use heights_vitals::wire::{
    ActorDetail, Crashes, Groups, Judgement, Picture, Registries, Sort, StateView, Tree, Why,
};
use heights_vitals::{Client, ClientError, Condition};

use crate::command::Vitals;
use crate::failure::Failure;
use crate::kept::{Kept, read};

/// Answers questions; both kinds give the same answers about the same tree.
pub enum Source {
    Living(Client),
    Kept(Box<Kept>),
}

impl Vitals {
    /// Finds what is meant.
    pub async fn source(&self) -> Result<Source, Failure> {
        self.source_of(self.process.as_deref()).await
    }

    /// Finds a process, or the picture that is looked into instead.
    pub async fn source_of(&self, process: Option<&str>) -> Result<Source, Failure> {
        match &self.from {
            Some(file) => read(file).map(|kept| Source::Kept(Box::new(kept))),
            None => self.client_of(process).await.map(Source::Living),
        }
    }
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
            Self::Kept(kept) => Ok(kept.picture.tree.clone()),
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
            Self::Kept(kept) => Ok(kept.picture.top(sort, limit, filter)),
        }
    }

    pub async fn crashes(&self) -> Result<Crashes, ClientError> {
        match self {
            Self::Living(client) => client.crashes().await,
            Self::Kept(kept) => {
                let Picture { tree, crashes, .. } = &kept.picture;
                Ok(Crashes { taken_ms: tree.taken_ms, crashes: crashes.clone() })
            }
        }
    }

    pub async fn actor(&self, reference: &str) -> Result<ActorDetail, ClientError> {
        match self {
            Self::Living(client) => client.actor(reference).await,
            Self::Kept(kept) => kept.picture.detail(reference),
        }
    }

    pub async fn why(&self, reference: &str) -> Result<Why, ClientError> {
        match self {
            Self::Living(client) => client.why(reference).await,
            Self::Kept(kept) => kept.picture.why(reference),
        }
    }

    pub async fn judge(&self, condition: &Condition) -> Result<Judgement, ClientError> {
        match self {
            Self::Living(client) => client.judge(condition).await,
            Self::Kept(kept) => Ok(condition.judge(&kept.picture)),
        }
    }

    pub async fn picture(&self) -> Result<Picture, ClientError> {
        match self {
            Self::Living(client) => client.picture().await,
            Self::Kept(kept) => Ok(kept.picture.clone()),
        }
    }

    /// Returns all figures in the OpenMetrics text format.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        match self {
            Self::Living(client) => client.metrics().await,
            Self::Kept(kept) => Ok(kept.picture.metrics()),
        }
    }

    /// Returns what an actor shows, or showed, of its state; within `bytes` if it can be asked.
    pub async fn state(&self, reference: &str, bytes: Option<usize>) -> Result<StateView, Failure> {
        match self {
            Self::Living(client) => Ok(client.state(reference, bytes).await?),
            Self::Kept(kept) => kept.state(reference),
        }
    }

    pub async fn registry(&self) -> Result<Registries, Failure> {
        match self {
            Self::Living(client) => Ok(client.registry(None).await?),
            Self::Kept(kept) => kept.registries(),
        }
    }

    pub async fn groups(&self) -> Result<Groups, Failure> {
        match self {
            Self::Living(client) => Ok(client.groups(None).await?),
            Self::Kept(kept) => kept.groups(),
        }
    }
}
