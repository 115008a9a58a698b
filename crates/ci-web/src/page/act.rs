//! The buttons of a pull request: plain forms that prove for whom they were made.

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use ci_domain::ids::JobId;
use serde::Deserialize;

use super::html::{Html, html};
use super::layout::Failure;
use super::login;
use crate::access::{self, Caller, Session};
use crate::api::{self, Action, PullPath};
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{PullSummary, Role};

/// Run again what did not pass.
pub(super) const RETRY: &str = "retry";
/// Stop what runs.
pub(super) const CANCEL: &str = "cancel";

/// What a button sends.
#[derive(Deserialize)]
pub(super) struct Fields {
    verb: String,
    #[serde(default)]
    job: String,
    proof: String,
}

/// A button that asks for something about one job, or about all.
pub(super) fn form(pull: &PullSummary, proof: &str, verb: &'static str, job: Option<&str>) -> Html {
    let label = match job {
        Some(_) => verb.to_owned(),
        None => format!("{verb} all"),
    };
    html!(
        r#"<form method="post" action="/{}/pull/{}/act"><input type="hidden" name="proof" value="{}"><input type="hidden" name="job" value="{}"><button name="verb" value="{}">{}</button></form>"#,
        pull.repo,
        pull.number,
        proof,
        job.unwrap_or_default(),
        verb,
        label
    )
}

/// Does what a button asks for, and goes back to where it was.
pub(super) async fn act(
    State(site): State<Site>,
    path: Result<PullPath, Problem>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Result<Response, Failure> {
    let PullPath(repo, number) = path?;
    let back = format!("/{repo}/pull/{number}");
    let Some(session) = Session::of(&headers) else { return Err(login::demand(&site, &back)) };
    let caller = match access::find(&site, session.token()).await? {
        Some(token) => Caller::Holder(token),
        None => return Err(login::demand(&site, &back)),
    };
    let is_allowed = session.is_proven_by(&fields.proof) && caller.may(Role::Build, &site);
    if !is_allowed {
        let detail = "the form is too old, or the token does not allow this";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail).into());
    }
    let action = action(&fields)?;
    api::act(&site, &repo, number, action, caller.login()).await?;
    Ok(Redirect::to(&back).into_response())
}

fn action(fields: &Fields) -> Result<Action, Problem> {
    let job = match fields.job.as_str() {
        "" => None,
        text => {
            let job: Result<JobId, _> = text.parse();
            Some(job.map_err(|error| Problem::bad_request(error.to_string()))?)
        }
    };
    match fields.verb.as_str() {
        RETRY => Ok(Action::Retry(job)),
        CANCEL => Ok(Action::Cancel(job)),
        _ => Err(Problem::bad_request("there is no such button")),
    }
}
