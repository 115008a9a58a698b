//! The git program: where it is, and whether it is new enough.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::command::{Command, CommandError};

/// The oldest git that can merge without a work tree.
pub const MINIMUM: Version = Version { major: 2, minor: 38, patch: 0 };

/// `git --version` reads nothing; a machine that takes longer has other troubles.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// What git and the programs it starts may know of the node's environment: where programs are, how
/// to get out of the network, and whom to trust there.
const INHERITED: [&str; 14] = [
    "PATH",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_EXEC_PATH",
    "SSH_AUTH_SOCK",
];

/// The version of a git program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// `2` in `2.47.3`.
    pub major: u32,
    /// `47` in `2.47.3`.
    pub minor: u32,
    /// `3` in `2.47.3`; 0 where the program names none.
    pub patch: u32,
}

/// A git program that is new enough, and the environment it is run in.
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    version: Version,
    inherited: Arc<[(OsString, OsString)]>,
}

/// Why there is no git to work with.
#[derive(Debug, thiserror::Error)]
pub enum GitMissing {
    /// The program could not be run.
    #[error("find git as {}", program.display())]
    NotFound {
        /// What was tried.
        program: PathBuf,
        /// Why it did not run.
        #[source]
        source: CommandError,
    },
    /// The program said something else than a version.
    #[error("read the version of {}: it says {said:?}", program.display())]
    Unreadable {
        /// What was run.
        program: PathBuf,
        /// Its answer.
        said: String,
    },
    /// The program is older than [`MINIMUM`].
    #[error("use {}: it is git {found}, and {MINIMUM} is needed", program.display())]
    TooOld {
        /// What was run.
        program: PathBuf,
        /// Its version.
        found: Version,
    },
}

impl Git {
    /// Finds git (`git` in `PATH` unless `program` names another) and checks its version.
    ///
    /// The variables that git may see later (`PATH`, proxies, certificates, the SSH agent) are read
    /// here, once.
    ///
    /// # Errors
    /// There is none, or it is too old.
    pub async fn discover(program: Option<PathBuf>) -> Result<Self, GitMissing> {
        let program = program.unwrap_or_else(|| PathBuf::from("git"));
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)))
            .collect();
        let assumed = Self { program, version: MINIMUM, inherited };
        let version = assumed.ask_version().await?;
        if version < MINIMUM {
            return Err(GitMissing::TooOld { program: assumed.program, found: version });
        }
        Ok(Self { version, ..assumed })
    }

    /// The program's version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The program as it was found.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn inherited(&self) -> &[(OsString, OsString)] {
        &self.inherited
    }

    async fn ask_version(&self) -> Result<Version, GitMissing> {
        let program = self.program.clone();
        match Command::isolated(self, VERSION_LIMIT, "version").run().await {
            Ok(output) => {
                let said = output.text();
                Version::parse(&said).ok_or(GitMissing::Unreadable { program, said })
            }
            Err(source) => Err(GitMissing::NotFound { program, source }),
        }
    }
}

impl Version {
    /// Reads what `git version` prints, such as `git version 2.39.5 (Apple Git-154)`.
    fn parse(said: &str) -> Option<Self> {
        let mut parts = said.strip_prefix("git version ")?.split_whitespace().next()?.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        let patch = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        Some(Self { major, minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl GitMissing {
    /// Whether no program was found under that name, rather than one that is unfit.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::NotFound { source: CommandError::Broken { source, .. }, .. }
            if source.kind() == io::ErrorKind::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_vendors_print() {
        let check = |said: &str, expected: Option<(u32, u32, u32)>| {
            let expected = expected.map(|(major, minor, patch)| Version { major, minor, patch });
            assert_eq!(Version::parse(said), expected, "{said:?}");
        };
        check("git version 2.47.3\n", Some((2, 47, 3)));
        check("git version 2.39.5 (Apple Git-154)\n", Some((2, 39, 5)));
        check("git version 2.50.1.windows.1\n", Some((2, 50, 1)));
        check("git version 2.38.0-rc1\n", Some((2, 38, 0)));
        check("git version 2.47.GIT\n", Some((2, 47, 0)));
        check("git version 3.0\n", Some((3, 0, 0)));
        check("hub version 2.14\n", None);
        check("git version next\n", None);
        check("", None);
    }
}
