//! The rules themselves, told by what people do and what the forge then says.

use ci_domain::code_owners::Owner;
use ci_domain::forge::{
    CommentId, PullState, Reaction, ReviewState, StatusState, StatusWrite, Timestamp,
};
use ci_domain::ids::{CommitSha, PullNumber, RepoName};
use ci_github::ForgeError;

use super::world::{Proposal, World, login};

/// A proposal like any other.
fn proposal(branch: &str) -> Proposal<'_> {
    Proposal { branch, commit: 1, draft: false, fork: None }
}

pub async fn a_snapshot_has_every_open_pull_and_every_branch(world: World) {
    let mut numbers = Vec::new();
    for branch in ["one", "two", "three", "four", "five"] {
        numbers.push(world.open(proposal(branch)).await);
    }
    world.close(numbers[1]).await;
    let snapshot = world.forge.snapshot(&world.repo).await.unwrap();
    let open: Vec<_> = snapshot.pulls.iter().map(|pull| pull.number).collect();
    assert_eq!(open, [numbers[0], numbers[2], numbers[3], numbers[4]]);
    assert_eq!(snapshot.default_branch.unwrap().as_str(), "main");
    let main = snapshot.branches.iter().find(|tip| tip.name.as_str() == "main").unwrap();
    assert_eq!(main.sha, world.commits[0]);
    assert_eq!(snapshot.skipped, []);
}

pub async fn a_pull_is_found_by_its_number_open_or_not(world: World) {
    let number = world.open(proposal("cart")).await;
    let facts = world.forge.pull(&world.repo, number).await.unwrap().unwrap();
    assert_eq!(facts.number, number);
    assert_eq!(facts.title, "Add cart");
    assert_eq!(facts.author, login("ada"));
    assert_eq!(facts.head.sha, world.commits[1]);
    assert_eq!(facts.head.branch.as_str(), "cart");
    assert_eq!(facts.base.as_str(), "main");
    assert_eq!(facts.base_sha.as_ref(), Some(&world.commits[0]));
    assert_eq!(facts.state, PullState::Open);
    let snapshot = world.forge.snapshot(&world.repo).await.unwrap();
    assert_eq!(snapshot.pulls, [facts]);

    world.close(number).await;
    let closed = world.forge.pull(&world.repo, number).await.unwrap().unwrap();
    assert_eq!(closed.state, PullState::Closed);
    let unknown = PullNumber(number.0 + 1);
    assert_eq!(world.forge.pull(&world.repo, unknown).await, Ok(None));
}

pub async fn a_branch_is_found_by_its_name(world: World) {
    let tip = async |name: &str| world.forge.branch_tip(&world.repo, &name.parse().unwrap()).await;
    assert_eq!(tip("main").await, Ok(Some(world.commits[0].clone())));
    for name in ["mai", "main/x", "no-such"] {
        assert_eq!(tip(name).await, Ok(None), "{name}");
    }
}

pub async fn a_draft_and_a_fork_are_told_apart(world: World) {
    let draft = world.open(Proposal { draft: true, ..proposal("draft") }).await;
    let fork = world.open(Proposal { fork: Some("mallory/shop"), ..proposal("fork") }).await;
    let draft = world.forge.pull(&world.repo, draft).await.unwrap().unwrap();
    let fork = world.forge.pull(&world.repo, fork).await.unwrap().unwrap();
    assert_eq!((draft.draft, draft.from_fork(&world.repo)), (true, false));
    assert_eq!((fork.draft, fork.from_fork(&world.repo)), (false, true));
    assert_eq!(fork.head.repo, Some(RepoName::new("mallory/shop").unwrap()));
}

pub async fn reviews_are_complete_and_say_who_may_write(world: World) {
    use ReviewState::{Approved, ChangesRequested};
    world.grant("grace").await;
    let number = world.open(proposal("cart")).await;
    world.open(proposal("other")).await;
    for (by, approves) in
        [("grace", false), ("mallory", true), ("grace", true), ("grace", false), ("grace", true)]
    {
        world.review(number, by, approves).await;
    }
    let facts = world.forge.pull(&world.repo, number).await.unwrap().unwrap();
    let said: Vec<_> = facts
        .reviews
        .iter()
        .map(|review| (review.author.as_str(), review.state, review.writer))
        .collect();
    let expected = [
        ("grace", ChangesRequested, true),
        ("mallory", Approved, false),
        ("grace", Approved, true),
        ("grace", ChangesRequested, true),
        ("grace", Approved, true),
    ];
    assert_eq!(said, expected);
    assert!(facts.reviews.iter().all(|review| review.commit.as_ref() == Some(&world.commits[1])));
    assert!(facts.reviews.iter().all(|review| review.submitted_at <= facts.updated_at));
    let snapshot = world.forge.snapshot(&world.repo).await.unwrap();
    assert_eq!(snapshot.pulls[0].reviews, facts.reviews);
}

pub async fn a_later_status_replaces_an_earlier_one(world: World) {
    let status = |context: &str, state| StatusWrite {
        context: context.to_owned(),
        state,
        description: "awaiting air:test, 🚀 \"soon\"".to_owned(),
        target_url: Some("https://ci.example.com/acme/shop/pull/1".to_owned()),
    };
    let sha = &world.commits[1];
    let pending = status("ci/air", StatusState::Pending);
    let failed = status("ci/mergeable", StatusState::Failure);
    let passed = StatusWrite { target_url: None, ..status("ci/air", StatusState::Success) };
    let bare = StatusWrite { description: String::new(), ..status("ci/cart", StatusState::Error) };
    for write in [&pending, &failed, &bare, &passed] {
        world.forge.set_status(&world.repo, sha, write).await.unwrap();
    }
    let mut statuses = world.forge.statuses(&world.repo, sha).await.unwrap();
    statuses.sort_by(|a, b| a.context.cmp(&b.context));
    assert_eq!(statuses, [passed, bare, failed]);
    assert_eq!(world.forge.statuses(&world.repo, &world.commits[2]).await, Ok(Vec::new()));
}

