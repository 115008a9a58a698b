//! `/{owner}/{repo}/pull/{n}`: whether it can be merged, why not, and what runs for it.

mod heads;
mod verdict;

use std::sync::Arc;

use ci_build::PastBuild;
use ci_domain::ids::{PullNumber, RepoName};
use ci_domain::subject::Subject;

use super::act::{self, Button};
use super::graph::{self, Graph};
use super::html::{Html, html};
use super::icon::{self, Tone};
use super::layout::{Document, Failure, Pace, Page, foreign};
use super::time::ago;
use super::visitor::Visitor;
use super::{part, repo, tests};
use crate::api::PullPath;
use crate::ask::{self, Usual};
use crate::problem::Problem;
use crate::seen::Hasty;
use crate::wire::{Job, JobState, JobTests, PullDetail, PullSummary, Unmet, VerdictState};

/// Builds that its history shows.
const BUILDS: u64 = 25;

/// What its page shows besides what is known of it now.
struct History {
    builds: Arc<Vec<PastBuild>>,
    usual: Usual,
    tests: Vec<JobTests>,
}

pub(super) async fn show(
    Hasty(site): Hasty,
    visitor: Visitor,
    path: Result<PullPath, Problem>,
) -> Result<Document, Failure> {
    let PullPath(repo, number) = path?;
    let detail = ask::pull(&site, &repo, number).await?;
    let last = (detail.last_build, BUILDS);
    let builds = ask::past(&site, &repo, &Subject::Pull(number), last).await?;
    let usual = ask::usual(&site, &repo, detail.pull.base.as_deref(), &builds).await?;
    let tests = ask::tests(&site, &repo, &detail).await?;
    let proof = visitor.proof();
    let awaits = detail.pull.ended.is_none() && detail.pull.state == VerdictState::Pending;
    let is_live = detail.pull.building || awaits;
    let page = Page {
        title: format!("#{number} {}", title(&detail.pull)),
        trail: trail(&repo, number),
        tone: tone(&detail.pull),
        pace: if is_live { Pace::Live } else { Pace::Still },
        body: body(&detail, &History { builds, usual, tests }, proof.as_deref()),
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

fn tone(pull: &PullSummary) -> Tone {
    match (pull.ended, pull.building, pull.state) {
        (Some(_), ..) => Tone::Mute,
        (None, true, VerdictState::Pending) => Tone::Live,
        (None, _, state) => state.into(),
    }
}

fn page_of(pull: &PullSummary) -> String {
    format!("/{}/pull/{}", pull.repo, pull.number)
}

fn body(detail: &PullDetail, history: &History, proof: Option<&str>) -> Html {
    let pull = &detail.pull;
    let page = page_of(pull);
    let graph = Graph::new(&detail.affected, &detail.depends, &detail.jobs);
    html!(
        r#"<h1>{} <small>#{}</small></h1>{}{}<div class="columns"><div class="work">{}<section>{}</section>{}<section>{}</section></div><aside><section class="lead">{}</section><section>{}</section></aside></div>"#,
        foreign(title(pull)),
        pull.number,
        facts(detail),
        banner(detail, proof),
        part::findings(&detail.findings, detail.policy_error.as_ref()),
        jobs(detail, history, proof),
        tests::section(&page, &history.tests),
        graph::section(&graph),
        unmet(&detail.unmet),
        heads::section(&page, detail, &history.builds)
    )
}

fn facts(detail: &PullDetail) -> Html {
    let pull = &detail.pull;
    let short = part::short;
    let author = pull.author.as_deref().map(|author| html!("by {}", foreign(author)));
    let base = pull.base.as_deref().map(|base| html!(" into {}", foreign(base)));
    let opened = pull.opened_ms.map(|at| html!(" · opened {}", ago(at)));
    let head = pull.head.as_deref().map(|head| html!(" · head <code>{}</code>", short(head)));
    let merge = detail.merge.as_deref();
    let merge = merge.map(|merge| html!(", built as merge <code>{}</code>", short(merge)));
    let build = detail.build.map(|build| html!(" · build {}", build));
    let draft = if pull.draft { " · draft" } else { "" };
    let parts = [author, base, opened, head, merge, build].into_iter().flatten();
    html!(r#"<p class="quiet">{}{}</p>"#, parts.collect::<Html>(), draft)
}

/// The verdict as a sentence, with what can be done about it.
fn banner(detail: &PullDetail, proof: Option<&str>) -> Html {
    let pull = &detail.pull;
    let tone = tone(pull);
    html!(
        r#"<section class="verdict {}" aria-label="Verdict">{}<p>{}</p>{}</section>"#,
        tone.class(),
        icon::shape(tone),
        verdict::sentence(pull.state, &pull.description, pull.ended),
        proof.map(|proof| actions(detail, proof)).unwrap_or_default()
    )
}

fn actions(detail: &PullDetail, proof: &str) -> Html {
    let page = page_of(&detail.pull);
    let any = |is_meant: fn(JobState) -> bool| detail.jobs.iter().any(|job| is_meant(job.state));
    let leave = detail.pull.head.as_deref().filter(|_| detail.awaits_leave);
    let buttons = [
        leave.map(|head| Button::Leave { head }),
        any(is_retriable).then_some(Button::Retry(None)),
        any(JobState::is_under_way).then_some(Button::Cancel(None)),
    ];
    let forms = buttons.into_iter().flatten().map(|button| act::form(&page, proof, button));
    html!(r#"<div class="actions">{}</div>"#, forms.collect::<Html>())
}

fn unmet(unmet: &[Unmet]) -> Html {
    if unmet.is_empty() {
        return Html::default();
    }
    let one = |unmet: &Unmet| {
        let (condition, met_by) = (part::marked(&unmet.condition), part::marked(&unmet.met_by));
        html!(r#"<li><strong>{}</strong><br>needs {}</li>"#, condition, met_by)
    };
    let all: Html = unmet.iter().map(one).collect();
    html!(r#"<h2>What is missing</h2><div class="sheet"><ol class="why">{}</ol></div>"#, all)
}

fn jobs(detail: &PullDetail, history: &History, proof: Option<&str>) -> Html {
    let page = page_of(&detail.pull);
    if detail.jobs.is_empty() {
        return html!("<h2>Jobs</h2><p>There are none.</p>");
    }
    let table = part::Jobs { page: &page, usual: &history.usual };
    let row = |job: &Job| {
        let button = match job.state {
            state if state.is_under_way() => Some(Button::Cancel(Some(&job.job))),
            state if is_retriable(state) => Some(Button::Retry(Some(&job.job))),
            _ => None,
        };
        let form = proof.zip(button).map(|(proof, button)| act::form(&page, proof, button));
        table.row(job, if job.required { "" } else { "optional" }, form)
    };
    let rows: Html = part::urgent_first(&detail.jobs).into_iter().map(row).collect();
    html!(r#"<h2>Jobs</h2><table class="jobs"><tbody>{}</tbody></table>"#, rows)
}

fn is_retriable(state: JobState) -> bool {
    matches!(state, JobState::Failed | JobState::Crashed | JobState::Cancelled)
}
