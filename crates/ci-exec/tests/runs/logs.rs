//! Logs: complete, live, within their limit, and never in the way of the job.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Instant;

use ci_exec::{CommandId, LogPiece, Outcome, Packing, RunDir};

use crate::support::{Place, Run, command, parallel, until};

/// What `seq 1 n` prints.
fn numbers(n: u32) -> Vec<u8> {
    Command::new("seq").args(["1", &n.to_string()]).output().unwrap().stdout
}

#[tokio::test]
async fn a_large_output_is_complete_to_the_byte() {
    let run = Place::with_command("seq 1 12900000").run().await;
    assert_eq!(run.outcome, Outcome::Passed);
    let log = run.log("0-1");
    assert!(log.len() > 100_000_000, "{}", log.len());
    assert!(log == numbers(12_900_000), "the log differs from what was written");
}

#[tokio::test]
async fn logs_of_parallel_commands_do_not_mix() {
    let steps = (0..8).map(|n| command(&format!("seq {n} 8 200000"))).collect();
    let run = Place::new(vec![parallel(steps)]).run().await;
    for n in 0..8 {
        let expected = Command::new("seq").args([&n.to_string(), "8", "200000"]).output().unwrap();
        assert!(run.log(&format!("0.{n}-1")) == expected.stdout, "log {n}");
    }
}

#[tokio::test]
async fn the_last_words_before_exit_are_kept() {
    for _ in 0..20 {
        let run = Place::with_command("seq 1 30000 & wait; echo last; kill -9 $$").run().await;
        let expected = [numbers(30000), b"last\n".to_vec()].concat();
        assert!(run.log("0-1") == expected);
    }
}

#[tokio::test]
async fn a_log_can_be_read_while_it_grows() {
    let place =
        Place::with_command("echo first; until [ -e go ]; do sleep 0.01; done; echo second");
    let dir = place.start().await;
    let log = dir.log(&CommandId::parse("0-1").unwrap());
    until("the first line", || log.read_at(0, 1024).unwrap().bytes == b"first\n").await;
    assert_eq!(log.read_at(6, 1024).unwrap().bytes, b"");
    fs::write(place.file("go"), "").unwrap();
    Run::follow(&dir).await;
    assert_eq!(log.read_at(6, 3).unwrap().bytes, b"sec");
    assert_eq!(log.read_at(9, 1024).unwrap().bytes, b"ond\n");
    assert_eq!(log.length().unwrap(), 13);
}

#[tokio::test]
async fn a_log_above_its_limit_keeps_head_and_tail_at_their_offsets() {
    let mut place = Place::with_command("seq 1 100000");
    place.spec.log_limit = 16_000;
    let run = place.run().await;
    let (text, whole) = (run.log_text("0-1"), String::from_utf8(numbers(100_000)).unwrap());
    let (head, rest) = text.split_at(8000);
    assert_eq!(head, &whole[..8000]);
    let (gap, tail) = rest.split_once("]\n").unwrap();
    assert!(whole.ends_with(tail) && (7000..=8000).contains(&tail.len()), "{}", tail.len());
    let left_out = whole.len() - 8000 - tail.len();
    assert_eq!(gap, format!("\n[{left_out} bytes left out here: the log is longer than its limit"));
    assert_eq!(run.outcome, Outcome::Passed);

    let log = run.dir.log(&CommandId::parse("0-1").unwrap());
    let at = whole.len() - 1000;
    assert_eq!(log.read_at(at as u64, 10).unwrap().bytes, whole.as_bytes()[at..at + 10]);
}

#[tokio::test]
async fn the_end_of_a_log_above_its_limit_is_there_while_it_grows() {
    let mut place = Place::with_command(
        "seq 1 100000; echo so far; until [ -e go ]; do sleep 0.01; done; echo end",
    );
    place.spec.log_limit = 16_000;
    let dir = place.start().await;
    let log = dir.log(&CommandId::parse("0-1").unwrap());
    let is_there = || {
        let from = log.length().unwrap().saturating_sub(8);
        log.read_at(from, 100).unwrap().bytes.ends_with(b"so far\n")
    };
    until("the end so far", is_there).await;
    fs::write(place.file("go"), "").unwrap();
    let run = Run::follow(&dir).await;
    assert!(run.log_text("0-1").ends_with("so far\nend\n"));
}

/// What stands in a piece of a log where bytes were left out.
const LEFT_OUT: &str = " bytes left out here: the log is longer than its limit]\n";

/// Goes through a piece of the log of `whole` that begins at `offset`: each byte is the one that was written
/// there, but for lines that say how many are missing. Returns where these begin.
fn declared_gaps(whole: &[u8], offset: usize, piece: &LogPiece) -> Vec<usize> {
    let (mut at, mut rest, mut gaps) = (offset, &piece.bytes[..], Vec::new());
    while !rest.is_empty() {
        // No line of numbers begins with a bracket.
        let length = rest.windows(2).position(|pair| pair == b"\n[").unwrap_or(rest.len());
        let (kept, line) = rest.split_at(length);
        assert!(whole[at..].starts_with(kept), "bytes from {at} on");
        at += length;
        if line.is_empty() {
            break;
        }
        let said = std::str::from_utf8(&line[2..]).unwrap();
        let (count, after) = said.split_once(LEFT_OUT).unwrap();
        gaps.push(at);
        at += count.parse::<usize>().unwrap();
        rest = after.as_bytes();
    }
    assert_eq!(piece.next, at as u64, "it is told where to read on");
    gaps
}

