//! What a commit contains: every file with its kind and its object, from one `git ls-tree`.

use std::fmt;
use std::sync::Arc;

use ci_domain::ids::CommitSha;

use crate::changes::{self, Change};
use crate::command::CommandError;
use crate::repository::Repository;

/// The command that lists trees, as errors name it.
const LS_TREE: &str = "git ls-tree";

/// The full name of a blob, tree or submodule commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(Arc<str>);

/// A path inside a repository, with `/` between its parts.
///
/// Git's paths are bytes. One that is not UTF-8 is kept with replacement characters, which is enough
/// to show it and to match it against patterns, and says so.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath {
    text: Arc<str>,
    /// Only where they differ from the text.
    bytes: Option<Arc<[u8]>>,
}

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A plain file.
    Regular,
    /// A file that may be run.
    Executable,
    /// A symbolic link; its blob is the target.
    Symlink,
    /// A commit of another repository, which the node does not fetch.
    Submodule,
}

/// One file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Where it is.
    pub path: RepoPath,
    /// What it is.
    pub kind: EntryKind,
    /// What it contains; two files with equal contents have equal objects.
    pub object: ObjectId,
}

/// All files of a commit, ordered by path; cheap to clone. Listings that were made from one another
/// share the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    commit: CommitSha,
    entries: Arc<[TreeEntry]>,
}

/// The files of a tree that is in want of a commit.
pub(crate) struct Listing(Arc<[TreeEntry]>);

impl ObjectId {
    /// The name in hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        // The rules of an object's name are those of a commit's.
        CommitSha::new(text).ok().map(|sha| Self(sha.as_str().into()))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RepoPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether bytes were replaced, so that the text does not name the file.
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        self.bytes.is_some()
    }

    /// The path as it is.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.text.as_bytes())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self { text: text.into(), bytes: None },
            Err(_) => {
                Self { text: String::from_utf8_lossy(bytes).into(), bytes: Some(bytes.into()) }
            }
        }
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.text, if self.is_lossy() { " (lossy)" } else { "" })
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Tree {
    /// The commit that was listed.
    #[must_use]
    pub fn commit(&self) -> &CommitSha {
        &self.commit
    }

    /// All files, ordered by path.
    #[must_use]
    pub fn entries(&self) -> &[TreeEntry] {
        &self.entries
    }

    /// The file at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&TreeEntry> {
        let found = self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path));
        found.ok().map(|index| &self.entries[index])
    }

    /// What changed from `from` to this tree, without asking git.
    #[must_use]
    pub fn changes_from(&self, from: &Self) -> Vec<Change> {
        changes::between(&from.entries, &self.entries)
    }

    /// The files called `name`, in whatever folder: `tree.named("ci.yaml")`.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &TreeEntry> {
        self.entries
            .iter()
            .filter(move |entry| entry.path.as_str().rsplit('/').next() == Some(name))
    }
}

impl Listing {
    /// Entries in whatever order.
    pub(crate) fn new(mut entries: Vec<TreeEntry>) -> Self {
        // Git's order differs where the bytes of a path were replaced.
        entries.sort_by(|left, right| left.path.cmp(&right.path));
        Self(entries.into())
    }

    pub(crate) fn of(self, commit: CommitSha) -> Tree {
        Tree { commit, entries: self.0 }
    }
}

impl Repository {
    /// Lists all files of `commit`.
    pub(crate) async fn tree(&self, commit: &CommitSha) -> Result<Tree, CommandError> {
        Ok(self.list(commit.as_str()).await?.of(commit.clone()))
    }

    /// Lists the tree called `object`, whose commit may not have been made yet.
    pub(crate) async fn list(&self, object: &str) -> Result<Listing, CommandError> {
        let args = ["-r", "-z", "--full-tree", object];
        let listing = self.command("ls-tree").args(args).run().await?;
        Ok(Listing::new(parse(&listing.stdout)?))
    }
}

/// Reads `<mode> SP <type> SP <object> TAB <path>`, each ended by a NUL.
fn parse(listing: &[u8]) -> Result<Vec<TreeEntry>, CommandError> {
    let records = listing.split(|byte| *byte == 0).filter(|record| !record.is_empty());
    let entry = |record: &[u8]| {
        parse_entry(record).ok_or_else(|| CommandError::unexpected(LS_TREE, record))
    };
    records.map(entry).collect()
}

fn parse_entry(record: &[u8]) -> Option<TreeEntry> {
    let tab = record.iter().position(|byte| *byte == b'\t')?;
    let mut fields = str::from_utf8(&record[..tab]).ok()?.split(' ');
    let kind = match (fields.next()?, fields.next()?) {
        ("120000", "blob") => EntryKind::Symlink,
        ("100755", "blob") => EntryKind::Executable,
        // Old trees have other permissions, all of which git treats as a plain file.
        (_, "blob") => EntryKind::Regular,
        (_, "commit") => EntryKind::Submodule,
        _ => return None,
    };
    let object = ObjectId::parse(fields.next()?)?;
    Some(TreeEntry { path: RepoPath::from_bytes(&record[tab + 1..]), kind, object })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

    #[test]
    fn entries_are_read_with_kind_object_and_path() {
        let check = |mode: &str, path: &[u8], expected: (EntryKind, &str, bool)| {
            let record = [mode.as_bytes(), b" ", OBJECT.as_bytes(), b"\t", path, b"\0"].concat();
            let entries = parse(&record).unwrap();
            let [entry] = entries.as_slice() else { panic!("{entries:?}") };
            let found = (entry.kind, entry.path.as_str(), entry.path.is_lossy());
            assert_eq!((found, entry.object.as_str()), (expected, OBJECT));
        };
        check("100644 blob", b"a/b", (EntryKind::Regular, "a/b", false));
        check("100664 blob", b"a", (EntryKind::Regular, "a", false));
        check("100755 blob", b"run me", (EntryKind::Executable, "run me", false));
        check("120000 blob", b"link", (EntryKind::Symlink, "link", false));
        check("160000 commit", b"sub", (EntryKind::Submodule, "sub", false));
        check("100644 blob", b"new\nline\ttab", (EntryKind::Regular, "new\nline\ttab", false));
        check("100644 blob", "🚀".as_bytes(), (EntryKind::Regular, "🚀", false));
        check("100644 blob", b"caf\xe9", (EntryKind::Regular, "caf\u{fffd}", true));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for record in ["", "100644 blob", "100644 blob abc\tpath", "040000 tree x\tpath"] {
            let read = parse(record.as_bytes());
            assert_eq!(read.is_err(), !record.is_empty(), "{record:?}: {read:?}");
        }
    }
}
