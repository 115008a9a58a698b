use ci_domain::ids::PullNumber;
use ci_domain::outline::Basis;
use ci_domain::subject::Subject;
use heights::Recipient;

use super::*;
use crate::mirror::wish::Ask;

fn commit(number: u64) -> CommitSha {
    CommitSha::new(format!("{number:040}")).unwrap()
}

/// A wish to prepare a pull request at head `head`.
fn wish(pull: u64, head: u64) -> Wish {
    let basis = Basis { head: commit(head), base: commit(900), policy: commit(901) };
    let ask = Ask::Prepare(basis, Recipient::from_fn(|_| ()));
    Wish::new(Subject::Pull(PullNumber(pull)), ask)
}

fn git() -> PrepareFault {
    PrepareFault::Git("broken".to_owned())
}

fn lacks() -> PrepareFault {
    PrepareFault::Lacks(commit(1))
}

/// All that can begin, in words: `c` and the head for what is carried out, `f` and the heads for a fetch.
fn begun(agenda: &mut Agenda) -> (Vec<String>, Vec<Wish>) {
    let (mut words, mut wishes) = (Vec::new(), Vec::new());
    while let Some(step) = agenda.next() {
        let number = |wish: &Wish| wish.head().as_str().trim_start_matches('0').to_owned();
        match step {
            Step::Carry(wish) => {
                words.push(format!("c{}", number(&wish)));
                wishes.push(wish);
            }
            Step::Fetch(batch) => {
                words.push(format!("f{}", batch.iter().map(number).collect::<Vec<_>>().join(",")));
                wishes.extend(batch);
            }
            Step::Look => words.push("look".to_owned()),
        }
    }
    (words, wishes)
}

/// Begins what can begin, which must be what `expected` says.
fn begin(agenda: &mut Agenda, expected: &[&str]) -> Vec<Wish> {
    let (words, wishes) = begun(agenda);
    assert_eq!(words, expected);
    wishes
}

fn only<T>(items: Vec<T>) -> T {
    let mut items = items.into_iter();
    let first = items.next().unwrap();
    assert!(items.next().is_none());
    first
}

fn refused(verdict: Verdict) -> String {
    match verdict {
        Verdict::Refused(_, reason) => reason,
        Verdict::Again => panic!("it is tried again"),
    }
}

fn fetched(
    agenda: &mut Agenda,
    wishes: Vec<Wish>,
    result: &Result<(), PrepareFault>,
) -> Vec<Verdict> {
    agenda.fetched(wishes.into_iter().map(|wish| (wish, result.clone())).collect())
}

#[test]
fn new_heads_go_first_and_four_at_once() {
    let mut agenda = Agenda::default();
    agenda.add(wish(1, 1));
    let first = only(begin(&mut agenda, &["c1"]));
    agenda.granted(&first);
    for (pull, head) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)] {
        agenda.add(wish(pull, head));
    }
    let carried = begin(&mut agenda, &["c5", "c4", "c3", "c2"]);
    agenda.granted(&carried[0]);
    begin(&mut agenda, &["c1"]);
}

#[test]
fn only_the_newest_wish_counts() {
    let mut agenda = Agenda::default();
    agenda.add(wish(1, 1));
    agenda.add(wish(1, 2));
    agenda.add(wish(2, 3));
    let carried = begin(&mut agenda, &["c3", "c2"]);
    // While one lacks something, a newer one comes.
    agenda.add(wish(2, 4));
    assert!(matches!(agenda.failed(carried[0].clone(), lacks()), Verdict::Again));
    begin(&mut agenda, &["c4"]);
}

#[test]
fn what_is_lacking_meanwhile_is_fetched_together() {
    let mut agenda = Agenda::default();
    let lack = |agenda: &mut Agenda, number| {
        agenda.add(wish(number, number));
        let carried = only(begun(agenda).1);
        agenda.failed(carried, lacks());
    };
    lack(&mut agenda, 1);
    let first = begin(&mut agenda, &["f1"]);
    for number in 2..5 {
        lack(&mut agenda, number);
        begin(&mut agenda, &[]);
    }
    fetched(&mut agenda, first, &Ok(()));
    begin(&mut agenda, &["f2,3,4", "c1"]);
}

