//! What of a new configuration a running node takes: repositories that are new, what they are granted,
//! queues, and the secrets it shows GitHub or expects of it.

use ci_config::node::{GithubAuth, NodeConfig, Repo};
use ci_domain::ids::RepoName;

/// What the node shows GitHub.
pub(super) const CREDENTIALS: &str = "github credentials";

/// How people sign in.
pub(super) const SIGN_IN: &str = "github.sign_in";

/// Why most keys are refused.
const AT_START: &str = "it is only read at the start";

/// The way from one configuration to another.
#[derive(Debug)]
pub(super) struct Change {
    /// The configuration that holds after it.
    pub(super) holds: NodeConfig,
    /// The keys that were taken, without those of `repos`.
    pub(super) taken: Vec<String>,
    /// The keys that were not, each with the reason.
    pub(super) refused: Vec<String>,
    /// The repositories that are new or are granted something else; their trees are to be started.
    pub(super) repos: Vec<Repo>,
}

impl Change {
    /// From `old` to what can be taken of `new`.
    pub(super) fn between(old: &NodeConfig, new: NodeConfig) -> Self {
        let refused = old.frozen_changes(&new);
        let refused = refused.into_iter().map(|key| format!("{key}: {AT_START}")).collect();
        let mut change = Self { holds: old.clone(), taken: Vec::new(), refused, repos: Vec::new() };
        change.take_github(&new);
        if change.holds.queues != new.queues {
            change.holds.queues = new.queues;
            change.taken.push("queues".to_owned());
        }
        change.take_repos(new.repos);
        change
    }

    fn take_github(&mut self, new: &NodeConfig) {
        let (Some(holds), Some(new)) = (&mut self.holds.github, &new.github) else { return };
        if holds.webhook_secret != new.webhook_secret {
            holds.webhook_secret.clone_from(&new.webhook_secret);
            self.taken.push("github.webhook_secret".to_owned());
        }
        if holds.sign_in != new.sign_in {
            holds.sign_in.clone_from(&new.sign_in);
            self.taken.push(SIGN_IN.to_owned());
        }
        if holds.auth != new.auth && is_same_identity(&holds.auth, &new.auth) {
            holds.auth.clone_from(&new.auth);
            self.taken.push(CREDENTIALS.to_owned());
        }
    }

    fn take_repos(&mut self, new: Vec<Repo>) {
        for old in &self.holds.repos {
            if !new.iter().any(|repo| repo.name == old.name) {
                let why = "it is served until the next start, though the file lacks it";
                self.refused.push(format!("repos {}: {why}", old.name));
            }
        }
        for repo in new {
            match self.holds.repos.iter_mut().find(|old| old.name == repo.name) {
                None => {
                    self.holds.repos.push(repo.clone());
                    self.repos.push(repo);
                }
                Some(old) => {
                    if old.origin != repo.origin {
                        let why = format!("where it lives: {AT_START}");
                        self.refused.push(format!("repos {}: {why}", old.name));
                    }
                    if old.secrets != repo.secrets {
                        old.secrets = repo.secrets;
                        self.repos.push(old.clone());
                    }
                }
            }
        }
    }
}

/// What people read of a repository that was taken.
pub(super) fn key_of(repo: &Repo) -> String {
    format!("repos {}", repo.name)
}

/// Puts a repository back to what it was in `old`.
pub(super) fn undo(holds: &mut NodeConfig, name: &RepoName, old: &NodeConfig) {
    let before = old.repos.iter().find(|repo| repo.name == *name).cloned();
    holds.repos.retain(|repo| repo.name != *name);
    holds.repos.extend(before);
}

