//! The REST calls: statuses, comments, reactions, permissions.

use ci_domain::code_owners::Owner;
use ci_domain::forge::{
    Comment, CommentId, PullComment, Reaction, StatusState, StatusWrite, Timestamp,
};
use ci_domain::ids::{CommitSha, Login, PullNumber, RepoName};
use ci_domain::secret::Secret;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::GitHub;
use super::conditional::Purpose;
use super::http::{Answer, Call};
use super::nodes::{CommentNode, malformed};
use super::pace::Kind;
use crate::forge::ForgeError;
use crate::moment::TimestampParser;

/// The largest page that GitHub gives.
const PAGE_SIZE: &str = "100";
/// More pages than any conversation has; whoever always says "next" is not GitHub.
const MAX_PAGES: usize = 1000;

#[derive(Deserialize)]
struct Created {
    id: u64,
}

/// What GitHub calls the combined status of a commit, of which only the parts count here.
#[derive(Deserialize)]
struct Combined {
    statuses: Vec<StatusNode>,
}

#[derive(Deserialize)]
struct StatusNode {
    context: String,
    state: String,
    description: Option<String>,
    target_url: Option<String>,
}

#[derive(Deserialize)]
struct Permission {
    permission: String,
}

#[derive(Deserialize)]
struct Membership {
    state: String,
}

#[derive(Deserialize)]
struct Account {
    email: Option<String>,
}

impl GitHub {
    pub(super) async fn post_status(
        &self,
        repo: &RepoName,
        sha: &CommitSha,
        status: &StatusWrite,
    ) -> Result<(), ForgeError> {
        let mut body = json!({
            "state": status.state.as_str(),
            "description": status.description,
            "context": status.context,
        });
        if let Some(target_url) = &status.target_url {
            body["target_url"] = Value::from(target_url.as_str());
        }
        let url = self.repo_url(repo, &["statuses", sha.as_str()]);
        self.write(repo, Method::POST, url, body).await.map(drop)
    }

    pub(super) async fn list_statuses(
        &self,
        repo: &RepoName,
        sha: &CommitSha,
    ) -> Result<Vec<StatusWrite>, ForgeError> {
        let url = self.repo_url(repo, &["commits", sha.as_str(), "status"]);
        let entries = |page: Combined| page.statuses;
        let nodes = self.pages(repo, url, entries).await?;
        Ok(nodes.into_iter().filter_map(StatusNode::into_status).collect())
    }

    pub(super) async fn list_comments(
        &self,
        repo: &RepoName,
        pull: PullNumber,
    ) -> Result<Vec<Comment>, ForgeError> {
        let url = self.repo_url(repo, &["issues", &pull.to_string(), "comments"]);
        let nodes: Vec<CommentNode> = self.list(repo, url).await?;
        nodes.into_iter().map(CommentNode::into_comment).collect()
    }

    pub(super) async fn list_recent_comments(
        &self,
        repo: &RepoName,
        since: Timestamp,
    ) -> Result<Vec<PullComment>, ForgeError> {
        let mut url = self.repo_url(repo, &["issues", "comments"]);
        // `since` is about the last edit; in order of creation no edit moves a comment between pages.
        url.query_pairs_mut()
            .append_pair("sort", "created")
            .append_pair("direction", "asc")
            .append_pair("since", &TimestampParser::format(since));
        let nodes: Vec<CommentNode> = self.list_again(repo, Purpose::Comments, url).await?;
        let mut found = Vec::new();
        for node in nodes.into_iter().filter(|node| !node.is_edited()) {
            let pull = node.pull().ok_or_else(|| malformed("a comment without an issue"))?;
            found.push(PullComment { pull, comment: node.into_comment()? });
        }
        found.retain(|found| found.comment.created_at >= since);
        Ok(found)
    }

    pub(super) async fn list_commit_comments(
        &self,
        repo: &RepoName,
        sha: &CommitSha,
    ) -> Result<Vec<Comment>, ForgeError> {
        let url = self.repo_url(repo, &["commits", sha.as_str(), "comments"]);
        let nodes: Vec<CommentNode> = self.list(repo, url).await?;
        nodes.into_iter().map(CommentNode::into_comment).collect()
    }

