//! The control socket, and those who talk nonsense on it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ci_exec::{Outcome, RunDir, ping};

use crate::support::{Place, Run, written};

fn connect(dir: &RunDir) -> UnixStream {
    // The path of the socket itself may be longer than an address.
    let open = File::open(dir.path()).unwrap();
    let path = format!("/proc/self/fd/{}/control.sock", open.as_raw_fd());
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

#[tokio::test]
async fn who_talks_nonsense_is_hung_up_on_and_harms_nobody() {
    let place = Place::with_command("echo up > up; until [ -e go ]; do sleep 0.01; done");
    let dir = place.start().await;
    written(&place.file("up")).await;
    let mut nonsense: Vec<Vec<u8>> = [
        "\n",
        "cancel\n",
        "{}\n",
        "null\n",
        "{\"version\":1}\n",
        "{\"version\":1,\"request\":\"dance\"}\n",
        "{\"version\":-1,\"request\":\"cancel\"}\n",
        "{\"version\":1,\"request\":\"cancel\"",
        "GET / HTTP/1.1\r\n\r\n",
        "\0\0\0\0\n",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    nonsense.push(vec![0xff; 100_000]);
    nonsense.push(b"{".repeat(1024));
    // Who says nothing, and who says half of something, stay connected all the while.
    let silent = [connect(&dir), connect(&dir)];
    (&silent[1]).write_all(b"{\"version\":1,").unwrap();
    for words in nonsense {
        let said = String::from_utf8_lossy(&words[..words.len().min(60)]).into_owned();
        let place_of_socket = dir.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = connect(&place_of_socket);
            // It may hang up before it has heard all.
            let _heard = stream.write_all(&words);
            let _told = stream.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _reset = stream.read_to_end(&mut answer);
            answer
        });
        assert_eq!(answer.await.unwrap(), b"", "the answer to {said}");
        ping(&dir).await.unwrap();
    }
    std::fs::write(place.file("go"), "").unwrap();
    assert_eq!(Run::follow(&dir).await.outcome, Outcome::Passed);
    drop(silent);
}
