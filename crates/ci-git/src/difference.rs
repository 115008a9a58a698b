//! Listing a tree by what differs from one that is listed already.
//!
//! A pull request changes a few folders of many: only those are read, level by level, from the process
//! that answers questions. What is the same is taken over.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::CommandError;
use crate::objects::{Kind, Object};
use crate::repository::Repository;
use crate::tree::{EntryKind, Listing, ObjectId, RepoPath, Tree, TreeEntry};

/// A folder in both trees, or in one of them.
struct Folder {
    /// Its path, which ends with a slash but for the root's.
    path: Vec<u8>,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
}

/// What a folder has under a name.
#[derive(Clone, PartialEq, Eq)]
struct Item {
    /// None for a folder.
    kind: Option<EntryKind>,
    object: ObjectId,
}

type Items = BTreeMap<Vec<u8>, Item>;

/// What is to be done to a listing.
#[derive(Default)]
struct Difference {
    gone: BTreeSet<Vec<u8>>,
    there: Vec<TreeEntry>,
}

impl Repository {
    /// Lists the tree called `new`. `listed` is the listing of the tree called `old`.
    pub(crate) async fn list_like(
        &self,
        listed: &Tree,
        old: ObjectId,
        new: ObjectId,
    ) -> Result<Listing, CommandError> {
        let mut difference = Difference::default();
        let root = Folder { path: Vec::new(), old: Some(old), new: Some(new) };
        let mut level = vec![root];
        while !level.is_empty() {
            let names: Vec<&str> = level.iter().flat_map(Folder::objects).collect();
            let mut trees = self.read_all(Kind::Tree, &names).await?.into_iter();
            let mut deeper = Vec::new();
            for folder in &level {
                let mut items = |object: &Option<ObjectId>| match object {
                    None => Ok(Items::new()),
                    Some(object) => items(object, trees.next()),
                };
                let (old, new) = (items(&folder.old)?, items(&folder.new)?);
                difference.compare(&folder.path, &old, &new, &mut deeper);
            }
            level = deeper;
        }
        Ok(difference.apply(listed))
    }
}

impl Folder {
    fn objects(&self) -> impl Iterator<Item = &str> {
        self.old.iter().chain(&self.new).map(ObjectId::as_str)
    }
}

impl Difference {
    /// Notes what differs in one folder, and the folders below that have to be looked into.
    fn compare(&mut self, path: &[u8], old: &Items, new: &Items, deeper: &mut Vec<Folder>) {
        let names: BTreeSet<&Vec<u8>> = old.keys().chain(new.keys()).collect();
        for name in names {
            let (old, new) = (old.get(name), new.get(name));
            if old == new {
                continue;
            }
            let path = [path, name.as_slice()].concat();
            let folder = |item: Option<&Item>| {
                item.filter(|item| item.kind.is_none()).map(|item| item.object.clone())
            };
            let (before, after) = (folder(old), folder(new));
            if before.is_some() || after.is_some() {
                let path = [path.as_slice(), b"/"].concat();
                deeper.push(Folder { path, old: before, new: after });
            }
            if let Some((kind, object)) = new.and_then(|item| Some((item.kind?, &item.object))) {
                let (path, object) = (RepoPath::from_bytes(&path), object.clone());
                self.there.push(TreeEntry { path, kind, object });
            }
            if old.is_some_and(|item| item.kind.is_some()) {
                self.gone.insert(path);
            }
        }
    }

    fn apply(self, listed: &Tree) -> Listing {
        let stays = |entry: &&TreeEntry| !self.gone.contains(entry.path.as_bytes());
        let same = listed.entries().iter().filter(stays).cloned();
        Listing::new(same.chain(self.there).collect())
    }
}

/// Reads `<mode> SP <name> NUL <object>`, repeated; the object is in bytes, of two digits each.
fn items(object: &ObjectId, found: Option<Object>) -> Result<Items, CommandError> {
    let Some(Object::Content(tree)) = found else { return Err(unreadable(object, b"missing")) };
    let (mut items, mut rest) = (Items::new(), tree.as_slice());
    while !rest.is_empty() {
        let read = item(rest, object.as_str().len() / 2);
        let (name, item, after) = read.ok_or_else(|| unreadable(object, rest))?;
        items.insert(name.to_owned(), item);
        rest = after;
    }
    Ok(items)
}

fn item(tree: &[u8], length: usize) -> Option<(&[u8], Item, &[u8])> {
    let space = tree.iter().position(|byte| *byte == b' ')?;
    let end = tree.iter().position(|byte| *byte == 0)?;
    let (mode, name) = (tree.get(..space)?, tree.get(space + 1..end)?);
    let (object, rest) = tree.get(end + 1..)?.split_at_checked(length)?;
    // Some old trees have a zero in front of a folder's mode.
    let zeros = mode.iter().take_while(|byte| **byte == b'0').count();
    let kind = match &mode[zeros..] {
        b"40000" => None,
        b"120000" => Some(EntryKind::Symlink),
        b"160000" => Some(EntryKind::Submodule),
        b"100755" => Some(EntryKind::Executable),
        _ => Some(EntryKind::Regular),
    };
    let digits = object.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    Some((name, Item { kind, object: ObjectId::parse(&digits)? }, rest))
}

fn unreadable(object: &ObjectId, text: &[u8]) -> CommandError {
    CommandError::unexpected(&format!("git cat-file for the tree {object}"), text)
}
