//! The program that is to be the first process of a container, as files that an image lacks.
//!
//! An image may have another C library than this machine, or none. So the program comes with the loader
//! and the libraries that it runs with here, and is started by that loader.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where in a container everything is that an image does not bring.
pub(super) const FOLDER: &str = "/.ci-node";
/// The image that runs here, whatever lies at its path by now.
const OWN: &str = "/proc/self/exe";
/// What the kernel adds to the path of a file that was replaced.
const REPLACED: &str = " (deleted)";

/// A program, and how it is started in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// Files out here and where they are in there, to be read.
    pub(super) files: Vec<(PathBuf, PathBuf)>,
    /// What is started first, and its arguments up to those of the program itself.
    pub(super) words: Vec<OsString>,
}

impl Program {
    /// The program of this process. Where its file was replaced, it is copied to `folder`.
    pub(crate) fn own(folder: &Path) -> io::Result<Self> {
        let file = own_file(folder)?;
        let maps = fs::read_to_string("/proc/self/maps")?;
        Ok(Self::of(file, &libraries(&maps)))
    }

    fn of(file: PathBuf, libraries: &BTreeSet<PathBuf>) -> Self {
        let inside =
            |path: &Path| Path::new(FOLDER).join("lib").join(path.file_name().unwrap_or_default());
        let init = Path::new(FOLDER).join("init");
        let loader = libraries.iter().find(|path| is_loader(path)).map(|path| inside(path));
        let mut words = Vec::new();
        if let Some(loader) = loader {
            let folder = Path::new(FOLDER).join("lib").into_os_string();
            words.extend([loader.into_os_string(), "--library-path".into(), folder]);
        }
        words.push(init.clone().into_os_string());
        let libraries = libraries.iter().map(|path| (path.clone(), inside(path)));
        let files = std::iter::once((file, init)).chain(libraries).collect();
        Self { files, words }
    }
}

/// A path at which the image that runs here lies.
fn own_file(folder: &Path) -> io::Result<PathBuf> {
    let path = fs::read_link(OWN)?;
    let own = fs::metadata(OWN)?;
    let is_own = |there: fs::Metadata| (there.dev(), there.ino()) == (own.dev(), own.ino());
    if fs::metadata(&path).is_ok_and(is_own) {
        return Ok(path);
    }
    let copy = folder.join("init");
    fs::copy(OWN, &copy)?;
    Ok(copy)
}

/// The shared objects among the files that are mapped with code, the loader among them.
fn libraries(maps: &str) -> BTreeSet<PathBuf> {
    let mapped = maps.lines().filter_map(|line| {
        let start = line.find('/')?;
        let (head, path) = line.split_at(start);
        let is_code = head.split_ascii_whitespace().nth(1)?.contains('x');
        is_code.then(|| Path::new(path.strip_suffix(REPLACED).unwrap_or(path)))
    });
    mapped.filter(|path| is_shared_object(path)).map(Path::to_owned).collect()
}

fn is_shared_object(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".so") || name.contains(".so.")
}

fn is_loader(path: &Path) -> bool {
    path.file_name().unwrap_or_default().to_string_lossy().starts_with("ld-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0-55d1 r--p 00000000 fe:00 1 /usr/bin/ci-node
55d1-55d2 r-xp 00001000 fe:00 1 /usr/bin/ci-node
7f00-7f01 r--p 00000000 fe:00 2 /usr/lib/x86_64-linux-gnu/libc.so.6
7f01-7f02 r-xp 00001000 fe:00 2 /usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)
7f02-7f03 r-xp 00001000 fe:00 3 /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
7f03-7f04 r--s 00000000 fe:00 4 /usr/lib/locale/C.utf8/LC_CTYPE
7f04-7f05 r-xp 00000000 00:00 0 [vdso]
";

    #[test]
    fn it_comes_with_the_loader_and_the_libraries_that_it_runs_with() {
        let program = Program::of("/usr/bin/ci-node".into(), &libraries(MAPS));
        let files: Vec<String> = program
            .files
            .iter()
            .map(|(outside, inside)| format!("{} {}", outside.display(), inside.display()))
            .collect();
        assert_eq!(
            files,
            [
                "/usr/bin/ci-node /.ci-node/init",
                "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 /.ci-node/lib/ld-linux-x86-64.so.2",
                "/usr/lib/x86_64-linux-gnu/libc.so.6 /.ci-node/lib/libc.so.6",
            ]
        );
        let words = ["/.ci-node/lib/ld-linux-x86-64.so.2", "--library-path", "/.ci-node/lib"];
        assert_eq!(program.words, [words.as_slice(), &["/.ci-node/init"]].concat());
    }

    #[test]
    fn a_program_without_libraries_is_started_as_it_is() {
        let program = Program::of("/opt/ci-node".into(), &BTreeSet::new());
        assert_eq!(program.words, ["/.ci-node/init"]);
        assert_eq!(program.files, [("/opt/ci-node".into(), "/.ci-node/init".into())]);
    }

    #[test]
    fn the_own_program_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::own(folder.path()).unwrap();
        assert_eq!(program.files[0].0, std::env::current_exe().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
