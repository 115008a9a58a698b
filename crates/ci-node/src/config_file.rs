//! Finding and loading `ci-node.toml`.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use ci_config::node::NodeConfig;
use ci_config::source::{Source, System};
use ci_config::{Diagnostic, parse_node};
use ci_github::LocalForge;

/// What the configuration is called where nothing else is said.
pub(crate) const CONFIG_FILE: &str = "ci-node.toml";

/// A configuration, and where its secrets lie.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: NodeConfig,
    /// The files that hold secrets, by their full paths.
    pub(crate) private: Vec<PathBuf>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigFileError {
    /// The file cannot be read.
    #[error("failed to read the configuration {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is wrong; the text has every place.
    #[error("the configuration is invalid\n{}", listed(.0))]
    Invalid(Vec<Diagnostic>),
}

/// Loads the configuration with its secrets.
///
/// # Errors
/// It cannot be read, or names everything that is wrong with it. Secrets are in no error.
pub(crate) fn load(path: &Path) -> Result<NodeConfig, ConfigFileError> {
    load_from(path, &System::beside(path))
}

/// Loads the configuration as for a start of the node: repositories on this machine must be there, too.
///
/// # Errors
/// As for [`load`].
pub(crate) fn load_strictly(path: &Path) -> Result<NodeConfig, ConfigFileError> {
    load_from(path, &Looking(System::beside(path)))
}

/// Loads the configuration with its secrets, and says in which files these are.
///
/// # Errors
/// As for [`load`].
pub(crate) fn load_with_files(path: &Path) -> Result<Loaded, ConfigFileError> {
    let noting = Noting { system: System::beside(path), files: RefCell::default() };
    let config = load_from(path, &noting)?;
    Ok(Loaded { config, private: noting.files.into_inner() })
}

/// Loads the configuration without reading its secrets; each is a placeholder.
///
/// Who may talk to a node need not be who may read its secrets.
///
/// # Errors
/// As for [`load`].
pub(crate) fn load_without_secrets(path: &Path) -> Result<NodeConfig, ConfigFileError> {
    load_from(path, &Placeholders)
}

fn load_from(path: &Path, source: &dyn Source) -> Result<NodeConfig, ConfigFileError> {
    let unreadable = |source| ConfigFileError::Unreadable { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    parse_node(&path.to_string_lossy(), &text, source).map_err(ConfigFileError::Invalid)
}

/// A source that remembers the files that were read.
struct Noting {
    system: System,
    files: RefCell<Vec<PathBuf>>,
}

impl Source for Noting {
    fn env(&self, name: &str) -> Option<String> {
        self.system.env(name)
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let content = self.system.file(path)?;
        self.files.borrow_mut().push(std::path::absolute(self.system.place(path))?);
        Ok(content)
    }
}

/// A source that looks at repositories.
struct Looking(System);

impl Source for Looking {
    fn env(&self, name: &str) -> Option<String> {
        self.0.env(name)
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        self.0.file(path)
    }

    fn has_repository(&self, path: &Path) -> bool {
        LocalForge::is_there(path)
    }
}

/// Secrets that are not.
struct Placeholders;

impl Source for Placeholders {
    fn env(&self, _name: &str) -> Option<String> {
        Some("placeholder".to_owned())
    }

    fn file(&self, _path: &Path) -> io::Result<String> {
        Ok("placeholder".to_owned())
    }
}

fn listed(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(CONFIG_FILE);
        std::fs::write(&path, text).unwrap();
        let error = load(&path).unwrap_err().to_string();
        error.replace(folder.path().to_str().unwrap(), "")
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_place() {
        insta::assert_snapshot!(load_text("nam = \"x\"\n[http]\nlisten = \"nowhere\"\n"), @r#"
        the configuration is invalid
        /ci-node.toml:1:1: unknown key `nam`
          hint: did you mean `name`?
        /ci-node.toml:3:10: `http.listen`: "nowhere" is no address such as 127.0.0.1:8080
          hint: write an IP address, ':' and a port; 0.0.0.0 is all of this machine's
        "#);
    }

    #[test]
    fn a_client_needs_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(CONFIG_FILE);
        let token = "[github]\ntoken = { file = \"nowhere\" }\n[[repos]]\nname = \"a/b\"\n";
        std::fs::write(&path, token).unwrap();
        assert!(load(&path).is_err());
        load_without_secrets(&path).unwrap();
    }

    #[test]
    fn the_files_of_secrets_are_known_by_their_full_paths() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(CONFIG_FILE);
        let token = folder.path().join("token");
        std::fs::write(&token, "ghp_0123").unwrap();
        std::fs::write(&path, "[github]\ntoken = { file = \"token\" }\n").unwrap();
        assert_eq!(load_with_files(&path).unwrap().private, [token]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = load(Path::new("/nonexistent/ci-node.toml")).unwrap_err();
        assert_eq!(error.to_string(), "failed to read the configuration /nonexistent/ci-node.toml");
    }
}
