//! The running node: finding it, asking it, and what its refusals mean.

pub(crate) mod audit;
pub(crate) mod branch;
pub(crate) mod nightly;
pub(crate) mod pr;
pub(crate) mod quarantine;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod token;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ci_config::node::NodeConfig;
use ci_domain::ids::RepoName;
use ci_web::client::{AdminClient, ClientError};

use crate::args::NodeArgs;
use crate::compose::Folders;
use crate::config_file;
use crate::exit::Exit;

/// Where the unit that `init` writes has the configuration.
pub(crate) const USUAL_CONFIG: &str = "/etc/ci-node/ci-node.toml";

/// Connects to the node that is meant.
///
/// # Errors
/// Nothing says which one, or it does not answer.
pub(crate) async fn connect(args: &NodeArgs) -> Result<AdminClient> {
    let socket = match &args.socket {
        Some(socket) => socket.clone(),
        None => Folders::of(&config(args)?).admin_socket(),
    };
    AdminClient::connect(socket).await.map_err(refusal)
}

/// The node's configuration; its secrets are not read, since clients need none.
///
/// # Errors
/// There is none, or it is invalid.
pub(crate) fn config(args: &NodeArgs) -> Result<NodeConfig> {
    let usual = || Some(PathBuf::from(USUAL_CONFIG)).filter(|path| path.exists());
    let named = args.config.clone().or_else(usual);
    let nothing = || {
        let words = "which node? say --config FILE or --socket PATH, or set CI_NODE_CONFIG";
        Exit::Usage.because(words)
    };
    let path: PathBuf = named.ok_or_else(nothing)?;
    Ok(config_file::load_without_secrets(Path::new(&path))?)
}

/// The repository that is meant: the one that was named, or the only one.
///
/// # Errors
/// There are several, or there is none.
pub(crate) async fn repo(client: &AdminClient, named: Option<&RepoName>) -> Result<RepoName> {
    if let Some(named) = named {
        return Ok(named.clone());
    }
    let repos = client.repos().await.map_err(refusal)?;
    match repos.as_slice() {
        [repo] => repo.name.parse().context("failed to understand the answer"),
        [] => Err(Exit::NotFound.because("the node serves no repository")),
        several => {
            let names: Vec<&str> = several.iter().map(|repo| repo.name.as_str()).collect();
            let names = names.join(", ");
            Err(Exit::Usage.because(format!("which repository? say --repo, one of: {names}")))
        }
    }
}

/// Each refusal has its exit code. What the node says about it stands for itself.
pub(crate) fn refusal(error: ClientError) -> anyhow::Error {
    match error {
        ClientError::NotFound { detail } => Exit::NotFound.because(detail),
        ClientError::NotPermitted { detail } => Exit::NotPermitted.because(detail),
        ClientError::Refused { detail, .. } => Exit::Failed.because(detail),
        ClientError::NoServer { .. } | ClientError::Lost(_) => Exit::NoServer.failed_to(&error),
        ClientError::TimedOut(_) => Exit::TimedOut.failed_to(&error),
        ClientError::Garbled(_) => Exit::Failed.failed_to(&error),
    }
}