#[test]
fn a_fetch_has_a_bound() {
    let mut agenda = Agenda::default();
    for number in 0..TOGETHER as u64 + 2 {
        agenda.lacking.push(wish(number, number + 1));
    }
    let sizes = |agenda: &mut Agenda| begun(agenda).1.len();
    assert_eq!(sizes(&mut agenda), TOGETHER);
    agenda.fetched(Vec::new());
    assert_eq!(sizes(&mut agenda), 2);
}

#[test]
fn what_is_lacking_after_a_fetch_is_gone() {
    let mut agenda = Agenda::default();
    agenda.add(wish(1, 1));
    let carried = only(begin(&mut agenda, &["c1"]));
    agenda.failed(carried, lacks());
    let lacking = begin(&mut agenda, &["f1"]);
    fetched(&mut agenda, lacking, &Ok(()));
    let carried = only(begin(&mut agenda, &["c1"]));
    let reason = refused(agenda.failed(carried, lacks()));
    assert!(reason.contains("does not have it any more"), "{reason}");
    begin(&mut agenda, &[]);
}

#[test]
fn a_broken_mirror_is_looked_at_alone_and_the_wish_made_again() {
    let mut agenda = Agenda::default();
    agenda.add(wish(1, 1));
    agenda.add(wish(2, 2));
    let carried = begin(&mut agenda, &["c2", "c1"]);
    agenda.failed(carried[0].clone(), git());
    agenda.add(wish(3, 3));
    begin(&mut agenda, &[]);
    agenda.failed(carried[1].clone(), git());
    begin(&mut agenda, &["look"]);
    begin(&mut agenda, &[]);
    assert_eq!(agenda.looked(true).len(), 2);
    let carried = begin(&mut agenda, &["c1", "c2", "c3"]);
    agenda.failed(carried[0].clone(), lacks());
    let lacking = begin(&mut agenda, &["f1"]);
    fetched(&mut agenda, lacking, &Ok(()));
    let carried = only(begin(&mut agenda, &["c1"]));
    // That it failed again in a new mirror is not the mirror's fault.
    assert_eq!(refused(agenda.failed(carried, git())), "broken");
}

#[test]
fn a_sound_mirror_is_fetched_whole_once() {
    let mut agenda = Agenda::default();
    agenda.add(wish(1, 1));
    let carried = only(begin(&mut agenda, &["c1"]));
    agenda.failed(carried, git());
    begin(&mut agenda, &["look"]);
    agenda.looked(false);
    let lacking = begin(&mut agenda, &["f1"]);
    assert_eq!(lacking[0].effort, Effort::Looked);
    fetched(&mut agenda, lacking, &Ok(()));
    let carried = only(begin(&mut agenda, &["c1"]));
    assert_eq!(refused(agenda.failed(carried, git())), "broken");
}

#[test]
fn a_fetch_that_fails_is_told_to_all_once_the_mirror_is_known_to_be_sound() {
    let mut agenda = Agenda::default();
    agenda.add(wish(1, 1));
    agenda.add(wish(2, 2));
    for carried in begin(&mut agenda, &["c2", "c1"]) {
        agenda.failed(carried, lacks());
    }
    let lacking = begin(&mut agenda, &["f2,1"]);
    fetched(&mut agenda, lacking, &Err(git()));
    begin(&mut agenda, &["look"]);
    let reasons: Vec<String> = agenda.looked(false).into_iter().map(refused).collect();
    assert_eq!(reasons, ["broken", "broken"]);
    begin(&mut agenda, &[]);
}

#[test]
fn what_passes_is_told_at_once() {
    let mut agenda = Agenda::default();
    agenda.add(wish(1, 1));
    let carried = only(begin(&mut agenda, &["c1"]));
    let reason = refused(agenda.failed(carried, PrepareFault::Later("busy".to_owned())));
    assert_eq!(reason, "busy");
}
