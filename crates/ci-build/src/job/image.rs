//! The image of a job's container: a name, or what a Dockerfile of the merge makes of the files beside it.
//!
//! A built image is called after the digest of all that it is made of, so it is built once, whoever needs
//! it. What it is built from is written out of the mirror, where no job can change it.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component as Part, Path, PathBuf};
use std::time::{Duration, SystemTime};

use ci_domain::pipeline::Image as Declared;
use ci_exec::{Build, Container, Image, ImageSource, Network};
use ci_git::{Content, EntryKind, Mirror, Tree, TreeEntry};
use sha2::{Digest, Sha256};
use tokio::fs;

use super::JobArgs;
use super::spec::Obstacle;
use crate::images::Images;

/// The largest file that an image is built from, in bytes: larger ones belong elsewhere than in git.
const MAX_FILE: u64 = 64 << 20;
/// How many files are in memory at once.
const AT_ONCE: usize = 64;
/// How long what an image was built from is kept: longer than any job may take.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// What makes an image of more than its Dockerfile.
const TAKES_FILES: [&str; 4] = ["copy", "add", "--m", "onbuild"];
/// The folder of the caches that steps of Dockerfiles mount, of this pull request or branch alone.
const CACHES: &str = "caches";

/// How the commands of `args` come by the image that their component declares; `folder` is the node's own,
/// beside their workspace.
pub(super) async fn image_of(
    args: &JobArgs,
    declared: &Declared,
    container: &Container,
    folder: &Path,
) -> Result<Image, Obstacle> {
    let file = match declared {
        Declared::Named(name) => {
            return Ok(Image { name: name.clone(), source: ImageSource::Registry });
        }
        Declared::Dockerfile(file) => file,
    };
    let broken = |error: &dyn std::fmt::Display| Obstacle(format!("read {file}: {error}"));
    let git = args.elders.mirror.git().map_err(|error| broken(&error))?;
    let tree = git.tree(&args.merge).await.map_err(|error| broken(&error))?;
    let recipe = Recipe::read(&git, &tree, file).await?;
    let digest = recipe.digest(container.network);
    let name = format!("localhost/ci-node/{}:{digest}", args.elders.slug);
    let context = folder.join(&digest);
    let build = Build {
        file: context.join(recipe.file_in_context()),
        context,
        caches: folder.join(CACHES),
    };
    let images = Images::noted_in(&args.elders.settings.images);
    let is_there = images.has(&container.engine, &name).await;
    let is_there = is_there.map_err(|error| Obstacle(format!("look for {name}: {error}")))?;
    if !is_there {
        remove_old(folder).await.map_err(|error| broken(&error))?;
        fs::create_dir_all(&build.caches).await.map_err(|error| broken(&error))?;
        let draft = folder.join(format!("{digest}.{}", args.attempt));
        recipe.write(&git, &tree, (&draft, &build.context)).await?;
    }
    Ok(Image { name, source: ImageSource::Built(build) })
}

/// What an image is made of: entries of a tree.
struct Recipe<'a> {
    /// The Dockerfile, from the root.
    file: &'a str,
    /// The folder that it is in, with a slash; nothing for the root.
    folder: &'a str,
    entries: Vec<&'a TreeEntry>,
}

impl<'a> Recipe<'a> {
    async fn read(git: &Mirror, tree: &'a Tree, file: &'a str) -> Result<Self, Obstacle> {
        let read = git.read_files(tree, |path| path == file, MAX_FILE).await;
        let read = read.map_err(|error| Obstacle(format!("read {file}: {error}")))?;
        let Some((_, Content::Bytes(text))) = read.into_iter().next() else {
            return Err(Obstacle(format!("read {file}: it is no plain file")));
        };
        let folder = file.rfind('/').map_or("", |end| &file[..=end]);
        let takes_files = takes_files(&String::from_utf8_lossy(&text));
        let is_part = |entry: &&TreeEntry| {
            let path = entry.path.as_str();
            path == file || (takes_files && path.starts_with(folder))
        };
        let entries = tree.entries().iter().filter(is_part).collect();
        Ok(Self { file, folder, entries })
    }

