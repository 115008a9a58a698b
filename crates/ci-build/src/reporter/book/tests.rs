//! What is written when, from what is wished and what was told.

use ci_domain::ids::{BranchName, ComponentName, PullNumber};
use ci_domain::outcome::JobResult;
use ci_domain::report::FailureEntry;

use super::*;

const NODE: &str = "ci-node";

fn sha(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).unwrap()
}

fn status(context: &str, state: StatusState, words: &str) -> StatusWrite {
    StatusWrite {
        context: format!("continuous-integration/{NODE}/{context}"),
        state,
        description: words.to_owned(),
        target_url: None,
    }
}

fn report(number: u64, head: char, state: StatusState, words: &str) -> Report {
    Report {
        subject: Subject::Pull(PullNumber(number)),
        head: sha(head),
        open: true,
        umbrella: Some(status("mergeable", state, words)),
        components: Some(BTreeMap::new()),
        checks: None,
        comments: Vec::new(),
    }
}

fn with_component(mut report: Report, name: &str, state: StatusState) -> Report {
    let component = ComponentName::new(name).unwrap();
    report.components.get_or_insert_default().insert(component, status(name, state, "words"));
    report
}

fn with_comment(mut report: Report, topic: Topic, content: CommentContent) -> Report {
    report.comments.push(CommentWish { topic, content });
    report
}

fn failure(attempt: &str) -> CommentContent {
    CommentContent::Failures(vec![FailureEntry {
        job: "air:test".parse().unwrap(),
        result: JobResult::Failed,
        attempt: Some(attempt.parse().unwrap()),
        log_url: String::new(),
    }])
}

/// Writes everything that is due, and says what it was.
fn write_all(book: &mut Book, head: char) -> Vec<String> {
    let due = book.due(&sha(head), NODE);
    due.into_iter()
        .map(|due| match due {
            Due::Look { .. } => "look".to_owned(),
            Due::LookAtCheck(_) | Due::Check(_) => unreachable!("check runs are asked for apart"),
            Due::Status { sha, status, words_only } => {
                let name = status.context.rsplit('/').next().unwrap().to_owned();
                let words = if words_only { ", words only" } else { "" };
                let text =
                    format!("{name}: {} {}{words}", status.state.as_str(), status.description);
                book.told.note(Written::Status { sha, status });
                text
            }
            Due::Comment { marker, content, .. } => {
                let verb = if book.told.comments.contains_key(&marker) { "edit" } else { "post" };
                let text = format!("{verb} {}", marker.split(':').nth(2).unwrap());
                let posted = Posted { id: CommentId(1), content: fingerprint(&content) };
                book.told.note(Written::Comment { marker, posted });
                text
            }
        })
        .collect()
}

fn book() -> Book {
    Book::new(Told::default())
}

#[test]
fn a_status_is_written_once_and_again_when_it_changes() {
    let mut book = book();
    book.wish(report(1, 'a', StatusState::Pending, "initializing"));
    assert_eq!(write_all(&mut book, 'a'), ["mergeable: pending initializing"]);
    assert_eq!(write_all(&mut book, 'a'), Vec::<String>::new());
    book.wish(report(1, 'a', StatusState::Pending, "awaiting air:test"));
    assert_eq!(write_all(&mut book, 'a'), ["mergeable: pending awaiting air:test, words only"]);
    book.wish(report(1, 'a', StatusState::Success, "pull request can be merged"));
    assert_eq!(write_all(&mut book, 'a'), ["mergeable: success pull request can be merged"]);
}

#[test]
fn the_umbrella_goes_first_unless_it_is_the_good_end() {
    for (state, first) in [(StatusState::Failure, "mergeable"), (StatusState::Success, "air")] {
        let mut book = book();
        book.wish(with_component(report(1, 'a', state, "x"), "air", state));
        assert!(write_all(&mut book, 'a')[0].starts_with(first), "{state:?}");
    }
}

#[test]
fn a_component_that_is_no_longer_affected_says_so() {
    let mut book = book();
    book.wish(with_component(
        report(1, 'a', StatusState::Pending, "x"),
        "air",
        StatusState::Failure,
    ));
    write_all(&mut book, 'a');
    let unknown = Report { components: None, ..report(1, 'a', StatusState::Pending, "x") };
    book.wish(unknown);
    assert_eq!(write_all(&mut book, 'a'), Vec::<String>::new());
    book.wish(report(1, 'a', StatusState::Pending, "x"));
    assert_eq!(write_all(&mut book, 'a'), ["air: success not affected"]);
}

