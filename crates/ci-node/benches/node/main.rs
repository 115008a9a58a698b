//! What a whole node costs: the real program beside a real git repository and a GitHub in memory.
//!
//! `cargo bench -p ci-node --bench node` prints figures and ratios, each next to a yardstick that was
//! taken in the same run; it is read by people and fails on no figure. `-- --quick` makes each part
//! short, to see that it works. The name of a part (`start`, `builds`, `idle`, `pages`,
//! `adopt`, `siblings`, `webhooks`) runs only that one.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod adopt;
mod builds;
mod figures;
mod idle;
mod monorepo;
mod pages;
mod siblings;
mod start;
mod starts;
mod webhooks;
mod yardstick;

// The world of the stories, of which a bench needs less than they do.
#[expect(dead_code, reason = "stories ask more of a node")]
#[path = "../../tests/stories/node.rs"]
mod node;
#[path = "../../tests/stories/processes.rs"]
mod processes;
#[expect(dead_code, reason = "stories read all of them")]
#[path = "../../../ci-github/tests/support/recorded.rs"]
mod recordings;
#[expect(dead_code, reason = "stories change more than files")]
#[path = "../../tests/stories/repository.rs"]
mod repository;
#[path = "../../../ci-github/tests/support/stand_in.rs"]
mod stand_in;
#[expect(dead_code, reason = "stories compare all that was told")]
#[path = "../../tests/stories/told.rs"]
mod told;
#[path = "../../tests/stories/wait.rs"]
mod wait;
#[expect(dead_code, reason = "stories ask more of a world")]
#[path = "../../tests/stories/world.rs"]
mod world;

/// How long the parts are.
#[derive(Clone, Copy)]
struct Size {
    /// Heads pushed to one pull request.
    heads: usize,
    /// Pull requests opened one after the other.
    pulls: usize,
    /// Builds of one command.
    builds: usize,
    /// Pull requests of an idle node.
    idle: usize,
    /// Builds on record while pages are asked for.
    history: usize,
    /// Jobs that run while their node is killed.
    adopted: usize,
    /// Webhooks that come as fast as they may.
    webhooks: usize,
}

const FULL: Size = Size {
    heads: 200,
    pulls: 30,
    builds: 200,
    idle: 1000,
    history: 100_000,
    adopted: 100,
    webhooks: 30_000,
};
const QUICK: Size =
    Size { heads: 5, pulls: 3, builds: 12, idle: 20, history: 1000, adopted: 5, webhooks: 500 };

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> =
        arguments.iter().filter(|name| !name.starts_with('-')).map(String::as_str).collect();
    let wants = |name: &str| names.is_empty() || names.contains(&name);
    let size = if arguments.iter().any(|text| text == "--quick") { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if wants("start") {
            start::measure(size).await;
        }
        if wants("builds") {
            builds::measure(size).await;
        }
        if wants("idle") {
            idle::measure(size).await;
        }
        if wants("pages") {
            pages::measure(size).await;
        }
        if wants("adopt") {
            adopt::measure(size).await;
        }
        if wants("siblings") {
            siblings::measure(size).await;
        }
        if wants("webhooks") {
            webhooks::measure(size).await;
        }
    });
}
