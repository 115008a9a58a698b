//! `…/pull/{n}/jobs/{attempt}` and `…/branch/{name}/jobs/{attempt}`: the commands of an attempt with the ends of their logs.
//!
//! Statuses and comments link here, so it works for attempts that newer ones have replaced, too.

mod tail;
mod times;

use axum::extract::{self, State};
use axum::http::StatusCode;
use ci_domain::ids::{AttemptId, PullNumber};

use self::tail::{Excerpt, Query, Tail, Times};
use super::html::{Html, html};
use super::layout::{Failure, Pace, Page, badge, job_badge};
use super::visitor::Visitor;
use super::{ansi, branch, part, pull, repo};
use crate::api::{BranchPath, Named, PullPath};
use crate::ask;
use crate::log::failures_last;
use crate::moment::{date, words};
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Command, Job, JobRun};

/// What the attempt was for.
struct Place {
    title: String,
    trail: Html,
    jobs: Vec<Job>,
}

pub(super) async fn of_pull(
    State(site): State<Site>,
    visitor: Visitor,
    path: Result<PullPath, Problem>,
    attempt: Result<Named<AttemptId>, Problem>,
    extract::Query(query): extract::Query<Query>,
) -> Result<Html, Failure> {
    let (PullPath(repo, number), Named(attempt)) = (path?, attempt?);
    let detail = ask::pull(&site, &repo, number).await?;
    if !is_of(&attempt, number) {
        let text = format!("{attempt} is not an attempt of pull request {number}");
        return Err(Problem::not_found(text).into());
    }
    let title = format!("#{number}");
    let place = Place { title, trail: pull::trail(&repo, number), jobs: detail.jobs };
    show(&site, &visitor, place, (&attempt, Times::of(&query))).await
}

pub(super) async fn of_branch(
    State(site): State<Site>,
    visitor: Visitor,
    path: Result<BranchPath, Problem>,
    attempt: Result<Named<AttemptId>, Problem>,
    extract::Query(query): extract::Query<Query>,
) -> Result<Html, Failure> {
    let (BranchPath(repo, name), Named(attempt)) = (path?, attempt?);
    let view = ask::branch(&site, &repo, &name).await?;
    if !view.owns(&attempt) {
        let text = format!("{attempt} is not an attempt of branch {name}");
        return Err(Problem::not_found(text).into());
    }
    let mut detail = ask::branch_detail(&repo, &view);
    // The latest runs say how they stand, and so do those that are remembered.
    for night in detail.nightly {
        detail.jobs.push(night.job);
        detail.jobs.extend(night.runs.into_iter().map(|run| run.job));
    }
    let trail = html!("{}{}", repo::trail(&repo), branch::trail(&detail.branch));
    let place = Place { title: name.to_string(), trail, jobs: detail.jobs };
    show(&site, &visitor, place, (&attempt, Times::of(&query))).await
}

async fn show(
    site: &Site,
    visitor: &Visitor,
    place: Place,
    (attempt, times): (&AttemptId, Times),
) -> Result<Html, Failure> {
    let job = place.jobs.iter().find(|job| job.attempt.as_deref() == Some(attempt.as_str()));
    let run = match ask::job_run(site, attempt).await {
        Ok(run) => Some(run),
        // It waits for its turn, and has no commands yet.
        Err(problem) if problem.status == StatusCode::NOT_FOUND && job.is_some() => None,
        Err(problem) => return Err(problem.into()),
    };
    let is_live = run.as_ref().is_none_or(|run| !run.ended);
    let name = job.map_or_else(|| "an earlier attempt".to_owned(), |job| job.job.clone());
    let facts = html!("{}{}", facts(attempt, job, run.as_ref()), toggle(times));
    let commands = match run {
        Some(run) => commands(site, run, times).await?,
        None => html!("<p>It has not started yet.</p>"),
    };
    let page = Page {
        title: format!("{name} of {}", place.title),
        trail: html!("{} <span>/</span> {}", place.trail, name),
        pace: if is_live { Pace::Live } else { Pace::Still },
        body: html!("<h1>{}</h1>{}{}", name, facts, commands),
    };
    Ok(page.render(site, visitor))
}

