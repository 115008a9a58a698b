//! What git shows at the forge's door: the forge is asked before each fetch, for the tokens of apps last an
//! hour and others are replaced while the node runs.

use std::sync::Arc;

use ci_domain::ids::RepoName;
use ci_git::Credential;
use ci_github::Forge;

use crate::mirror::prepare::PrepareFault;

/// The way of one repository's git to its forge.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) forge: Arc<dyn Forge>,
    pub(super) repo: RepoName,
    /// Shared with the mirror.
    pub(super) credential: Credential,
}

impl Door {
    /// Has git show the token that holds now, where it is to show one.
    pub(super) async fn open(&self) -> Result<(), PrepareFault> {
        let token = self.forge.git_token(&self.repo).await;
        let token = token.map_err(|error| PrepareFault::Later(format!("failed to {error}")))?;
        if let Some(token) = token {
            self.credential.replace_token(token.expose());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::time::Duration;

    use ci_domain::ids::{BranchName, CommitSha};
    use ci_git::{Git, Mirror, MirrorConfig};
    use ci_github::ForgeError;
    use ci_github::fake::FakeGitHub;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// `x-access-token:fake-token`, as basic authentication writes it.
    const SHOWN: &str = "Authorization: Basic eC1hY2Nlc3MtdG9rZW46ZmFrZS10b2tlbg==";

    /// Answers one request, and tells what it said.
    async fn refuse_one(listener: &TcpListener) -> String {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut said = Vec::new();
        while !said.ends_with(b"\r\n\r\n") {
            socket.read_buf(&mut said).await.unwrap();
        }
        let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        socket.write_all(refusal).await.unwrap();
        String::from_utf8(said).unwrap()
    }

    /// What a fetch says to a forge that refuses everything.
    async fn said_by_fetching(mirror: &Mirror, listener: &TcpListener) -> String {
        let (mut said, mut fetch) = (String::new(), pin!(mirror.fetch()));
        loop {
            tokio::select! {
                request = refuse_one(listener) => said += &request,
                fetched = &mut fetch => {
                    assert!(fetched.is_err());
                    return said;
                }
            }
        }
    }

    #[tokio::test]
    async fn git_shows_the_token_that_the_forge_gives_before_a_fetch() {
        let (folder, github) = (tempfile::tempdir().unwrap(), FakeGitHub::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/acme/shop.git", listener.local_addr().unwrap());
        let credential = Credential::default();
        let config = MirrorConfig {
            git: Git::discover(None).await.unwrap(),
            dir: folder.path().join("mirror.git"),
            url,
            credential: Some(credential.clone()),
            timeout: Duration::from_secs(30),
        };
        let (mirror, _) = Mirror::open(config).await.unwrap();
        let said = said_by_fetching(&mirror, &listener).await;
        assert!(said.contains("/acme/shop.git") && !said.contains("Authorization"), "{said}");

        let repo = RepoName::new("acme/shop").unwrap();
        let (main, tip) =
            (BranchName::new("main").unwrap(), CommitSha::new("a".repeat(40)).unwrap());
        let _shop = github.add_repo(repo.clone(), main, tip);
        let door = Door { forge: Arc::new(github.clone()), repo, credential };
        github.fail_next(ForgeError::Transient { reason: "ill".to_owned(), retry_after: None });
        assert!(matches!(door.open().await, Err(PrepareFault::Later(_))));
        door.open().await.unwrap();
        let said = said_by_fetching(&mirror, &listener).await;
        assert!(said.contains(SHOWN), "{said}");
    }
}
