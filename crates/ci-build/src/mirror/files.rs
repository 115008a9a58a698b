//! The component files of one commit.

use ci_config::{FileContent, is_component_file, parse_pipeline};
use ci_domain::ids::CommitSha;
use ci_domain::pipeline::Pipeline;
use ci_git::{Blob, CommandError, EntryKind, Mirror, ObjectId, Tree};

/// The files of one commit that matter to its pipeline.
pub(super) struct Files {
    tree: Tree,
    contents: Vec<(String, FileContent)>,
}

impl Files {
    /// Reads the component files of `commit`.
    pub(super) async fn of(git: &Mirror, commit: &CommitSha) -> Result<Self, CommandError> {
        Self::read(git, git.tree(commit).await?).await
    }

    /// Reads those of `tree`.
    pub(super) async fn read(git: &Mirror, tree: Tree) -> Result<Self, CommandError> {
        let entries = tree.entries().iter().filter(|entry| is_component_file(entry.path.as_str()));
        let mut contents = Vec::new();
        let mut to_read: Vec<(String, ObjectId)> = Vec::new();
        for entry in entries {
            let path = entry.path.as_str().to_owned();
            match entry.kind {
                EntryKind::Regular | EntryKind::Executable => {
                    to_read.push((path, entry.object.clone()));
                }
                EntryKind::Symlink => contents.push((path, FileContent::Symlink)),
                EntryKind::Submodule => contents.push((path, FileContent::Submodule)),
            }
        }
        let objects: Vec<ObjectId> = to_read.iter().map(|(_, object)| object.clone()).collect();
        let blobs = git.read_blobs(&objects, ci_config::yaml::MAX_FILE as u64).await?;
        contents.extend(to_read.into_iter().zip(blobs).map(|((path, _), blob)| {
            let content = match blob {
                Blob::Content(bytes) => FileContent::Bytes(bytes),
                Blob::TooLarge { size } => FileContent::TooLarge(size),
                Blob::Missing => FileContent::Bytes(Vec::new()),
            };
            (path, content)
        }));
        Ok(Self { tree, contents })
    }

    /// All files of the commit, by name.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The pipeline, or everything that is wrong with it.
    pub(super) fn pipeline(&self) -> Result<Pipeline, Vec<String>> {
        parse_pipeline(self.contents.clone())
            .map_err(|findings| findings.iter().map(ToString::to_string).collect())
    }
}