fn is_same_identity(old: &GithubAuth, new: &GithubAuth) -> bool {
    match (old, new) {
        (GithubAuth::Token(_), GithubAuth::Token(_)) => true,
        (GithubAuth::App { id: old, .. }, GithubAuth::App { id: new, .. }) => old == new,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use ci_config::source::Source;

    use super::*;

    /// Secrets are what their files are called.
    struct Names;

    impl Source for Names {
        fn env(&self, name: &str) -> Option<String> {
            Some(name.to_owned())
        }

        fn file(&self, path: &Path) -> io::Result<String> {
            Ok(path.display().to_string())
        }
    }

    const GITHUB: &str = "[github]\ntoken = { file = \"token\" }\n";
    const SHOP: &str = "[[repos]]\nname = \"acme/shop\"\n";

    fn parse(text: &str) -> NodeConfig {
        ci_config::parse_node("ci-node.toml", text, &Names).unwrap()
    }

    fn check(old: &str, new: &str, taken: &[&str], refused: &[&str], repos: &[&str]) -> Change {
        let old = parse(&format!("{GITHUB}{SHOP}{old}"));
        let change = Change::between(&old, parse(new));
        assert_eq!(change.taken, taken, "{new}");
        assert_eq!(change.refused, refused, "{new}");
        let names: Vec<_> = change.repos.iter().map(|repo| repo.name.as_str()).collect();
        assert_eq!(names, repos, "{new}");
        change
    }

    #[test]
    fn repositories_queues_and_secrets_are_taken() {
        check("", &format!("{GITHUB}{SHOP}"), &[], &[], &[]);
        let granted = format!("{GITHUB}{SHOP}secrets = {{ KEY = {{ file = \"hex-key\" }} }}\n");
        check("", &granted, &[], &[], &["acme/shop"]);
        let more = format!("{GITHUB}{SHOP}[[repos]]\nname = \"acme/docs\"\n");
        let change = check("", &more, &[], &[], &["acme/docs"]);
        assert_eq!(change.holds, parse(&more));
        let queue = format!("{GITHUB}{SHOP}[queues]\n\"jobs.x\" = {{ concurrency = 1 }}\n");
        assert_eq!(check("", &queue, &["queues"], &[], &[]).holds, parse(&queue));
        let token = format!("[github]\ntoken = {{ file = \"other\" }}\n{SHOP}");
        assert_eq!(check("", &token, &[CREDENTIALS], &[], &[]).holds, parse(&token));
        let sign_in = "sign_in = { client_id = \"Iv1\", client_secret = { file = \"oauth\" } }";
        let sign_in = format!("{GITHUB}{sign_in}\n{SHOP}");
        assert_eq!(check("", &sign_in, &[SIGN_IN], &[], &[]).holds, parse(&sign_in));
        let secret = format!("{GITHUB}webhook_secret = {{ file = \"hook\" }}\n{SHOP}");
        check("", &secret, &["github.webhook_secret"], &[], &[]);
    }

    #[test]
    fn all_else_is_refused_by_name_and_stays_as_it_was() {
        let docs = "[[repos]]\nname = \"acme/docs\"\n";
        let gone = "repos acme/docs: it is served until the next start, though the file lacks it";
        let change = check(docs, &format!("{GITHUB}{SHOP}"), &[], &[gone], &[]);
        assert_eq!(change.holds.repos.len(), 2);
        let elsewhere = format!("{GITHUB}{SHOP}clone_url = \"https://example.com/x\"\n");
        let why = "repos acme/shop: where it lives: it is only read at the start";
        check("", &elsewhere, &[], &[why], &[]);
        let app = format!("[github.app]\nid = 7\nprivate_key = {{ file = \"key\" }}\n{SHOP}");
        let change = check("", &app, &[], &["github.app: it is only read at the start"], &[]);
        assert!(matches!(change.holds.github.unwrap().auth, GithubAuth::Token(_)));
        let name = format!("name = \"other\"\n{GITHUB}{SHOP}[runner]\npids = 7\n");
        let why = ["name: it is only read at the start", "runner: it is only read at the start"];
        let change = check("", &name, &[], &why, &[]);
        assert_eq!(change.holds.name, "ci-node");
    }

    #[test]
    fn what_did_not_work_is_undone() {
        let (old, new) = (
            parse(&format!("{GITHUB}{SHOP}")),
            format!("{GITHUB}{SHOP}[[repos]]\nname = \"a/b\"\n"),
        );
        let Change { mut holds, repos, .. } = Change::between(&old, parse(&new));
        undo(&mut holds, &repos[0].name, &old);
        assert_eq!(holds, old);
    }
}
