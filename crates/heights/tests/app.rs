//! How a program starts, is told to stop, and ends.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::future::pending;
use std::process::{Stdio, Termination};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heights::app::AppEnd;
use heights::prelude::*;
use heights::{ShutdownReason, SupervisorBuilder};
use heights_testkit::{FaultPlan, Trace};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// Set for the copy of this test program that plays the application.
const PLAYS_APP: &str = "HEIGHTS_TEST_PLAYS_APP";

const CEILING: Duration = Duration::from_secs(60);

fn told_to_stop(root: SupervisorBuilder) -> heights::app::AppBuilder {
    App::builder("app").without_vitals().supervisor(root).stop_when(async {})
}

#[tokio::test(start_paused = true)]
async fn stops_in_reverse_order_and_says_that_it_was_clean() {
    let trace = Arc::new(Mutex::new(Vec::new()));
    let child = |id: &'static str| {
        let trace = Arc::clone(&trace);
        ChildSpec::task(id, move |cx| {
            let trace = Arc::clone(&trace);
            async move {
                cx.shutdown().await;
                trace.lock().unwrap().push(id);
                Ok(())
            }
        })
    };
    let root = Supervisor::builder("app").child(child("elder")).child(child("younger"));
    let end = told_to_stop(root).run().await;
    assert!(matches!(end, AppEnd::Clean), "{end}");
    assert_eq!(end.code(), 0);
    assert_eq!(*trace.lock().unwrap(), ["younger", "elder"]);
}

#[tokio::test(start_paused = true)]
async fn names_the_child_that_had_to_be_killed() {
    let deaf = ChildSpec::task("deaf", |_cx| pending());
    let end = told_to_stop(Supervisor::builder("app").child(deaf)).run().await;
    assert_eq!(end.to_string(), "stopped, but had to kill app/deaf");
    assert_eq!(end.code(), 71);
}

#[tokio::test(start_paused = true)]
async fn kills_what_still_runs_when_the_budget_is_spent() {
    let deaf = ChildSpec::task("deaf", |_cx| pending()).shutdown(Shutdown::Infinity);
    let root = Supervisor::builder("app").child(deaf);
    let end = told_to_stop(root).shutdown_budget(Duration::from_secs(30)).run().await;
    assert_eq!(end.to_string(), "stopped, but had to kill app, app/deaf");
}

#[tokio::test(start_paused = true)]
async fn ends_with_a_code_of_its_own_when_the_root_gives_up() {
    let broken = ChildSpec::task("broken", |_cx| async { Err("on purpose".into()) });
    let (inner, _) = Supervisor::builder("inner").child(broken).child_spec();
    let root = Supervisor::builder("app").intensity(2, Duration::from_secs(5)).child(inner);
    let end = App::builder("app").without_vitals().supervisor(root).run().await;
    let exit = Exit::Shutdown(ShutdownReason::ReachedMaxIntensity);
    let expected = format!(
        "the root ended: {exit}; the last trouble was \
         app/inner: child terminated: broken: error: on purpose"
    );
    assert_eq!(end.to_string(), expected);
    assert_eq!(end.code(), 70);
}

#[test]
fn what_fails_before_there_is_a_tree_is_said_with_its_causes() {
    let error = heights::table::StoreError::load("the disk is away");
    let end = AppEnd::not_started(error);
    assert_eq!(end.to_string(), "did not start: load the store: the disk is away");
    assert_eq!(end.code(), 1);
}

struct NeverUp;

impl Server for NeverUp {
    type Args = ();
    type Msg = ();

    async fn init((): (), _cx: &mut Context<()>) -> Result<Self, Fault> {
        Err("on purpose".into())
    }

    async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
        Ok(Flow::Continue)
    }
}

#[tokio::test(start_paused = true)]
async fn says_why_the_tree_did_not_come_up() {
    let (spec, _never) = ChildSpec::server::<NeverUp>("never", || ());
    let end = App::builder("app")
        .without_vitals()
        .supervisor(Supervisor::builder("app").child(spec))
        .run()
        .await;
    assert_eq!(end.code(), 1);
    assert!(end.to_string().contains("never did not start"), "{end}");
}

/// Never comes up.
struct Hangs;

impl Server for Hangs {
    type Args = ();
    type Msg = ();

    async fn init((): (), _cx: &mut Context<()>) -> Result<Self, Fault> {
        pending().await
    }

    async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
        Ok(Flow::Continue)
    }
}

/// Not a test by itself: the program that the tests below send signals to.
#[tokio::test]
async fn plays_app() {
    let Ok(role) = std::env::var(PLAYS_APP) else { return };
    let up = ChildSpec::task("up", |cx| async move {
        println!("\nup");
        cx.shutdown().await;
        println!("\nstopping");
        Ok(())
    });
    let (hangs, _hangs) = ChildSpec::server::<Hangs>("hangs", || ());
    let mut root = Supervisor::builder("app").child(up);
    if role == "hangs" {
        root = root.child(hangs);
    }
    if role == "fails" {
        root = root.child(ChildSpec::server::<NeverUp>("never", || ()).0);
    }
    let app = App::builder("app").without_vitals().supervisor(root);
    let hangup = move || {
        println!("\nhangup");
        assert_ne!(role, "trips", "it trips over its hook");
    };
    let end = app.on_hangup(hangup).run().await;
    let code = end.code();
    // As if it were returned by `main`.
    assert_eq!(end.report(), code.into());
    std::process::exit(code.into());
}

