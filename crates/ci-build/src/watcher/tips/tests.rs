//! Which pushes are taken at their word, and which answers are from before them.

use super::*;

fn at(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

#[test]
fn a_push_is_believed_where_it_goes_on_from_what_is_known() {
    let check = |known: Option<char>, former: FormerTip, sha: Option<char>, expected: bool| {
        let push = Push { branch: "main".parse().unwrap(), former, sha: sha.map(at) };
        assert_eq!(push.follows(known.map(at).as_ref()), expected, "{known:?} {push:?}");
    };
    check(Some('a'), FormerTip::At(at('a')), Some('b'), true);
    check(Some('a'), FormerTip::At(at('a')), None, true);
    check(None, FormerTip::Absent, Some('b'), true);
    // The poll was quicker.
    check(Some('b'), FormerTip::At(at('a')), Some('b'), true);
    check(None, FormerTip::At(at('a')), None, true);
    check(Some('a'), FormerTip::Unsaid, Some('b'), true);
    // One before it has not come, or one after it has.
    check(Some('a'), FormerTip::At(at('b')), Some('c'), false);
    check(Some('c'), FormerTip::At(at('a')), Some('b'), false);
    check(Some('c'), FormerTip::At(at('a')), None, false);
    check(Some('c'), FormerTip::Absent, Some('a'), false);
    check(None, FormerTip::At(at('a')), Some('b'), false);
}

#[test]
fn an_answer_from_before_a_push_is_asked_for_again_for_a_while() {
    let mut sought = Sought::new();
    sought.hear(&FormerTip::At(at('b')), Some(at('a')), Some(at('c')));
    let stale = [Some(at('a')), Some(at('b'))];
    assert!(stale.iter().all(|tip| sought.judge(tip).is_some()));
    // Neither what the push says nor anything from before it: it moved on.
    assert_eq!([Some(at('c')), Some(at('d')), None].map(|tip| sought.judge(&tip)), [None; 3]);

    // Another push in between has come now: its end is the former tip of the first.
    sought.hear(&FormerTip::At(at('a')), Some(at('a')), Some(at('b')));
    let pauses = std::iter::from_fn(|| sought.judge(&Some(at('b'))));
    assert_eq!(pauses.map(|pause| pause.as_millis()).sum::<u128>(), 15_500);
}
