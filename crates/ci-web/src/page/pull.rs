//! `/{owner}/{repo}/pull/{n}`: whether it can be merged, why not, and what runs for it.

use axum::extract::State;
use ci_domain::ids::{PullNumber, RepoName};

use super::html::{Html, html};
use super::layout::{Failure, Pace, Page, foreign, verdict_badge};
use super::visitor::Visitor;
use super::{act, part, repo};
use crate::api::PullPath;
use crate::ask;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Job, JobState, PullDetail, PullSummary, VerdictState};

pub(super) async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    path: Result<PullPath, Problem>,
) -> Result<Html, Failure> {
    let PullPath(repo, number) = path?;
    let detail = ask::pull(&site, &repo, number).await?;
    let proof = visitor.proof(&site);
    let is_live = detail.pull.building || detail.pull.state == VerdictState::Pending;
    let page = Page {
        title: format!("#{number} {}", title(&detail.pull)),
        trail: trail(&repo, number),
        pace: if is_live { Pace::Live } else { Pace::Still },
        body: body(&detail, proof.as_deref()),
    };
    Ok(page.render(&site, &visitor))
}

/// The way to a pull request.
pub(super) fn trail(repo: &RepoName, number: PullNumber) -> Html {
    html!(
        r#"{} <span>/</span> <a href="/{}/pull/{}">#{}</a>"#,
        repo::trail(repo),
        repo,
        number,
        number
    )
}

fn title(pull: &PullSummary) -> &str {
    pull.title.as_deref().unwrap_or("not read yet")
}

fn body(detail: &PullDetail, proof: Option<&str>) -> Html {
    let pull = &detail.pull;
    html!(
        r#"<h1>{} <small>#{}</small></h1>{}<p class="verdict">{} {}</p>{}{}{}{}"#,
        foreign(title(pull)),
        pull.number,
        facts(detail),
        verdict_badge(pull.state),
        pull.description,
        unmet(detail),
        part::findings(&detail.findings, detail.policy_error.as_ref()),
        part::affected(&detail.affected),
        jobs(detail, proof)
    )
}

fn facts(detail: &PullDetail) -> Html {
    let pull = &detail.pull;
    let short = part::short;
    let head = pull.head.as_deref().map(|head| html!("head <code>{}</code>", short(head)));
    let author = pull.author.as_deref().map(|author| html!(" by {}", foreign(author)));
    let base = pull.base.as_deref().map(|base| html!(" into {}", foreign(base)));
    let merge = detail.merge.as_deref();
    let merge = merge.map(|merge| html!(", built as merge <code>{}</code>", short(merge)));
    let build = detail.build.map(|build| html!(", build {}", build));
    let draft = if pull.draft { " · draft" } else { "" };
    let parts = [head, author, base, merge, build].into_iter().flatten();
    html!(r#"<p class="quiet">{}{}</p>"#, parts.collect::<Html>(), draft)
}

fn unmet(detail: &PullDetail) -> Html {
    if detail.unmet.is_empty() {
        return Html::default();
    }
    let one = |unmet: &crate::wire::Unmet| {
        let (condition, met_by) = (part::marked(&unmet.condition), part::marked(&unmet.met_by));
        html!(r#"<li><strong>{}</strong><br>needs {}</li>"#, condition, met_by)
    };
    let all: Html = detail.unmet.iter().map(one).collect();
    html!(r#"<h2>What is missing</h2><ol class="why">{}</ol>"#, all)
}

fn jobs(detail: &PullDetail, proof: Option<&str>) -> Html {
    let pull = &detail.pull;
    if detail.jobs.is_empty() {
        return html!("<h2>Jobs</h2><p>There are none.</p>");
    }
    let is_running = |job: &Job| job.state.is_under_way();
    let all = match proof {
        None => Html::default(),
        Some(proof) if detail.jobs.iter().any(is_running) => {
            act::form(pull, proof, act::CANCEL, None)
        }
        Some(proof) if detail.jobs.iter().any(|job| is_retriable(job.state)) => {
            act::form(pull, proof, act::RETRY, None)
        }
        Some(_) => Html::default(),
    };
    let rows: Html = detail.jobs.iter().map(|job| row(pull, job, proof)).collect();
    html!(r#"<h2>Jobs {}</h2><table class="jobs"><tbody>{}</tbody></table>"#, all, rows)
}

fn is_retriable(state: JobState) -> bool {
    matches!(state, JobState::Failed | JobState::Crashed | JobState::Cancelled)
}

fn row(pull: &PullSummary, job: &Job, proof: Option<&str>) -> Html {
    let verb = match job.state {
        state if state.is_under_way() => Some(act::CANCEL),
        state if is_retriable(state) => Some(act::RETRY),
        _ => None,
    };
    let form = proof.zip(verb).map(|(proof, verb)| act::form(pull, proof, verb, Some(&job.job)));
    let optional = if job.required { "" } else { " · optional" };
    let page = format!("/{}/pull/{}", pull.repo, pull.number);
    part::job(&page, job, optional, form)
}
