//! Who we are to GitHub, changeable while the node runs.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ci_domain::ids::RepoName;
use ci_domain::secret::Secret;

use super::app::{App, AppKey};
use super::{GitHub, InvalidConfig};
use crate::forge::ForgeError;

/// How often the source of the credentials is looked at while they work.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// Who we are.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A person's token, classic or fine-grained.
    Token(Secret),
    /// A GitHub app, which asks for a token per installation every hour.
    App(AppKey),
}

/// Where credentials come from, for those that are changed while the node runs.
pub trait CredentialSource: Send + Sync {
    /// The credentials, if they have changed since the last time that this was asked.
    ///
    /// Asked every few seconds, and whenever GitHub refuses the credentials: it must be quick.
    fn changed(&self) -> Option<Credentials>;
}

/// The credentials in use.
pub(super) struct Auth {
    identity: RwLock<Identity>,
    source: OnceLock<Source>,
}

struct Source {
    source: Arc<dyn CredentialSource>,
    looked: Mutex<Instant>,
}

/// Credentials that were found usable.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    Token(Secret),
    App(Arc<App>),
}

impl Auth {
    pub(super) fn new(credentials: Credentials) -> Result<Self, InvalidConfig> {
        Ok(Self { identity: RwLock::new(Identity::check(credentials)?), source: OnceLock::new() })
    }

    pub(super) fn follow(&self, source: Arc<dyn CredentialSource>) {
        self.source.get_or_init(|| Source { source, looked: Mutex::new(Instant::now()) });
    }

    pub(super) fn replace(&self, credentials: Credentials) -> Result<(), InvalidConfig> {
        let identity = Identity::check(credentials)?;
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
        Ok(())
    }

    fn identity(&self) -> Identity {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the source for other credentials, if it was not asked within `pause`.
    fn changed(&self, pause: Duration) -> Option<Credentials> {
        let Source { source, looked } = self.source.get()?;
        let mut looked = looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() < pause {
            return None;
        }
        *looked = Instant::now();
        source.changed()
    }
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("identity", &self.identity).finish_non_exhaustive()
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
    /// Who we are, by what the source said lately.
    pub(super) fn who(&self) -> Identity {
        self.look(LOOK_INTERVAL);
        self.auth.identity()
    }

    /// The token for calls about `repo`.
    pub(super) async fn token(&self, repo: &RepoName) -> Result<Secret, ForgeError> {
        match self.who() {
            Identity::Token(token) => Ok(token),
            Identity::App(app) => self.installation_token(&app, repo).await,
        }
    }

    /// Another token than the one that was `refused` in a call about `repo`, if there is one by now.
    pub(super) async fn other_token(
        &self,
        repo: &RepoName,
        refused: &Secret,
    ) -> Result<Option<Secret>, ForgeError> {
        match self.who_else() {
            Identity::Token(token) => Ok(Some(token).filter(|token| token != refused)),
            // A young token is refused for another reason than its age.
            Identity::App(app) if app.forget(repo, refused) => Ok(None),
            Identity::App(app) => self.installation_token(&app, repo).await.map(Some),
        }
    }

    /// Who we are, by what the source says at this moment.
    pub(super) fn who_else(&self) -> Identity {
        self.look(Duration::ZERO);
        self.auth.identity()
    }

    fn look(&self, pause: Duration) {
        let Some(credentials) = self.auth.changed(pause) else { return };
        match self.replace_credentials(credentials) {
            Ok(()) => tracing::info!("the credentials for GitHub have changed"),
            Err(error) => tracing::error!(%error, "the new credentials for GitHub cannot be used"),
        }
    }
}
