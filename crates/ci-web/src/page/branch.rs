//! `/{owner}/{repo}/branch/{name}`: how the tip of a branch stands, what runs for it, and what became of
//! earlier pushes and nights.

mod chart;
mod history;

use ci_build::PastBuild;
use ci_domain::subject::Subject;

use super::graph::{self, Graph};
use super::html::{Html, html};
use super::icon::{self, Tone};
use super::layout::{Document, Failure, Pace, Page, foreign};
use super::visitor::Visitor;
use super::{part, repo};
use crate::api::BranchPath;
use crate::ask::{self, Usual};
use crate::problem::Problem;
use crate::seen::Hasty;
use crate::wire::{BranchDetail, BranchSummary, NightlyJob, NightlyRun, VerdictState};

/// Builds that its history shows.
const BUILDS: u64 = 50;

pub(super) async fn show(
    Hasty(site): Hasty,
    visitor: Visitor,
    path: Result<BranchPath, Problem>,
) -> Result<Document, Failure> {
    let BranchPath(repo, name) = path?;
    let detail = ask::branch_detail(&repo, &ask::branch(&site, &repo, &name).await?);
    let subject = Subject::Branch(name.clone());
    let builds = ask::past(&site, &repo, &subject, (detail.last_build, BUILDS)).await?;
    let usual = ask::usual(&site, &repo, None, &builds).await?;
    let page = Page {
        title: format!("{name} of {repo}"),
        trail: html!("{}{}", repo::trail(&repo), trail(&detail.branch)),
        tone: tone(&detail.branch),
        pace: if is_live(&detail.branch) { Pace::Live } else { Pace::Still },
        body: body(&detail, &builds, &usual),
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

fn tone(branch: &BranchSummary) -> Tone {
    match (branch.building, branch.state) {
        (true, VerdictState::Pending) => Tone::Live,
        (_, state) => state.into(),
    }
}

/// One row of a list.
pub(super) fn row(branch: &BranchSummary) -> Html {
    let tone = tone(branch);
    html!(
        r#"<li class="{}">{}<div><a class="name" href="{}">{}</a><p class="said">{}</p></div></li>"#,
        tone.class(),
        icon::telling(tone, branch.state.words()),
        branch.page,
        foreign(&branch.name),
        branch.description
    )
}

fn body(detail: &BranchDetail, builds: &[PastBuild], usual: &Usual) -> Html {
    let branch = &detail.branch;
    let tone = tone(branch);
    let graph = Graph::new(&detail.affected, &detail.depends, &detail.jobs);
    html!(
        r#"<h1>{}</h1>{}<section class="verdict {}" aria-label="Standing">{}<p>{}</p></section>{}<div class="columns"><div class="work"><section>{}</section><section>{}</section><section>{}</section></div><aside><section>{}</section><section>{}</section></aside></div>"#,
        foreign(&branch.name),
        facts(detail),
        tone.class(),
        icon::shape(tone),
        sentence(&branch.description),
        part::findings(&detail.findings, detail.policy_error.as_ref()),
        jobs(detail, usual),
        graph::section(&graph),
        nightly(detail, usual),
        history::charts(builds),
        history::list(&branch.page, detail.build, builds)
    )
}

/// The words of a standing as a sentence.
fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
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

fn jobs(detail: &BranchDetail, usual: &Usual) -> Html {
    if detail.jobs.is_empty() {
        return html!("<h2>Jobs</h2><p>There are none.</p>");
    }
    let table = part::Jobs { page: &detail.branch.page, usual };
    let jobs = part::urgent_first(&detail.jobs).into_iter();
    let rows: Html = jobs.map(|job| table.row(job, "", None)).collect();
    html!(r#"<h2>Jobs</h2><table class="jobs"><tbody>{}</tbody></table>"#, rows)
}

/// What runs at night, and how it went before.
fn nightly(detail: &BranchDetail, usual: &Usual) -> Html {
    if detail.nightly.is_empty() {
        return Html::default();
    }
    let table = part::Jobs { page: &detail.branch.page, usual };
    let now = |night: &NightlyJob| {
        let asked = night.asked_by.as_deref().map(|by| html!(", asked for by {}", foreign(by)));
        table.row(&night.job, html!("{}{}", night.standing, asked.unwrap_or_default()), None)
    };
    let runs = detail.nightly.iter().flat_map(|night| &night.runs);
    let before: Vec<Html> = runs.map(|run| night(&table, run)).collect();
    let list = (!before.is_empty()).then(|| {
        let rows: Html = before.into_iter().collect();
        html!(r#"<h3>Nights</h3><table class="jobs"><tbody>{}</tbody></table>"#, rows)
    });
    html!(
        r#"<h2>Nightly jobs</h2><table class="jobs"><tbody>{}</tbody></table>{}{}"#,
        detail.nightly.iter().map(now).collect::<Html>(),
        detail.nightly.iter().map(history::nights).collect::<Html>(),
        list.unwrap_or_default()
    )
}

fn night(table: &part::Jobs<'_>, run: &NightlyRun) -> Html {
    let commit = html!(" on <code>{}</code>", part::short(&run.commit));
    let asked = run.asked_by.as_deref().map(|by| html!(", asked for by {}", foreign(by)));
    let note = html!("{}{}{}", run.day, commit, asked.unwrap_or_default());
    table.row(&run.job, note, None)
}
