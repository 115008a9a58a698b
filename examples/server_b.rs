//! One process instead of a web server, a cache, a database, a queue and cron: requests, some long,
//! state of the whole server, data that outlives it, work in the background, recovery from crashes.
//!
//! `cargo run --example server_b -- 127.0.0.1:8080 server-b-data`, and then
//! `curl http://127.0.0.1:8080/visit/alice`; also `/now`, `/long/500` and `/divide/0`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Router, http::StatusCode, routing::get};
use heights::http::HttpServer;
use heights::prelude::*;
use heights::table::{SledDatabase, Table};

/// What requests share: data that lasts, state that need not, a queue, and a process.
#[derive(Clone)]
struct Site {
    visits: Table<String, u64>,
    facts: Table<&'static str, u64>,
    long: Regulator,
    divider: ChildRef<Divide>,
}

/// Divides, and does not check by what.
struct Divider;
struct Divide(u64, Reply<u64>);

impl Server for Divider {
    type Args = ();
    type Msg = Divide;

    async fn init((): (), _cx: &mut Context<Divide>) -> Result<Self, Fault> {
        Ok(Self)
    }

    async fn handle(&mut self, msg: Divide, _cx: &mut Context<Divide>) -> Result<Flow, Fault> {
        let Divide(by, reply) = msg;
        reply.send(100 / by);
        Ok(Flow::Continue)
    }
}

fn answer(bad: StatusCode, result: Result<impl ToString, impl ToString>) -> (StatusCode, String) {
    result.map_or_else(|error| (bad, error.to_string()), |it| (StatusCode::OK, it.to_string()))
}

async fn visit(State(site): State<Site>, Path(name): Path<String>) -> String {
    let visits = site.visits.update(&name, |visits| Some(visits.map_or(1, |visits| visits + 1)));
    format!("visit {} of {name}", visits.unwrap_or_default())
}

async fn now(State(site): State<Site>) -> String {
    let (visits, long) = (site.facts.get(&"visits").unwrap_or_default(), site.long.info());
    format!("{visits} visits, {} long at work, {} wait", long.held, long.waiting)
}

/// Takes its time: two at once, and who has waited in vain for a second is sent away.
async fn long_request(State(site): State<Site>, Path(ms): Path<u64>) -> (StatusCode, String) {
    let done = site.long.run(async { tokio::time::sleep(Duration::from_millis(ms)).await }).await;
    answer(StatusCode::SERVICE_UNAVAILABLE, done.map(|()| "done at last"))
}

async fn divide(State(site): State<Site>, Path(by): Path<u64>) -> (StatusCode, String) {
    let result = site.divider.running().await.call(|reply| Divide(by, reply)).await;
    answer(StatusCode::INTERNAL_SERVER_ERROR, result)
}

#[tokio::main]
async fn main() -> Result<heights::app::AppEnd, Fault> {
    let mut args = std::env::args().skip(1);
    let address = args.next().ok_or("tell an address")?.parse()?;
    let disk = SledDatabase::open(args.next().ok_or("tell a folder")?)?;
    let visits = Table::builder("visits").store(disk.store("visits")?).build();
    let long = Regulator::builder("long").concurrency(2).max_wait(Duration::from_secs(1)).build();
    let (divider_spec, divider) = ChildSpec::server::<Divider>("divider", || ());
    let site = Site { visits, facts: Table::builder("facts").build(), long, divider };
    let (visits, counting) = (site.visits.child_spec(), site.clone());
    let count = every(Duration::from_secs(1), move || {
        counting.facts.insert("visits", counting.visits.select(|_, n| Some(*n)).iter().sum());
        async { Ok(()) }
    })?;
    let routes = Router::new()
        .route("/visit/{name}", get(visit))
        .route("/now", get(now))
        .route("/long/{ms}", get(long_request))
        .route("/divide/{by}", get(divide));
    let (web_spec, web) = HttpServer::new(address, routes.with_state(site)).child_spec("web");
    let app = App::builder("server-b")
        .phase("state", |phase| phase.child(visits))
        .phase("work", |phase| phase.child(divider_spec).child(count.child_spec("count")))
        .phase("public", |phase| phase.child(web_spec))
        .step("announce", async move {
            println!("http://{}", web.running().await);
            Ok(())
        });
    Ok(app.run().await)
}
