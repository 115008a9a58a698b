//! Repositories on this machine, which need no GitHub.

use ci_config::node::{NodeConfig, Origin};
use ci_github::LocalForge;
use rustix::fs::{Access, access};

use super::Finding;

/// Whether each is there and can be used.
pub(super) fn check(config: &NodeConfig) -> Vec<Finding> {
    let finding = |repo: &ci_config::node::Repo| {
        let Origin::Local { path } = &repo.origin else { return None };
        let (subject, shown) = (format!("repository {}", repo.name), path.display());
        Some(if !LocalForge::is_there(path) {
            let words = format!("{shown} is no bare git repository");
            Finding::fail(subject, words, "make it (git init --bare PATH), or name another")
        } else if access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
            let words = format!("{shown} cannot be written by this user");
            let remedy =
                "run this as the node's user, or give it the folder: statuses are kept in it";
            Finding::fail(subject, words, remedy)
        } else {
            Finding::ok(subject, format!("{shown}, a bare repository on this machine"))
        })
    };
    config.repos.iter().filter_map(finding).collect()
}
