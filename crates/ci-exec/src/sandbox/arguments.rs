//! What bubblewrap is told: which files a sandbox has, and what else it is cut off from.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::system::{Entry, System};
use crate::spec::{Namespaces, Network};

/// What is cut off, whatever the node and the policy say.
///
/// | | |
/// |---|---|
/// | `--unshare-user`, `--disable-userns` | no rights outside, and no way to rights inside |
/// | `--cap-drop` | not even root's, where the node runs as root |
/// | `--unshare-pid`, `--as-pid-1` | other processes are not seen; with init end all |
/// | `--unshare-ipc`, `-uts`, `-cgroup` | shared memory, host name, place among control groups |
/// | `--new-session` | no terminal to type into |
/// | `--die-with-parent` | nothing outlives the runner |
const CUT_OFF: &[&str] = &[
    "--unshare-user",
    "--disable-userns",
    "--unshare-pid",
    "--as-pid-1",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--cap-drop",
    "ALL",
    "--new-session",
    "--die-with-parent",
];

/// What a sandbox has of its own.
///
/// Much of `/proc` belongs to root, not to a capability: a node that runs as root could set the
/// machine's `core_pattern` from inside, which is why all of it is read-only.
const OWN: &[&str] = &[
    "--proc",
    "/proc",
    "--remount-ro",
    "/proc",
    "--dev",
    "/dev",
    "--dir",
    "/run",
    "--dir",
    "/var",
    "--symlink",
    "../run",
    "/var/run",
    "--tmpfs",
    "/tmp",
    "--tmpfs",
    "/var/tmp",
];

/// The arguments of bubblewrap, up to the program that is to run inside.
///
/// Later mounts cover earlier ones: first what everyone sees, then what is hidden of it, then what
/// belongs to the job wherever it lies.
pub(crate) fn arguments(namespaces: &Namespaces, system: &System) -> Vec<OsString> {
    let mut arguments = Arguments::default();
    arguments.words(CUT_OFF);
    if namespaces.network == Network::Own {
        arguments.words(&["--unshare-net"]);
    }
    for entry in &system.entries {
        match entry {
            Entry::Folder(path) => arguments.bind("--ro-bind", path),
            Entry::Link { path, target } => arguments.option("--symlink", target, path),
        }
    }
    arguments.words(OWN);
    for path in namespaces.visible.iter().chain(&system.beside) {
        arguments.bind("--ro-bind-try", path);
    }
    for folder in &system.hidden.folders {
        arguments.words(&["--tmpfs"]);
        arguments.0.push(folder.into());
    }
    for file in &system.hidden.files {
        arguments.option("--ro-bind", Path::new("/dev/null"), file);
    }
    for (path, option) in own(namespaces) {
        arguments.bind(option, path);
    }
    arguments.words(&["--remount-ro", "/", "--chdir", "/", "--"]);
    arguments.0
}

/// What belongs to the job, a folder before what lies in it: so each path is as it was said.
fn own(namespaces: &Namespaces) -> Vec<(&Path, &'static str)> {
    let readable = namespaces.readable.iter().map(|path| (path.as_path(), "--ro-bind"));
    let writable = namespaces.writable.iter().map(|path| (path.as_path(), "--bind"));
    let mut own: Vec<_> = readable.chain(writable).collect();
    own.sort_by_key(|(path, _)| path.components().count());
    own
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn option(&mut self, option: &str, first: &Path, second: &Path) {
        self.0.extend([OsStr::new(option), first.as_os_str(), second.as_os_str()].map(Into::into));
    }

    /// Shows `path` where it is.
    fn bind(&mut self, option: &str, path: &Path) {
        self.option(option, path, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::system::Hidden;

    fn namespaces() -> Namespaces {
        Namespaces {
            bubblewrap: "/usr/bin/bwrap".into(),
            visible: Vec::new(),
            hidden: Vec::new(),
            readable: Vec::new(),
            writable: Vec::new(),
            network: Network::Shared,
            pids: 100,
        }
    }

    fn check(namespaces: &Namespaces, system: &System, expected: &[&str]) {
        let arguments = arguments(namespaces, system);
        let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap()).collect();
        let end = ["--remount-ro", "/", "--chdir", "/", "--"];
        let all = [CUT_OFF, expected, &end].concat();
        assert_eq!(words, all);
    }

    #[test]
    fn what_belongs_to_the_job_covers_what_is_hidden_and_that_what_all_see() {
        let system = System {
            entries: vec![
                Entry::Folder("/usr".into()),
                Entry::Link { path: "/bin".into(), target: "usr/bin".into() },
            ],
            beside: vec!["/run/resolv.conf".into()],
            hidden: Hidden { folders: vec!["/opt/ci".into()], files: vec!["/etc/shadow".into()] },
        };
        let namespaces = Namespaces {
            visible: vec!["/home/ci/bin".into()],
            readable: vec!["/opt/ci/mirror/objects".into()],
            writable: vec!["/opt/ci/w/src".into()],
            ..namespaces()
        };
        let system_first = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"];
        let rest = [
            "--ro-bind-try",
            "/home/ci/bin",
            "/home/ci/bin",
            "--ro-bind-try",
            "/run/resolv.conf",
            "/run/resolv.conf",
            "--tmpfs",
            "/opt/ci",
            "--ro-bind",
            "/dev/null",
            "/etc/shadow",
            "--ro-bind",
            "/opt/ci/mirror/objects",
            "/opt/ci/mirror/objects",
            "--bind",
            "/opt/ci/w/src",
            "/opt/ci/w/src",
        ];
        check(&namespaces, &system, &[&system_first, OWN, &rest].concat());
    }

    #[test]
    fn a_part_is_as_it_was_said_whatever_the_whole_is() {
        let both = Namespaces {
            readable: vec!["/w/.git".into(), "/d".into()],
            writable: vec!["/d/own".into(), "/w".into()],
            ..namespaces()
        };
        let own = [
            "--ro-bind",
            "/d",
            "/d",
            "--bind",
            "/w",
            "/w",
            "--ro-bind",
            "/w/.git",
            "/w/.git",
            "--bind",
            "/d/own",
            "/d/own",
        ];
        check(&both, &System::default(), &[OWN, &own].concat());
    }

    #[test]
    fn the_network_is_cut_off_only_where_that_is_said() {
        let none = System::default();
        check(&namespaces(), &none, OWN);
        let own = Namespaces { network: Network::Own, ..namespaces() };
        check(&own, &none, &[&["--unshare-net"], OWN].concat());
    }

    #[test]
    fn a_path_is_never_taken_for_an_option() {
        let odd = Namespaces { writable: vec!["/--bind /etc".into()], ..namespaces() };
        let arguments = arguments(&odd, &System::default());
        assert_eq!(arguments.iter().filter(|word| *word == "/--bind /etc").count(), 2);
    }
}