    fn file_in_context(&self) -> &str {
        &self.file[self.folder.len()..]
    }

    /// Built without a network an image may be another one.
    fn digest(&self, network: Network) -> String {
        let mut text = format!("image 1 {network:?} {}\n", self.file_in_context());
        for entry in &self.entries {
            let path = &entry.path.as_str()[self.folder.len()..];
            text += &format!("{:?} {} {path:?}\n", entry.kind, entry.object);
        }
        let digest = Sha256::digest(text);
        digest.iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Writes the files to `context`, which is there as a whole or not at all: so first to `draft`.
    /// Links are left out, since an engine would follow them out here.
    async fn write(
        &self,
        git: &Mirror,
        tree: &Tree,
        (draft, context): (&Path, &Path),
    ) -> Result<(), Obstacle> {
        let broken = |error: &dyn std::fmt::Display| {
            Obstacle(format!("write what {} builds from: {error}", self.file))
        };
        if fs::try_exists(context).await.map_err(|error| broken(&error))? {
            return Ok(());
        }
        fs::create_dir_all(draft).await.map_err(|error| broken(&error))?;
        for entries in self.entries.chunks(AT_ONCE) {
            let wanted = |path: &str| entries.iter().any(|entry| entry.path.as_str() == path);
            let files = git.read_files(tree, wanted, MAX_FILE).await;
            for (entry, (path, content)) in
                entries.iter().zip(files.map_err(|error| broken(&error))?)
            {
                let place = self.place(draft, path.as_str())?;
                let written = match content {
                    Content::Bytes(bytes) => write(&place, &bytes, entry.kind).await,
                    Content::TooLarge { size } => {
                        return Err(broken(&format!("{path} has {size} bytes")));
                    }
                    Content::Symlink | Content::Submodule => Ok(()),
                };
                written.map_err(|error| broken(&error))?;
            }
        }
        match fs::rename(draft, context).await {
            // Another job was faster.
            Err(_) if context.exists() => Ok(()),
            renamed => renamed.map_err(|error| broken(&error)),
        }
    }

    fn place(&self, draft: &Path, path: &str) -> Result<PathBuf, Obstacle> {
        let path = Path::new(&path[self.folder.len()..]);
        if path.components().all(|part| matches!(part, Part::Normal(_))) {
            return Ok(draft.join(path));
        }
        Err(Obstacle(format!("write what {} builds from: {} leads out", self.file, path.display())))
    }
}

/// Whether a Dockerfile makes an image of more than what it says itself; where in doubt, it does.
fn takes_files(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut words = text.split_ascii_whitespace();
    words.any(|word| TAKES_FILES.iter().any(|taking| word.starts_with(taking)))
}

async fn write(place: &Path, bytes: &[u8], kind: EntryKind) -> io::Result<()> {
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).await?;
    }
    fs::write(place, bytes).await?;
    let mode = if kind == EntryKind::Executable { 0o755 } else { 0o644 };
    fs::set_permissions(place, Permissions::from_mode(mode)).await
}

/// Removes what images were built from long ago.
async fn remove_old(folder: &Path) -> io::Result<()> {
    let mut entries = match fs::read_dir(folder).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    while let Some(entry) = entries.next_entry().await? {
        let age = SystemTime::now().duration_since(entry.metadata().await?.modified()?);
        if entry.file_name() != CACHES && age.is_ok_and(|age| age > KEPT) {
            fs::remove_dir_all(entry.path()).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_that_copies_is_told_from_one_that_does_not() {
        let check = |text: &str, expected| assert_eq!(takes_files(text), expected, "{text}");
        check("FROM debian:12\nRUN apt-get update && apt-get install -y make\n", false);
        check("FROM debian:12\nCOPY tool /tool\n", true);
        check("from debian:12\nadd . /\n", true);
        check("FROM debian:12\nRUN --mount=type=bind,target=/x make\n", true);
        check("FROM debian:12\nRUN --moun\\\nt=type=bind make\n", true);
    }
}
