//! Taking out of the way what would lead git astray: done by the node itself, before git runs.
//!
//! Git follows a link that a job has put in the place of a tracked folder, keeps a `.git` in a
//! tracked folder, looks into the repository at a submodule's place, and waits for ever for a pipe
//! called `.gitignore`. So every folder that the tree has is made a real one, without any of these.

use std::cmp::Ordering;
use std::io;

use rustix::fs::FileType;

use crate::folder::{Entry, Folder};
use crate::trash::Trash;
use crate::tree::{EntryKind, Tree, TreeEntry};

/// Nobody nests folders like this; each level costs a descriptor while it is swept.
const DEEPEST: usize = 100;

/// What a tree wants at a name.
enum Wanted<'a> {
    Folder(Contents<'a>),
    File,
    Submodule,
}

/// The entries of a tree that lie in one folder, however deep, ordered by path.
#[derive(Clone, Copy)]
struct Contents<'a> {
    entries: &'a [(&'a [u8], EntryKind)],
    /// How many bytes of their paths name the folder.
    folder: usize,
}

/// What a sweep leaves for git to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strangers {
    /// Nothing: every name is one of the tree.
    None,
    /// Names that the tree does not have; they may be ignored, or have to go.
    Some,
}

/// Makes `src` a place where git can write the files of `tree` and nothing else.
pub(super) fn sweep<'a>(src: &Folder, tree: &'a Tree, trash: &Trash) -> io::Result<Strangers> {
    let entry = |entry: &'a TreeEntry| (entry.path.as_bytes(), entry.kind);
    let mut entries: Vec<_> = tree.entries().iter().map(entry).collect();
    // They are ordered already, but for those whose bytes are no text.
    entries.sort_unstable_by_key(|(path, _)| *path);
    let is_too_deep = |path: &[u8]| path.iter().filter(|byte| **byte == b'/').count() > DEEPEST;
    if let Some((path, _)) = entries.iter().find(|(path, _)| is_too_deep(path)) {
        let path = String::from_utf8_lossy(path);
        return Err(io::Error::other(format!("{path:.100}… has more than {DEEPEST} levels")));
    }
    let root = Contents { entries: &entries, folder: 0 };
    let mut strangers = Strangers::None;
    sweep_folder(src, root, trash, &mut strangers)?;
    Ok(strangers)
}

/// Does what [`sweep`] does not, because it would take too long every time: looks into every folder,
/// gives its owner access, and takes out pipes, sockets, devices and bottomless folders.
pub(super) fn mend(folder: &Folder, trash: &Trash) -> io::Result<()> {
    mend_below(folder, trash, 0)
}

impl<'a> Contents<'a> {
    /// What belongs at `name` of the folder.
    fn at(&self, name: &[u8]) -> Option<Wanted<'a>> {
        let rest = |(path, _): &(&'a [u8], EntryKind)| &path[self.folder..];
        if let Ok(index) = self.entries.binary_search_by(|entry| rest(entry).cmp(name)) {
            let is_submodule = self.entries[index].1 == EntryKind::Submodule;
            return Some(if is_submodule { Wanted::Submodule } else { Wanted::File });
        }
        // What lies in a folder of that name is together, since its paths begin alike.
        let place = |entry: &(&'a [u8], EntryKind)| {
            let (rest, length) = (rest(entry), name.len() + 1);
            let begin = &rest[..rest.len().min(length)];
            begin.iter().cmp(name.iter().chain(b"/"))
        };
        let start = self.entries.partition_point(|entry| place(entry) == Ordering::Less);
        let inside = &self.entries[start..];
        let inside = &inside[..inside.partition_point(|entry| place(entry) == Ordering::Equal)];
        if inside.is_empty() {
            return None;
        }
        Some(Wanted::Folder(Self { entries: inside, folder: self.folder + name.len() + 1 }))
    }
}

fn sweep_folder(
    folder: &Folder,
    contents: Contents<'_>,
    trash: &Trash,
    strangers: &mut Strangers,
) -> io::Result<()> {
    for entry in folder.entries()? {
        if entry.name.as_bytes() == b".git" {
            trash.discard(folder, &entry)?;
            continue;
        }
        let is_folder = entry.kind == FileType::Directory;
        match contents.at(entry.name.as_bytes()) {
            Some(Wanted::Folder(inner)) if is_folder => {
                sweep_folder(&folder.enter(&entry.name)?, inner, trash, strangers)?;
            }
            Some(Wanted::Submodule) if is_folder => {
                discard_all(&folder.enter(&entry.name)?, trash)?;
            }
            Some(Wanted::File) if !is_folder && !entry.is_special() => {}
            None if !entry.is_special() => *strangers = Strangers::Some,
            _ => trash.discard(folder, &entry)?,
        }
    }
    Ok(())
}

fn discard_all(folder: &Folder, trash: &Trash) -> io::Result<()> {
    folder.entries()?.iter().try_for_each(|entry| trash.discard(folder, entry))
}

fn mend_below(folder: &Folder, trash: &Trash, depth: usize) -> io::Result<()> {
    let bottomless = |entry: &Entry| entry.kind == FileType::Directory && depth >= DEEPEST;
    for entry in folder.entries()? {
        if entry.is_special() || bottomless(&entry) {
            trash.discard(folder, &entry)?;
        } else if entry.kind == FileType::Directory {
            mend_below(&folder.enter(&entry.name)?, trash, depth + 1)?;
        }
    }
    Ok(())
}
