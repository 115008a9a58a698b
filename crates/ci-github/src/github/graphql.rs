//! The GraphQL calls: a whole repository, one pull request, one branch, who we are.

use ci_domain::forge::{PullFacts, RepoSnapshot, Skipped, Timestamp};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber, RepoName};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::GitHub;
use super::auth::Identity;
use super::http::Call;
use super::nodes::{BranchNode, Page, PageInfo, PullNode, ReviewPage, malformed};
use super::pace::Kind;
use super::refusal::UNNAMED_WAIT;
use super::rest::{decode, split};
use crate::forge::{ForgeError, Window};
use crate::moment::{TimestampParser, now};
use ci_domain::secret::Secret;

const SNAPSHOT: &str = concat!(
    include_str!("../../queries/snapshot.graphql"),
    include_str!("../../queries/pull_fields.graphql"),
    include_str!("../../queries/review_page.graphql"),
);
const PULL: &str = concat!(
    include_str!("../../queries/pull.graphql"),
    include_str!("../../queries/pull_fields.graphql"),
    include_str!("../../queries/review_page.graphql"),
);
const BRANCH: &str = include_str!("../../queries/branch.graphql");
const REVIEWS: &str = concat!(
    include_str!("../../queries/reviews.graphql"),
    include_str!("../../queries/review_page.graphql"),
);
const VIEWER: &str = include_str!("../../queries/viewer.graphql");

/// More pages than any repository has; whoever always says "next" is not GitHub.
const MAX_PAGES: usize = 1000;

#[derive(Deserialize)]
struct Reply {
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<Complaint>,
}

#[derive(Deserialize)]
struct Complaint {
    message: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    path: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    limit: u64,
    remaining: u64,
    reset_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotPage {
    default_branch_ref: Option<DefaultBranch>,
    pull_requests: Option<Page>,
    refs: Option<Page>,
}

#[derive(Deserialize)]
struct DefaultBranch {
    name: String,
}

/// What is still to be read of a list.
enum Rest {
    From(Option<String>),
    Nothing,
}

/// Where a question that names a pull request failed.
enum Failure {
    /// There is no such pull request.
    NoPull,
    Error(ForgeError),
}

impl GitHub {
    pub(super) async fn who_am_i(&self) -> Result<Login, ForgeError> {
        match self.who_is(self.who()).await {
            Err(ForgeError::Unauthorized { .. }) => self.who_is(self.who_else()).await,
            other => other,
        }
    }

    async fn who_is(&self, identity: Identity) -> Result<Login, ForgeError> {
        let token = match identity {
            Identity::Token(token) => token,
            Identity::App(app) => return self.app_login(&app).await,
        };
        let data = self.ask(&token, VIEWER, &json!({})).await.map_err(Failure::into_error)?;
        let login = data.pointer("/viewer/login").and_then(Value::as_str);
        Login::new(login.ok_or_else(|| malformed("no viewer.login"))?).map_err(malformed)
    }

    /// Reads every open pull request and every branch, page by page.
    pub(super) async fn read_whole(&self, repo: &RepoName) -> Result<RepoSnapshot, ForgeError> {
        let mut snapshot = RepoSnapshot {
            pulls: Vec::new(),
            branches: Vec::new(),
            default_branch: None,
            skipped: Vec::new(),
        };
        let (mut pulls, mut branches) = (Rest::From(None), Rest::From(None));
        for _ in 0..MAX_PAGES {
            let page = self.snapshot_page(repo, &pulls, &branches).await?;
            if let Some(default) = page.default_branch_ref {
                snapshot.default_branch = Some(BranchName::new(default.name).map_err(malformed)?);
            }
            pulls = Rest::after(page.pull_requests.as_ref())?;
            for node in page.pull_requests.into_iter().flat_map(|page| page.nodes) {
                self.add_pull(repo, node, &mut snapshot).await?;
            }
            branches = Rest::after(page.refs.as_ref())?;
            for node in page.refs.into_iter().flat_map(|page| page.nodes) {
                add_branch(node, &mut snapshot);
            }
            if let (Rest::Nothing, Rest::Nothing) = (&pulls, &branches) {
                return Ok(snapshot);
            }
        }
        Err(malformed("there is no last page"))
    }

