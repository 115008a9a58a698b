//! Who we are to GitHub, changeable while the node runs.

use std::sync::{Arc, PoisonError, RwLock};

use ci_domain::ids::RepoName;

use super::app::{App, AppKey};
use super::{GitHub, InvalidConfig};
use crate::forge::ForgeError;
use ci_domain::secret::Secret;

/// Who we are.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A person's token, classic or fine-grained.
    Token(Secret),
    /// A GitHub app, which asks for a token per installation every hour.
    App(AppKey),
}

/// The credentials in use.
#[derive(Debug)]
pub(super) struct Auth(RwLock<Identity>);

/// Credentials that were found usable.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    Token(Secret),
    App(Arc<App>),
}

impl Auth {
    pub(super) fn new(credentials: Credentials) -> Result<Self, InvalidConfig> {
        Ok(Self(RwLock::new(Identity::check(credentials)?)))
    }

    pub(super) fn replace(&self, credentials: Credentials) -> Result<(), InvalidConfig> {
        let identity = Identity::check(credentials)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = identity;
        Ok(())
    }

    pub(super) fn identity(&self) -> Identity {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Identity {
    fn check(credentials: Credentials) -> Result<Self, InvalidConfig> {
        match credentials {
            Credentials::Token(token) => {
                let text = token.expose();
                if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(InvalidConfig::Token);
                }
                Ok(Self::Token(token))
            }
            Credentials::App(key) => Ok(Self::App(Arc::new(App::new(&key)?))),
        }
    }
}

impl GitHub {
    /// The token for calls about `repo`.
    pub(super) async fn token(&self, repo: &RepoName) -> Result<Secret, ForgeError> {
        match self.auth.identity() {
            Identity::Token(token) => Ok(token),
            Identity::App(app) => self.installation_token(&app, repo).await,
        }
    }

    /// Forgets an app's token that was refused, so that the next call asks for a new one.
    pub(super) fn token_failed(&self, repo: &RepoName, error: &ForgeError) {
        if let (ForgeError::Unauthorized { .. }, Identity::App(app)) = (error, self.auth.identity())
        {
            app.forget(repo);
        }
    }
}
