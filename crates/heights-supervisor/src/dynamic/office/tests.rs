//! Who is at work in an office, and what others notice of it.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use futures_util::future::join_all;
use ractor::ActorStatus;
use tokio::runtime::{Builder, Runtime};

use super::MOST_BY_OTHERS;
use crate::{ChildSpec, DynamicRef, DynamicSupervisor, Exit, Recipient, Report, Shutdown};

/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

fn home() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn sleeper() -> ChildSpec {
    let sleeper = ChildSpec::task("sleeper", |_cx| std::future::pending());
    sleeper.shutdown(Shutdown::Brutal)
}

/// Holds up whoever is at work when there is something to report.
struct HoldUp {
    held: Receiver<()>,
    go_on: Sender<()>,
}

impl HoldUp {
    fn at(home: &Runtime, reported: fn(&Report) -> bool) -> (DynamicRef, Self) {
        let (hold, held) = channel();
        let (go_on, going_on) = channel();
        let going_on = Mutex::new(going_on);
        let listener = Recipient::from_fn(move |report| {
            if reported(&report) {
                hold.send(()).unwrap();
                going_on.lock().unwrap().recv_timeout(LIMIT).unwrap();
            }
        });
        let builder = DynamicSupervisor::builder("root").on_report(listener);
        (home.block_on(builder.start()).unwrap(), Self { held, go_on })
    }
}

#[test]
fn a_child_runs_where_its_supervisor_does_whoever_asks_for_it() {
    let home = home();
    let root = home.block_on(DynamicSupervisor::builder("root").start()).unwrap();
    let away = Builder::new_current_thread().build().unwrap();
    let child = away.block_on(root.start_child(sleeper())).unwrap().process;
    drop(away);
    assert!(child.is_alive());
    home.block_on(root.stop());
}

#[test]
fn what_gathers_while_somebody_is_at_work_is_dealt_with_too() {
    let home = home();
    let (root, hold_up) = HoldUp::at(&home, |report| matches!(report, Report::Progress(_)));
    let asking = root.clone();
    let starting = home.spawn(async move { asking.start_child(sleeper()).await.is_ok() });
    hold_up.held.recv_timeout(LIMIT).unwrap();
    let counting = join_all((0..3 * MOST_BY_OTHERS).map(|_| root.count_children()));
    let letting_go = async { hold_up.go_on.send(()).unwrap() };
    let (counts, ()) = home.block_on(async { tokio::join!(biased; counting, letting_go) });
    assert!(counts.iter().all(|counts| counts.active == 1), "{counts:?}");
    assert!(home.block_on(starting).unwrap());
    home.block_on(root.stop());
}

#[test]
fn a_supervisor_is_not_gone_while_somebody_is_at_work_for_it() {
    let home = home();
    // That a child had to be killed is reported by whoever buries it.
    let (root, hold_up) = HoldUp::at(&home, |report| matches!(report, Report::Supervisor(_)));
    let stubborn = sleeper().shutdown(Shutdown::Timeout(Duration::ZERO));
    let child = home.block_on(root.start_child(stubborn)).unwrap().process;
    let asking = root.clone();
    let ending = home.spawn(async move { asking.terminate_child(&child.pid()).await.is_ok() });
    hold_up.held.recv_timeout(LIMIT).unwrap();
    let process = root.process().unwrap();
    process.kill();
    home.block_on(async {
        while process.cell().unwrap().get_status() != ActorStatus::Stopped {
            tokio::task::yield_now().await;
        }
        assert!(process.is_alive());
        hold_up.go_on.send(()).unwrap();
        assert!(matches!(process.gone().await, Exit::Killed));
        ending.await.unwrap();
    });
}
