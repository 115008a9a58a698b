//! What commands of affected components would look for in vain: submodules and Git LFS files, which this
//! version does not fetch.
//!
//! It is told and not refused: a command may fetch them itself, or do without.

use ci_domain::ids::ComponentName;
use ci_domain::wording;
use ci_git::{CommandError, Content, EntryKind, Mirror, Tree};

/// The files that say which paths are kept elsewhere.
const ATTRIBUTES: &str = ".gitattributes";
/// What they say then.
const LFS: &str = "filter=lfs";
/// A larger file of that name is nobody's.
const LARGEST: u64 = 1024 * 1024;
/// Nobody reads more, and all of it is on record.
const MOST: usize = 20;

/// What is missing of `tree` in the folders of `affected`, one line for each.
///
/// # Errors
/// The files cannot be read.
pub(super) async fn hints<'a>(
    git: &Mirror,
    tree: &Tree,
    affected: impl Iterator<Item = &'a ComponentName>,
) -> Result<Vec<String>, CommandError> {
    let folders: Vec<&str> = affected.map(ComponentName::folder).collect();
    let is_submodule = |entry: &&ci_git::TreeEntry| entry.kind == EntryKind::Submodule;
    let submodules = tree.entries().iter().filter(is_submodule).map(|entry| entry.path.as_str());
    let submodules = submodules.filter(|path| folders.iter().any(|folder| is_in(path, folder)));
    let mut hints: Vec<String> = submodules.map(wording::submodule_hint).collect();
    if tree.named(ATTRIBUTES).next().is_some() {
        let is_meant = |path: &str| {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let concerns = |folder: &&str| is_in(above, folder) || is_in(folder, above);
            name == ATTRIBUTES && folders.iter().any(concerns)
        };
        for (path, content) in git.read_files(tree, is_meant, LARGEST).await? {
            let Content::Bytes(bytes) = content else { continue };
            let text = String::from_utf8_lossy(&bytes);
            let line =
                text.lines().position(|line| line.split_whitespace().any(|word| word == LFS));
            hints.extend(line.map(|line| wording::lfs_hint(path.as_str(), line + 1)));
        }
    }
    let more = hints.len().saturating_sub(MOST);
    if more > 0 {
        hints.truncate(MOST);
        hints.push(wording::more_hints(more));
    }
    Ok(hints)
}

/// Whether `path` is `folder` or lies in it; everything lies in the root.
fn is_in(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_what_is_below_it() {
        for (path, folder, expected) in [
            ("lib/a", "lib", true),
            ("lib", "lib", true),
            ("library/a", "lib", false),
            ("anything", "", true),
            ("", "lib", false),
        ] {
            assert_eq!(is_in(path, folder), expected, "{path:?} in {folder:?}");
        }
    }
}
