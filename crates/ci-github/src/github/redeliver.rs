//! Deliveries of webhooks that failed, made again: a poll finds out what they told of pull requests,
//! but nobody hears again that somebody pressed a button.

use std::collections::HashMap;
use std::sync::Arc;

use ci_domain::forge::Timestamp;
use ci_domain::ids::RepoName;
use reqwest::header::LINK;
use reqwest::{Method, Url};
use serde::Deserialize;

use super::GitHub;
use super::app::App;
use super::auth::Identity;
use super::http::Answer;
use super::rest::decode;
use crate::forge::ForgeError;
use crate::moment::TimestampParser;

/// How many pages of deliveries are looked through; more have piled up than the node needs to hear.
const MAX_PAGES: usize = 10;

/// Whose deliveries they are.
enum Hook {
    /// Of the app, for all its repositories.
    App(Arc<App>),
    /// Of a repository's own webhook.
    Repo(Url),
}

#[derive(Deserialize)]
struct HookNode {
    id: u64,
    active: bool,
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
struct DeliveryNode {
    id: u64,
    /// The same for all attempts at one delivery.
    guid: String,
    delivered_at: String,
    status_code: u64,
}

impl GitHub {
    /// Has every delivery to `url` made again that failed since then and was not made since.
    pub(super) async fn redeliver_failed(
        &self,
        repo: &RepoName,
        url: &str,
        since: Timestamp,
    ) -> Result<usize, ForgeError> {
        let Some(hook) = self.hook(repo, url).await? else { return Ok(0) };
        let failed = self.failed_deliveries(repo, &hook, since).await?;
        for id in &failed {
            let place = deeper(&self.deliveries(&hook), &[&id.to_string(), "attempts"]);
            self.call_hook(repo, &hook, Method::POST, place).await?;
        }
        Ok(failed.len())
    }

    async fn hook(&self, repo: &RepoName, url: &str) -> Result<Option<Hook>, ForgeError> {
        if let Identity::App(app) = self.who() {
            return Ok(Some(Hook::App(app)));
        }
        let hooks: Vec<HookNode> = self.list(repo, self.repo_url(repo, &["hooks"])).await?;
        let ours = hooks.into_iter().find(|hook| hook.active && hook.config.url == url);
        Ok(ours.map(|hook| Hook::Repo(self.repo_url(repo, &["hooks", &hook.id.to_string()]))))
    }

    /// The newest attempt at each delivery that never succeeded, the oldest first.
    async fn failed_deliveries(
        &self,
        repo: &RepoName,
        hook: &Hook,
        since: Timestamp,
    ) -> Result<Vec<u64>, ForgeError> {
        let (mut newest, mut delivered) = (Vec::new(), HashMap::new());
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut place = self.deliveries(hook);
            place.query_pairs_mut().append_pair("per_page", "100");
            place.query_pairs_mut().extend_pairs(cursor.map(|cursor| ("cursor", cursor)));
            let answer = self.call_hook(repo, hook, Method::GET, place).await?;
            let page: Vec<DeliveryNode> = decode(&answer.body)?;
            let is_last = page.last().is_none_or(|oldest| {
                TimestampParser::parse(&oldest.delivered_at).is_ok_and(|at| at < since)
            });
            for node in page {
                if TimestampParser::parse(&node.delivered_at).is_ok_and(|at| at < since) {
                    break;
                }
                let is_delivered = (200..300).contains(&node.status_code);
                match delivered.get_mut(&node.guid) {
                    Some(was) => *was |= is_delivered,
                    None => {
                        newest.push((node.id, node.guid.clone()));
                        delivered.insert(node.guid, is_delivered);
                    }
                }
            }
            cursor = next_cursor(&answer);
            if is_last || cursor.is_none() {
                break;
            }
        }
        let failed = newest.into_iter().filter(|(_, guid)| !delivered[guid]);
        Ok(failed.rev().map(|(id, _)| id).collect())
    }

    fn deliveries(&self, hook: &Hook) -> Url {
        match hook {
            Hook::App(_) => self.api(&["app", "hook", "deliveries"]),
            Hook::Repo(hook) => deeper(hook, &["deliveries"]),
        }
    }

    async fn call_hook(
        &self,
        repo: &RepoName,
        hook: &Hook,
        method: Method,
        url: Url,
    ) -> Result<Answer, ForgeError> {
        match hook {
            Hook::App(app) => self.send_as_app(app, method, url).await,
            Hook::Repo(_) => self.rest(repo, method, url, None).await,
        }
    }
}

fn deeper(url: &Url, below: &[&str]) -> Url {
    let mut url = url.clone();
    url.path_segments_mut().expect("an http URL has a path").extend(below);
    url
}

/// Where the next page begins, as the link to it says.
fn next_cursor(answer: &Answer) -> Option<String> {
    let links = answer.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let next =
        links.flat_map(|links| links.split(',')).find(|link| link.contains("rel=\"next\""))?;
    let url: Url = next.split(['<', '>']).nth(1)?.parse().ok()?;
    url.query_pairs().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned())
}
