//! What becomes of what tools print, against a real folder.

use std::os::unix::fs::symlink;

use ci_domain::annotation::Level;
use ci_domain::test_report::{TestFailure, TestReport};

use super::*;

fn found(files: &[&str], folder: &str, log: &str) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    for file in files {
        let path = root.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    symlink("/etc", root.path().join("link")).unwrap();
    symlink("/etc/passwd", root.path().join("passwd.c")).unwrap();
    let mut place = Place::new(root.path(), &root.path().join(folder)).unwrap();
    let log = log.replace("{root}", root.path().to_str().unwrap());
    let (mut compiler, mut marks) = (Compiler::default(), Vec::new());
    for finding in log.lines().filter_map(|line| compiler.read(line)) {
        marks.extend(place.find(&finding).map(|path| finding.at(path, Level::Failure)));
    }
    marks.iter().map(|mark| format!("{}:{} {}", mark.path, mark.line, mark.message)).collect()
}

#[test]
fn a_file_is_found_from_the_component_from_the_root_and_in_full() {
    let files = ["libs/cart/src/a.c", "libs/tax/b.c", "c.c"];
    let log = "src/a.c:1: error: x\nlibs/tax/b.c:2: error: y\n../tax/b.c:3: error: z\n\
               {root}/c.c:4: error: v\nc.c:5: error: w\n";
    assert_eq!(
        found(&files, "libs/cart", log),
        ["libs/cart/src/a.c:1 x", "libs/tax/b.c:2 y", "libs/tax/b.c:3 z", "c.c:4 v", "c.c:5 w"]
    );
}

#[test]
fn a_test_that_failed_is_marked_where_its_report_or_its_words_lead() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("air/src")).unwrap();
    for file in ["air/src/a.rs", "air/test_b.py"] {
        std::fs::write(root.path().join(file), "").unwrap();
    }
    let mut place = Place::new(root.path(), &root.path().join("air")).unwrap();
    let mut report = TestReport::default();
    let mut fail = |name: &str, message: &str, file: Option<&str>, line| {
        let (message, file) = (message.to_owned(), file.map(str::to_owned));
        report.fail(name.to_owned(), TestFailure { message, file, line });
    };
    fail("told", "no", Some("test_b.py"), Some(7));
    fail("led", "thread 'x' panicked at src/a.rs:3:5:\nleft: 1", None, None);
    fail("both", "src/a.rs:9: error: y", Some("gone.py"), Some(1));
    fail("nowhere", "no", Some("test_b.py"), None);
    fail("outside", "no", Some("/etc/passwd"), Some(1));
    let mut marks = failures::marks(&report, &mut place);
    marks.sort();
    let told: Vec<_> = marks
        .iter()
        .map(|mark| format!("{}:{} {}", mark.path, mark.line, mark.title.as_deref().unwrap()))
        .collect();
    assert_eq!(told, ["air/src/a.rs:3 led", "air/src/a.rs:9 both", "air/test_b.py:7 told"]);
}

#[test]
fn nothing_outside_of_the_repository_is_looked_for() {
    let log = "link/passwd:1: error: x\npasswd.c:1: error: y\n/etc/hosts.allow:1: error: z\n\
               ../../../etc/passwd:1: error: v\nlink/../c.c:1: error: in it\nsrc:1: error: w\n";
    assert_eq!(found(&["c.c", "src/a.c"], "", log), ["c.c:1 in it"]);
}

#[test]
fn lines_are_put_together_from_pieces_and_cut_where_they_are_too_long() {
    let mut lines = Lines::default();
    let mut told: Vec<String> = Vec::new();
    let mut tell = |line: &str| told.push(line.to_owned());
    for piece in [&b"one\r\ntw"[..], b"o\n\nth", b"ree"] {
        lines.take(piece, &mut tell);
    }
    lines.end(&mut tell);
    let long = "x".repeat(MAX_LINE + 5);
    lines.take(long.as_bytes(), &mut tell);
    lines.take(b"\nnext\n", &mut tell);
    assert_eq!(told[..4], ["one", "two", "", "three"]);
    assert_eq!((told[4].len(), told[5].as_str()), (MAX_LINE, "next"));
}
