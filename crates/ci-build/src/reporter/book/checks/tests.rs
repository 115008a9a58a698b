//! Which check runs are written when, from what is wished and what was told.

use ci_domain::ids::{BranchName, PullNumber};
use ci_domain::outcome::JobResult;
use ci_domain::report::Report;

use super::*;
use crate::reporter::write::Written;

const NODE: &str = "ci";

fn sha(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

fn ended(result: JobResult, attempt: &str) -> Standing {
    Standing::Ended { result, attempt: Some(attempt.parse().unwrap()), optional: false }
}

fn report(subject: Subject, jobs: &[(&str, Standing)]) -> Report {
    let wish = |(job, stands): &(&str, Standing)| {
        (job.parse().unwrap(), CheckWish { stands: stands.clone(), url: None })
    };
    Report {
        subject,
        head: sha('a'),
        open: true,
        umbrella: None,
        components: None,
        checks: Some(jobs.iter().map(wish).collect()),
        comments: Vec::new(),
    }
}

fn pull(jobs: &[(&str, Standing)]) -> Report {
    report(Subject::Pull(PullNumber(1)), jobs)
}

/// Writes everything that is due, up to two marks of three at once, and says what it was.
fn write_all(book: &mut Book) -> Vec<String> {
    let mut said = Vec::new();
    for due in book.due_checks(&sha('a'), NODE) {
        let due = match due {
            Due::Check(due) => due,
            Due::LookAtCheck(key) => {
                said.push(format!("look at {}", key.1.rsplit('/').next().unwrap()));
                book.saw_check(&key, None);
                continue;
            }
            other => unreachable!("{other:?}"),
        };
        let stands = &due.wish.stands;
        let (state, reference) = (stands.state(), reference(stands));
        let there = due.upon.as_ref().filter(|told| told.state.has_ended());
        let has_marks = state == CheckState::Failure;
        let marks = (there.map_or(0, |told| told.marks) + 2).min(if has_marks { 3 } else { 0 });
        let is_complete = !has_marks || marks == 3;
        let verb = if due.upon.is_some() { "change" } else { "add" };
        let name = due.key.1.rsplit('/').next().unwrap();
        said.push(format!("{verb} {name}: {} {marks}", state.as_str()));
        let id = due.upon.map_or(CheckId(7), |told| told.id);
        let told = ToldCheck { id, reference, state, marks, is_complete };
        book.told.note(Written::Check { key: due.key, told });
    }
    said
}

#[test]
fn a_check_run_is_added_changed_and_given_its_marks() {
    let mut book = Book::new(Told::default());
    book.wish(pull(&[("lib:test", Standing::Running)]));
    assert_eq!(write_all(&mut book), ["add lib:test: in_progress 0"]);
    assert_eq!(write_all(&mut book), Vec::<String>::new());
    let failed = [("lib:test", ended(JobResult::Failed, "x-1"))];
    book.wish(pull(&failed));
    assert_eq!(write_all(&mut book), ["change lib:test: failure 2"]);
    assert_eq!(write_all(&mut book), ["change lib:test: failure 3"]);
    assert_eq!(write_all(&mut book), Vec::<String>::new());
    let mut next_life = Book::new(book.told.clone());
    next_life.wish(pull(&failed));
    assert_eq!(write_all(&mut next_life), Vec::<String>::new());
}

#[test]
fn another_run_of_a_job_has_a_check_run_of_its_own() {
    let mut book = Book::new(Told::default());
    let mut wish = |stands| {
        book.wish(pull(&[("lib:test", stands)]));
        write_all(&mut book)
    };
    assert_eq!(wish(ended(JobResult::Passed, "x-1")), ["add lib:test: success 0"]);
    assert_eq!(wish(Standing::Running), ["add lib:test: in_progress 0"]);
    assert_eq!(wish(ended(JobResult::Cancelled, "x-2")), ["change lib:test: cancelled 0"]);
    assert_eq!(wish(ended(JobResult::Passed, "x-3")), ["add lib:test: success 0"]);
}

#[test]
fn what_is_not_wanted_any_more_ends() {
    let mut book = Book::new(Told::default());
    let jobs = [
        ("a:test", Standing::Running),
        ("b:test", ended(JobResult::Cancelled, "x-1")),
        ("c:test", ended(JobResult::Passed, "x-2")),
    ];
    book.wish(pull(&jobs));
    write_all(&mut book);
    book.wish(Report { checks: None, ..pull(&[]) });
    assert_eq!(write_all(&mut book), Vec::<String>::new(), "it is not known");
    book.wish(pull(&[]));
    assert_eq!(write_all(&mut book), ["change a:test: neutral 0", "change b:test: neutral 0"]);
}

#[test]
fn where_nobody_speaks_of_a_commit_what_has_ended_stays() {
    let mut book = Book::new(Told::default());
    let jobs = [("a:test", Standing::Running), ("b:test", ended(JobResult::Cancelled, "x-1"))];
    book.wish(pull(&jobs));
    write_all(&mut book);
    assert_eq!(book.abandoned(), []);
    book.forget(&Subject::Pull(PullNumber(1)));
    assert_eq!(book.abandoned(), [sha('a')]);
    assert_eq!(write_all(&mut book), ["change a:test: neutral 0"]);
    assert_eq!(book.abandoned(), []);
}

#[test]
fn a_pull_request_speaks_before_a_branch() {
    let mut book = Book::new(Told::default());
    let branch = Subject::Branch(BranchName::new("main").unwrap());
    book.wish(report(branch, &[("a:test", Standing::Running), ("b:test", Standing::Running)]));
    book.wish(pull(&[("a:test", ended(JobResult::Passed, "x-1"))]));
    assert_eq!(write_all(&mut book), ["add a:test: success 0", "add b:test: in_progress 0"]);
}

#[test]
fn where_an_answer_was_lost_one_looks_first() {
    let mut book = Book::new(Told::default());
    book.wish(pull(&[("a:test", Standing::Running)]));
    let [Due::Check(due)] = &book.due_checks(&sha('a'), NODE)[..] else { panic!("one is due") };
    book.told.checks.unanswered.insert(due.key.clone());
    let mut next_life = Book::new(book.told);
    next_life.wish(pull(&[("a:test", Standing::Running)]));
    assert_eq!(write_all(&mut next_life), ["look at a:test"]);
    assert_eq!(write_all(&mut next_life), ["add a:test: in_progress 0"]);
}
