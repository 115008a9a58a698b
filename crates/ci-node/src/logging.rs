//! What the process says of itself while it works: on stderr, as much as `RUST_LOG` asks for.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::args::Command;

/// Starts logging. A server tells what it does; a command tells only what is amiss.
pub(crate) fn start(command: &Command) {
    let usual = if matches!(command, Command::Serve { .. }) { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
}
