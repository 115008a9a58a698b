//! Who asks, and what they may do.
//!
//! | comes | shows | may |
//! |---|---|---|
//! | over the admin socket | – | everything |
//! | from the network | a token, as bearer | what its role allows |
//! | from the network | a token, in its cookie | the same, but only to look; pages take forms with a proof |
//! | from the network | nothing | look, where `[http] read` is public |
//!
//! Where a connection comes from says nothing else: behind a reverse proxy everyone is loopback.

mod cookie;

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use ci_domain::ids::Login;

pub(crate) use cookie::Session;

use crate::problem::Problem;
use crate::site::Site;
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
    /// Somebody.
    Nobody,
}

/// What a handler demands.
pub(crate) trait Demand {
    const ROLE: Role;
}

/// To look.
pub(crate) struct Look;
/// To retry, force and cancel jobs.
pub(crate) struct Build;
/// To do everything else.
pub(crate) struct Administer;

impl Demand for Look {
    const ROLE: Role = Role::Read;
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
    /// Whether it may do what `role` may.
    pub(crate) fn may(&self, role: Role, site: &Site) -> bool {
        match self {
            Self::Operator => true,
            Self::Holder(token) => token.role >= role,
            Self::Nobody => role == Role::Read && site.is_public(),
        }
    }

    /// Under which name its requests are remembered.
    pub(crate) fn login(&self) -> Login {
        let name = match self {
            Self::Operator => "operator".to_owned(),
            Self::Holder(token) => format!("token {}", token.id),
            Self::Nobody => "nobody".to_owned(),
        };
        Login::new(name).expect("a word and hexadecimal digits are printable")
    }

    fn refusal(&self, role: Role) -> Problem {
        match self {
            Self::Nobody => Problem::new(
                StatusCode::UNAUTHORIZED,
                "a token is needed: `ci-node token create`, then `Authorization: Bearer …`",
            ),
            Self::Operator | Self::Holder(_) => Problem::new(
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
                None => Err(Problem::new(StatusCode::UNAUTHORIZED, "the token is not valid")),
            };
        }
        // A cookie travels by itself, so without a proof it is good for looking only.
        let is_look = matches!(parts.method, Method::GET | Method::HEAD);
        match Session::of(&parts.headers).filter(|_| is_look) {
            Some(session) => {
                Ok(find(site, session.token()).await?.map_or(Self::Nobody, Self::Holder))
            }
            None => Ok(Self::Nobody),
        }
    }
}

impl<D: Demand> FromRequestParts<Site> for Allowed<D> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let caller = Caller::of(parts, site).await?;
        if caller.may(D::ROLE, site) {
            Ok(Self(caller, PhantomData))
        } else {
            Err(caller.refusal(D::ROLE))
        }
    }
}

/// Finds the token whose text is `text`.
pub(crate) async fn find(site: &Site, text: &str) -> Result<Option<Token>, Problem> {
    let found = site.tokens().find(text).await;
    found.map_err(|error| Problem::unavailable("read the tokens", &error))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
