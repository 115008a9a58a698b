//! Where a mirror fetches from, and what it shows at the door.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::command::Command;

/// The user that GitHub wants to see beside a token.
const TOKEN_USER: &str = "x-access-token";

/// What a forge wants to see before it answers; it prints as `***`. Clones are the same credential, also
/// once it was replaced. By default nothing is shown until a token is known.
#[derive(Clone, Default)]
pub struct Credential {
    header: Arc<RwLock<Option<String>>>,
}

/// An address that git can fetch from, with the one transport that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteUrl {
    text: String,
    transport: &'static str,
    /// `https://host/`, for the transports that take a credential.
    scope: Option<String>,
}

/// Why an address is refused. The text is not repeated where it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It carries a user or a password.
    #[error("use a clone URL with a user or password in it: give the token separately")]
    HasCredential,
    /// No transport is allowed for it.
    #[error("use the clone URL {0:?}: expected https, http, ssh or file, or an absolute path")]
    Unsupported(String),
}

impl Credential {
    /// A token for the forge's API, such as GitHub's, that also opens its repositories.
    #[must_use]
    pub fn token(token: &str) -> Self {
        Self { header: Arc::new(RwLock::new(Some(basic(TOKEN_USER, token)))) }
    }

    /// Shows this token from the next command on.
    pub fn replace_token(&self, token: &str) {
        let header = Some(basic(TOKEN_USER, token));
        *self.header.write().unwrap_or_else(PoisonError::into_inner) = header;
    }

    fn header(&self) -> Option<String> {
        self.header.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(***)")
    }
}

impl RemoteUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, BadUrl> {
        let unsupported = || BadUrl::Unsupported(text.to_owned());
        if text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(unsupported());
        }
        let known = |transport, scope| Self { text: text.to_owned(), transport, scope };
        match text.split_once("://") {
            Some(("https", rest)) => Ok(known("https", Some(scope("https", rest)?))),
            Some(("http", rest)) => Ok(known("http", Some(scope("http", rest)?))),
            Some(("ssh", rest)) if !rest.starts_with('-') => Ok(known("ssh", None)),
            Some(("file", _)) => Ok(known("file", None)),
            None if text.starts_with('/') => Ok(known("file", None)),
            None if is_host_and_path(text) => Ok(known("ssh", None)),
            _ => Err(unsupported()),
        }
    }

    /// Lets `command` reach this remote under the name `origin`, and nothing else.
    pub(crate) fn open(&self, command: Command, credential: Option<&Credential>) -> Command {
        let command = command
            .config(&format!("remote.origin.url={}", self.text))
            .config(&format!("protocol.{}.allow=always", self.transport));
        match (&self.scope, credential.and_then(Credential::header)) {
            // A redirect would take the header along to wherever it leads.
            (Some(scope), Some(header)) => command
                .config("http.followRedirects=false")
                .secret_config(&format!("http.{scope}.extraHeader"), &header),
            _ => command,
        }
    }
}

fn basic(user: &str, password: &str) -> String {
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    format!("Authorization: Basic {encoded}")
}

/// The part of an address that a credential is for. An address with a user in it is refused: it would
/// be seen in the list of processes and in messages.
fn scope(scheme: &str, rest: &str) -> Result<String, BadUrl> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority {
        "" => Err(BadUrl::Unsupported(format!("{scheme}://{rest}"))),
        _ if authority.contains('@') => Err(BadUrl::HasCredential),
        _ => Ok(format!("{scheme}://{authority}/")),
    }
}

/// Whether `text` is ssh's short form, `user@host:path`; `helper::address` would run a program.
fn is_host_and_path(text: &str) -> bool {
    text.split_once(':').is_some_and(|(host, path)| {
        !host.is_empty() && !host.contains('/') && !path.is_empty() && !path.starts_with(':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sorted_by_transport() {
        let check = |text: &str, expected: Result<(&str, Option<&str>), &str>| {
            let found = RemoteUrl::parse(text);
            let found = found.as_ref().map(|url| (url.transport, url.scope.as_deref()));
            let found = found.map_err(|error| match error {
                BadUrl::HasCredential => "credential",
                BadUrl::Unsupported(_) => "unsupported",
            });
            assert_eq!(found, expected, "{text:?}");
        };
        check("https://github.com/a/b.git", Ok(("https", Some("https://github.com/"))));
        check("http://127.0.0.1:8080/a/b", Ok(("http", Some("http://127.0.0.1:8080/"))));
        check("ssh://git@github.com/a/b.git", Ok(("ssh", None)));
        check("git@github.com:a/b.git", Ok(("ssh", None)));
        check("file:///srv/git/a.git", Ok(("file", None)));
        check("/srv/git/a.git", Ok(("file", None)));
        check("https://user:pw@github.com/a/b", Err("credential"));
        check("https://token@github.com/a/b", Err("credential"));
        check("https:///a/b", Err("unsupported"));
        check("git://github.com/a/b", Err("unsupported"));
        check("ext::sh -c id", Err("unsupported"));
        check("ssh://-oProxyCommand=id/x", Err("unsupported"));
        check("--upload-pack=id", Err("unsupported"));
        check("-oProxyCommand=id:x", Err("unsupported"));
        check("a/b.git", Err("unsupported"));
        check("/srv/a\nb", Err("unsupported"));
        check("", Err("unsupported"));
    }

    #[test]
    fn a_credential_prints_as_stars() {
        let printed = format!("{:?}", Credential::token("s3cret"));
        assert_eq!(printed, "Credential(***)");
    }
}