    pub(super) async fn post_comment(
        &self,
        repo: &RepoName,
        pull: PullNumber,
        body: &str,
    ) -> Result<CommentId, ForgeError> {
        let url = self.repo_url(repo, &["issues", &pull.to_string(), "comments"]);
        self.create(repo, url, json!({ "body": body })).await
    }

    pub(super) async fn post_commit_comment(
        &self,
        repo: &RepoName,
        sha: &CommitSha,
        body: &str,
    ) -> Result<CommentId, ForgeError> {
        let url = self.repo_url(repo, &["commits", sha.as_str(), "comments"]);
        self.create(repo, url, json!({ "body": body })).await
    }

    pub(super) async fn patch_comment(
        &self,
        repo: &RepoName,
        comment: CommentId,
        body: &str,
    ) -> Result<(), ForgeError> {
        let url = self.repo_url(repo, &["issues", "comments", &comment.0.to_string()]);
        self.write(repo, Method::PATCH, url, json!({ "body": body })).await.map(drop)
    }

    pub(super) async fn post_reaction(
        &self,
        repo: &RepoName,
        comment: CommentId,
        reaction: Reaction,
    ) -> Result<(), ForgeError> {
        let id = comment.0.to_string();
        let url = self.repo_url(repo, &["issues", "comments", &id, "reactions"]);
        let body = json!({ "content": reaction_name(reaction) });
        self.write(repo, Method::POST, url, body).await.map(drop)
    }

