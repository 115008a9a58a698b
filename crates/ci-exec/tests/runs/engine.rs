//! Podman for tests, with images and containers of its own, where this machine can be brought to it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ci_exec::{Container, Engine, EngineKind, Image, ImageSource, Isolation, Network};

use crate::support::{Place, absent};

/// The image that tests run in: nothing but busybox, which needs no library.
pub const IMAGE: &str = "localhost/busybox:test";
const BUSYBOX: &str = "/bin/busybox";
/// What is called by a name of its own in the image.
const TOOLS: [&str; 23] = [
    "sh", "cat", "tail", "true", "chmod", "cp", "echo", "env", "grep", "head", "id", "kill", "ln",
    "ls", "mkdir", "mount", "ps", "readlink", "setsid", "sleep", "touch", "tty", "umount",
];
/// Podman needs control groups of version 2. Where a machine has both versions, it can be shown only those.
const ONLY_V2: &str = "umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec \"$@\"";

/// Podman, with everything that it keeps in the folder of a place.
pub fn podman(place: &Place) -> Option<Engine> {
    if !Path::new("/usr/bin/podman").exists() || !Path::new(BUSYBOX).exists() {
        absent("podman: apt-get install podman crun busybox-static");
        return None;
    }
    let plain = engine(place.root(), "", "");
    let engine = if works(&plain) {
        plain
    } else {
        let shown = engine(place.root(), &format!("unshare --mount /bin/sh -c '{ONLY_V2}' sh"), "");
        if !works(&shown) {
            let said = ask(&shown, &["info"]);
            absent(&format!(
                "control groups of version 2 for podman; it says: {}",
                String::from_utf8_lossy(&said.stderr).trim()
            ));
            return None;
        }
        shown
    };
    import(&engine, place.root());
    Some(engine)
}

/// A podman that bounds what containers use: by control groups of version 2, or with runc of version 1.
pub fn bounding_podman(place: &Place) -> Option<Engine> {
    podman(place)?;
    let root = place.root();
    let bounds = |options: &str| {
        let engine = engine(root, "", options);
        let words = ["run", "--rm", "--network=none", "--memory=64m", "--memory-swap=64m"];
        let limits = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=500:500", IMAGE, "true"];
        let tried = ask(&engine, &[words.as_slice(), &limits].concat());
        if tried.status.success() { Ok(engine) } else { Err(tried.stderr) }
    };
    let said = match bounds("").or_else(|_| bounds("--runtime runc")) {
        Ok(engine) => return Some(engine),
        Err(said) => said,
    };
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    absent(&format!("control groups that podman may use, of version 1 with runc; it says: {said}"));
    None
}

/// The container for a place that has a podman.
pub fn container(engine: Engine, place: &Place) -> Container {
    Container {
        engine,
        image: Image { name: IMAGE.to_owned(), source: ImageSource::Registry },
        readable: Vec::new(),
        writable: vec![place.spec.workspace.clone()],
        network: Network::Own,
        pids: 500,
        limits: None,
    }
}

/// The same place with a container around it.
pub fn in_container(mut place: Place) -> Option<Place> {
    let engine = podman(&place)?;
    let container = container(engine, &place);
    place.spec.env = BTreeMap::new();
    place.spec.isolation = Isolation::Container(Box::new(container));
    Some(place)
}

/// The container around a place.
pub fn container_of(place: &mut Place) -> &mut Container {
    match &mut place.spec.isolation {
        Isolation::Container(container) => container,
        Isolation::None | Isolation::Namespaces(_) => panic!("there is a container"),
    }
}

/// What the engine still has of containers.
pub fn containers(engine: &Engine) -> String {
    let listed = ask(engine, &["ps", "--all", "--quiet"]);
    assert!(listed.status.success(), "{listed:?}");
    String::from_utf8(listed.stdout).unwrap()
}

/// Asks the engine something.
pub fn ask(engine: &Engine, words: &[&str]) -> Output {
    Command::new(&engine.program).args(words).env_clear().envs(&engine.env).output().unwrap()
}

fn engine(root: &Path, before: &str, options: &str) -> Engine {
    let folder = root.join("engine");
    // An ordinary user's podman wants the home to be there.
    fs::create_dir_all(folder.join("home")).unwrap();
    let program = folder.join("podman");
    let at = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        "#!/bin/sh\nexec {before} /usr/bin/podman {options} --root {} --runroot {} --tmpdir {} \"$@\"\n",
        at("root"),
        at("run"),
        at("tmp")
    );
    write_program(&program, &text);
    let env = [
        ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
        ("HOME", at("home")),
        // What works without control groups.
        ("BUILDAH_ISOLATION", "chroot".to_owned()),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value)).into();
    Engine { kind: EngineKind::Podman, program, env }
}

/// Writes a program, by another process: what this one has open for writing is open, too, in each process that
/// another test starts at that moment, and until that has become its program nobody can execute the file.
pub fn write_program(path: &Path, text: &str) {
    let write = "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"";
    let written = Command::new("sh").args(["-c", write, "sh"]).arg(path).arg(text).status();
    assert!(written.unwrap().success());
}

fn works(engine: &Engine) -> bool {
    ask(engine, &["info", "--format", "{{.Host.CgroupsVersion}}"]).stdout == b"v2\n"
}

fn import(engine: &Engine, root: &Path) {
    let imported = ask(engine, &["import", &archive(root), IMAGE]);
    assert!(imported.status.success(), "{imported:?}");
}

/// The files of the image, as an archive in `root`.
pub fn archive(root: &Path) -> String {
    let (files, archive) = (root.join("image"), root.join("image.tar"));
    fs::create_dir_all(files.join("bin")).unwrap();
    fs::copy(BUSYBOX, files.join("bin/busybox")).unwrap();
    for tool in TOOLS {
        symlink("busybox", files.join("bin").join(tool)).unwrap();
    }
    let text = |path: &PathBuf| path.display().to_string();
    let (files, archive) = (text(&files), text(&archive));
    let tar = Command::new("tar").args(["-C", &files, "-cf", &archive, "."]).output().unwrap();
    assert!(tar.status.success(), "{tar:?}");
    archive
}
