//! The server: opens what the configuration names, starts the tree, and stops it in order.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ci_build::NodeHandle;
use ci_config::node::{NodeConfig, ReadAccess, Runner, Tier};
use ci_config::quantity::Rate;
use ci_exec::{Bounds, Delegated};
use ci_github::Secret;
use ci_web::{Gate, Limit, Limits, WebArgs};
use heights::{App, ChildSpec};
use heights_vitals::InspectorBuilder;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::compose::{Composed, Folders, compose};
use crate::config_file::{self, Loaded};
use crate::exit::failed_to;
use crate::gate::gate;
use crate::isolation::{self, Ground};
use crate::reload::{self, ReloadArgs, webhook_secret};

/// How often an address in use is tried, and the pause between two tries.
const LISTEN_TRIES: u32 = 20;
const LISTEN_PAUSE: Duration = Duration::from_millis(100);

/// Serves until SIGTERM.
///
/// # Errors
/// Something that the configuration names cannot be opened.
pub(crate) async fn run(config_path: &Path) -> Result<ExitCode> {
    let Loaded { config, private } = config_file::load_with_files(config_path)?;
    let address = config.http.listen;
    let listener = listen(address)
        .await
        .with_context(|| format!("failed to listen on {address} ([http] listen)"))?;
    let path = std::env::var("PATH").unwrap_or_default();
    let offer =
        isolation::offer(config.runner.isolation, Ground::of(&config, &path, &private)).await;
    offer.log();
    let bounds = bounds(&config.runner);
    let Composed { tree, node, opener } = compose(&config, path, offer, bounds).await?;
    opener.follow(config_path, &private, &config);
    let (secret, webhook_secret) = watch::channel(webhook_secret(&config));
    let (gate, way_in) = watch::channel(gate(&config)?);
    let web = web(&config, node.clone(), listener, (webhook_secret, way_in));
    info!(name = config.name, %address, repos = config.repos.len(), "serving");
    let (configuration, reload) = reload::start(ReloadArgs {
        path: config_path.to_owned(),
        config: Arc::new(watch::Sender::new(config.clone())),
        node,
        opener: Arc::new(opener),
        webhook_secret: secret,
        gate,
    });
    let end = App::builder(config.name.clone())
        .version(env!("CARGO_PKG_VERSION"))
        .supervisor(tree.child(web).child(configuration))
        .vitals(move |builder| inspector(builder, &config))
        .on_hangup(move || reload.reload())
        .run()
        .await;
    Ok(ExitCode::from(end.code()))
}

/// What jobs may use as a whole, where this machine can bound it; says so where it cannot.
fn bounds(runner: &Runner) -> Option<Bounds> {
    let delegated = match Delegated::take() {
        Ok(delegated) => delegated,
        Err(error) => {
            let error = failed_to(&error);
            warn!(error, "[runner] memory, pids and cpus do not bound jobs as a whole");
            return None;
        }
    };
    let limits = isolation::limits(runner);
    for what in delegated.lacks(limits) {
        warn!(what, "this machine's control groups do not bound it ([runner])");
    }
    let bounds = delegated.bounds(limits);
    // Left by jobs that ended while no node was there.
    if let Err(error) = bounds.tidy() {
        warn!(%error, "failed to remove control groups");
    }
    Some(bounds)
}

/// Takes the address, which may be free in a moment: what a killed node was about to start holds its
/// address until it runs its own program, and an old node may be on its last step.
async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    for _ in 1..LISTEN_TRIES {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => sleep(LISTEN_PAUSE).await,
            listener => return listener,
        }
    }
    TcpListener::bind(address)
}

/// Describes the web server of a node.
pub(crate) fn web(
    config: &NodeConfig,
    node: NodeHandle,
    listener: TcpListener,
    (webhook_secret, gate): (watch::Receiver<Option<Secret>>, watch::Receiver<Option<Gate>>),
) -> ChildSpec {
    let folders = Folders::of(config);
    ci_web::start(WebArgs {
        node,
        listener,
        admin_socket: folders.admin_socket(),
        webhook_secret,
        patience: ci_web::PATIENCE,
        read: match config.http.read {
            ReadAccess::Token => ci_web::ReadAccess::Token,
            ReadAccess::Public => ci_web::ReadAccess::Public,
        },
        gate,
        proxies: config.http.proxies.clone(),
        limits: Limits {
            requests: limit(config.http.requests),
            failed_logins: limit(config.http.failed_logins),
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn limit(rate: Rate) -> Limit {
    Limit { count: rate.count.get(), per: rate.per }
}

/// Lets the node's user look inside, as far as the configuration allows; crashes are kept in a file.
pub(crate) fn inspector(builder: InspectorBuilder, config: &NodeConfig) -> InspectorBuilder {
    let builder = builder.crash_file(config.data_dir.join("crashes.jsonl"));
    builder.tier(match config.vitals.tier {
        Tier::Read => heights_vitals::Tier::Read,
        Tier::Trace => heights_vitals::Tier::Trace,
        Tier::Control => heights_vitals::Tier::Control,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_is_waited_for_a_moment_and_not_for_ever() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        let refused = listen(address).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        let let_go = async {
            sleep(LISTEN_PAUSE * 3).await;
            drop(held);
        };
        let (taken, ()) = tokio::join!(listen(address), let_go);
        taken.unwrap();
    }
}