/// Whether the attempt's id is of a build of this pull request: `<repository>-p<number>-b…`.
fn is_of(attempt: &AttemptId, number: PullNumber) -> bool {
    let (_, rest) = attempt.as_str().split_once('-').unwrap_or_default();
    rest.starts_with(&format!("p{number}-b"))
}

fn facts(attempt: &AttemptId, job: Option<&Job>, run: Option<&JobRun>) -> Html {
    let state = job.map(|job| html!("{} {}", job_badge(job.state), part::time(job)));
    let started = run.and_then(|run| run.started_ms);
    let started = started.map(|at| html!(" · started {}", date(at)));
    let log =
        run.map(|run| html!(r#" · <a href="/api/v1/jobs/{}/log">whole log</a>"#, run.attempt));
    html!(
        r#"<p>{}</p><p class="quiet">attempt <code>{}</code>{}{}</p>"#,
        state.unwrap_or_default(),
        attempt,
        started.unwrap_or_default(),
        log.unwrap_or_default()
    )
}

/// The way to the other kind of page, with or without times; no script is needed for that.
fn toggle(times: Times) -> Html {
    match times {
        Times::Hidden => html!(
            "<p class=\"quiet\"><a href=\"?times=shown\">Show when each line was printed</a></p>"
        ),
        Times::Shown => html!("<p class=\"quiet\">Times are UTC. <a href=\"?\">Hide them</a></p>"),
    }
}

/// The commands, those that failed last and open, each with the end of its log.
async fn commands(site: &Site, run: JobRun, times: Times) -> Result<Html, Problem> {
    let commands = failures_last(run.commands);
    let tails = tail::read(site, &commands, times).await?;
    let has_ended = run.ended;
    let pairs = commands.iter().zip(tails);
    Ok(pairs.map(|(command, tail)| show_command(command, &tail, has_ended)).collect())
}

fn show_command(command: &Command, tail: &Tail, has_ended: bool) -> Html {
    let (class, state) = match command.end {
        Some(end) if end.is_success() => ("good", "passed".to_owned()),
        Some(end) => ("bad", end.to_string()),
        None if has_ended => ("broken", "lost".to_owned()),
        None => ("live", "running".to_owned()),
    };
    let time = command.duration_ms.map(words).unwrap_or_default();
    let open = if class == "good" { "" } else { " open" };
    let raw = html!(
        r#"<a href="/api/v1/commands/{}/log">raw log, {} bytes</a>"#,
        command.id,
        command.log_bytes
    );
    let note = match tail {
        Tail::LeftOut => html!("<p class=\"quiet\">Not shown here: {}</p>", raw),
        Tail::Shown(Excerpt { from: 0, .. }) => html!("<p class=\"quiet\">{}</p>", raw),
        Tail::Shown(_) => html!("<p class=\"quiet\">The end of the {}</p>", raw),
    };
    let text = match tail {
        Tail::LeftOut => Html::default(),
        Tail::Shown(excerpt) => {
            let text = ansi::render(&excerpt.bytes, times::margin(excerpt));
            html!("<pre class=\"log\">{}</pre>", text)
        }
    };
    html!(
        r#"<details class="command"{}><summary>{} <code>{}</code> <span class="quiet">{}</span></summary>{}{}</details>"#,
        open,
        badge(class, &state),
        command.title,
        time,
        note,
        text
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_belongs_to_one_pull_request() {
        let attempt: AttemptId = "a1b2c3-p7-b1-2".parse().unwrap();
        assert!(is_of(&attempt, PullNumber(7)));
        assert!(!is_of(&attempt, PullNumber(70)));
        assert!(!is_of(&"a1b2c3-p70-b1-2".parse().unwrap(), PullNumber(7)));
    }
}
