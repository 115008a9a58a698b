//! What GitHub says: who we are there, what we may do, what time it is, and who else writes our statuses.

use std::time::SystemTime;

use ci_config::node::{Github, NodeConfig, Origin, Repo};
use ci_domain::forge::Timestamp;
use ci_domain::wording::umbrella_context;
use ci_github::webhook::EVENTS;
use ci_github::{Answered, Examination, Forge, ForgeError, GitHub, Grant, Permission};

use super::Finding;
use crate::compose::github_client;

/// An app's claims are refused when our clock is further off, in seconds.
const CLOCK_LIMIT: u64 = 60;
/// How many open pull requests are looked at for statuses of another writer, the newest.
const PULLS_LOOKED_AT: usize = 5;

/// Looks at GitHub for each repository that lives there.
pub(super) async fn check(config: &NodeConfig, settings: &Github) -> Vec<Finding> {
    let github = match github_client(settings) {
        Ok(github) => github,
        Err(error) => {
            let words = format!("{error:#}");
            return vec![Finding::fail("GitHub", words, "see [github] in the configuration")];
        }
    };
    let mut findings = vec![identity(&github, settings).await];
    let on_github = |repo: &&Repo| matches!(repo.origin, Origin::Github { .. });
    for repo in config.repos.iter().filter(on_github) {
        match github.examine(&repo.name).await {
            Ok(found) => {
                findings.push(permissions(repo, settings, &found));
                findings.extend(lacks(repo, settings, &found));
                findings.extend(found.clock.map(|theirs| clock(theirs, now())));
                findings.extend(hook(repo, config, &found));
                findings.push(other_writer(&github, repo, config).await);
            }
            Err(error) => findings.push(unreadable(repo, &error)),
        }
    }
    findings.dedup();
    findings
}

async fn identity(github: &GitHub, settings: &Github) -> Finding {
    match github.identity().await {
        Ok(login) => Finding::ok("GitHub", format!("{} knows us as {login}", settings.api_url)),
        Err(error) => Finding::failed("GitHub", &error, remedy(&error)),
    }
}

fn remedy(error: &ForgeError) -> &'static str {
    match error {
        ForgeError::Unauthorized { .. } => "give the node another token ([github] token)",
        ForgeError::RateLimited { .. } => "wait; the token is used up by this node or another",
        ForgeError::NotFound { .. } => "see [github] api_url and the name of the repository",
        ForgeError::Transient { .. }
        | ForgeError::Rejected { .. }
        | ForgeError::Malformed { .. } => "see [github] api_url, the network and the proxy",
    }
}

fn unreadable(repo: &Repo, error: &ForgeError) -> Finding {
    let remedy = match error {
        ForgeError::NotFound { .. } | ForgeError::Unauthorized { .. } => {
            "let the token or the app have this repository, with `Metadata: read`"
        }
        other => remedy(other),
    };
    Finding::failed(format!("permissions of {}", repo.name), error, remedy)
}

/// One finding for all permissions: the missing ones, or that none is.
fn permissions(repo: &Repo, settings: &Github, found: &Examination) -> Finding {
    let subject = format!("permissions of {}", repo.name);
    let missing = missing(found, |permission| permission.without().is_none());
    if !missing.is_empty() {
        return Finding::fail(subject, missing, "grant them to the token or the app");
    }
    let untested = found.grants.iter().filter(|g| matches!(g.answer, Answered::Untested { .. }));
    let untested: Vec<_> = untested.map(|grant| format!("`{}`", grant.permission)).collect();
    let untested = untested.join(", ");
    match (settings.write, untested.is_empty()) {
        (false, _) => Finding::warn(
            subject,
            "nothing is written ([github] write = false)",
            "set it to true to go live",
        ),
        (true, true) => Finding::ok(subject, "all that is needed"),
        (true, false) => Finding::warn(
            subject,
            format!("{untested} could not be tried"),
            "try again when there is a pull request",
        ),
    }
}

