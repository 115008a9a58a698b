//! What clients can cost that mean no good: processor time and memory.

use std::fs;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use heights_supervisor::{ChildSpec, DynamicSupervisor, Hub};
use heights_vitals::Client;

use crate::stage::{Adder, Stage};

/// How many clients mean no good, and how many actors they look at.
const HOSTILE: usize = 10;
const ACTORS: usize = 20_000;

/// What answers may cost, as it is unless said otherwise, and what is saved up of it at most.
const BUDGET_PPM: u32 = 50_000;
const SAVED: Duration = Duration::from_secs(1);

pub async fn clients(seconds: u64) {
    let hub = Hub::new();
    let stage = Stage::with(&hub, |inspector| inspector.budget_ppm(BUDGET_PPM)).await;
    let crowd = DynamicSupervisor::builder("crowd").hub(hub.clone()).start().await.unwrap();
    for number in 0..ACTORS {
        let (spec, _) = ChildSpec::server::<Adder>(format!("adder-{number}"), || ());
        crowd.start_child(spec).await.unwrap();
    }
    // What an answer needs for a moment is had once, by whoever asks first.
    stage.client.picture().await.unwrap();
    let (memory, thread) = (resident_kib(), inspector_thread());
    let hostile = Hostile::new(&stage.inspector.socket());
    let begin = spent(&thread);
    while spent(&thread) - begin < SAVED {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // An answer has to wait, so the others are read when it is there.
    let told = told_us(&stage.client).await;
    let (from, begin) = (Instant::now(), spent(&thread));
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let more = resident_kib().saturating_sub(memory);
    let told = told_us(&stage.client).await - told;
    let (used, time) = (spent(&thread) - begin, from.elapsed());
    drop(hostile);
    println!("{HOSTILE} hostile clients of {ACTORS} actors, for {seconds} s");
    let (used, told) = (used.as_secs_f64(), told as f64 / 1e6);
    let share = used / time.as_secs_f64() * 100.0;
    println!("  processor  {share:.2} % of a core, {:.2} % allowed", f64::from(BUDGET_PPM) / 1e4);
    println!("  told       {:.1} % of what the thread has used", told / used * 100.0);
    println!("  memory     {:.1} MiB more", more as f64 / 1024.0);
    std::mem::forget(crowd);
}

/// Clients that ask for everything at once and again, half of them without reading it.
struct Hostile {
    goes_on: Arc<AtomicBool>,
    _mute: Vec<UnixStream>,
}

impl Hostile {
    fn new(socket: &Path) -> Self {
        let goes_on = Arc::new(AtomicBool::new(true));
        let connect = || UnixStream::connect(socket).unwrap();
        let mut mute: Vec<UnixStream> = (0..HOSTILE / 2).map(|_| connect()).collect();
        for stream in &mut mute {
            for path in ["picture", "tree", "watch"] {
                let head = format!("GET /v1/{path} HTTP/1.1\r\nhost: x\r\n\r\n");
                stream.write_all(head.as_bytes()).unwrap();
            }
        }
        for _ in 0..HOSTILE / 2 {
            let (socket, goes_on) = (socket.to_owned(), Arc::clone(&goes_on));
            thread::spawn(move || {
                while goes_on.load(Ordering::Relaxed) {
                    // Most of it is refused, and the connection cut.
                    let _refused = read_and_forget(&socket);
                }
            });
        }
        Self { goes_on, _mute: mute }
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.goes_on.store(false, Ordering::Relaxed);
    }
}

/// Asks for everything, and keeps nothing: memory is to be that of the inspector.
fn read_and_forget(socket: &Path) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(b"GET /v1/picture HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    io::copy(&mut stream, &mut io::sink()).map(|_read| ())
}

/// What the inspector says that it has used; asked until it answers, for it is busy.
async fn told_us(client: &Client) -> u64 {
    loop {
        if let Ok(picture) = client.picture().await {
            return picture.runtime.unwrap().inspector_cpu_us.unwrap();
        }
    }
}

/// Finds the file in which the system counts what the inspector's thread uses.
fn inspector_thread() -> std::path::PathBuf {
    let mut threads = fs::read_dir("/proc/self/task").unwrap().map(|entry| entry.unwrap().path());
    let is_it = |thread: &std::path::PathBuf| {
        fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim() == "heights-vitals")
    };
    // The latest is ours: others may have been started before.
    let mut found: Vec<_> = threads.by_ref().filter(is_it).collect();
    found.sort();
    found.pop().unwrap().join("schedstat")
}

fn spent(thread: &Path) -> Duration {
    let text = fs::read_to_string(thread).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