pub async fn a_conversation_is_read_in_order_and_edited_in_place(world: World) {
    let (pull, other) = (world.open(proposal("cart")).await, world.open(proposal("other")).await);
    let asked = world.comment(pull, "ada", "/ci why\r\nplease").await;
    world.comment(other, "ada", "elsewhere").await;
    let ours = world.forge.create_comment(&world.repo, pull, "<!-- m -->\n`a`").await.unwrap();
    world.comment(pull, "ada", "thanks").await;
    world.forge.edit_comment(&world.repo, ours, "<!-- m -->\nedited").await.unwrap();
    world.forge.react(&world.repo, asked, Reaction::Eyes).await.unwrap();
    world.forge.react(&world.repo, asked, Reaction::Eyes).await.unwrap();

    let comments = world.forge.comments(&world.repo, pull).await.unwrap();
    let us = world.forge.identity().await.unwrap();
    let said: Vec<_> =
        comments.iter().map(|comment| (comment.author.as_str(), comment.body.as_str())).collect();
    let expected =
        [("ada", "/ci why\r\nplease"), (us.as_str(), "<!-- m -->\nedited"), ("ada", "thanks")];
    assert_eq!(said, expected);
    assert_eq!((comments[0].id, comments[1].id), (asked, ours));
}

pub async fn recent_comments_leave_out_older_ones(world: World) {
    let (one, two) = (world.open(proposal("one")).await, world.open(proposal("two")).await);
    let first = world.comment(one, "ada", "first").await;
    world.comment(two, "ada", "second").await;
    world.comment(one, "ada", "third").await;
    world.forge.commit_comment(&world.repo, &world.commits[1], "not a pull").await.unwrap();

    let all = world.forge.recent_comments(&world.repo, Timestamp(0)).await.unwrap();
    let said: Vec<_> = all.iter().map(|found| (found.pull, found.comment.body.as_str())).collect();
    assert_eq!(said, [(one, "first"), (two, "second"), (one, "third")]);
    assert_eq!(all[0].comment.id, first);

    let newest = all[2].comment.created_at;
    let recent = world.forge.recent_comments(&world.repo, newest).await.unwrap();
    assert!(recent.contains(&all[2]), "{recent:?}");
    let later = Timestamp(newest.0 + 1);
    world.forge.edit_comment(&world.repo, first, "first, edited").await.unwrap();
    assert_eq!(world.forge.recent_comments(&world.repo, later).await, Ok(Vec::new()));
}

pub async fn comments_on_a_commit_are_found_again(world: World) {
    let sha = &world.commits[2];
    assert_eq!(world.forge.commit_comments(&world.repo, sha).await, Ok(Vec::new()));
    for body in ["one", "two", "three"] {
        world.forge.commit_comment(&world.repo, sha, body).await.unwrap();
    }
    let found = world.forge.commit_comments(&world.repo, sha).await.unwrap();
    let bodies: Vec<_> = found.iter().map(|comment| comment.body.as_str()).collect();
    assert_eq!(bodies, ["one", "two", "three"]);
    assert_eq!(found[0].author, world.forge.identity().await.unwrap());
}

pub async fn write_access_can_be_given(world: World) {
    assert_eq!(world.forge.can_write(&world.repo, &login("grace")).await, Ok(false));
    world.grant("grace").await;
    assert_eq!(world.forge.can_write(&world.repo, &login("grace")).await, Ok(true));
    assert_eq!(world.forge.can_write(&world.repo, &login("grace[bot] ?#/..")).await, Ok(false));
}

pub async fn belonging_to_a_team_can_be_given_and_taken(world: World) {
    let belongs = async |who: &str, owner: &str| {
        let (who, owner) = (login(who), Owner::parse(owner).unwrap());
        world.forge.belongs(&world.repo, &who, &owner).await
    };
    assert_eq!(belongs("grace", "@Grace").await, Ok(true));
    assert_eq!(belongs("grace", "@ada").await, Ok(false));
    for owner in ["@acme/libs", "dev@example.com"] {
        assert_eq!(belongs("grace", owner).await, Ok(false));
        if !world.enrol("grace", owner) {
            continue;
        }
        assert_eq!(belongs("grace", owner).await, Ok(true));
        assert_eq!(belongs("ada", owner).await, Ok(false));
        assert_eq!(belongs("grace[bot] ?#/..", owner).await, Ok(false));
        world.expel("grace", owner);
        assert_eq!(belongs("grace", owner).await, Ok(false));
    }
}

pub async fn what_is_not_there_is_not_found(world: World) {
    let (pull, comment) = (PullNumber(77), CommentId(7777));
    let forge = &world.forge;
    let missing = |error| matches!(error, ForgeError::NotFound { .. });
    assert!(missing(forge.comments(&world.repo, pull).await.unwrap_err()));
    assert!(missing(forge.create_comment(&world.repo, pull, "hello").await.unwrap_err()));
    assert!(missing(forge.edit_comment(&world.repo, comment, "hello").await.unwrap_err()));
    assert!(missing(forge.react(&world.repo, comment, Reaction::Rocket).await.unwrap_err()));
    let on_commit: CommitSha = world.commits[1].clone();
    let id = forge.commit_comment(&world.repo, &on_commit, "hello").await.unwrap();
    assert!(missing(forge.edit_comment(&world.repo, id, "not of a pull").await.unwrap_err()));
}
