//! What is told of people: their teams, and the address that an account shows.

use ci_domain::code_owners::Owner;
use ci_domain::ids::Login;
use serde_json::{Value, json};

use super::FakeGitHub;
use super::http::{FakeRequest, Reply};
use crate::forge::ForgeError;

/// Answers where it is people that are asked about.
pub(super) fn read(
    github: &FakeGitHub,
    request: &FakeRequest,
    segments: &[&str],
) -> Option<Result<Reply, ForgeError>> {
    match segments {
        _ if request.method != "GET" => None,
        ["orgs", organization, "teams", team, "memberships", login] => {
            let (organization, team) = ((*organization).to_owned(), (*team).to_owned());
            Some(membership(github, request, &Owner::Team { organization, team }, login))
        }
        ["users", login] => Some(account(github, request, login)),
        _ => None,
    }
}

fn membership(
    github: &FakeGitHub,
    request: &FakeRequest,
    team: &Owner,
    login: &str,
) -> Result<Reply, ForgeError> {
    let login = Login::new(login).map_err(|_| unknown(request))?;
    if !github.read(|model| Ok(model.belongs(&login, team)))? {
        return Err(unknown(request));
    }
    let url = format!("https://api.github.com{}", request.path);
    Ok(Reply::ok(200, json!({ "url": url, "role": "member", "state": "active" })))
}

fn account(github: &FakeGitHub, request: &FakeRequest, login: &str) -> Result<Reply, ForgeError> {
    let login = Login::new(login).map_err(|_| unknown(request))?;
    let email = github.read(|model| Ok(model.email(&login).map(str::to_owned)))?;
    let mut shown = json!({
        "login": login.as_str(), "id": 1, "node_id": "MDQ6VXNlcjE=", "gravatar_id": "",
        "type": "User", "site_admin": false, "name": null, "company": null, "blog": "",
        "location": null, "email": email, "hireable": null, "bio": null, "public_repos": 2,
        "public_gists": 1, "followers": 20, "following": 0,
        "created_at": "2008-01-14T04:33:35Z", "updated_at": "2008-01-14T04:33:35Z",
    });
    for name in [
        "avatar",
        "html",
        "followers",
        "following",
        "gists",
        "starred",
        "subscriptions",
        "organizations",
        "repos",
        "events",
        "received_events",
    ] {
        shown[format!("{name}_url")] = Value::from(format!("https://api.github.com/{name}"));
    }
    shown["url"] = Value::from("https://api.github.com/users");
    Ok(Reply::ok(200, shown))
}

fn unknown(request: &FakeRequest) -> ForgeError {
    ForgeError::NotFound { what: request.path.clone() }
}
