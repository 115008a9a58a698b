//! Whether GitHub's deliveries can reach the node.

use std::time::Duration;

use ci_config::node::{Github, NodeConfig};

use super::Finding;

/// Whoever takes longer to say that he is there is not.
const LIMIT: Duration = Duration::from_secs(10);
const PATH: &str = "/webhooks/github";

/// Where GitHub delivers to.
pub(super) fn address(config: &NodeConfig) -> String {
    format!("{}{PATH}", config.public_url)
}

/// Looks at the secret, and whether a node answers at the public address.
pub(super) async fn check(config: &NodeConfig, settings: &Github) -> Vec<Finding> {
    let mut findings = Vec::new();
    if settings.webhook_secret.is_none() {
        let words =
            "without [github] webhook_secret no delivery is taken, and news waits for the poll";
        let remedy = "make one (openssl rand -hex 32), and give it to the webhook and the node";
        findings.push(Finding::warn("webhook secret", words, remedy));
    }
    findings.push(reachable(config).await);
    findings
}

async fn reachable(config: &NodeConfig) -> Finding {
    let subject = "public address";
    let url = format!("{}/healthz", config.public_url);
    let remedy = "start the node, and see to [http] public_url, the proxy and its certificate";
    let client = match reqwest::Client::builder().timeout(LIMIT).build() {
        Ok(client) => client,
        Err(error) => return Finding::failed(subject, &error, remedy),
    };
    match client.get(&url).send().await {
        Ok(answer) if answer.status().is_success() => {
            Finding::ok(subject, format!("{} answers, seen from here", config.public_url))
        }
        Ok(answer) => {
            let words = format!("{url} answers with {}", answer.status().as_u16());
            Finding::warn(subject, words, remedy)
        }
        Err(error) => {
            let words = format!("{url} does not answer: {}", super::chain(&error.without_url()));
            Finding::warn(subject, words, remedy)
        }
    }
}
