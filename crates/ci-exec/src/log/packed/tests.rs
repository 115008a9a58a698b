//! Packed logs read like those that are not, and packing can be broken off anywhere.

use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::log::LogReader;

/// Lines, some of which repeat.
fn text(length: usize) -> Vec<u8> {
    let lines = (0..).flat_map(|n: usize| format!("line {} of {}\n", n * n % 977, n).into_bytes());
    lines.take(length).collect()
}

/// A log of these parts, each at its offset.
fn log(dir: &Path, head: &[u8], parts: &[(u64, &[u8])]) -> PathBuf {
    let path = dir.join("0-1.log");
    fs::write(&path, head).unwrap();
    if !parts.is_empty() {
        fs::create_dir(tail_folder(&path)).unwrap();
    }
    for (start, bytes) in parts {
        fs::write(tail_folder(&path).join(start.to_string()), bytes).unwrap();
    }
    path
}

fn names(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_packed_log_is_smaller_and_reads_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let text = text(300_000);
    let path = log(dir.path(), &text, &[]);
    let before = LogReader::new(path.clone());
    pack(&path).unwrap();
    assert_eq!(names(dir.path()), ["0-1.log.gz"]);
    assert!(fs::metadata(packed_path(&path)).unwrap().len() < 100_000);
    for reader in [before, LogReader::new(path.clone())] {
        assert_eq!(reader.length().unwrap(), 300_000);
        assert_eq!(reader.read_at(0, usize::MAX).unwrap().bytes, text);
        for offset in [0, 1, 65_535, 65_536, 65_537, 299_999] {
            let piece = reader.read_at(offset, 70_000).unwrap();
            let end = (offset as usize + 70_000).min(text.len());
            assert_eq!(piece.bytes, text[offset as usize..end], "at {offset}");
            assert_eq!(piece.next, end as u64);
        }
        assert_eq!(reader.read_at(300_000, 1).unwrap().bytes, b"");
    }
    let zcat = Command::new("gzip").arg("-dc").arg(packed_path(&path)).output().unwrap();
    assert!(zcat.status.success() && zcat.stdout == text);
}

#[test]
fn a_gap_stays_one() {
    let dir = tempfile::tempdir().unwrap();
    let text = text(200_000);
    let parts = [(100_000, &text[100_000..170_000]), (170_000, &text[170_000..])];
    let path = log(dir.path(), &text[..10_000], &parts);
    let reader = LogReader::new(path.clone());
    let before: Vec<_> = [0, 9_999, 10_000, 50_000, 100_000, 169_999]
        .map(|at| reader.read_at(at, 999_999).unwrap())
        .into();
    assert!(String::from_utf8_lossy(&before[0].bytes).contains("[90000 bytes left out here"));
    pack(&path).unwrap();
    assert_eq!(names(dir.path()), ["0-1.log.gz"]);
    let reader = LogReader::new(path);
    let after: Vec<_> = [0, 9_999, 10_000, 50_000, 100_000, 169_999]
        .map(|at| reader.read_at(at, 999_999).unwrap())
        .into();
    assert!(before == after);
}

#[test]
fn short_logs_are_left_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = log(dir.path(), &text(4096), &[]);
    pack(&path).unwrap();
    assert_eq!(names(dir.path()), ["0-1.log"]);
}

#[test]
fn what_a_kill_left_is_finished_later() {
    let text = text(10_000);
    let parts: [(u64, &[u8]); 1] = [(5000, &text[5000..])];
    let check = |leave: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        let path = log(dir.path(), &text[..5000], &parts);
        leave(&path);
        let reader = LogReader::new(path.clone());
        assert!(reader.read_at(0, usize::MAX).unwrap().bytes == text, "as it was left");
        assert_eq!(reader.length().unwrap(), 10_000);
        pack(&path).unwrap();
        assert!(LogReader::new(path).read_at(0, usize::MAX).unwrap().bytes == text, "packed again");
        assert_eq!(names(dir.path()), ["0-1.log.gz"]);
    };
    let whole = {
        let dir = tempfile::tempdir().unwrap();
        let path = log(dir.path(), &text[..5000], &parts);
        pack(&path).unwrap();
        fs::read(packed_path(&path)).unwrap()
    };
    check(&|log| fs::write(packed_path(log).with_extension("gz.tmp"), &whole[..100]).unwrap());
    check(&|log| fs::write(packed_path(log), &whole).unwrap());
    check(&|log| {
        fs::write(packed_path(log), &whole).unwrap();
        fs::remove_file(log).unwrap();
    });
}

#[test]
fn damage_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = log(dir.path(), &text(100_000), &[]);
    pack(&path).unwrap();
    let packed = packed_path(&path);
    let whole = fs::read(&packed).unwrap();
    let read = |bytes: &[u8]| {
        fs::write(&packed, bytes).unwrap();
        LogReader::new(path.clone()).read_at(0, usize::MAX)
    };
    for cut in [1, 31, 40, whole.len() - 1] {
        read(&whole[..cut]).unwrap_err();
    }
    // A member of four gigabytes, which are not there.
    read(&[&whole[..28], &[0xff; 4], &whole[32..]].concat()).unwrap_err();
    for at in [0, 11, 16, 24, 28, 60, whole.len() - 8] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let read = read(&damaged);
        // A block that claims to be elsewhere makes a gap and no damage.
        assert!(read.is_err() || at == 16, "at {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_part_of_a_packed_log_is_what_it_was(
        bytes in prop::collection::vec(any::<u8>(), 5_000..200_000),
        offset in 0u64..200_000,
        limit in 1usize..100_000,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = log(dir.path(), &bytes, &[]);
        let before = LogReader::new(path.clone()).read_at(offset, limit).unwrap();
        pack(&path).unwrap();
        prop_assert!(LogReader::new(path).read_at(offset, limit).unwrap() == before);
    }
}
