//! What of the machine every sandbox shows, read-only, and what of that stays hidden.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::spec::Namespaces;

/// Where programs, their libraries and the machine's settings are.
const SYSTEM: &[&str] = &[
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/gnu",
];
/// What programs read to learn how many processors there are, and which.
const PROCESSORS: &str = "/sys/devices/system";
/// Which servers know names; often a link to a file of whoever manages the network.
const NAME_SERVERS: &str = "/etc/resolv.conf";
/// Where the machine keeps settings, and beside them its passwords and keys.
const SETTINGS: &str = "/etc";
/// What anyone may do with a file that they may read.
const READ_BY_ALL: u32 = 0o004;
/// What anyone may do with a folder whose files they may read.
const ENTERED_BY_ALL: u32 = 0o005;

/// The part of the machine that a sandbox shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct System {
    /// The folders of the system, in the order of their paths.
    pub(super) entries: Vec<Entry>,
    /// What lies elsewhere and is needed all the same.
    pub(super) beside: Vec<PathBuf>,
    /// What of all that is not shown.
    pub(super) hidden: Hidden,
}

/// A folder of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Folder(PathBuf),
    /// What is a link outside is a link inside, since programs compare paths.
    Link {
        path: PathBuf,
        target: PathBuf,
    },
}

/// What is covered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) folders: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

impl System {
    /// Looks at this machine.
    ///
    /// # Errors
    /// It cannot be told what is private in it.
    pub(crate) fn of(namespaces: &Namespaces) -> io::Result<Self> {
        let mut hidden = Hidden::default();
        hide_private(Path::new(SETTINGS), &mut hidden)?;
        let entries: Vec<Entry> = SYSTEM.iter().filter_map(|path| entry(Path::new(path))).collect();
        let shown: Vec<&Path> = SYSTEM.iter().map(Path::new).collect();
        for path in &namespaces.hidden {
            hide(path, &shown, &namespaces.visible, &mut hidden)?;
        }
        let servers = fs::canonicalize(NAME_SERVERS).ok();
        let elsewhere = |path: &PathBuf| !shown.iter().any(|folder| path.starts_with(folder));
        let beside = servers.into_iter().filter(elsewhere);
        Ok(Self { entries, beside: beside.chain([PathBuf::from(PROCESSORS)]).collect(), hidden })
    }
}

fn entry(path: &Path) -> Option<Entry> {
    let path = path.to_owned();
    if let Ok(target) = fs::read_link(&path) {
        return Some(Entry::Link { path, target });
    }
    path.is_dir().then_some(Entry::Folder(path))
}

/// Hides `path` where it exists and would be seen.
fn hide(path: &Path, shown: &[&Path], visible: &[PathBuf], hidden: &mut Hidden) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let visible = visible.iter().filter_map(|folder| fs::canonicalize(folder).ok());
    let is_seen = shown.iter().any(|folder| path.starts_with(folder))
        || visible.into_iter().any(|folder| path.starts_with(folder));
    if is_seen {
        let place = if path.is_dir() { &mut hidden.folders } else { &mut hidden.files };
        place.push(path);
    }
    Ok(())
}

/// Hides below `folder` what is not meant for everyone, and what this user can read all the same.
fn hide_private(folder: &Path, hidden: &mut Hidden) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        // What is gone or closed to this user need not be hidden from its commands.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            return Ok(());
        }
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_symlink() {
            continue;
        }
        if is_for_all(&metadata) {
            if metadata.is_dir() {
                hide_private(&path, hidden)?;
            }
        } else if access(&path, Access::READ_OK).is_ok() {
            let place = if metadata.is_dir() { &mut hidden.folders } else { &mut hidden.files };
            place.push(path);
        }
    }
    Ok(())
}

fn is_for_all(metadata: &Metadata) -> bool {
    let needed = if metadata.is_dir() { ENTERED_BY_ALL } else { READ_BY_ALL };
    metadata.permissions().mode() & needed == needed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(path: &Path, mode: u32) {
        if path.extension().is_some() {
            fs::write(path, "x").unwrap();
        } else {
            fs::create_dir(path).unwrap();
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn of_the_settings_only_what_everyone_may_read_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        make(&at("open.conf"), 0o644);
        make(&at("shadow.x"), 0o600);
        make(&at("ssl"), 0o755);
        make(&at("ssl/private"), 0o710);
        make(&at("ssl/private/inner.key"), 0o600);
        make(&at("ssl/host.key"), 0o640);
        std::os::unix::fs::symlink("/nonexistent", at("link")).unwrap();
        let mut hidden = Hidden::default();
        hide_private(&at("absent"), &mut hidden).unwrap();
        hide_private(folder.path(), &mut hidden).unwrap();
        hidden.files.sort();
        assert_eq!(hidden.folders, [at("ssl/private")]);
        assert_eq!(hidden.files, [at("shadow.x"), at("ssl/host.key")]);
    }

    #[test]
    fn only_what_would_be_seen_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let at = |name: &str| root.join(name);
        make(&at("tools"), 0o755);
        make(&at("tools/data"), 0o755);
        make(&at("elsewhere"), 0o755);
        make(&at("tools/token.x"), 0o644);
        std::os::unix::fs::symlink(at("tools/data"), at("link")).unwrap();
        let mut hidden = Hidden::default();
        for name in ["elsewhere", "link", "tools/token.x", "tools/absent"] {
            hide(&at(name), &[], &[at("tools")], &mut hidden).unwrap();
        }
        assert_eq!(hidden.folders, [at("tools/data")]);
        assert_eq!(hidden.files, [at("tools/token.x")]);
    }

    #[test]
    fn a_link_of_the_system_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bin");
        std::os::unix::fs::symlink("usr/bin", &path).unwrap();
        let link = Entry::Link { path: path.clone(), target: "usr/bin".into() };
        assert_eq!(entry(&path), Some(link));
        assert_eq!(entry(&folder.path().join("absent")), None);
        assert_eq!(entry(folder.path()), Some(Entry::Folder(folder.path().to_owned())));
    }
}
