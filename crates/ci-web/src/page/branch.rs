//! `/{owner}/{repo}/branch/{name}`: how the tip of a branch stands, and what runs for it.

use axum::extract::State;

use super::html::{Html, html};
use super::layout::{Failure, Pace, Page, foreign, verdict_badge};
use super::visitor::Visitor;
use super::{part, repo};
use crate::api::BranchPath;
use crate::ask;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{BranchDetail, BranchSummary, NightlyJob, NightlyRun, VerdictState};

pub(super) async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    path: Result<BranchPath, Problem>,
) -> Result<Html, Failure> {
    let BranchPath(repo, name) = path?;
    let detail = ask::branch_detail(&repo, &ask::branch(&site, &repo, &name).await?);
    let page = Page {
        title: format!("{name} of {repo}"),
        trail: html!("{}{}", repo::trail(&repo), trail(&detail.branch)),
        pace: if is_live(&detail.branch) { Pace::Live } else { Pace::Still },
        body: body(&detail),
    };
    Ok(page.render(&site, &visitor))
}

/// The way from its repository to a branch.
pub(super) fn trail(branch: &BranchSummary) -> Html {
    html!(r#" <span>/</span> <a href="{}">{}</a>"#, branch.page, foreign(&branch.name))
}

/// Whether a branch will change by itself.
pub(super) fn is_live(branch: &BranchSummary) -> bool {
    branch.building || branch.state == VerdictState::Pending
}

/// One card of a list.
pub(super) fn card(branch: &BranchSummary) -> Html {
    html!(
        r#"<li><p>{} <a class="name" href="{}">{}</a></p><p>{}</p></li>"#,
        verdict_badge(branch.state),
        branch.page,
        foreign(&branch.name),
        branch.description
    )
}

fn body(detail: &BranchDetail) -> Html {
    let branch = &detail.branch;
    html!(
        r#"<h1>{}</h1>{}<p class="verdict">{} {}</p>{}{}{}{}"#,
        foreign(&branch.name),
        facts(detail),
        verdict_badge(branch.state),
        branch.description,
        part::findings(&detail.findings, detail.policy_error.as_ref()),
        part::affected(&detail.affected),
        jobs(detail),
        nightly(detail)
    )
}

fn facts(detail: &BranchDetail) -> Html {
    let tip = detail.branch.tip.as_deref();
    let tip = tip.map(|tip| html!("tip <code>{}</code>", part::short(tip)));
    let built = detail.built.as_deref();
    let built = built.map(|built| html!(", built last <code>{}</code>", part::short(built)));
    let build = detail.build.map(|build| html!(", build {}", build));
    let parts = [tip, built, build].into_iter().flatten();
    html!(r#"<p class="quiet">{}</p>"#, parts.collect::<Html>())
}

fn jobs(detail: &BranchDetail) -> Html {
    if detail.jobs.is_empty() {
        return html!("<h2>Jobs</h2><p>There are none.</p>");
    }
    let row = |job| part::job(&detail.branch.page, job, "", None);
    let rows: Html = detail.jobs.iter().map(row).collect();
    html!(r#"<h2>Jobs</h2><table class="jobs"><tbody>{}</tbody></table>"#, rows)
}

/// What runs at night, and how it went before.
fn nightly(detail: &BranchDetail) -> Html {
    if detail.nightly.is_empty() {
        return Html::default();
    }
    let now = |night: &NightlyJob| {
        let asked = night.asked_by.as_deref().map(|by| html!(", asked for by {}", foreign(by)));
        let note = html!(" · {}{}", night.standing, asked.unwrap_or_default());
        part::job(&detail.branch.page, &night.job, note, None)
    };
    let runs = detail.nightly.iter().flat_map(|night| &night.runs);
    let before: Vec<Html> = runs.map(|run| night(&detail.branch.page, run)).collect();
    let history = (!before.is_empty()).then(|| {
        let rows: Html = before.into_iter().collect();
        html!(r#"<h3>Nights</h3><table class="jobs"><tbody>{}</tbody></table>"#, rows)
    });
    html!(
        r#"<h2>Nightly jobs</h2><table class="jobs"><tbody>{}</tbody></table>{}"#,
        detail.nightly.iter().map(now).collect::<Html>(),
        history.unwrap_or_default()
    )
}

fn night(page: &str, run: &NightlyRun) -> Html {
    let commit = html!(" on <code>{}</code>", part::short(&run.commit));
    let asked = run.asked_by.as_deref().map(|by| html!(", asked for by {}", foreign(by)));
    let note = html!(" · {}{}{}", run.day, commit, asked.unwrap_or_default());
    part::job(page, &run.job, note, None)
}
