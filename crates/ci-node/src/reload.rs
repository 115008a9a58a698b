//! Takes the configuration anew while the node runs.
//!
//! Parent: `ci-node`, its youngest child. Children: none. Restart: permanent. Commands in:
//! [`ReloadHandle`], at each SIGHUP.
//!
//! What may change is decided before anything does, by [`Change`]. What was taken and what was refused
//! is in the log and in `ci-node status`.

mod change;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use ci_build::{NodeHandle, Reload};
use ci_config::node::{NodeConfig, Repo};
use ci_github::Secret;
use ci_web::Gate;
use heights::{ChildRef, ChildSpec, Context, Fault, Flow, Server};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::compose::queue_limits;
use crate::config_file::{self, Loaded};
use crate::exit::failed_to;
use crate::gate::gate;
use crate::isolation;
use crate::opener::Opener;
use crate::reload::change::Change;

/// How others speak to the actor.
#[derive(Clone)]
pub(crate) struct ReloadHandle(ChildRef<Msg>);

impl ReloadHandle {
    /// Asks for a look at the file.
    pub(crate) fn reload(&self) {
        if self.0.cast(Msg::Reload).is_err() {
            warn!("the configuration is not taken now: the node starts or stops");
        }
    }
}

/// What the actor is started with.
#[derive(Clone)]
pub(crate) struct ReloadArgs {
    pub(crate) path: PathBuf,
    /// The configuration that holds; only this actor changes it.
    pub(crate) config: Arc<watch::Sender<NodeConfig>>,
    pub(crate) node: NodeHandle,
    pub(crate) opener: Arc<Opener>,
    pub(crate) webhook_secret: watch::Sender<Option<Secret>>,
    pub(crate) gate: watch::Sender<Option<Gate>>,
}

/// Describes the actor as a child.
pub(crate) fn start(args: ReloadArgs) -> (ChildSpec, ReloadHandle) {
    let (spec, reference) = ChildSpec::server::<Reloader>("configuration", move || args.clone());
    (spec, ReloadHandle(reference))
}

/// The secret that webhooks are signed with.
pub(crate) fn webhook_secret(config: &NodeConfig) -> Option<Secret> {
    config.github.as_ref()?.webhook_secret.clone()
}

struct Reloader(ReloadArgs);

enum Msg {
    Reload,
}

impl Server for Reloader {
    type Args = ReloadArgs;
    type Msg = Msg;

    async fn init(args: ReloadArgs, _cx: &mut Context<Msg>) -> Result<Self, Fault> {
        Ok(Self(args))
    }

    async fn handle(&mut self, Msg::Reload: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        let (taken, refused) = match config_file::load_with_files(&self.0.path) {
            Ok(loaded) => self.take(loaded).await,
            Err(error) => {
                error!(%error, "the configuration is bad; the earlier one holds");
                (Vec::new(), vec![failed_to(&error)])
            }
        };
        self.0.node.note_reload(Reload { at: SystemTime::now(), taken, refused });
        Ok(Flow::Continue)
    }

    fn label(_: &Msg) -> &'static str {
        "reload"
    }
}

impl Reloader {
    /// Takes what can be taken; answers with that, and with what was refused.
    async fn take(&self, Loaded { config, private }: Loaded) -> (Vec<String>, Vec<String>) {
        let Change { mut holds, mut taken, mut refused, repos } =
            Change::between(&self.0.config.borrow(), config);
        self.0.node.hide(isolation::hidden(&private));
        if let Some(at) = taken.iter().position(|key| key == change::CREDENTIALS)
            && let Err(error) = self.0.opener.take_credentials(&holds)
        {
            refused.push(format!("{}: {error:#}", taken.remove(at)));
            holds.github.clone_from(&self.0.config.borrow().github);
        }
        if let Some(at) = taken.iter().position(|key| key == change::SIGN_IN) {
            match gate(&holds) {
                Ok(gate) => drop(self.0.gate.send_replace(gate)),
                Err(error) => refused.push(format!("{}: {error:#}", taken.remove(at))),
            }
        }
        if let Err(error) = self.0.node.reconfigure_queues(&queue_limits(&holds)).await {
            refused.push(format!("queues: {}", failed_to(&error)));
        }
        for repo in repos {
            let key = change::key_of(&repo);
            match self.serve(&repo, &holds).await {
                Ok(()) => taken.push(key),
                Err(error) => {
                    refused.push(format!("{key}: {error:#}"));
                    change::undo(&mut holds, &repo.name, &self.0.config.borrow());
                }
            }
        }
        self.0.webhook_secret.send_replace(webhook_secret(&holds));
        self.0.config.send_replace(holds);
        for key in &taken {
            info!(key, "took a change of the configuration");
        }
        for what in &refused {
            warn!(what, "refused a change of the configuration");
        }
        if taken.is_empty() && refused.is_empty() {
            info!("nothing has changed in the configuration");
        }
        (taken, refused)
    }

    async fn serve(&self, repo: &Repo, config: &NodeConfig) -> anyhow::Result<()> {
        let args = self.0.opener.repo_args(repo, config)?;
        Ok(self.0.node.serve(args).await?)
    }
}
