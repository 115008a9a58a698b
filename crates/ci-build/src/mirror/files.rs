//! The component files of one commit.

use ci_config::yaml::MAX_FILE;
use ci_config::{FileContent, is_component_file, parse_pipeline_in};
use ci_domain::ids::CommitSha;
use ci_domain::pipeline::Pipeline;
use ci_git::{CommandError, Content, EntryKind, Mirror, RepoPath, Tree};

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
        let files = git.read_files(&tree, is_component_file, MAX_FILE as u64).await?;
        let file = |(path, content): (RepoPath, Content)| {
            let content = match content {
                Content::Bytes(bytes) => FileContent::Bytes(bytes),
                Content::TooLarge { size } => FileContent::TooLarge(size),
                Content::Symlink => FileContent::Symlink,
                Content::Submodule => FileContent::Submodule,
            };
            (path.as_str().to_owned(), content)
        };
        let contents = files.into_iter().map(file).collect();
        Ok(Self { tree, contents })
    }

    /// All files of the commit, by name.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The pipeline, or everything that is wrong with it.
    pub(super) fn pipeline(&self) -> Result<Pipeline, Vec<String>> {
        let is_file = |kind| matches!(kind, EntryKind::Regular | EntryKind::Executable);
        let has_file = |path: &str| self.tree.get(path).is_some_and(|entry| is_file(entry.kind));
        parse_pipeline_in(self.contents.clone(), has_file)
            .map_err(|findings| findings.iter().map(ToString::to_string).collect())
    }
}
