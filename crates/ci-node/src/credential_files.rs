//! Credentials that are read again when their files change, without anybody saying so: what rotates
//! tokens writes a file, and sends no signal.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use ci_config::node::{Github, GithubAuth};
use ci_github::{CredentialSource, Credentials};
use tracing::warn;

use crate::compose::credentials;
use crate::config_file::{self, Loaded};

/// The files of the secrets that a configuration names.
pub(crate) struct CredentialFiles {
    config: PathBuf,
    /// Whose credentials they were at the start: an app's, by its number, or a person's.
    owner: Option<u64>,
    seen: Mutex<Vec<Seen>>,
}

/// A file as it was when it was looked at.
#[derive(PartialEq)]
struct Seen {
    path: PathBuf,
    /// Which file it was, how long, and when it was written; nothing where there was none.
    state: Option<(u64, u64, SystemTime)>,
}

impl CredentialFiles {
    /// Those of the configuration at `config`, as they are now.
    pub(crate) fn new(config: &Path, private: &[PathBuf], settings: &Github) -> Self {
        let seen = Mutex::new(private.iter().map(|path| Seen::now(path)).collect());
        Self { config: config.to_owned(), owner: owner(settings), seen }
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CredentialSource for CredentialFiles {
    fn changed(&self) -> Option<Credentials> {
        let mut seen = self.seen();
        if seen.iter().all(|one| *one == Seen::now(&one.path)) {
            return None;
        }
        // Before they are read: what is written meanwhile is a change again.
        for one in seen.iter_mut() {
            *one = Seen::now(&one.path);
        }
        match config_file::load_with_files(&self.config) {
            Ok(Loaded { config, private }) => {
                let known = |path: &PathBuf| seen.iter().position(|one| one.path == *path);
                let new: Vec<PathBuf> =
                    private.into_iter().filter(|path| known(path).is_none()).collect();
                seen.extend(new.iter().map(|path| Seen::now(path)));
                let settings = config.github.as_ref();
                // A reload refuses another owner, too.
                settings.filter(|settings| owner(settings) == self.owner).map(credentials)
            }
            Err(error) => {
                warn!(%error, "files of secrets have changed and cannot be read; the earlier hold");
                None
            }
        }
    }
}

impl Seen {
    fn now(path: &Path) -> Self {
        let state =
            fs::metadata(path).and_then(|found| Ok((found.ino(), found.len(), found.modified()?)));
        Self { path: path.to_owned(), state: state.ok() }
    }
}

fn owner(settings: &Github) -> Option<u64> {
    match &settings.auth {
        GithubAuth::Token(_) => None,
        GithubAuth::App { id, .. } => Some(*id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[github]\ntoken = { file = \"token\" }\n[[repos]]\nname = \"a/b\"\n";

    struct Files {
        folder: tempfile::TempDir,
        source: CredentialFiles,
    }

    impl Files {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ci-node.toml");
            fs::write(&path, CONFIG).unwrap();
            fs::write(folder.path().join("token"), "ghp_1").unwrap();
            let Loaded { config, private } = config_file::load_with_files(&path).unwrap();
            let source = CredentialFiles::new(&path, &private, &config.github.unwrap());
            Self { folder, source }
        }

        /// Puts a file in the place of another, as those do who rotate secrets.
        fn replace(&self, name: &str, text: &str) {
            let fresh = self.folder.path().join("fresh");
            fs::write(&fresh, text).unwrap();
            fs::rename(fresh, self.folder.path().join(name)).unwrap();
        }

        fn token(&self) -> Option<String> {
            match self.source.changed()? {
                Credentials::Token(token) => Some(token.expose().to_owned()),
                Credentials::App(_) => None,
            }
        }
    }

    #[test]
    fn a_token_is_read_again_when_its_file_has_changed() {
        let files = Files::new();
        assert_eq!(files.token(), None);
        files.replace("token", "ghp_2");
        assert_eq!(files.token().as_deref(), Some("ghp_2"));
        assert_eq!(files.token(), None);
    }

    #[test]
    fn a_file_that_is_gone_for_a_moment_is_waited_for() {
        let files = Files::new();
        fs::remove_file(files.folder.path().join("token")).unwrap();
        assert_eq!((files.token(), files.token()), (None, None));
        files.replace("token", "ghp_2");
        assert_eq!(files.token().as_deref(), Some("ghp_2"));
    }

    #[test]
    fn nobody_becomes_somebody_else_by_a_file() {
        let files = Files::new();
        let app = "[github.app]\nid = 7\nprivate_key = { file = \"token\" }\n";
        files.replace("ci-node.toml", &format!("{app}[[repos]]\nname = \"a/b\"\n"));
        files.replace("token", "not a token");
        assert!(files.source.changed().is_none());
    }
}