    /// A person GitHub does not know may not write; so may nobody where the repository is hidden.
    pub(super) async fn read_permission(
        &self,
        repo: &RepoName,
        login: &Login,
    ) -> Result<bool, ForgeError> {
        let url = self.repo_url(repo, &["collaborators", login.as_str(), "permission"]);
        match self.rest(repo, Method::GET, url, None).await {
            Ok(answer) => {
                let found: Permission = decode(&answer.body)?;
                Ok(matches!(found.permission.as_str(), "admin" | "maintain" | "write"))
            }
            Err(ForgeError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Members of teams within a team are its members. Whoever has been invited and has not come is none,
    /// and neither is anybody of a team that is hidden from us.
    pub(super) async fn read_belonging(
        &self,
        repo: &RepoName,
        login: &Login,
        owner: &Owner,
    ) -> Result<bool, ForgeError> {
        let url = match owner {
            Owner::Person(_) => return Ok(owner.is(login) == Some(true)),
            Owner::Team { organization, team } => {
                self.api(&["orgs", organization, "teams", team, "memberships", login.as_str()])
            }
            Owner::Email(_) => self.api(&["users", login.as_str()]),
        };
        let answer = match self.rest(repo, Method::GET, url, None).await {
            Ok(answer) => answer,
            Err(ForgeError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(match owner {
            Owner::Email(address) => {
                let shown = decode::<Account>(&answer.body)?.email;
                shown.is_some_and(|shown| shown.eq_ignore_ascii_case(address))
            }
            _ => decode::<Membership>(&answer.body)?.state == "active",
        })
    }

    /// The address of something below `repo`.
    pub(super) fn repo_url(&self, repo: &RepoName, rest: &[&str]) -> Url {
        let (owner, name) = split(repo);
        let mut segments = vec!["repos", owner, name];
        segments.extend(rest);
        self.api(&segments)
    }

    /// The address of something below the API's root; each segment is escaped.
    pub(super) fn api(&self, segments: &[&str]) -> Url {
        let mut url = self.api_url.clone();
        url.path_segments_mut().expect("an http URL has a path").pop_if_empty().extend(segments);
        url
    }

    async fn create(
        &self,
        repo: &RepoName,
        url: Url,
        body: Value,
    ) -> Result<CommentId, ForgeError> {
        let answer = self.write(repo, Method::POST, url, body).await?;
        Ok(CommentId(decode::<Created>(&answer.body)?.id))
    }

    async fn write(
        &self,
        repo: &RepoName,
        method: Method,
        url: Url,
        body: Value,
    ) -> Result<Answer, ForgeError> {
        self.rest(repo, method, url, Some(body)).await
    }

    /// Reads all pages of a plain list.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        repo: &RepoName,
        url: Url,
    ) -> Result<Vec<T>, ForgeError> {
        self.pages(repo, url, |page: Vec<T>| page).await
    }

    /// Reads all pages of a plain list that is read time and again.
    async fn list_again<T: DeserializeOwned>(
        &self,
        repo: &RepoName,
        purpose: Purpose,
        url: Url,
    ) -> Result<Vec<T>, ForgeError> {
        let first = self.read_again(repo, purpose, page_of(&url, 1)).await?;
        self.rest_of_pages(repo, url, first, |page: Vec<T>| page).await
    }

    /// Reads all pages, taking out of each what it lists.
    pub(super) async fn pages<P: DeserializeOwned, T>(
        &self,
        repo: &RepoName,
        url: Url,
        entries: impl Fn(P) -> Vec<T> + Send,
    ) -> Result<Vec<T>, ForgeError> {
        let first = self.rest(repo, Method::GET, page_of(&url, 1), None).await?;
        self.rest_of_pages(repo, url, first, entries).await
    }

    /// What the first page lists and all that follow.
    async fn rest_of_pages<P: DeserializeOwned, T>(
        &self,
        repo: &RepoName,
        url: Url,
        first: Answer,
        entries: impl Fn(P) -> Vec<T> + Send,
    ) -> Result<Vec<T>, ForgeError> {
        let (mut answer, mut found) = (first, Vec::new());
        for page in 2..=MAX_PAGES {
            found.append(&mut entries(decode(&answer.body)?));
            if !answer.has_next() {
                return Ok(found);
            }
            answer = self.rest(repo, Method::GET, page_of(&url, page), None).await?;
        }
        Err(malformed("there is no last page"))
    }

    pub(super) async fn rest(
        &self,
        repo: &RepoName,
        method: Method,
        url: Url,
        body: Option<Value>,
    ) -> Result<Answer, ForgeError> {
        self.rest_tagged(repo, (method, url, body), None).await
    }

    /// Makes a call with the tag of an earlier answer, if there is one; where the token is refused and
    /// there is another by now, with that one.
    pub(super) async fn rest_tagged(
        &self,
        repo: &RepoName,
        call: (Method, Url, Option<Value>),
        tag: Option<String>,
    ) -> Result<Answer, ForgeError> {
        let (method, url, body) = call;
        let kind = if method == Method::GET { Kind::Read } else { Kind::Write };
        let send = async |token: &Secret| {
            let (method, url, body, tag) = (method.clone(), url.clone(), body.clone(), tag.clone());
            self.http.send(Call { kind, method, url, token, body, tag }).await
        };
        let token = self.token(repo).await?;
        match send(&token).await {
            Err(ForgeError::Unauthorized { message }) => {
                match self.other_token(repo, &token).await? {
                    Some(token) => send(&token).await,
                    None => Err(ForgeError::Unauthorized { message }),
                }
            }
            other => other,
        }
    }
}

impl StatusNode {
    /// A state that GitHub has added since is nobody's of ours.
    fn into_status(self) -> Option<StatusWrite> {
        let Self { context, state, description, target_url } = self;
        let state = StatusState::from_word(&state)?;
        Some(StatusWrite {
            context,
            state,
            description: description.unwrap_or_default(),
            target_url,
        })
    }
}

/// The address of one page.
fn page_of(url: &Url, page: usize) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("per_page", PAGE_SIZE).append_pair("page", &page.to_string());
    url
}

/// The owner and the name of a repository.
pub(super) fn split(repo: &RepoName) -> (&str, &str) {
    repo.as_str().split_once('/').expect("a repository name has two parts")
}

pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, ForgeError> {
    serde_json::from_slice(body).map_err(malformed)
}

fn reaction_name(reaction: Reaction) -> &'static str {
    match reaction {
        Reaction::ThumbsUp => "+1",
        Reaction::ThumbsDown => "-1",
        Reaction::Eyes => "eyes",
        Reaction::Confused => "confused",
        Reaction::Rocket => "rocket",
    }
}
