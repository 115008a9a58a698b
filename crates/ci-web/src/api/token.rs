//! Tokens.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tracing::info;

use super::place::{Given, Named};
use crate::access::{Administer, Allowed};
use crate::audit;
use crate::problem::Problem;
use crate::site::Site;
use crate::tokens::TokenError;
use crate::wire::{NewToken, Token, TokenRequest};

pub(super) async fn list(
    State(site): State<Site>,
    _: Allowed<Administer>,
) -> Result<Json<Vec<Token>>, Problem> {
    let tokens = site.tokens().list().await;
    Ok(Json(tokens.map_err(|error| Problem::unavailable("read the tokens", &error))?))
}

pub(super) async fn create(
    State(site): State<Site>,
    allowed: Allowed<Administer>,
    Given(request): Given<TokenRequest>,
) -> Result<(StatusCode, Json<NewToken>), Problem> {
    audit::say(format!("make a token with the role {}", request.role));
    let made = site.tokens().create(request).await.map_err(problem)?;
    let NewToken { token, .. } = &made;
    info!(id = token.id, role = %token.role, by = %allowed.0.login(), "made a token");
    Ok((StatusCode::CREATED, Json(made)))
}

pub(super) async fn revoke(
    State(site): State<Site>,
    allowed: Allowed<Administer>,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    site.tokens().revoke(&id).await.map_err(problem)?;
    info!(id, by = %allowed.0.login(), "revoked a token");
    Ok(StatusCode::NO_CONTENT)
}

fn problem(error: TokenError) -> Problem {
    match error {
        TokenError::Unknown(_) => Problem::not_found(error.to_string()),
        TokenError::Label => Problem::bad_request(error.to_string()),
        TokenError::Fault(error) => Problem::unavailable("write the tokens", &error),
    }
}