/// One finding for what the node can do without, where it must.
fn lacks(repo: &Repo, settings: &Github, found: &Examination) -> Option<Finding> {
    let missing = missing(found, |permission| permission.without().is_some());
    let is_told = settings.write && !missing.is_empty();
    let remedy = "grant them to the token or the app, or do without";
    is_told.then(|| Finding::warn(format!("permissions of {}", repo.name), missing, remedy))
}

/// The missing permissions of those that are meant, with what GitHub said or what does not work.
fn missing(found: &Examination, is_meant: impl Fn(Permission) -> bool) -> String {
    let words = |grant: &Grant| match &grant.answer {
        Answered::Missing { message } if is_meant(grant.permission) => {
            let lost = grant.permission.without().map(|lost| format!(", so {lost}"));
            let lost = lost.unwrap_or_default();
            Some(format!("`{}` missing ({message}){lost}", grant.permission))
        }
        _ => None,
    };
    found.grants.iter().filter_map(words).collect::<Vec<_>>().join("; ")
}

fn clock(theirs: Timestamp, ours: Timestamp) -> Finding {
    let off = theirs.0.abs_diff(ours.0);
    if off <= CLOCK_LIMIT {
        return Finding::ok("clock", format!("within {CLOCK_LIMIT} s of GitHub's"));
    }
    let words =
        format!("{off} s off GitHub's, which refuses an app's claims beyond {CLOCK_LIMIT} s");
    Finding::fail("clock", words, "synchronize this machine's clock (timedatectl set-ntp true)")
}

/// What is wrong with the webhook of `repo`; nothing is said where it may not be looked at.
fn hook(repo: &Repo, config: &NodeConfig, found: &Examination) -> Option<Finding> {
    let hooks = found.hooks.as_ref().ok()?;
    let subject = format!("webhook of {}", repo.name);
    let wanted = super::webhook::address(config);
    let Some(hook) = hooks.iter().find(|hook| hook.url == wanted && hook.active) else {
        let words = format!("none delivers to {wanted}, so news waits for the next poll");
        return Some(Finding::warn(subject, words, "add it as `ci-node init` says"));
    };
    let delivers = |event: &&str| hook.events.iter().any(|one| one == *event || one == "*");
    let wanted = EVENTS.iter().map(|(name, _)| *name);
    let missing: Vec<&str> = wanted.filter(|event| !delivers(event)).collect();
    if !missing.is_empty() {
        let words = format!("it does not deliver {}", missing.join(", "));
        return Some(Finding::warn(subject, words, "tick them in the webhook's settings"));
    }
    match hook.last_status {
        Some(status) if !(200..300).contains(&status) => {
            let words = format!("its last delivery was answered with {status}");
            Some(Finding::warn(subject, words, "see Recent Deliveries in the webhook's settings"))
        }
        _ => Some(Finding::ok(subject, "delivers what is needed")),
    }
}

/// Whether somebody else sets the statuses that are ours: another node of the same name.
async fn other_writer(github: &GitHub, repo: &Repo, config: &NodeConfig) -> Finding {
    let subject = format!("statuses of {}", repo.name);
    let context = umbrella_context(&config.name);
    let unknown = |error: &ForgeError| {
        Finding::warn(subject.clone(), super::failed_to(error), "see the findings above")
    };
    let pulls = match github.snapshot(&repo.name).await {
        Ok(snapshot) => snapshot.pulls,
        Err(error) => return unknown(&error),
    };
    for pull in pulls.iter().rev().take(PULLS_LOOKED_AT) {
        let statuses = match github.statuses(&repo.name, &pull.head.sha).await {
            Ok(statuses) => statuses,
            Err(error) => return unknown(&error),
        };
        let ours = statuses.into_iter().filter(|status| status.context == context);
        for address in ours.filter_map(|status| status.target_url) {
            if !address.starts_with(&format!("{}/", config.public_url)) {
                let words = format!(
                    "{context} of pull request {} leads to {address}, which is not this node",
                    pull.number
                );
                let remedy = "give one of the two nodes another `name`, or stop it";
                return Finding::fail(subject, words, remedy);
            }
        }
    }
    Finding::ok(subject, format!("nobody else sets {context}"))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_secs())
}
