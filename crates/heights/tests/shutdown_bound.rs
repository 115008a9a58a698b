//! How long a tree may take to stop: by its specs, and in simulated time.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::future::pending;
use std::time::Duration;

use heights::SupervisorBuilder;
use heights::app::{AppEnd, ShutdownBoundError};
use heights::prelude::*;
use proptest::prelude::{
    BoxedStrategy, Just, ProptestConfig, prop, prop_assert, prop_oneof, proptest,
};
use proptest::strategy::Strategy as _;

const LONG: Duration = Duration::from_secs(1_000_000);
const DAY: Duration = Duration::from_secs(86_400);

/// What a child does when it is told to stop.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Obeys,
    /// Ends by itself after so many milliseconds.
    Dawdles(u64),
    IsDeaf,
}

#[derive(Debug, Clone)]
enum Node {
    Worker(Shutdown, Manner),
    Supervisor(Shutdown, Vec<Node>),
}

impl Node {
    fn spec(&self, id: String, grace: Duration, worst: bool) -> ChildSpec {
        match self {
            Self::Worker(shutdown, manner) => {
                let manner = if worst { Manner::IsDeaf } else { *manner };
                let spec = ChildSpec::task(id, move |cx| stop_like(cx, manner));
                spec.shutdown(*shutdown).kill_grace(grace)
            }
            Self::Supervisor(shutdown, children) => {
                let (spec, _) = tree(&id, children, grace, worst).child_spec();
                spec.shutdown(*shutdown).kill_grace(grace)
            }
        }
    }
}

async fn stop_like(cx: TaskContext, manner: Manner) -> Result<(), Fault> {
    cx.shutdown().await;
    match manner {
        Manner::Obeys => {}
        Manner::Dawdles(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Manner::IsDeaf => pending().await,
    }
    Ok(())
}

fn tree(id: &str, children: &[Node], grace: Duration, worst: bool) -> SupervisorBuilder {
    let specs = children.iter().enumerate();
    let specs = specs.map(|(number, node)| node.spec(format!("{id}{number}"), grace, worst));
    specs.fold(Supervisor::builder(id), SupervisorBuilder::child)
}

fn timeouts() -> BoxedStrategy<Shutdown> {
    let timeout =
        (0_u64..5_000).prop_map(|millis| Shutdown::Timeout(Duration::from_millis(millis)));
    prop_oneof![1 => Just(Shutdown::Brutal), 4 => timeout].boxed()
}

fn nodes() -> BoxedStrategy<Node> {
    let manner = prop_oneof![
        Just(Manner::Obeys),
        (0_u64..8_000).prop_map(Manner::Dawdles),
        Just(Manner::IsDeaf)
    ];
    let worker = (timeouts(), manner).prop_map(|(shutdown, manner)| Node::Worker(shutdown, manner));
    worker
        .prop_recursive(3, 16, 4, |inner| {
            let shutdown = prop_oneof![2 => Just(Shutdown::Infinity), 1 => timeouts()];
            let children = prop::collection::vec(inner, 0..4);
            (shutdown, children).prop_map(|(shutdown, nodes)| Node::Supervisor(shutdown, nodes))
        })
        .boxed()
}

/// Starts a tree, stops it and returns how long that takes.
fn measure(root: SupervisorBuilder) -> Duration {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let root = root.start().await.unwrap();
        // Everybody has come as far as to wait for the stop.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let begin = tokio::time::Instant::now();
        root.stop().await;
        begin.elapsed()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_tree_takes_longer_than_computed_and_the_worst_takes_all_but_a_kill_grace(
        nodes in prop::collection::vec(nodes(), 0..5),
        grace in (1_u64..3_000).prop_map(Duration::from_millis),
    ) {
        let root = |worst| tree("root", &nodes, grace, worst);
        let bound = App::shutdown_bound(&root(false), DAY).unwrap();
        let (takes, worst) = (measure(root(false)), measure(root(true)));
        prop_assert!(takes <= bound.in_order, "{takes:?} > {bound:?}");
        prop_assert!(worst <= bound.total() && bound.total() - worst <= bound.kill_grace, "{worst:?}, {bound:?}");
    }
}

fn worker(id: &str, seconds: u64) -> ChildSpec {
    let spec = ChildSpec::task(id, |cx| stop_like(cx, Manner::Obeys));
    spec.shutdown(Shutdown::Timeout(Duration::from_secs(seconds)))
}

fn supervisor(id: &str, children: impl IntoIterator<Item = ChildSpec>) -> ChildSpec {
    children.into_iter().fold(Supervisor::builder(id), SupervisorBuilder::child).child_spec().0
}

#[test]
fn the_error_names_the_path_that_takes_too_long() {
    let inner = supervisor("inner", [worker("slow", 50), worker("quick", 1)]);
    let root = Supervisor::builder("root").child(worker("first", 10)).child(inner);
    let bound = App::shutdown_bound(&root, Duration::from_secs(66)).unwrap();
    assert_eq!((bound.in_order.as_secs(), bound.kill_grace.as_secs()), (61, 5));
    let error = App::shutdown_bound(&root, Duration::from_secs(30)).unwrap_err();
    let expected = "stop within 30s: it may take 66s, of which root/inner/slow takes 50s";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn many_that_take_a_little_each_are_blamed_together() {
    let many = supervisor("many", (0..9).map(|number| worker(&format!("w{number}"), 5)));
    let root = Supervisor::builder("root").child(many);
    let error = App::shutdown_bound(&root, Duration::from_secs(30)).unwrap_err();
    assert!(error.to_string().ends_with("of which root/many takes 45s"), "{error}");
}

#[test]
fn what_may_take_any_time_is_named() {
    let endless = |spec: ChildSpec, path: &str| {
        let error =
            App::shutdown_bound(&Supervisor::builder("root").child(spec), LONG).unwrap_err();
        let expected = ShutdownBoundError::Unbounded { path: path.to_owned(), limit: LONG };
        assert_eq!(error, expected);
    };
    endless(worker("patient", 1).shutdown(Shutdown::Infinity), "root/patient");
    let (dynamic, _) = DynamicSupervisor::builder("dynamic").child_spec();
    endless(supervisor("inner", [dynamic.clone()]), "root/inner/dynamic");
    let (late, _) = Supervisor::builder("late").init(|| Ok(Vec::new())).child_spec();
    endless(late, "root/late");
    let limited = dynamic.shutdown(Shutdown::Timeout(Duration::from_secs(7)));
    let bound = App::shutdown_bound(&Supervisor::builder("root").child(limited), LONG);
    assert_eq!(bound.unwrap().in_order.as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_does_not_fit_its_platform_does_not_start() {
    let app = |limit| {
        let root = Supervisor::builder("root").child(worker("slow", 50));
        let app = App::builder("app").without_vitals().supervisor(root).stop_when(async {});
        app.platform_limit(Duration::from_secs(limit)).run()
    };
    assert!(matches!(app(55).await, AppEnd::Clean));
    let end = app(54).await;
    assert!(matches!(end, AppEnd::NotStarted(_)));
    assert!(end.to_string().contains("root/slow takes 50s"), "{end}");
}
