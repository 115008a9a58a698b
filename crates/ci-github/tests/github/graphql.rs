//! Odd answers of GraphQL.

use ci_domain::forge::Timestamp;
use ci_domain::ids::PullNumber;
use ci_github::{Forge, ForgeError, Window};

use super::{client, repo, scripted};

async fn check(body: &'static str, expected: &str) {
    let (stand_in, _) = scripted(200, body).await;
    let answer = client(&stand_in).pull(&repo(), PullNumber(1)).await;
    let said = format!("{answer:?}");
    assert!(said.contains(expected), "{body}: {said}");
}

#[tokio::test]
async fn an_answer_with_an_error_in_it_is_no_answer() {
    check(
        r#"{"data":{"repository":null},"errors":[{"type":"NOT_FOUND","path":["repository"],"message":"Could not resolve to a Repository"}]}"#,
        "Err(NotFound { what: \"Could not resolve to a Repository\" })",
    )
    .await;
    check(
        r#"{"data":{"repository":{"pullRequest":null}},"errors":[{"type":"NOT_FOUND","path":["repository","pullRequest"],"message":"Could not resolve"}]}"#,
        "Ok(None)",
    )
    .await;
    check(r#"{"errors":[{"type":"RATE_LIMITED","message":"…"}]}"#, "Err(RateLimited").await;
    check(r#"{"errors":[{"type":"FORBIDDEN","message":"SAML"}]}"#, "Err(Unauthorized").await;
    check(r#"{"errors":[{"message":"Something went wrong"}]}"#, "Err(Transient").await;
    check(
        r#"{"errors":[{"type":"MAX_NODE_LIMIT_EXCEEDED","message":"too much"}]}"#,
        "Err(Rejected { status: 200, message: \"too much\" })",
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_says_so() {
    check("{}", "Malformed { reason: \"no data\" }").await;
    check("[", "Malformed").await;
    check(r#"{"data":{"repository":null}}"#, "NotFound { what: \"acme/shop\" }").await;
    check(r#"{"data":{"repository":{"pullRequest":null}}}"#, "Ok(None)").await;
    check(r#"{"data":{"repository":{"pullRequest":{}}}}"#, "missing field `number`").await;
}

/// A pull request as GraphQL shows it, with room for one bad field.
const GOOD: &str = r#"{"number":2,"title":"t","author":null,"headRefOid":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "headRefName":"cart","headRepository":null,"baseRefName":"gone","baseRef":null,"isDraft":false,"state":"OPEN",
    "createdAt":"1970-01-01T00:00:01Z","updatedAt":"1970-01-01T00:00:02Z","a field of tomorrow":[],
    "reviews":{"pageInfo":{"hasPreviousPage":false,"startCursor":null},"nodes":[
        {"fullDatabaseId":"9007199254740993","author":null,"authorCanPushToRepository":false,"state":"A_STATE_OF_TOMORROW","commit":null,"submittedAt":"1970-01-01T00:00:02Z"}]}}"#;

#[tokio::test]
async fn a_fork_is_known_by_the_number_of_its_repository_whatever_its_name() {
    let (ours, others) = (
        r#"{"databaseId":7,"nameWithOwner":"acme/was"}"#,
        r#"{"databaseId":8,"nameWithOwner":"acme/shop"}"#,
    );
    let unnumbered = r#"{"databaseId":null,"nameWithOwner":"acme/shop"}"#;
    for (base, head, from_fork) in [
        (r#"{"databaseId":7}"#, ours, false),
        (r#"{"databaseId":7}"#, others, true),
        (r#"{"databaseId":7}"#, unnumbered, true),
        (r#"{"databaseId":7}"#, "null", true),
        ("null", others, false),
        ("null", "null", true),
    ] {
        let head = format!("\"headRepository\":{head},\"baseRepository\":{base}");
        let pull = GOOD.replace("\"headRepository\":null", &head);
        let body = format!(r#"{{"data":{{"repository":{{"pullRequest":{pull}}}}}}}"#);
        let (stand_in, _) = scripted(200, body.leak()).await;
        let facts = client(&stand_in).pull(&repo(), PullNumber(2)).await.unwrap().unwrap();
        assert_eq!(facts.from_fork(&repo()), from_fork, "{head}");
    }
}

#[tokio::test]
async fn one_bad_entry_hides_no_other() {
    let bad = GOOD.replace("\"number\":2", "\"number\":1").replace("bbbb", "HEAD");
    let body = format!(
        r#"{{"data":{{"repository":{{"defaultBranchRef":null,
            "pullRequests":{{"pageInfo":{{"hasNextPage":false,"endCursor":null}},"nodes":[{bad},{GOOD},null]}},
            "refs":{{"pageInfo":{{"hasNextPage":false,"endCursor":null}},"nodes":[{{"name":"a..b","target":{{"oid":"x"}}}}]}}}},
            "rateLimit":{{"limit":5000,"remaining":4242,"resetAt":"1970-01-01T00:01:00Z"}}}}}}"#
    );
    let (stand_in, _) = scripted(200, body.leak()).await;
    let github = client(&stand_in);
    let snapshot = github.snapshot(&repo()).await.unwrap();
    let [pull] = snapshot.pulls.as_slice() else { panic!("{snapshot:?}") };
    assert_eq!(
        (pull.author.as_str(), pull.head.repo.as_ref(), pull.base_sha.as_ref()),
        ("ghost", None, None)
    );
    assert_eq!(pull.reviews[0].id.0, 9_007_199_254_740_993);
    let skipped: Vec<_> = snapshot.skipped.iter().map(|skipped| skipped.what.as_str()).collect();
    assert_eq!(skipped, ["pull request 1", "pull request null", "branch \"a..b\""]);
    let window = Window { limit: 5000, remaining: 4242, reset_at: Timestamp(60) };
    assert_eq!(github.budget().graphql, Some(window));
}

#[tokio::test]
async fn a_page_without_a_cursor_is_no_last_page() {
    let body = r#"{"data":{"repository":{"defaultBranchRef":null,
        "refs":{"pageInfo":{"hasNextPage":true,"endCursor":null},"nodes":[]}}}}"#;
    let (stand_in, _) = scripted(200, body).await;
    let error = client(&stand_in).snapshot(&repo()).await.unwrap_err();
    assert_eq!(error, ForgeError::Malformed { reason: "another page without a cursor".to_owned() });
}
