//! The buttons of a pull request: plain forms that prove for whom they were made.

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use ci_domain::ids::JobId;
use serde::Deserialize;

use super::html::{Html, html};
use super::layout::Failure;
use super::login;
use super::part::short;
use super::visitor::sender;
use crate::access::{Scope, SessionKey};
use crate::api::{self, Action, PullPath};
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::Role;

/// Run again what did not pass.
const RETRY: &str = "retry";
/// Stop what runs.
const CANCEL: &str = "cancel";
/// Let the commands of a head run.
const LEAVE: &str = "leave";

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Button<'a> {
    /// To run a job again, or all that did not pass.
    Retry(Option<&'a str>),
    /// To stop a job, or all.
    Cancel(Option<&'a str>),
    /// To let the commands of this very commit run.
    Leave { head: &'a str },
}

/// What a button sends.
#[derive(Deserialize)]
pub(super) struct Fields {
    verb: String,
    /// A job, or the commit that may run.
    #[serde(default)]
    what: String,
    proof: String,
}

/// A button on the page at `page`.
pub(super) fn form(page: &str, proof: &str, button: Button<'_>) -> Html {
    let (verb, what, label) = match button {
        Button::Retry(None) => (RETRY, "", "Run again what did not pass".to_owned()),
        Button::Cancel(None) => (CANCEL, "", "Cancel all".to_owned()),
        Button::Retry(Some(job)) => (RETRY, job, "Run again".to_owned()),
        Button::Cancel(Some(job)) => (CANCEL, job, "Cancel".to_owned()),
        Button::Leave { head } => (LEAVE, head, format!("Let {} run", short(head))),
    };
    let of = match what {
        "" => Html::default(),
        what => html!(r#"<span class="hidden"> {}</span>"#, what),
    };
    html!(
        r#"<form method="post" action="{}/act"><input type="hidden" name="proof" value="{}"><input type="hidden" name="what" value="{}"><button name="verb" value="{}">{}{}</button></form>"#,
        page,
        proof,
        what,
        verb,
        label,
        of
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
    let Some(key) = SessionKey::of(&headers, site.is_secure()) else {
        return Err(login::demand(&site, &back));
    };
    let caller = sender(&site, &key, &fields.proof).await?;
    let scope = Scope::Repos(vec![repo.clone()]);
    match caller.demand(Role::Build, &scope, &site).await {
        Ok(()) => {}
        Err(problem) if problem.status == StatusCode::UNAUTHORIZED => {
            return Err(login::demand(&site, &back));
        }
        Err(problem) => return Err(problem.into()),
    }
    let action = action(&fields)?;
    api::act(&site, &repo, number, action, caller.login()).await?;
    Ok(Redirect::to(&back).into_response())
}

fn action(fields: &Fields) -> Result<Action, Problem> {
    match fields.verb.as_str() {
        RETRY => Ok(Action::Retry(job(&fields.what)?)),
        CANCEL => Ok(Action::Cancel(job(&fields.what)?)),
        LEAVE => {
            let commit = ci_domain::ids::CommitSha::new(fields.what.clone());
            let invalid =
                |error: ci_domain::ids::InvalidId| Problem::bad_request(error.to_string());
            Ok(Action::ApproveRun(commit.map_err(invalid)?))
        }
        _ => Err(Problem::bad_request("there is no such button")),
    }
}

fn job(text: &str) -> Result<Option<JobId>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let job: Result<JobId, _> = text.parse();
    Ok(Some(job.map_err(|error| Problem::bad_request(error.to_string()))?))
}