#[tokio::test]
async fn a_program_that_fails_says_so_although_it_has_no_log() {
    let mut app = Command::new(std::env::current_exe().unwrap());
    let app = app.args(["plays_app", "--exact", "--nocapture"]).env(PLAYS_APP, "fails");
    let output = timeout(CEILING, app.kill_on_drop(true).output()).await.expect("it ends").unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("did not start: child never did not start: error: "), "{said}");
}

/// Runs the program in a role, answers lines it prints by signals, and returns its exit code.
async fn signal_app(role: &str, answers: &[(&str, Signal)]) -> Option<i32> {
    let mut app = Command::new(std::env::current_exe().unwrap())
        .args(["plays_app", "--exact", "--nocapture"])
        .env(PLAYS_APP, role)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(app.id().unwrap().cast_signed()).unwrap();
    let mut lines = BufReader::new(app.stdout.take().unwrap()).lines();
    for (line, signal) in answers {
        let heard = async { while lines.next_line().await.unwrap().expect("it runs") != *line {} };
        timeout(CEILING, heard).await.unwrap_or_else(|_| panic!("waited in vain for {line:?}"));
        kill_process(pid, *signal).unwrap();
    }
    timeout(CEILING, app.wait()).await.expect("it stops").unwrap().code()
}

#[tokio::test]
async fn signals_reload_and_stop_a_program() {
    for last in [Signal::TERM, Signal::INT] {
        assert_eq!(signal_app("runs", &[("up", Signal::HUP), ("hangup", last)]).await, Some(0));
    }
}

#[tokio::test]
async fn a_hook_that_panics_at_a_signal_does_not_end_the_program() {
    let answers = [("up", Signal::HUP), ("hangup", Signal::TERM)];
    assert_eq!(signal_app("trips", &answers).await, Some(0));
}

#[tokio::test]
async fn a_program_that_hangs_while_it_starts_can_be_stopped() {
    assert_eq!(signal_app("hangs", &[("up", Signal::TERM)]).await, Some(0));
}

/// A child that notes when it starts and ends.
fn noting(id: &'static str, trace: &Trace) -> ChildSpec {
    trace.child(id, &FaultPlan::new()).0
}

#[tokio::test(start_paused = true)]
async fn phases_start_one_after_the_other_with_steps_between_and_stop_in_reverse() {
    let trace = Trace::new();
    let (step, goodbye) = (trace.clone(), trace.clone());
    let end = App::builder("app")
        .without_vitals()
        .phase("storage", |phase| {
            phase.child(noting("disk", &trace)).child(noting("cache", &trace))
        })
        .step("migrate", async move {
            tokio::time::sleep(Duration::from_secs(600)).await;
            step.note("migrated");
            Ok(())
        })
        .phase("public", |phase| phase.child(noting("web", &trace)))
        .before_stop(async move { goodbye.note("goodbye") })
        .stop_when(async {})
        .run()
        .await;
    assert!(matches!(end, AppEnd::Clean), "{end}");
    let expected = [
        "+disk",
        "+cache",
        "migrated",
        "+web",
        "goodbye",
        "-web shutdown",
        "-cache shutdown",
        "-disk shutdown",
    ];
    assert_eq!(trace.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_fails_is_named_and_takes_down_what_was_up() {
    let trace = Trace::new();
    let end = App::builder("app")
        .without_vitals()
        .phase("storage", |phase| phase.child(noting("disk", &trace)))
        .step("migrate", async { Err("the schema is newer".into()) })
        .phase("public", |phase| phase.child(noting("web", &trace)))
        .run()
        .await;
    assert_eq!(end.code(), 1);
    let said = end.to_string();
    assert!(said.contains("migrate") && said.contains("the schema is newer"), "{said}");
    assert_eq!(trace.take(), ["+disk", "-disk shutdown"]);
}

#[tokio::test(start_paused = true)]
async fn preparing_to_stop_is_part_of_the_budget() {
    let root = Supervisor::builder("app").child(ChildSpec::task("idle", |_cx| pending()));
    let app = told_to_stop(root).before_stop(pending()).shutdown_budget(Duration::from_secs(30));
    let end = app.run().await;
    assert_eq!(end.to_string(), "stopped, but had to kill app, app/idle");
}

#[tokio::test(start_paused = true)]
async fn the_tree_is_stopped_in_order_whatever_panics_before() {
    let trace = Trace::new();
    let root = || Supervisor::builder("app").child(noting("disk", &trace));
    let app = App::builder("app").without_vitals().supervisor(root());
    let ends = [
        app.stop_when(async { panic!("a bad condition") }).run().await,
        told_to_stop(root()).before_stop(async { panic!("a bad goodbye") }).run().await,
    ];
    assert!(ends.iter().all(|end| matches!(end, AppEnd::Clean)), "{ends:?}");
    assert_eq!(trace.take(), ["+disk", "-disk shutdown", "+disk", "-disk shutdown"]);
}
