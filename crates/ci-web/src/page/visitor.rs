//! Who looks at a page.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::layout::Failure;
use super::login;
use crate::access::{Allowed, Caller, Look, Session};
use crate::site::Site;
use crate::wire::Role;

/// Somebody who may look.
pub(super) struct Visitor {
    caller: Caller,
    session: Option<Session>,
}

impl Visitor {
    /// What its forms must carry, where it may build; nothing where it is shown no forms.
    pub(super) fn proof(&self, site: &Site) -> Option<String> {
        let session = self.session.as_ref()?;
        self.caller.may(Role::Build, site).then(|| session.proof())
    }

    /// Whether a token of its is known.
    pub(super) fn is_known(&self) -> bool {
        matches!(self.caller, Caller::Holder(_))
    }
}

impl FromRequestParts<Site> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        match Allowed::<Look>::from_request_parts(parts, site).await {
            Ok(allowed) => Ok(Self { caller: allowed.0, session: Session::of(&parts.headers) }),
            Err(problem) if problem.status == StatusCode::UNAUTHORIZED => {
                let next = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                Err(login::demand(site, next))
            }
            Err(problem) => Err(problem.into()),
        }
    }
}
