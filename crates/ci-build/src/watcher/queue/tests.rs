//! Whose code a head of the merge queue holds.

use ci_domain::forge::{
    BranchTip, Head as PullHead, Kinship, PullFacts, PullState, RepoSnapshot, Timestamp,
};
use ci_domain::ids::{CommitSha, Login, PullNumber};

use super::*;

fn sha(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

fn queued(pull: u64, after: char) -> BranchName {
    BranchName::new(format!("gh-readonly-queue/main/pr-{pull}-{}", sha(after))).unwrap()
}

fn facts(number: u64, kinship: Kinship) -> PullFacts {
    PullFacts {
        number: PullNumber(number),
        title: String::new(),
        author: Login::new("ada").unwrap(),
        head: PullHead { sha: sha('9'), branch: "change".parse().unwrap(), repo: None },
        kinship,
        base: "main".parse().unwrap(),
        base_sha: None,
        draft: false,
        state: PullState::Open,
        reviews: Vec::new(),
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}

/// Whether the head that adds pull request `pull` after `after` is our own, in a repository with these
/// branches of the queue: `3 after b is c`. `main` is at `a`, pull requests 1 to 4 are ours and 5 is a fork's.
fn check(queue: &[(u64, char, char)], (pull, after): (u64, char), expected: bool) {
    let main = BranchTip { name: "main".parse().unwrap(), sha: sha('a') };
    let tip = |(pull, after, tip): &(u64, char, char)| BranchTip {
        name: queued(*pull, *after),
        sha: sha(*tip),
    };
    let mut known = Known::default();
    known.learn_branches(&RepoSnapshot {
        pulls: Vec::new(),
        branches: queue.iter().map(tip).chain([main]).collect(),
        default_branch: Some("main".parse().unwrap()),
        skipped: Vec::new(),
    });
    (1..=4).for_each(|number| known.note(facts(number, Kinship::Same)));
    known.note(facts(5, Kinship::Other));
    let head = QueueHead::of(&queued(pull, after)).unwrap();
    let repo = RepoName::new("acme/shop").unwrap();
    assert_eq!(is_own(&known, &repo, head), expected, "{pull} after {after} in {queue:?}");
}

#[test]
fn a_head_is_our_own_if_all_before_it_are() {
    check(&[], (1, 'a'), true);
    check(&[(1, 'a', 'b')], (2, 'b'), true);
    check(&[(1, 'a', 'b'), (2, 'b', 'c')], (3, 'c'), true);
}

#[test]
fn a_fork_anywhere_before_it_makes_it_a_forks() {
    check(&[], (5, 'a'), false);
    check(&[(5, 'a', 'b')], (2, 'b'), false);
    check(&[(1, 'a', 'b'), (5, 'b', 'c'), (2, 'c', 'd')], (3, 'd'), false);
}

#[test]
fn what_is_not_known_is_not_our_own() {
    check(&[], (6, 'a'), false);
    check(&[], (1, 'b'), false);
    check(&[(2, 'f', 'b')], (1, 'b'), false);
    check(&[(1, 'b', 'b')], (1, 'b'), false);
}
