//! What commands of affected components would look for in vain: submodules and Git LFS files, which this
//! version does not fetch.
//!
//! It is told and not refused: a command may fetch them itself, or do without.

use std::collections::BTreeSet;

use ci_domain::ids::ComponentName;
use ci_domain::wording;
use ci_git::{CommandError, Content, EntryKind, Mirror, Tree};

/// The files that say which paths are kept elsewhere.
const ATTRIBUTES: &str = ".gitattributes";
/// What they say then.
const LFS: &str = "filter=lfs";
/// How a pointer to a file in Git LFS begins, and how large it is at most.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
const LARGEST_POINTER: u64 = 1024;
/// In a larger change nobody looks for pointers.
const MOST_CHANGED: usize = 2000;
/// A larger file of that name is nobody's.
const LARGEST: u64 = 1024 * 1024;
/// Nobody reads more, and all of it is on record.
const MOST: usize = 20;

/// What is missing of `tree` in the folders of `affected`, one line for each. Where no attributes tell of
/// Git LFS, pointers are looked for among the paths that `changed`.
///
/// # Errors
/// The files cannot be read.
pub(super) async fn hints(
    git: &Mirror,
    tree: &Tree,
    affected: &BTreeSet<ComponentName>,
    changed: Option<&BTreeSet<String>>,
) -> Result<Vec<String>, CommandError> {
    let folders: Vec<&str> = affected.iter().map(ComponentName::folder).collect();
    let is_submodule = |entry: &&ci_git::TreeEntry| entry.kind == EntryKind::Submodule;
    let submodules = tree.entries().iter().filter(is_submodule).map(|entry| entry.path.as_str());
    let submodules = submodules.filter(|path| folders.iter().any(|folder| is_in(path, folder)));
    let mut hints: Vec<String> = submodules.map(wording::submodule_hint).collect();
    let mut in_lfs = lfs_by_attributes(git, tree, &folders).await?;
    if let (true, Some(changed)) = (in_lfs.is_empty(), changed) {
        in_lfs = lfs_by_pointers(git, tree, &folders, changed).await?;
    }
    hints.append(&mut in_lfs);
    let more = hints.len().saturating_sub(MOST);
    if more > 0 {
        hints.truncate(MOST);
        hints.push(wording::more_hints(more));
    }
    Ok(hints)
}

/// What the files of attributes say that concern `folders`.
async fn lfs_by_attributes(
    git: &Mirror,
    tree: &Tree,
    folders: &[&str],
) -> Result<Vec<String>, CommandError> {
    let mut hints = Vec::new();
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
    Ok(hints)
}

/// The files that changed and are pointers. Those that did not are not read: there may be thousands, on the
/// way of every push.
async fn lfs_by_pointers(
    git: &Mirror,
    tree: &Tree,
    folders: &[&str],
    changed: &BTreeSet<String>,
) -> Result<Vec<String>, CommandError> {
    let is_meant = |path: &str| {
        changed.len() <= MOST_CHANGED
            && changed.contains(path)
            && folders.iter().any(|folder| is_in(path, folder))
    };
    let files = git.read_files(tree, is_meant, LARGEST_POINTER).await?.into_iter();
    let pointers = files.filter(|(_, content)| is_pointer(content));
    Ok(pointers.map(|(path, _)| wording::lfs_pointer_hint(path.as_str())).collect())
}

fn is_pointer(content: &Content) -> bool {
    matches!(content, Content::Bytes(bytes) if bytes.starts_with(POINTER))
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
    fn a_pointer_is_known_by_its_first_line() {
        let check = |text: &str, expected| {
            assert_eq!(is_pointer(&Content::Bytes(text.into())), expected, "{text:?}");
        };
        check("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", true);
        check("version https://git-lfs.github.com/spec/v1", false);
        check("", false);
        assert!(!is_pointer(&Content::TooLarge { size: 5000 }));
    }

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
