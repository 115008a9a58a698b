//! What the files of a tree contain: those that a caller picks, from one question to git.

use crate::command::CommandError;
use crate::objects::{Kind, Object};
use crate::repository::Repository;
use crate::tree::{EntryKind, RepoPath, Tree, TreeEntry};

/// What a tree has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file, and all that is in it.
    Bytes(Vec<u8>),
    /// A file that is larger than was asked for, and was not read.
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// A symbolic link, which is not followed.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

impl Repository {
    /// Reads what `tree` has at the paths that are `wanted`, in their order; files larger than `most`
    /// bytes are only measured.
    pub(crate) async fn read_files(
        &self,
        tree: &Tree,
        wanted: impl Fn(&str) -> bool,
        most: u64,
    ) -> Result<Vec<(RepoPath, Content)>, CommandError> {
        let entries = tree.entries().iter().filter(|entry| wanted(entry.path.as_str()));
        let entries: Vec<&TreeEntry> = entries.collect();
        let is_file = |kind| matches!(kind, EntryKind::Regular | EntryKind::Executable);
        let files = entries.iter().filter(|entry| is_file(entry.kind));
        let names: Vec<&str> = files.map(|entry| entry.object.as_str()).collect();
        let mut blobs = self.read(Kind::Blob, &names, most).await?.into_iter();
        let read = entries.into_iter().map(|entry| {
            let content = match entry.kind {
                EntryKind::Symlink => Content::Symlink,
                EntryKind::Submodule => Content::Submodule,
                EntryKind::Regular | EntryKind::Executable => match blobs.next() {
                    Some(Object::Content(bytes)) => Content::Bytes(bytes),
                    Some(Object::TooLarge { size }) => Content::TooLarge { size },
                    Some(Object::Missing) | None => {
                        let missing = format!("{} missing", entry.object);
                        return Err(CommandError::unexpected("git cat-file", missing.as_bytes()));
                    }
                },
            };
            Ok((entry.path.clone(), content))
        });
        read.collect()
    }
}