#[tokio::test]
async fn who_follows_a_log_misses_nothing_that_is_not_declared() {
    let mut place = Place::with_command("seq 1 300000");
    place.spec.log_limit = 256_000;
    let dir = place.start().await;
    let log = dir.log(&CommandId::parse("0-1").unwrap());
    let whole = numbers(300_000);
    let mut offset = 0;
    until("the end of the log", || {
        let piece = log.read_at(offset as u64, 5000).unwrap();
        declared_gaps(&whole, offset, &piece);
        offset = usize::try_from(piece.next).unwrap();
        offset == whole.len()
    })
    .await;
    Run::follow(&dir).await;
}

/// What ends a gap can be removed before it is read.
#[tokio::test]
async fn a_gap_that_grows_while_it_is_read_is_told_once() {
    let mut place = Place::with_command("seq 1 200000");
    place.spec.log_limit = 1000;
    let dir = place.start().await;
    let log = dir.log(&CommandId::parse("0-1").unwrap());
    let whole = numbers(200_000);
    until("the end of the log", || {
        let piece = log.read_at(0, usize::MAX).unwrap();
        let gaps = declared_gaps(&whole, 0, &piece);
        let adjacent = b"longer than its limit]\n\n[";
        assert!(!piece.bytes.windows(adjacent.len()).any(|part| part == adjacent), "{gaps:?}");
        piece.next == whole.len() as u64
    })
    .await;
    Run::follow(&dir).await;
}

/// One of many who follow a log: comes at `offset`, goes now and then, and comes back where it was.
fn follow_to_end(dir: &RunDir, whole: &[u8], mut offset: usize, patience: usize) {
    let begin = Instant::now();
    while offset < whole.len() {
        let log = dir.log(&CommandId::parse("0-1").unwrap());
        for _ in 0..patience {
            let piece = log.read_at(offset as u64, 64 * 1024).unwrap();
            let next = offset + piece.bytes.len();
            assert_eq!(piece.next, next as u64);
            assert!(piece.bytes == whole[offset..next], "bytes {offset} to {next}");
            offset = next;
        }
        assert!(begin.elapsed().as_secs() < 60, "waited for byte {offset}");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn fifty_who_come_and_go_read_every_byte_live_and_packed() {
    let whole = numbers(1_000_000);
    let place = Place::with_command("seq 1 500000; sleep 0.2; seq 500001 1000000");
    let dir = place.start().await;
    std::thread::scope(|scope| {
        for n in 0..50 {
            let (dir, whole) = (&dir, &whole);
            scope.spawn(move || follow_to_end(dir, whole, n * 50_000, n + 1));
        }
        // It ends while they read, and is packed under their hands.
        scope.spawn(|| {
            let begin = Instant::now();
            while dir.pack_logs().unwrap() == Packing::Later {
                assert!(begin.elapsed().as_secs() < 60, "waited for the end of the run");
                std::thread::yield_now();
            }
        });
    });
    assert!(Run::follow(&dir).await.log("0-1") == whole);
}

#[tokio::test]
async fn logs_are_packed_once_the_job_has_ended() {
    let place = Place::with_command("seq 1 100000; until [ -e go ]; do sleep 0.01; done");
    let dir = place.start().await;
    let log = dir.log(&CommandId::parse("0-1").unwrap());
    until("the numbers", || log.length().unwrap() == 588_895).await;
    assert_eq!(dir.pack_logs().unwrap(), Packing::Later);
    assert!(log.path().exists(), "it is still being written");
    fs::write(place.file("go"), "").unwrap();
    let run = Run::follow(&dir).await;
    for _ in 0..2 {
        assert_eq!(dir.pack_logs().unwrap(), Packing::Done);
    }
    assert!(!log.path().exists() && log.path().with_extension("log.gz").exists());
    assert!(run.log("0-1") == numbers(100_000), "as it was");
    assert!(log.read_at(100, 10).unwrap().bytes == numbers(100_000)[100..110]);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_crashes_the_job() {
    let place = Place::with_command("echo something; echo up > up; sleep 600");
    let dir = place.create();
    symlink("/dev/full", dir.path().join("logs/0-1.log")).unwrap();
    let run = place.run().await;
    let Outcome::Crashed { reason } = &run.outcome else { panic!("{:?}", run.outcome) };
    assert!(reason.contains("write the log") && reason.contains("No space left"), "{reason}");
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn who_holds_the_pipe_open_does_not_hold_the_job() {
    let place = Place::with_command("sleep 600 & echo done");
    let run = place.run().await;
    assert_eq!((run.outcome.clone(), run.log_text("0-1")), (Outcome::Passed, "done\n".into()));
    place.assert_nothing_is_left();
}

#[tokio::test]
async fn who_writes_for_ever_is_ended_with_its_command() {
    let place = Place::with_command("yes & setsid yes & echo $! > up");
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed);
    place.assert_nothing_is_left();
}
