//! Jobs that run again and again, over two lives of one program.
//!
//! `cargo run --example periodic`
//!
//! ```text
//! root
//! ├─ runs       the table that remembers how far jobs got; it is stored in a folder
//! ├─ report     at a fixed time in Tokyo, and when somebody asks for it
//! ├─ backup     each hour, also over a restart: what was missed has one run
//! ├─ poll       often, but not while the guard says no
//! └─ search     the newest wins: a run is stopped for the next
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use heights::SupervisorRef;
use heights::periodic::{Missed, Overlap, PeriodicInfo, PeriodicRef, after_each, cron_in, every};
use heights::prelude::*;
use heights::table::{SledDatabase, Table};

const HOUR: Duration = Duration::from_secs(3600);
const TICK: Duration = Duration::from_millis(10);

/// A clock on the wall that can be set, so that nobody has to wait for hours.
type Clock = Arc<Mutex<SystemTime>>;

struct Life {
    root: SupervisorRef,
    report: PeriodicRef,
    backup: PeriodicRef,
    search: PeriodicRef,
    poll: PeriodicRef,
    open: Arc<AtomicBool>,
}

async fn start(folder: &Path, clock: &Clock) -> Result<Life, Fault> {
    let database = SledDatabase::open(folder)?;
    let runs: Table<String, u64> = Table::builder("runs").store(database.store("runs")?).build();
    let report = cron_in("Asia/Tokyo", "30 7 * * MON-FRI", || say("report"));
    let report = report?.jitter(Duration::from_secs(60)).timeout(HOUR);
    let wall = Arc::clone(clock);
    let backup = every(HOUR, || say("backup"))?
        .on_missed(Missed::RunOnce)
        .remembered("backup", runs.clone());
    let backup = backup.wall_clock(move || *wall.lock().expect("nobody panics while setting it"));
    let open = Arc::new(AtomicBool::new(false));
    let guard = Arc::clone(&open);
    let poll = after_each(TICK, || std::future::ready(Ok(())))?.initial_delay(TICK);
    let poll = poll.when(move || guard.load(Ordering::Relaxed));
    let search = every(TICK, std::future::pending)?.on_overlap(Overlap::StopPrevious);

    let (report_spec, report) = report.child_with_ref("report");
    let (backup_spec, backup) = backup.child_with_ref("backup");
    let (poll_spec, poll) = poll.child_with_ref("poll");
    let (search_spec, search) = search.child_with_ref("search");
    let root = Supervisor::builder("root").strategy(Strategy::RestForOne).child(runs.child_spec());
    let root = root.child(report_spec).child(backup_spec).child(poll_spec).child(search_spec);
    Ok(Life { root: root.start().await?, report, backup, poll, search, open })
}

async fn say(what: &str) -> Result<(), Fault> {
    println!("{what}");
    Ok(())
}

async fn until(job: &PeriodicRef, is_so: impl Fn(PeriodicInfo) -> bool) {
    while !is_so(job.info()) {
        tokio::time::sleep(TICK).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let folder = tempfile::tempdir()?;
    let clock = Clock::new(Mutex::new(SystemTime::now()));
    let life = start(folder.path(), &clock).await?;
    println!("asked for a report: {}", life.report.tick().await?);
    life.open.store(true, Ordering::Relaxed);
    until(&life.poll, |now| now.started >= 3).await;
    println!("three polls since the guard said yes");
    until(&life.search, |now| now.started >= 3).await;
    println!("a search was {}", life.search.info().last.ok_or("no search has ended")?);
    until(&life.backup, |now| now.last.is_some()).await;
    life.root.stop().await;
    drop(life);

    println!("down for three and a half hours");
    *clock.lock().expect("nobody panics while setting it") += HOUR * 7 / 2;
    let life = start(folder.path(), &clock).await?;
    until(&life.backup, |now| now.last.is_some()).await;
    println!("{} backups were missed", life.backup.info().missed);
    life.root.stop().await;
    Ok(())
}