    pub(super) async fn read_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<Option<PullFacts>, ForgeError> {
        let variables = json!({ "number": number.0 });
        let data = match self.ask_about(repo, PULL, variables).await {
            Ok(data) => data,
            Err(Failure::NoPull) => return Ok(None),
            Err(Failure::Error(error)) => return Err(error),
        };
        let repository = found(&data, "/repository", repo)?;
        match &repository["pullRequest"] {
            Value::Null => Ok(None),
            node => self.complete(repo, node.clone()).await.map(Some),
        }
    }

    pub(super) async fn read_tip(
        &self,
        repo: &RepoName,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, ForgeError> {
        let variables = json!({ "reference": format!("refs/heads/{branch}") });
        let data = self.ask_about(repo, BRANCH, variables).await.map_err(Failure::into_error)?;
        match &found(&data, "/repository", repo)?["ref"] {
            Value::Null => Ok(None),
            node => {
                let oid = node.pointer("/target/oid").and_then(Value::as_str);
                let oid = oid.ok_or_else(|| malformed("a branch without a commit"))?;
                CommitSha::new(oid).map(Some).map_err(malformed)
            }
        }
    }

    async fn snapshot_page(
        &self,
        repo: &RepoName,
        pulls: &Rest,
        branches: &Rest,
    ) -> Result<SnapshotPage, ForgeError> {
        let variables = json!({
            "readPulls": pulls.is_some(),
            "pullsAfter": pulls.cursor(),
            "readBranches": branches.is_some(),
            "branchesAfter": branches.cursor(),
        });
        let data = self.ask_about(repo, SNAPSHOT, variables).await.map_err(Failure::into_error)?;
        let repository = found(&data, "/repository", repo)?;
        serde_json::from_value(repository.clone()).map_err(malformed)
    }

    /// Adds a pull request, or says why it cannot be read; an error that is not its own ends the snapshot.
    async fn add_pull(
        &self,
        repo: &RepoName,
        node: Value,
        snapshot: &mut RepoSnapshot,
    ) -> Result<(), ForgeError> {
        let what = format!("pull request {}", node["number"]);
        match self.complete(repo, node).await {
            Ok(facts) => snapshot.pulls.push(facts),
            Err(ForgeError::Malformed { reason }) => {
                snapshot.skipped.push(Skipped { what, why: reason });
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The facts of a pull request with all its reviews, read back page by page.
    async fn complete(&self, repo: &RepoName, node: Value) -> Result<PullFacts, ForgeError> {
        let node: PullNode = serde_json::from_value(node).map_err(malformed)?;
        let mut previous = node.reviews.previous();
        let mut facts = node.into_facts()?;
        for _ in 0..MAX_PAGES {
            let Some(before) = previous else { return Ok(facts) };
            let page = self.review_page(repo, facts.number, &before).await?;
            previous = page.previous();
            facts.reviews.splice(0..0, page.into_reviews()?);
        }
        Err(malformed("there is no first page"))
    }

    async fn review_page(
        &self,
        repo: &RepoName,
        number: PullNumber,
        before: &str,
    ) -> Result<ReviewPage, ForgeError> {
        let variables = json!({ "number": number.0, "before": before });
        let data = self.ask_about(repo, REVIEWS, variables).await.map_err(Failure::into_error)?;
        let reviews = found(&data, "/repository/pullRequest/reviews", repo)?;
        serde_json::from_value(reviews.clone()).map_err(malformed)
    }

    /// Asks a question about a repository, which the variables need not name.
    async fn ask_about(
        &self,
        repo: &RepoName,
        query: &str,
        mut variables: Value,
    ) -> Result<Value, Failure> {
        let (owner, name) = split(repo);
        variables["owner"] = Value::from(owner);
        variables["name"] = Value::from(name);
        let token = self.token(repo).await.map_err(Failure::Error)?;
        match self.ask(&token, query, &variables).await {
            Err(Failure::Error(ForgeError::Unauthorized { message })) => {
                match self.other_token(repo, &token).await.map_err(Failure::Error)? {
                    Some(token) => self.ask(&token, query, &variables).await,
                    None => Err(Failure::Error(ForgeError::Unauthorized { message })),
                }
            }
            other => other,
        }
    }

    /// Asks one question. An answer with any error in it is no answer.
    async fn ask(&self, token: &Secret, query: &str, variables: &Value) -> Result<Value, Failure> {
        let body = json!({ "query": query, "variables": variables });
        let call = Call {
            kind: Kind::Graphql,
            method: Method::POST,
            url: self.graphql_url.clone(),
            token,
            body: Some(body),
            tag: None,
        };
        let answer = self.http.send(call).await.map_err(Failure::Error)?;
        let reply: Reply = decode(&answer.body).map_err(Failure::Error)?;
        if let Some(complaint) = reply.errors.first() {
            let spent = self.http.pace.budget().graphql.filter(|window| window.remaining == 0);
            let failure = complaint.failure(spent.map(|window| window.reset_at));
            if let Failure::Error(ForgeError::RateLimited { until }) = failure {
                self.http.pace.close(Kind::Graphql, until);
            }
            return Err(failure);
        }
        let data = reply.data.ok_or_else(|| Failure::Error(malformed("no data")))?;
        if let Some(window) = window(&data) {
            self.http.pace.note(Kind::Graphql, window);
        }
        Ok(data)
    }
}

impl Complaint {
    /// Sorts the complaint by what a caller can do; `until` is when a spent limit ends.
    fn failure(&self, until: Option<Timestamp>) -> Failure {
        let message = self.message.chars().take(500).collect::<String>();
        let error = match self.kind.as_deref() {
            Some("NOT_FOUND") if self.path.last().is_some_and(|field| field == "pullRequest") => {
                return Failure::NoPull;
            }
            Some("NOT_FOUND") => ForgeError::NotFound { what: message },
            Some("RATE_LIMITED" | "RATE_LIMIT") => {
                let unnamed = || Timestamp(now().0.saturating_add(UNNAMED_WAIT));
                ForgeError::RateLimited { until: until.unwrap_or_else(unnamed) }
            }
            Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => ForgeError::Unauthorized { message },
            // GitHub's own failures and time-outs come without a type.
            None | Some("INTERNAL" | "SERVICE_UNAVAILABLE") => {
                ForgeError::Transient { reason: message, retry_after: None }
            }
            Some(_) => ForgeError::Rejected { status: 200, message },
        };
        Failure::Error(error)
    }
}

impl Failure {
    fn into_error(self) -> ForgeError {
        match self {
            Self::NoPull => ForgeError::NotFound { what: "the pull request".to_owned() },
            Self::Error(error) => error,
        }
    }
}

impl Rest {
    fn after(page: Option<&Page>) -> Result<Self, ForgeError> {
        match page.map(|page| &page.page_info) {
            None | Some(PageInfo { has_next_page: false, .. }) => Ok(Self::Nothing),
            Some(PageInfo { end_cursor: Some(cursor), .. }) => Ok(Self::From(Some(cursor.clone()))),
            Some(_) => Err(malformed("another page without a cursor")),
        }
    }

    fn is_some(&self) -> bool {
        matches!(self, Self::From(_))
    }

    fn cursor(&self) -> Option<&str> {
        match self {
            Self::From(cursor) => cursor.as_deref(),
            Self::Nothing => None,
        }
    }
}

fn add_branch(node: Value, snapshot: &mut RepoSnapshot) {
    let what = format!("branch {}", node["name"]);
    let node = serde_json::from_value::<BranchNode>(node).map_err(malformed);
    match node.and_then(BranchNode::into_tip) {
        Ok(tip) => snapshot.branches.push(tip),
        Err(error) => snapshot.skipped.push(Skipped { what, why: error.to_string() }),
    }
}

/// What is at `pointer`; GitHub answers null where a repository is hidden from the token.
fn found<'a>(data: &'a Value, pointer: &str, repo: &RepoName) -> Result<&'a Value, ForgeError> {
    data.pointer(pointer)
        .filter(|value| !value.is_null())
        .ok_or_else(|| ForgeError::NotFound { what: repo.to_string() })
}

/// The rate limit as the answer's body tells it; the headers of GraphQL answers are less exact.
fn window(data: &Value) -> Option<Window> {
    let found = RateLimit::deserialize(data.get("rateLimit")?).ok()?;
    let reset_at = TimestampParser::parse(&found.reset_at).ok()?;
    Some(Window { limit: found.limit, remaining: found.remaining, reset_at })
}
