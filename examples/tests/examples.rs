//! Runs the examples. `cargo test` builds them first.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const CEILING: Duration = Duration::from_secs(60);

fn program(example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples").join(example);
    assert!(program.exists(), "build it first: cargo build --example {example}");
    program
}

async fn output_of(example: &str) -> String {
    let running = Command::new(program(example)).kill_on_drop(true).output();
    let output = timeout(CEILING, running).await.expect("it ends").unwrap();
    assert!(output.status.success(), "{example}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_example_can_be_read_at_a_glance() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).read_dir().unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    for example in paths.filter(|path| path.extension().is_some_and(|is| is == "rs")) {
        let lines = std::fs::read_to_string(&example).unwrap().lines().count();
        assert!(lines < 100, "{} has {lines} lines", example.display());
    }
}

#[tokio::test]
async fn hello_supervisor() {
    let said = output_of("hello_supervisor").await;
    for expected in ["100 / 4 = 25", "attempt to divide by zero", "100 / 5 = 20"] {
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn restart_storm() {
    let said = output_of("restart_storm").await;
    assert!(said.contains("gave up and stays down; the rest goes on"), "{said}");
}

#[tokio::test]
async fn bound_siblings() {
    let said = output_of("bound_siblings").await;
    let expected = "store opens\nclock opens\ncache opens\npages opens\n\
                    -- the store fails\n\
                    store breaks\npages closes\ncache closes\n\
                    store opens\ncache opens\npages opens\n\
                    -- the store is down for maintenance\n\
                    pages closes\ncache closes\nstore closes\n\
                    pages cannot open without cache\n\
                    store opens\ncache opens\npages opens\n\
                    -- the end\n\
                    pages closes\ncache closes\nclock closes\nstore closes\n";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn typed_names() {
    let said = output_of("typed_names").await;
    let expected = "owls opens\ncats opens\nowls closes\nowls opens\nowls heard [\"hoot\"]\n\
                    cats heard [\"meow\"]\n0 rooms are left\n";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn flow() {
    let said = output_of("flow").await;
    // Thirty lines of which the first has no bytes: ten hits of two pages, nine of the third.
    assert_eq!(said.lines().count(), 4 + 4 + 3 + 1, "{said}");
    assert!(said.contains("/news #0: 12 bytes in 3 hits"), "{said}");
    assert!(said.ends_with("all is reported\n"), "{said}");
}

#[tokio::test]
async fn forecast() {
    let said = output_of("forecast").await;
    let expected = [
        "day 1: told 2",
        "day 2: no route to the service",
        "day 3: no route to the service",
        "day 4: not even asked",
        "day 5: told 2",
        "day 6: told 2",
        "the log: Lagged(1), then Event((5, 25))",
        "the display: Some((6, 26))",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn periodic() {
    let said = output_of("periodic").await;
    let (first, second) = said.split_once("down for three and a half hours\n").expect(&said);
    // A backup may say so between any two of these.
    let report = first.split_once("report\n").map(|(_, after)| after).expect(&said);
    assert!(report.contains("asked for a report: done\n"), "{said}");
    assert!(first.contains("three polls since the guard said yes\n"), "{said}");
    assert!(first.contains("a search was stopped for the next run\n"), "{said}");
    assert!(second.contains("2 backups were missed\n"), "{said}");
    for life in [first, second] {
        assert_eq!(life.matches("backup\n").count(), 1, "{said}");
    }
}

struct ServerB {
    program: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl ServerB {
    async fn start(folder: &Path) -> Self {
        let mut command = Command::new(program("server_b"));
        command.arg("127.0.0.1:0").arg(folder).env("HEIGHTS_VITALS", "off");
        let mut program = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let mut server = Self { program, lines, address: String::new() };
        server.address = server.line_after("http://").await;
        server
    }

    /// Waits for a line with this in it and returns what comes after.
    async fn line_after(&mut self, what: &str) -> String {
        let search = async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("it runs");
                if let Some((_, rest)) = line.split_once(what) {
                    return rest.to_owned();
                }
            }
        };
        timeout(CEILING, search).await.unwrap_or_else(|_| panic!("waited in vain for {what:?}"))
    }

    async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(CEILING, stream.read_to_string(&mut answer)).await.expect("an answer").unwrap();
        answer
    }

    /// Asks for the state of the whole server until it is as expected.
    async fn now_until(&self, is_expected: impl Fn(&str) -> bool) {
        let mut last = String::new();
        let search = async {
            loop {
                let answer = self.get("/now").await;
                last = answer.lines().last().unwrap_or_default().to_owned();
                if is_expected(&last) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = timeout(CEILING, search).await.is_ok();
        assert!(found, "the last answer was {last}");
    }

    /// Ten long requests at once: never more than two are at work, some are served and some sent
    /// away, and a short one does not wait for them.
    async fn long_requests(&self) {
        let long = async {
            let answers = join_all((0..10).map(|_| self.get("/long/400"))).await;
            let served = answers.iter().filter(|answer| answer.ends_with("done at last")).count();
            let refused =
                answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 503")).count();
            assert!(served >= 2 && refused > 0 && served + refused == 10, "{answers:#?}");
        };
        let short = async {
            self.now_until(|now| now.contains("2 long at work") && !now.ends_with(" 0 wait")).await;
            assert!(self.get("/divide/2").await.ends_with("50"));
        };
        tokio::join!(long, short);
    }

    fn tell_to_stop(&self) {
        let pid = Pid::from_raw(self.program.id().unwrap().cast_signed()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    async fn stopped(mut self) {
        let status = timeout(CEILING, self.program.wait()).await.expect("it stops").unwrap();
        assert_eq!(status.code(), Some(0), "it stopped in order");
    }

    async fn stop(self) {
        self.tell_to_stop();
        self.stopped().await;
    }
}

#[tokio::test]
async fn server_b() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerB::start(folder.path()).await;
    assert!(server.get("/visit/alice").await.ends_with("visit 1 of alice"));

    // What crashes is back for the next request, and nothing else has noticed.
    assert!(server.get("/divide/5").await.ends_with("20"));
    let crashed = server.get("/divide/0").await;
    assert!(crashed.starts_with("HTTP/1.1 500") && crashed.contains("divide by zero"), "{crashed}");
    assert!(server.get("/divide/4").await.ends_with("25"));
    assert!(server.get("/visit/alice").await.ends_with("visit 2 of alice"));
    assert!(server.get("/visit/bob").await.ends_with("visit 1 of bob"));

    // The background counts, and all requests see the same state.
    server.now_until(|now| now.starts_with("3 visits, 0 long")).await;
    server.long_requests().await;
    server.stop().await;

    // What lasts is there in the next life, and what need not is found out anew.
    let server = ServerB::start(folder.path()).await;
    assert!(server.get("/visit/alice").await.ends_with("visit 3 of alice"));
    server.now_until(|now| now.starts_with("4 visits")).await;

    // A stop lets requests under way come to their end.
    let under_way = server.get("/long/3000");
    let stop = async {
        server.now_until(|now| now.contains("1 long at work")).await;
        server.tell_to_stop();
    };
    let (answer, ()) = tokio::join!(under_way, stop);
    assert!(answer.ends_with("done at last"), "{answer}");
    server.stopped().await;
}