#[test]
fn pull_requests_that_share_a_head_share_the_worst_umbrella() {
    let mut book = book();
    book.wish(report(1, 'a', StatusState::Success, "pull request can be merged"));
    book.wish(report(2, 'a', StatusState::Failure, "there are merge conflicts"));
    assert_eq!(write_all(&mut book, 'a'), ["mergeable: failure #2: there are merge conflicts"]);
    book.forget(&Subject::Pull(PullNumber(2)));
    assert_eq!(write_all(&mut book, 'a'), ["mergeable: success pull request can be merged"]);
}

#[test]
fn a_closed_pull_request_keeps_what_it_says() {
    let mut book = book();
    book.wish(report(1, 'a', StatusState::Pending, "x"));
    write_all(&mut book, 'a');
    book.wish(Report { open: false, ..report(1, 'a', StatusState::Success, "y") });
    assert_eq!(write_all(&mut book, 'a'), Vec::<String>::new());
}

#[test]
fn what_was_told_is_not_told_again_to_who_comes_back() {
    let mut book = book();
    let done = || report(1, 'a', StatusState::Success, "pull request can be merged");
    book.wish(done());
    assert_eq!(write_all(&mut book, 'a'), ["mergeable: success pull request can be merged"]);
    book.forget(&Subject::Pull(PullNumber(1)));
    book.wish(done());
    assert_eq!(write_all(&mut book, 'a'), Vec::<String>::new(), "reopened");
    book.wish(report(1, 'b', StatusState::Pending, "x"));
    book.wish(done());
    assert_eq!(write_all(&mut book, 'a'), Vec::<String>::new(), "pushed back");
}

#[test]
fn of_what_nobody_speaks_of_any_more_the_oldest_is_forgotten() {
    let mut book = book();
    book.wish(report(1, 'a', StatusState::Pending, "x"));
    write_all(&mut book, 'a');
    for number in 0..=REMEMBERED_HEADS {
        let head = CommitSha::new(format!("{number:040x}")).unwrap();
        book.wish(Report { head: head.clone(), ..report(2, 'c', StatusState::Pending, "x") });
        book.told.begin(head);
    }
    book.wish(report(2, 'c', StatusState::Pending, "x"));
    assert_eq!(book.told.statuses.len(), REMEMBERED_HEADS);
    assert!(book.told.statuses.contains_key(&sha('a')), "it is spoken of");
    let oldest = CommitSha::new(format!("{:040x}", 0)).unwrap();
    assert!(!book.told.statuses.contains_key(&oldest));
    assert_eq!(book.told.heads.len(), book.told.statuses.len());
}

#[test]
fn a_comment_is_posted_once_and_only_failures_are_edited() {
    let mut book = book();
    let done = || CommentContent::Text("done".to_owned());
    let wish =
        |topic, content| with_comment(report(1, 'a', StatusState::Success, "x"), topic, content);
    book.wish(wish(Topic::Mergeable, done()));
    write_all(&mut book, 'a');
    book.wish(wish(Topic::Mergeable, CommentContent::Text("other".to_owned())));
    assert_eq!(write_all(&mut book, 'a'), Vec::<String>::new());
    book.wish(wish(Topic::Failures, CommentContent::Failures(Vec::new())));
    assert_eq!(write_all(&mut book, 'a'), Vec::<String>::new(), "nothing ever failed");
    book.wish(wish(Topic::Failures, failure("x-1")));
    assert_eq!(write_all(&mut book, 'a'), ["post failures"]);
    book.wish(wish(Topic::Failures, failure("x-2")));
    assert_eq!(write_all(&mut book, 'a'), ["edit failures"]);
    book.wish(wish(Topic::Failures, CommentContent::Failures(Vec::new())));
    assert_eq!(write_all(&mut book, 'a'), ["edit failures"]);
}

