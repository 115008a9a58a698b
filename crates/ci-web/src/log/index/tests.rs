//! Lines are found wherever they are, while a log grows, and without reading those before them.

use ci_exec::{CommandId, RunDir};
use tempfile::TempDir;

use super::*;

struct Log {
    _folder: TempDir,
    reader: LogReader,
}

impl Log {
    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("spec.json"), "").unwrap();
        let dir = RunDir::open(folder.path()).unwrap();
        let reader = dir.log(&CommandId::parse("0-1").unwrap());
        std::fs::create_dir_all(reader.path().parent().unwrap()).unwrap();
        let log = Self { _folder: folder, reader };
        log.write(text);
        log
    }

    fn write(&self, text: &str) {
        std::fs::write(self.reader.path(), text).unwrap();
    }
}

fn text(lines: &Lines) -> &str {
    std::str::from_utf8(&lines.bytes).unwrap()
}

fn numbers(lines: std::ops::RangeInclusive<u64>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn any_line_of_many_is_found() {
    let log = Log::of(&numbers(1..=25_500));
    let mut index = LineIndex::new(log.reader.clone());
    index.catch_up().unwrap();
    assert_eq!((index.lines(), index.marks.len()), (25_500, 26));
    for from in [1, 2, 999, 1000, 1001, 12_345, 25_001, 25_500] {
        let last = (from + 1499).min(25_500);
        let lines = index.lines_from(from, 1500).unwrap();
        assert_eq!(
            (lines.from.line, text(&lines)),
            (from, numbers(from..=last).as_str()),
            "{from}"
        );
        assert_eq!(lines.from.offset, numbers(1..=from - 1).len() as u64, "{from}");
        assert!(numbers(1..=from - 1).as_bytes().ends_with(&lines.before), "{from}");
    }
    assert_eq!(text(&index.lines_from(25_501, 10).unwrap()), "");
    assert_eq!(text(&index.lines_from(0, 1).unwrap()), "1\n");
}

#[test]
fn an_index_grows_with_its_log() {
    let log = Log::of("");
    let mut index = LineIndex::new(log.reader.clone());
    index.catch_up().unwrap();
    assert_eq!((index.lines(), text(&index.lines_from(1, 10).unwrap())), (0, ""));
    log.write("one\ntw");
    index.catch_up().unwrap();
    assert_eq!((index.lines(), text(&index.lines_from(2, 10).unwrap())), (2, "tw"));
    log.write("one\ntwo\n");
    index.catch_up().unwrap();
    assert_eq!((index.lines(), text(&index.lines_from(1, 1).unwrap())), (2, "one\n"));
    log.write(&format!("one\ntwo\n{}", numbers(3..=3000)));
    index.catch_up().unwrap();
    assert_eq!((index.lines(), text(&index.lines_from(2001, 1).unwrap())), (3000, "2001\n"));
}
