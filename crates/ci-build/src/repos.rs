//! The repositories of a node: a tree for each, and the way into it. One that comes while the node runs,
//! or is granted other secrets, gets a tree of its own without a touch of the others.

use std::sync::Arc;
use std::time::Duration;

use ci_domain::ids::RepoName;
use ci_github::Forge;
use heights::{AdminError, ChildSpec, StartChildError, Supervisor, SupervisorRef};

use crate::directory::Directory;
use crate::repo::{self, RepoArgs, RepoHandle, Shared};

/// How often the trees of repositories may crash before the node's own supervisor takes over.
const INTENSITY: (u32, Duration) = (20, Duration::from_secs(60));

/// The repositories of a node, for its other actors and for those who ask from outside.
#[derive(Clone, Default)]
pub(crate) struct Repos(Directory<Served>);

/// A repository that is served.
#[derive(Clone)]
struct Served {
    /// How its tree is started, also when all of them are started anew.
    spec: ChildSpec,
    handle: Arc<RepoHandle>,
}

/// Adds to the repositories of a running node.
pub(crate) struct Server {
    repos: Repos,
    forges: Directory<Arc<dyn Forge>>,
    shared: Shared,
    tree: SupervisorRef,
}

/// Why a repository is not served, or not with what it is granted now.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Its tree did not start.
    #[error("start its actors")]
    Start(#[from] StartChildError),
    /// The tree that it had could not be stopped.
    #[error("stop its actors")]
    Stop(#[from] AdminError),
}

impl Repos {
    pub(crate) fn get(&self, name: &RepoName) -> Option<Arc<RepoHandle>> {
        Some(self.0.get(name)?.handle)
    }

    /// The names of all, in order.
    pub(crate) fn names(&self) -> Vec<RepoName> {
        self.0.names()
    }

    pub(crate) fn all(&self) -> Vec<Arc<RepoHandle>> {
        self.0.all().into_iter().map(|served| served.handle).collect()
    }
}

/// Describes the supervisor of all repositories as a child.
pub(crate) fn describe(
    args: Vec<RepoArgs>,
    forges: Directory<Arc<dyn Forge>>,
    shared: Shared,
) -> (ChildSpec, Repos, Server) {
    let repos = Repos::default();
    for args in args {
        forges.put(args.name.clone(), args.forge.clone());
        repos.0.put(args.name.clone(), Served::new(args, &shared));
    }
    let all = repos.clone();
    let (spec, tree) = Supervisor::builder("repos")
        .intensity(INTENSITY.0, INTENSITY.1)
        .init(move || Ok(all.0.all().into_iter().map(|served| served.spec).collect()))
        .child_spec();
    let server = Server { repos: repos.clone(), forges, shared, tree };
    (spec, repos, server)
}

impl Served {
    fn new(args: RepoArgs, shared: &Shared) -> Self {
        let (spec, handle) = repo::describe(args, shared);
        Self { spec, handle: Arc::new(handle) }
    }
}

impl Server {
    /// Starts the tree of a repository; one that it has is stopped before, in order, while its runners go
    /// on, which the new one adopts.
    pub(crate) async fn serve(&self, args: RepoArgs) -> Result<(), ServeError> {
        let name = args.name.clone();
        self.forges.put(name.clone(), args.forge.clone());
        let served = Served::new(args, &self.shared);
        let spec = served.spec.clone();
        let is_new = self.repos.get(&name).is_none();
        if !is_new {
            self.tree.terminate_child(spec.id().clone()).await?;
            self.tree.delete_child(spec.id().clone()).await?;
        }
        self.repos.0.put(name.clone(), served);
        let Err(error) = self.tree.start_child(spec).await else { return Ok(()) };
        if is_new {
            self.repos.0.remove(&name);
            self.forges.remove(&name);
        } else {
            // Nobody else would start it again: now all are, as after a crash.
            self.tree.stop().await;
        }
        Err(error.into())
    }
}