#[test]
fn failures_that_may_have_been_told_are_looked_for_where_all_is_well_by_now() {
    let mut book = book();
    let well = report(1, 'a', StatusState::Success, "x");
    let subject = well.subject.clone();
    book.wish(with_comment(well, Topic::Failures, CommentContent::Failures(Vec::new())));
    write_all(&mut book, 'a');
    book.told.attempted.insert(Topic::Failures.marker(NODE, &subject, &sha('a')));
    assert_eq!(write_all(&mut book, 'a'), ["post failures"]);
    assert_eq!(write_all(&mut book, 'a'), Vec::<String>::new());
}

fn branch(name: &str, mut report: Report) -> Report {
    report.subject = Subject::Branch(BranchName::new(name).unwrap());
    report.umbrella = None;
    report
}

#[test]
fn a_branch_has_no_umbrella_and_its_failures_are_told_once() {
    let mut book = book();
    let wish = |attempt| {
        let report = report(1, 'a', StatusState::Pending, "");
        let report = with_component(report, "air", StatusState::Failure);
        branch("main", with_comment(report, Topic::Failures, failure(attempt)))
    };
    book.wish(wish("x-1"));
    assert_eq!(write_all(&mut book, 'a'), ["air: failure words", "post failures"]);
    book.wish(wish("x-2"));
    assert_eq!(write_all(&mut book, 'a'), Vec::<String>::new());
}

#[test]
fn a_pull_request_speaks_louder_than_a_branch() {
    let mut book = book();
    let of_pull =
        with_component(report(1, 'a', StatusState::Failure, "x"), "air", StatusState::Failure);
    let of_branch =
        with_component(report(1, 'a', StatusState::Success, ""), "air", StatusState::Success);
    book.wish(branch("main", with_component(of_branch, "cloak", StatusState::Success)));
    book.wish(of_pull);
    assert_eq!(
        write_all(&mut book, 'a'),
        ["mergeable: failure x", "air: failure words", "cloak: success words"]
    );
    book.forget(&Subject::Pull(PullNumber(1)));
    assert_eq!(write_all(&mut book, 'a'), ["air: success words"]);
}

#[test]
fn pull_requests_that_share_a_head_have_comments_of_their_own() {
    let mut book = book();
    for (number, attempt) in [(1, "x-1"), (2, "x-2")] {
        let report = report(number, 'a', StatusState::Failure, "x");
        book.wish(with_comment(report, Topic::Failures, failure(attempt)));
    }
    assert_eq!(
        write_all(&mut book, 'a'),
        ["mergeable: failure #1: x", "post failures", "post failures"]
    );
    assert_eq!(write_all(&mut book, 'a'), Vec::<String>::new());
}

#[test]
fn after_a_restart_one_looks_before_one_writes_and_writes_what_is_missing() {
    let mut told = Told::default();
    told.begin(sha('a'));
    told.begin(sha('b'));
    let mut book = Book::new(told);
    let wished = |words| {
        let report = report(1, 'a', StatusState::Failure, words);
        let report = with_component(report, "air", StatusState::Failure);
        with_comment(report, Topic::Failures, failure("x-1"))
    };
    book.wish(wished("x"));
    assert_eq!(write_all(&mut book, 'a'), ["look", "post failures"]);
    let standing = vec![
        status("air", StatusState::Failure, "words"),
        status("cloak", StatusState::Failure, "words"),
        StatusWrite {
            context: "continuous-integration/other/air".to_owned(),
            ..status("air", StatusState::Error, "of another node")
        },
    ];
    let news = book.news(&sha('a'), standing, NODE);
    assert_eq!(news.len(), 2);
    book.saw(&sha('a'), news);
    let due = write_all(&mut book, 'a');
    assert_eq!(due, ["mergeable: failure x", "cloak: success not affected"]);
    book.wish(wished("y"));
    assert_eq!(write_all(&mut book, 'a'), ["mergeable: failure y, words only"]);
    book.doubt(&sha('a'));
    book.wish(wished("z"));
    assert_eq!(write_all(&mut book, 'a'), ["look"]);
    book.looked_in_vain(&sha('a'), false);
    assert_eq!(write_all(&mut book, 'a'), ["mergeable: failure z, words only"]);
    assert_eq!(book.news(&sha('c'), vec![status("air", StatusState::Error, "")], NODE), []);
}
