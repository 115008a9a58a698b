//! A forge under test, and people who act on it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ci_domain::code_owners::Owner;
use ci_domain::forge::{CommentId, Head, ReviewState};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use ci_github::fake::{FakeGitHub, FakeRepo, NewPull};
use ci_github::{
    AppKey, Credentials, Forge, GitHub, GitHubConfig, LocalForge, NewLocalPull, Secret,
};
use tempfile::TempDir;

use super::stand_in::StandIn;

/// The forge, and the means to act on it as a person.
pub struct World {
    pub forge: Arc<dyn Forge>,
    pub repo: RepoName,
    /// Commits that exist: the first is the tip of `main`.
    pub commits: Vec<CommitSha>,
    people: People,
    _kept: (Option<StandIn>, Option<TempDir>),
}

enum People {
    Fake(FakeRepo),
    Local(LocalForge),
}

/// A pull request to open: from a branch of that name, of the commit of that index.
pub struct Proposal<'a> {
    pub branch: &'a str,
    pub commit: usize,
    pub draft: bool,
    pub fork: Option<&'a str>,
}

impl World {
    pub fn fake() -> Self {
        let (github, people, commits) = fake();
        Self::new(Arc::new(github), People::Fake(people), commits, (None, None))
    }

    pub async fn github() -> Self {
        Self::over_http(fake(), Credentials::Token(Secret::new(FakeGitHub::TOKEN))).await
    }

    /// GitHub, where we are an app.
    pub async fn app() -> Self {
        let (fake, people, commits) = fake();
        fake.install_app(include_str!("../keys/app.pub.pem"));
        let private_key = Secret::new(include_str!("../keys/app.pem"));
        let key = AppKey { id: "Iv1.abc".to_owned(), private_key };
        Self::over_http((fake, people, commits), Credentials::App(key)).await
    }

    async fn over_http(
        (fake, people, commits): (FakeGitHub, FakeRepo, Vec<CommitSha>),
        credentials: Credentials,
    ) -> Self {
        fake.set_page_size(2);
        let stand_in = StandIn::start(move |request| fake.answer(&request)).await;
        let github = GitHub::new(GitHubConfig {
            api_url: stand_in.url.clone(),
            graphql_url: format!("{}/graphql", stand_in.url),
            credentials,
            timeout: Duration::from_secs(10),
        })
        .unwrap();
        Self::new(Arc::new(github), People::Fake(people), commits, (Some(stand_in), None))
    }

    pub async fn local() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        git(path, &["init", "--quiet", "--bare", "--initial-branch=main", "."]);
        let tree = git(path, &["hash-object", "-t", "tree", "-w", "--stdin"]);
        let commit = |n: u32| git(path, &["commit-tree", "-m", &n.to_string(), &tree]);
        let commits: Vec<_> = (0..4).map(|n| CommitSha::new(commit(n)).unwrap()).collect();
        git(path, &["update-ref", "refs/heads/main", commits[0].as_str()]);
        let forge = LocalForge::open(path.to_owned()).unwrap();
        let people = People::Local(forge.clone());
        Self::new(Arc::new(forge), people, commits, (None, Some(folder)))
    }

    fn new(
        forge: Arc<dyn Forge>,
        people: People,
        commits: Vec<CommitSha>,
        kept: (Option<StandIn>, Option<TempDir>),
    ) -> Self {
        let repo = RepoName::new("acme/shop").unwrap();
        Self { forge, repo, commits, people, _kept: kept }
    }

    pub async fn open(&self, proposal: Proposal<'_>) -> PullNumber {
        let fork = proposal.fork.map(|name| RepoName::new(name).unwrap());
        let head = Head {
            sha: self.commits[proposal.commit].clone(),
            branch: BranchName::new(proposal.branch).unwrap(),
            repo: Some(fork.clone().unwrap_or_else(|| self.repo.clone())),
        };
        let (title, author) = (format!("Add {}", proposal.branch), login("ada"));
        let (base, draft) = (BranchName::new("main").unwrap(), proposal.draft);
        match &self.people {
            People::Fake(repo) => repo.open_pull(NewPull { title, author, head, base, draft }),
            People::Local(local) => {
                let Head { sha: head, branch: head_branch, .. } = head;
                let new = NewLocalPull { title, author, base, head, head_branch, draft, fork };
                local.open_pull(new).await.unwrap()
            }
        }
    }

    pub async fn review(&self, pull: PullNumber, by: &str, approves: bool) {
        match (&self.people, approves) {
            (People::Fake(repo), true) => {
                repo.review(pull, &login(by), ReviewState::Approved);
            }
            (People::Fake(repo), false) => {
                repo.review(pull, &login(by), ReviewState::ChangesRequested);
            }
            (People::Local(local), true) => local.approve(pull, login(by)).await.unwrap(),
            (People::Local(local), false) => local.request_changes(pull, login(by)).await.unwrap(),
        }
    }

    pub async fn comment(&self, pull: PullNumber, by: &str, body: &str) -> CommentId {
        match &self.people {
            People::Fake(repo) => repo.comment(pull, &login(by), body),
            People::Local(local) => local.comment(pull, login(by), body).await.unwrap(),
        }
    }

    pub async fn close(&self, pull: PullNumber) {
        match &self.people {
            People::Fake(repo) => repo.close(pull),
            People::Local(local) => local.close_pull(pull).await.unwrap(),
        }
    }

    pub async fn grant(&self, to: &str) {
        match &self.people {
            People::Fake(repo) => repo.grant(&login(to)),
            People::Local(local) => local.grant(login(to)).await.unwrap(),
        }
    }
}

impl World {
    /// Puts someone into a team, or shows an address; not where there is neither.
    pub fn enrol(&self, who: &str, owner: &str) -> bool {
        let github = self.people_of_github();
        github.inspect(|github| github.enrol(&login(who), &Owner::parse(owner).unwrap())).is_some()
    }

    pub fn expel(&self, who: &str, owner: &str) {
        let github = self.people_of_github().unwrap();
        github.expel(&login(who), &Owner::parse(owner).unwrap());
    }

    fn people_of_github(&self) -> Option<&FakeGitHub> {
        match &self.people {
            People::Fake(repo) => Some(repo.github()),
            People::Local(_) => None,
        }
    }
}

pub fn login(name: &str) -> Login {
    Login::new(name).unwrap()
}

fn fake() -> (FakeGitHub, FakeRepo, Vec<CommitSha>) {
    let commits: Vec<_> =
        ["a", "b", "c", "d"].map(|digit| CommitSha::new(digit.repeat(40)).unwrap()).to_vec();
    let github = FakeGitHub::new();
    let name = RepoName::new("acme/shop").unwrap();
    let repo = github.add_repo(name, BranchName::new("main").unwrap(), commits[0].clone());
    (github, repo, commits)
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .envs([("GIT_AUTHOR_NAME", "ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")])
        .envs([("GIT_COMMITTER_NAME", "ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")])
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
