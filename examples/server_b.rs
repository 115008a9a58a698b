//! One process instead of a web server, a cache, a database, a queue and cron: requests, some long,
//! state of the whole server, data that outlives it, jobs in the background, recovery from crashes.
//!
//! `cargo run --example server_b -- 127.0.0.1:8080 server-b-data`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Router, http::StatusCode, routing::get};
use heights::app::AppEnd;
use heights::http::HttpServer;
use heights::prelude::*;
use heights::table::{SledDatabase, Table};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Site {
    visits: Table<String, u64>,
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

type Answer = Result<String, (StatusCode, String)>;
fn answer(code: StatusCode, result: Result<impl ToString, impl ToString>) -> Answer {
    result.map(|value| value.to_string()).map_err(|error| (code, error.to_string()))
}

async fn visit(State(site): State<Site>, Path(name): Path<String>) -> String {
    let visits = site.visits.update(&name, |visits| Some(visits.map_or(1, |visits| visits + 1)));
    format!("visit {} of {name}", visits.unwrap_or_default())
}

async fn divide(State(site): State<Site>, Path(by): Path<u64>) -> Answer {
    let result = site.divider.running().await.call(|reply| Divide(by, reply)).await;
    answer(StatusCode::INTERNAL_SERVER_ERROR, result)
}

/// Takes its time: two at once, and who would have to wait for long is sent away.
async fn long(State(site): State<Site>) -> Answer {
    let done = site.long.run(tokio::time::sleep(SECOND / 3)).await;
    answer(StatusCode::SERVICE_UNAVAILABLE, done.map(|()| "done at last"))
}

#[tokio::main]
async fn main() -> Result<AppEnd, Fault> {
    let mut args = std::env::args().skip(1);
    let address = args.next().ok_or("tell an address")?.parse()?;
    let database = SledDatabase::open(args.next().ok_or("tell a folder")?)?;
    let visits = Table::builder("visits").store(database.store("visits")?).build();
    let line = Regulator::builder("long").concurrency(2).max_wait(SECOND).build();
    let (divider_spec, divider) = ChildSpec::server::<Divider>("divider", || ());
    let (counted, long_spec) = (visits.clone(), line.child_spec());
    let report = every(SECOND, move || {
        println!("{} names", counted.len());
        async { Ok(()) }
    })?;
    let routes = Router::new()
        .route("/visit/{name}", get(visit))
        .route("/divide/{by}", get(divide))
        .route("/long", get(long))
        .with_state(Site { visits: visits.clone(), long: line, divider });
    let (web_spec, web) = HttpServer::new(address, routes).child_spec("web");
    Ok(App::builder("server-b")
        .phase("storage", |phase| phase.child(visits.child_spec()))
        .phase("work", |phase| {
            phase.child(divider_spec).child(long_spec).child(report.child_spec("report"))
        })
        .phase("public", |phase| phase.child(web_spec))
        .step("announce", async move {
            println!("http://{}", web.running().await);
            Ok(())
        })
        .platform_limit(SECOND * 90)
        .run()
        .await)
}
