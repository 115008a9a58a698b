//! What a configuration refers to: secrets, from files and the environment, and repositories of this machine;
//! looked at in this one place.

use std::io;
use std::path::{Path, PathBuf};

/// What secrets are read from, and repositories looked at.
pub trait Source {
    /// The environment variable `name`, if it is set to text.
    fn env(&self, name: &str) -> Option<String>;

    /// The content of a file.
    ///
    /// # Errors
    /// The file cannot be read as text.
    fn file(&self, path: &Path) -> io::Result<String>;

    /// Whether a bare repository is at `path`; where nobody looks, it is.
    fn has_repository(&self, _path: &Path) -> bool {
        true
    }
}

/// This process's environment and file system; relative paths start at the configuration's folder.
#[derive(Clone, Debug)]
pub struct System {
    folder: PathBuf,
}

impl System {
    /// The source for the configuration in `file`.
    #[must_use]
    pub fn beside(file: &Path) -> Self {
        Self { folder: file.parent().unwrap_or(Path::new("")).to_owned() }
    }

    /// Where the file lies that the configuration calls `path`.
    #[must_use]
    pub fn place(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

impl Source for System {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(self.place(path))
    }
}
