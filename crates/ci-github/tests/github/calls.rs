//! The calls as GitHub's API description has them: method, path, query and body.

use ci_domain::code_owners::Owner;
use ci_domain::forge::{CommentId, Reaction, StatusState, StatusWrite, Timestamp};
use ci_domain::ids::{Login, PullNumber};
use ci_github::Forge;

use super::{Seen, client, repo, scripted, sha, status};

/// Takes the one request out that was made.
fn taken(seen: &Seen) -> String {
    let [request] = <[_; 1]>::try_from(std::mem::take(&mut *seen.lock().unwrap())).unwrap();
    let user_agent = request.user_agent.unwrap();
    assert!(user_agent.starts_with("ci-node/"), "{user_agent}");
    assert_eq!(request.authorization.unwrap(), "Bearer fake-token");
    let query =
        if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let body = String::from_utf8(request.body).unwrap();
    format!("{} {}{query} {body}", request.method, request.path).trim().to_owned()
}

#[tokio::test]
async fn writes_are_as_documented() {
    let (stand_in, seen) = scripted(201, r#"{"id": 5}"#).await;
    let (github, repo, sha) = (client(&stand_in), repo(), sha('b'));
    let at = "/repos/acme/shop";

    github.set_status(&repo, &sha, &status()).await.unwrap();
    let body = r#"{"context":"ci/mergeable","description":"initializing","state":"pending"}"#;
    assert_eq!(taken(&seen), format!("POST {at}/statuses/{sha} {body}"));

    let linked = StatusWrite { target_url: Some("https://ci/1".to_owned()), ..status() };
    github.set_status(&repo, &sha, &linked).await.unwrap();
    assert!(taken(&seen).ends_with(r#""state":"pending","target_url":"https://ci/1"}"#));

    let id = github.create_comment(&repo, PullNumber(7), "hello \"you\"").await.unwrap();
    assert_eq!(id, CommentId(5));
    let body = r#"{"body":"hello \"you\""}"#;
    assert_eq!(taken(&seen), format!("POST {at}/issues/7/comments {body}"));

    github.edit_comment(&repo, CommentId(5), "hello \"you\"").await.unwrap();
    assert_eq!(taken(&seen), format!("PATCH {at}/issues/comments/5 {body}"));

    github.commit_comment(&repo, &sha, "hello \"you\"").await.unwrap();
    assert_eq!(taken(&seen), format!("POST {at}/commits/{sha}/comments {body}"));

    for (reaction, content) in [
        (Reaction::ThumbsUp, "+1"),
        (Reaction::ThumbsDown, "-1"),
        (Reaction::Eyes, "eyes"),
        (Reaction::Confused, "confused"),
        (Reaction::Rocket, "rocket"),
    ] {
        github.react(&repo, CommentId(5), reaction).await.unwrap();
        let body = format!(r#"{{"content":"{content}"}}"#);
        assert_eq!(taken(&seen), format!("POST {at}/issues/comments/5/reactions {body}"));
    }
}

#[tokio::test]
async fn lists_are_asked_for_in_full_pages() {
    let (stand_in, seen) = scripted(200, "[]").await;
    let (github, repo, sha) = (client(&stand_in), repo(), sha('b'));
    let at = "/repos/acme/shop";

    github.comments(&repo, PullNumber(7)).await.unwrap();
    assert_eq!(taken(&seen), format!("GET {at}/issues/7/comments?per_page=100&page=1"));

    github.commit_comments(&repo, &sha).await.unwrap();
    assert_eq!(taken(&seen), format!("GET {at}/commits/{sha}/comments?per_page=100&page=1"));

    github.recent_comments(&repo, Timestamp(1_769_860_800)).await.unwrap();
    let query = "sort=created&direction=asc&since=2026-01-31T12%3A00%3A00Z&per_page=100&page=1";
    assert_eq!(taken(&seen), format!("GET {at}/issues/comments?{query}"));
}

#[tokio::test]
async fn statuses_are_read_with_what_github_leaves_out_or_has_added() {
    let body = r#"{"state": "pending", "total_count": 3, "statuses": [
        {"context": "ci/air", "state": "success", "description": null, "target_url": null, "id": 1},
        {"context": "ci/new", "state": "skipped", "description": "x", "target_url": null},
        {"context": "ci/mergeable", "state": "pending", "description": "initializing",
         "target_url": "https://ci/1"}]}"#;
    let (stand_in, seen) = scripted(200, body).await;
    let read = client(&stand_in).statuses(&repo(), &sha('b')).await.unwrap();
    let air = StatusWrite {
        context: "ci/air".to_owned(),
        state: StatusState::Success,
        description: String::new(),
        target_url: None,
    };
    let umbrella = StatusWrite { target_url: Some("https://ci/1".to_owned()), ..status() };
    assert_eq!(read, [air, umbrella]);
    let path = format!("/repos/acme/shop/commits/{}/status", sha('b'));
    assert_eq!(taken(&seen), format!("GET {path}?per_page=100&page=1"));
}

#[tokio::test]
async fn permissions_are_read_by_what_they_allow() {
    let login = Login::new("dependabot[bot]").unwrap();
    for (permission, writes) in
        [("admin", true), ("maintain", true), ("write", true), ("triage", false), ("read", false)]
    {
        let body = format!(r#"{{"permission":"{permission}"}}"#).leak();
        let (stand_in, seen) = scripted(200, body).await;
        assert_eq!(client(&stand_in).can_write(&repo(), &login).await, Ok(writes), "{permission}");
        let path = "/repos/acme/shop/collaborators/dependabot[bot]/permission";
        assert_eq!(taken(&seen), format!("GET {path}"));
    }
}

#[tokio::test]
async fn an_enterprise_server_has_its_api_below_a_path() {
    let (stand_in, seen) = scripted(200, "[]").await;
    let config = super::config(&format!("{}/api/v3/", stand_in.url));
    let github = ci_github::GitHub::new(config).unwrap();
    github.comments(&repo(), PullNumber(7)).await.unwrap();
    let path = "/api/v3/repos/acme/shop/issues/7/comments";
    assert_eq!(taken(&seen), format!("GET {path}?per_page=100&page=1"));
}

#[tokio::test]
async fn a_comment_that_was_edited_is_not_among_the_recent_ones() {
    let comment = |id: u64, updated: &str| {
        format!(
            r#"{{"id":{id},"user":{{"login":"ada"}},"body":"/ci retry","created_at":"2026-01-31T12:00:00Z",
                "updated_at":"{updated}","issue_url":"https://api.github.com/repos/acme/shop/issues/7"}}"#
        )
    };
    let (fresh, edited) = (comment(1, "2026-01-31T12:00:00Z"), comment(2, "2026-01-31T12:00:01Z"));
    let (stand_in, _) = scripted(200, format!("[{fresh},{edited}]").leak()).await;
    let found = client(&stand_in).recent_comments(&repo(), Timestamp(0)).await.unwrap();
    let ids: Vec<CommentId> = found.iter().map(|found| found.comment.id).collect();
    assert_eq!(ids, [CommentId(1)]);
}

#[tokio::test]
async fn only_who_has_come_is_in_a_team() {
    let team = Owner::parse("@acme/libs").unwrap();
    for (body, expected) in [
        (r#"{"url":"x","role":"member","state":"active"}"#, true),
        (r#"{"url":"x","role":"maintainer","state":"active"}"#, true),
        (r#"{"url":"x","role":"member","state":"pending"}"#, false),
    ] {
        let (stand_in, seen) = scripted(200, body).await;
        let ada = Login::new("ada").unwrap();
        assert_eq!(client(&stand_in).belongs(&repo(), &ada, &team).await, Ok(expected));
        assert_eq!(taken(&seen), "GET /orgs/acme/teams/libs/memberships/ada");
    }
}

#[tokio::test]
async fn an_address_is_the_one_that_the_account_shows() {
    let address = Owner::parse("Dev@example.com").unwrap();
    for (body, expected) in [
        (r#"{"login":"ada","email":"dev@example.com"}"#, true),
        (r#"{"login":"ada","email":null}"#, false),
        (r#"{"login":"ada","email":"ada@example.com"}"#, false),
    ] {
        let (stand_in, seen) = scripted(200, body).await;
        let ada = Login::new("ada").unwrap();
        assert_eq!(client(&stand_in).belongs(&repo(), &ada, &address).await, Ok(expected));
        assert_eq!(taken(&seen), "GET /users/ada");
    }
}
