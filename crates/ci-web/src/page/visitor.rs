//! Who looks at a page.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::layout::Failure;
use super::login;
use crate::access::{Allowed, Caller, Demand, Enter, Look, Scope, SessionKey};
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::Role;

/// Somebody who may look at all that the page is about.
pub(super) struct Visitor {
    pub(super) caller: Caller,
    session: Option<SessionKey>,
    may_build: bool,
}

/// Somebody to whom the page shows what is theirs.
pub(super) struct Entrant(pub(super) Visitor);

impl Visitor {
    /// What its forms must carry, where it may build; nothing where it is shown no forms.
    pub(super) fn proof(&self) -> Option<String> {
        self.session.as_ref().filter(|_| self.may_build).map(SessionKey::proof)
    }

    /// Who it is and what the form to log out must carry, where there is a session.
    pub(super) fn user(&self) -> Option<(String, String)> {
        let name = match &self.caller {
            Caller::Person(person) => person.login.to_string(),
            Caller::Holder(token) if token.label.is_empty() => format!("token {}", token.id),
            Caller::Holder(token) => token.label.clone(),
            Caller::Operator | Caller::Nobody => return None,
        };
        Some((name, self.session.as_ref()?.proof()))
    }

    async fn of<D: Demand>(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let allowed = Allowed::<D>::from_request_parts(parts, site).await;
        let caller = match allowed {
            Ok(allowed) => allowed.0,
            Err(problem) if problem.status == StatusCode::UNAUTHORIZED => {
                let next = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                return Err(login::demand(site, next));
            }
            Err(problem) => return Err(problem.into()),
        };
        let session = SessionKey::of(&parts.headers, site.is_secure());
        // Only pages of a repository have forms.
        let scope = Scope::of(parts, site).await;
        let may_build = session.is_some()
            && matches!(scope, Scope::Repos(_))
            && caller.may(Role::Build, &scope, site).await;
        Ok(Self { caller, session, may_build })
    }
}

impl FromRequestParts<Site> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        Self::of::<Look>(parts, site).await
    }
}

impl FromRequestParts<Site> for Entrant {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        Ok(Self(Visitor::of::<Enter>(parts, site).await?))
    }
}

/// Who sends a form, once it has proven that it was made for them.
pub(super) async fn sender(site: &Site, key: &SessionKey, proof: &str) -> Result<Caller, Problem> {
    if !key.is_proven_by(proof) {
        let why = "the form is too old: load its page again";
        return Err(Problem::new(StatusCode::FORBIDDEN, why));
    }
    let caller = Caller::of_session(key, site).await?;
    caller.count(site)?;
    Ok(caller)
}
