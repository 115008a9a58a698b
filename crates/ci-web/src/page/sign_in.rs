//! `/login/github`: the way to GitHub and back.
//!
//! Whoever sets out gets a cookie with a secret that nobody else has. The state that comes back with them and
//! the verifier that makes the code worth something follow from it, so nothing is kept here: a node that is
//! restarted meanwhile lets them in, and a flood of those who set out fills nothing. Who comes back without
//! the cookie was sent by somebody else.

use axum::extract::{Query, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use ci_github::{Account, SignInError};
use serde::Deserialize;
use tracing::info;

use super::layout::Failure;
use super::login::{self, Next, own_path};
use crate::access::{Caller, Person, cookie, count_failure, keyed, set_cookie};
use crate::audit;
use crate::gate::Gate;
use crate::problem::{Problem, chain};
use crate::sessions::Owner;
use crate::site::Site;
use crate::tokens::{hex, is_same, random};

/// The name of the cookie, by whether it travels by TLS alone.
const NAMES: [&str; 2] = ["ci_node_sign_in", "__Host-ci_node_sign_in"];
/// Random bytes of its secret.
const SECRET_BYTES: usize = 32;
/// How long somebody may take at GitHub, in seconds.
const PATIENCE: u64 = 600;
/// A longer way back is forgotten.
const MOST_OF_NEXT: usize = 500;

/// What GitHub sends somebody back with.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    error: Option<String>,
}

/// Somebody under way, as their cookie says.
struct Journey {
    secret: String,
    next: String,
}

/// Sends somebody to GitHub.
pub(super) async fn set_out(
    State(site): State<Site>,
    Query(next): Query<Next>,
) -> Result<Response, Failure> {
    let gate = gate(&site)?;
    let journey = Journey::begin(&next.next)
        .map_err(|error| Problem::unavailable("make a secret", &error))?;
    let page = gate.sign_in.page(&journey.state(), &journey.verifier(), &address(&site));
    let name = NAMES[usize::from(site.is_secure())];
    let cookie = set_cookie((name, &journey.text()), ("/", PATIENCE), site.is_secure());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&page)).into_response())
}

/// Takes somebody in who comes back.
pub(super) async fn come_back(
    State(site): State<Site>,
    (headers, extensions): (HeaderMap, Extensions),
    Query(back): Query<Back>,
) -> Result<Response, Failure> {
    let gate = gate(&site)?;
    audit::say("sign in");
    let name = NAMES[usize::from(site.is_secure())];
    let journey = cookie(&headers, name).and_then(Journey::read);
    let Some(journey) = journey.filter(|journey| is_same(&journey.state(), &back.state)) else {
        count_failure(&site, &extensions, &headers)?;
        let trouble = "You did not set out from here, or too long ago. Please try again.";
        return Err(login::again(&site, StatusCode::FORBIDDEN, "/", trouble));
    };
    if back.error.is_some() {
        count_failure(&site, &extensions, &headers)?;
        let trouble = "GitHub did not say who you are.";
        return Err(login::again(&site, StatusCode::FORBIDDEN, &journey.next, trouble));
    }
    let found = gate.sign_in.account(&back.code, &journey.verifier(), &address(&site)).await;
    let person = match found {
        Ok(Account { id, login }) => Person { id, login },
        Err(error) => {
            count_failure(&site, &extensions, &headers)?;
            return Err(refusal(&site, &journey, &error));
        }
    };
    audit::by(&Caller::Person(person.clone()));
    let has_business = !Caller::Person(person.clone()).repos(&site).await.is_empty()
        || site.is_administrator(&person);
    if !has_business {
        count_failure(&site, &extensions, &headers)?;
        info!(login = %person.login, "turned somebody away who may not read any repository");
        let trouble = "There is no repository here that you can read on GitHub.";
        return Err(login::again(&site, StatusCode::FORBIDDEN, &journey.next, trouble));
    }
    info!(login = %person.login, id = person.id, "signed somebody in");
    let response = login::begin(&site, &headers, Owner::Person(person), &journey.next).await?;
    let over = set_cookie((name, ""), ("/", 0), site.is_secure());
    Ok((AppendHeaders([(header::SET_COOKIE, over)]), response).into_response())
}

fn gate(site: &Site) -> Result<Gate, Problem> {
    site.gate().ok_or_else(|| Problem::not_found("nobody signs in by GitHub here"))
}

/// Where GitHub sends people back to.
fn address(site: &Site) -> String {
    format!("{}/login/github/back", site.node().voice().public_url)
}

fn refusal(site: &Site, journey: &Journey, error: &SignInError) -> Failure {
    tracing::warn!(error = %chain(error), "failed to sign somebody in");
    let (status, trouble) = match error {
        SignInError::Refused(_) => (StatusCode::FORBIDDEN, "GitHub did not say who you are."),
        SignInError::Forge(_) => {
            (StatusCode::BAD_GATEWAY, "GitHub does not answer. Please try again in a moment.")
        }
    };
    login::again(site, status, &journey.next, trouble)
}

impl Journey {
    fn begin(next: &str) -> Result<Self, heights::Fault> {
        let next = Some(own_path(next)).filter(|next| next.len() <= MOST_OF_NEXT);
        Ok(Self { secret: random::<SECRET_BYTES>()?, next: next.unwrap_or("/").to_owned() })
    }

    /// What the cookie holds.
    fn text(&self) -> String {
        format!("{}_{}", self.secret, hex(self.next.as_bytes()))
    }

    fn read(text: &str) -> Option<Self> {
        let (secret, next) = text.split_once('_')?;
        let is_secret =
            secret.len() == 2 * SECRET_BYTES && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
        let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let next: Option<Vec<u8>> = next.as_bytes().chunks(2).map(digits).collect();
        let next = String::from_utf8(next?).ok()?;
        is_secret.then(|| Self { secret: secret.to_owned(), next: own_path(&next).to_owned() })
    }

    fn state(&self) -> String {
        keyed(&self.secret, "state")
    }

    fn verifier(&self) -> String {
        keyed(&self.secret, "verifier")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journey_is_told_by_its_cookie_and_ends_here() {
        let journey = Journey::begin("/acme/shop/pull/7?x=1").unwrap();
        let read = Journey::read(&journey.text()).unwrap();
        assert_eq!((read.state(), read.verifier()), (journey.state(), journey.verifier()));
        assert_eq!(read.next, "/acme/shop/pull/7?x=1");
        assert!(
            journey.state() != journey.verifier() && !journey.state().contains(&journey.secret)
        );
        for next in ["//evil", &format!("/{}", "x".repeat(MOST_OF_NEXT))] {
            assert_eq!(Journey::begin(next).unwrap().next, "/");
        }
        let elsewhere = format!("{}_{}", journey.secret, hex(b"https://evil"));
        assert_eq!(Journey::read(&elsewhere).unwrap().next, "/");
        for none in ["", "_", "00_2f", &journey.secret, &format!("{}_2", journey.secret)] {
            assert!(Journey::read(none).is_none_or(|read| read.next == "/"), "{none}");
        }
    }
}
