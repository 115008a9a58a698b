//! Who asks, and what they may do.
//!
//! | comes | shows | may |
//! |---|---|---|
//! | over the admin socket | – | everything |
//! | from the network | a token, as bearer | what its role allows |
//! | from the network | the cookie of a session that a token opened | the same, but only to look; pages take forms with a proof |
//! | from the network | the cookie of somebody who signed in at GitHub | in each repository what they may there |
//! | from the network | nothing | look, where `[http] read` is public |
//!
//! Where a connection comes from says nothing else: behind a reverse proxy everyone is loopback.

mod cookie;
mod peer;
mod same_site;
mod scope;
mod standings;

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, header};
use ci_domain::ids::{Login, RepoName};

pub(crate) use cookie::{SessionKey, cookie, keyed, set_cookie};
pub(crate) use peer::Peer;
pub(crate) use same_site::refuse_other_sites;
pub(crate) use scope::Scope;
pub(crate) use standings::Standings;

use crate::audit;
use crate::problem::Problem;
use crate::sessions::Owner;
use crate::site::Site;
use crate::throttle::Counted;
use crate::wire::{Role, Token};

/// By which door a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The port.
    Network,
    /// The admin socket; the peer's uid has been checked.
    AdminSocket,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The node's own user, or root.
    Operator,
    /// Somebody with a token.
    Holder(Token),
    /// Somebody who signed in at the forge.
    Person(Person),
    /// Somebody.
    Nobody,
}

/// Somebody whom the forge knows. The number stays theirs; a login can become another's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Person {
    pub(crate) id: u64,
    pub(crate) login: Login,
}

/// What a handler demands.
pub(crate) trait Demand {
    const ROLE: Role;
    /// Whether it is about all that the path names; else the handler shows each what is theirs.
    const OF_PATH: bool = true;
}

/// To look.
pub(crate) struct Look;
/// To look at what one may look at, which the handler picks by [`Caller::repos`].
pub(crate) struct Enter;
/// To retry, force and cancel jobs.
pub(crate) struct Build;
/// To do everything else.
pub(crate) struct Administer;

impl Demand for Look {
    const ROLE: Role = Role::Read;
}

impl Demand for Enter {
    const ROLE: Role = Role::Read;
    const OF_PATH: bool = false;
}

impl Demand for Build {
    const ROLE: Role = Role::Build;
}

impl Demand for Administer {
    const ROLE: Role = Role::Admin;
}

/// Proof, in a handler's signature, that the caller may do what it demands.
pub(crate) struct Allowed<D>(pub(crate) Caller, PhantomData<D>);

impl Caller {
    /// Makes sure that it may do what `role` may with all that is in `scope`.
    pub(crate) async fn demand(
        &self,
        role: Role,
        scope: &Scope,
        site: &Site,
    ) -> Result<(), Problem> {
        let may = match self {
            Self::Operator => true,
            Self::Holder(token) => token.role >= role,
            Self::Nobody => role == Role::Read && site.is_public(),
            Self::Person(_) if role == Role::Read && site.is_public() => true,
            Self::Person(person) => return scope::demand(person, role, scope, site).await,
        };
        if may { Ok(()) } else { Err(self.refusal(role)) }
    }

    /// Whether it may.
    pub(crate) async fn may(&self, role: Role, scope: &Scope, site: &Site) -> bool {
        self.demand(role, scope, site).await.is_ok()
    }

    /// The repositories that it may look at, in order.
    pub(crate) async fn repos(&self, site: &Site) -> Vec<RepoName> {
        match self {
            Self::Person(person) if !site.is_public() => scope::readable(person, site).await,
            _ => site.node().repos(),
        }
    }

    /// Under which name its requests are remembered.
    pub(crate) fn login(&self) -> Login {
        let name = match self {
            Self::Operator => "operator".to_owned(),
            Self::Holder(token) => format!("token {}", token.id),
            Self::Person(person) => return person.login.clone(),
            Self::Nobody => "nobody".to_owned(),
        };
        Login::new(name).expect("a word and hexadecimal digits are printable")
    }

    /// Counts a request, and puts its maker on record where it changes something.
    pub(crate) fn count(&self, site: &Site) -> Result<(), Problem> {
        audit::by(self);
        match self {
            Self::Operator | Self::Nobody => Ok(()),
            Self::Holder(token) => site.throttle().count(Counted::Token(token.id.clone())),
            Self::Person(person) => site.throttle().count(Counted::Person(person.id)),
        }
    }

    fn refusal(&self, role: Role) -> Problem {
        match self {
            Self::Nobody => Problem::new(
                StatusCode::UNAUTHORIZED,
                "a token is needed: `ci-node token create`, then `Authorization: Bearer …`",
            ),
            Self::Operator | Self::Holder(_) | Self::Person(_) => Problem::new(
                StatusCode::FORBIDDEN,
                format!("a token with the role {role} is needed"),
            ),
        }
    }

    /// Whoever the request says it is from; a bearer token that is not valid is an error.
    async fn of(parts: &Parts, site: &Site) -> Result<Self, Problem> {
        if parts.extensions.get() == Some(&Origin::AdminSocket) {
            return Ok(Self::Operator);
        }
        if let Some(text) = bearer(&parts.headers) {
            return match find(site, text).await? {
                Some(token) => Ok(Self::Holder(token)),
                None => {
                    count_failure(site, &parts.extensions, &parts.headers)?;
                    Err(Problem::new(StatusCode::UNAUTHORIZED, "the token is not valid"))
                }
            };
        }
        // A cookie travels by itself, so without a proof it is good for looking only.
        let is_look = matches!(parts.method, Method::GET | Method::HEAD);
        match SessionKey::of(&parts.headers, site.is_secure()).filter(|_| is_look) {
            Some(key) => Ok(Self::of_session(&key, site).await?),
            None => Ok(Self::Nobody),
        }
    }

    /// Whose session it is; nobody's where it has ended, or the token that opened it was revoked.
    pub(crate) async fn of_session(key: &SessionKey, site: &Site) -> Result<Self, Problem> {
        let unavailable = |error| Problem::unavailable("read the sessions", &error);
        let owner = site.sessions().find(key, std::time::SystemTime::now()).await;
        Ok(match owner.map_err(unavailable)? {
            Some(Owner::Token(id)) => {
                let token = site.tokens().get(&id).await.map_err(unavailable)?;
                token.map_or(Self::Nobody, Self::Holder)
            }
            Some(Owner::Person(person)) => Self::Person(person),
            None => Self::Nobody,
        })
    }
}

impl<D: Demand> FromRequestParts<Site> for Allowed<D> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let caller = Caller::of(parts, site).await?;
        caller.count(site)?;
        let scope = if D::OF_PATH { Scope::of(parts, site).await } else { Scope::Own };
        caller.demand(D::ROLE, &scope, site).await?;
        Ok(Self(caller, PhantomData))
    }
}

/// Finds the token whose text is `text`.
pub(crate) async fn find(site: &Site, text: &str) -> Result<Option<Token>, Problem> {
    let found = site.tokens().find(text).await;
    found.map_err(|error| Problem::unavailable("read the tokens", &error))
}

/// Counts somebody who showed what is none of ours; an error where they did so too often.
pub(crate) fn count_failure(
    site: &Site,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let peer = Peer::of(extensions, headers, site.proxies());
    match peer.neighborhood() {
        Some(address) => site.throttle().count(Counted::Failures(address)),
        None => Ok(()),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
