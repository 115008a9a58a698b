//! Taking out of the way what would lead git astray: done by the node itself, before git runs.
//!
//! Git follows a link that a job has put in the place of a tracked folder, keeps a `.git` in a
//! tracked folder, looks into the repository at a submodule's place, and waits for ever for a pipe
//! called `.gitignore`. So every folder that the tree has is made a real one, without any of these.

use std::collections::BTreeMap;
use std::io;

use rustix::fs::FileType;

use crate::folder::{Entry, Folder};
use crate::trash::Trash;
use crate::tree::{EntryKind, Tree};

/// Nobody nests folders like this; each level costs a descriptor while it is swept.
const DEEPEST: usize = 100;

/// What a tree wants at a name.
enum Wanted<'a> {
    Folder(BTreeMap<&'a [u8], Wanted<'a>>),
    File,
    Submodule,
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
pub(super) fn sweep(src: &Folder, tree: &Tree, trash: &Trash) -> io::Result<Strangers> {
    let mut root = BTreeMap::new();
    for entry in tree.entries() {
        insert(&mut root, entry.path.as_bytes(), entry.kind)?;
    }
    let mut strangers = Strangers::None;
    sweep_folder(src, &root, trash, &mut strangers)?;
    Ok(strangers)
}

/// Does what [`sweep`] does not, because it would take too long every time: looks into every folder,
/// gives its owner access, and takes out pipes, sockets, devices and bottomless folders.
pub(super) fn mend(folder: &Folder, trash: &Trash) -> io::Result<()> {
    mend_below(folder, trash, 0)
}

fn insert<'a>(
    root: &mut BTreeMap<&'a [u8], Wanted<'a>>,
    path: &'a [u8],
    kind: EntryKind,
) -> io::Result<()> {
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    let (name, folders) = parts.split_last().expect("splitting gives at least one part");
    if folders.len() > DEEPEST {
        let path = String::from_utf8_lossy(path);
        return Err(io::Error::other(format!("{path:.100}… has more than {DEEPEST} levels")));
    }
    let mut place = root;
    for folder in folders {
        let inner = place.entry(folder).or_insert_with(|| Wanted::Folder(BTreeMap::new()));
        let Wanted::Folder(inner) = inner else {
            return Err(io::Error::other("a file of the tree is also a folder"));
        };
        place = inner;
    }
    place.insert(name, if kind == EntryKind::Submodule { Wanted::Submodule } else { Wanted::File });
    Ok(())
}

fn sweep_folder(
    folder: &Folder,
    wanted: &BTreeMap<&[u8], Wanted<'_>>,
    trash: &Trash,
    strangers: &mut Strangers,
) -> io::Result<()> {
    for entry in folder.entries()? {
        if entry.name.as_bytes() == b".git" {
            trash.discard(folder, &entry)?;
            continue;
        }
        let is_folder = entry.kind == FileType::Directory;
        match wanted.get(entry.name.as_bytes()) {
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
