//! What every forge promises, run over the fake, over GitHub's client speaking HTTP to the fake, and
//! over the local forge.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod rules;
#[path = "../support/stand_in.rs"]
mod stand_in;
mod world;

use world::World;

/// Makes each rule a test of each forge.
macro_rules! contract {
    ($($rule:ident),* $(,)?) => {
        mod fake {
            $(#[tokio::test] async fn $rule() { super::rules::$rule(super::World::fake()).await; })*
        }
        mod github_over_http {
            $(#[tokio::test] async fn $rule() { super::rules::$rule(super::World::github().await).await; })*
        }
        mod github_as_an_app {
            $(#[tokio::test] async fn $rule() { super::rules::$rule(super::World::app().await).await; })*
        }
        mod local {
            $(#[tokio::test] async fn $rule() { super::rules::$rule(super::World::local().await).await; })*
        }
    };
}

contract!(
    a_snapshot_has_every_open_pull_and_every_branch,
    a_pull_is_found_by_its_number_open_or_not,
    a_branch_is_found_by_its_name,
    a_draft_and_a_fork_are_told_apart,
    reviews_are_complete_and_say_who_may_write,
    a_later_status_replaces_an_earlier_one,
    a_conversation_is_read_in_order_and_edited_in_place,
    recent_comments_leave_out_older_ones,
    comments_on_a_commit_are_found_again,
    write_access_can_be_given,
    belonging_to_a_team_can_be_given_and_taken,
    what_is_not_there_is_not_found,
);
