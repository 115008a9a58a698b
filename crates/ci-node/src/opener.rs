//! Opens repositories: at the start all that the configuration names, later those that are new in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ci_build::RepoArgs;
use ci_config::node::{Github, NodeConfig, Origin, Repo};
use ci_git::{Git, MirrorConfig, Workspaces};
use ci_github::{Forge, GitHub, LocalForge, LogOnly};

use crate::compose::{Folders, credentials, github_client};
use crate::credential_files::CredentialFiles;

/// How long one git command may take: the first clone of a large repository is the longest.
const GIT_LIMIT: Duration = Duration::from_secs(30 * 60);
/// How often a forge on this machine is looked at, where nothing says so: looking costs nothing.
const LOCAL_POLL: Duration = Duration::from_millis(500);

/// What all repositories of a node have in common.
pub(crate) struct Opener {
    folders: Folders,
    git: Git,
    github: Option<Access>,
}

/// The way to GitHub; its credentials can be replaced at any time.
struct Access {
    client: Arc<GitHub>,
    forge: Arc<dyn Forge>,
}

impl Opener {
    /// Prepares the way to GitHub; nothing is sent yet.
    ///
    /// # Errors
    /// Names the part of the configuration that cannot be used.
    pub(crate) fn new(config: &NodeConfig, git: Git) -> Result<Self> {
        let github = config.github.as_ref().map(Access::new).transpose()?;
        Ok(Self { folders: Folders::of(config), git, github })
    }

    /// Opens one repository.
    ///
    /// # Errors
    /// A folder cannot be made, or its forge cannot be used.
    pub(crate) fn repo_args(&self, repo: &Repo, config: &NodeConfig) -> Result<RepoArgs> {
        let (forge, url, poll_interval): (Arc<dyn Forge>, _, _) = match &repo.origin {
            Origin::Local { path } => {
                let forge = LocalForge::open(path.clone())
                    .with_context(|| format!("failed to open the local forge of {}", repo.name))?;
                (Arc::new(forge), path_text(path)?, LOCAL_POLL)
            }
            Origin::Github { clone_url } => {
                let none = "the node was started without [github]";
                let settings = config.github.as_ref().context(none)?;
                let Access { forge, .. } = self.github.as_ref().context(none)?;
                (forge.clone(), clone_url.clone(), settings.poll_interval)
            }
        };
        let folder = self.folders.workspaces(&repo.name);
        let workspaces = Workspaces::open(self.git.clone(), &folder, GIT_LIMIT)
            .with_context(|| format!("failed to make the workspaces of {}", repo.name))?;
        let (git, dir) = (self.git.clone(), self.folders.mirror(&repo.name));
        Ok(RepoArgs {
            name: repo.name.clone(),
            forge,
            // Before each fetch the mirror asks the forge what to show.
            mirror: MirrorConfig { git, dir, url, credential: None, timeout: GIT_LIMIT },
            workspaces,
            workspace_folder: folder,
            poll_interval,
            secrets: repo.secrets.clone(),
        })
    }

    /// Lets the files of `config` replace the credentials whenever they change.
    pub(crate) fn follow(&self, path: &Path, private: &[PathBuf], config: &NodeConfig) {
        if let (Some(access), Some(settings)) = (&self.github, &config.github) {
            access.client.follow(Arc::new(CredentialFiles::new(path, private, settings)));
        }
    }

    /// Shows GitHub the credentials of `config` from now on.
    ///
    /// # Errors
    /// They cannot be used; the old ones stay.
    pub(crate) fn take_credentials(&self, config: &NodeConfig) -> Result<()> {
        let (Some(access), Some(settings)) = (&self.github, &config.github) else { return Ok(()) };
        Ok(access.client.replace_credentials(credentials(settings))?)
    }
}

impl Access {
    fn new(settings: &Github) -> Result<Self> {
        let client = Arc::new(github_client(settings)?);
        let forge: Arc<dyn Forge> = match settings.write {
            true => client.clone(),
            false => Arc::new(LogOnly::new(client.clone())),
        };
        Ok(Self { client, forge })
    }
}

fn path_text(path: &Path) -> Result<String> {
    let text = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(text.to_owned())
}
