//! What it costs to start a workspace of a large repository from a warm one, and to bring one up to date.
//!
//! Prints times and ratios; it is read by people and fails on nothing. `-- seeds` or `-- updates` is one
//! part of it. It works in `BENCH_DIR`, or else
//! where temporary files are: whether blocks can be shared depends on the file system.
#![expect(clippy::print_stdout, reason = "the figures are its product")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use ci_domain::ids::{BranchName, CommitSha, PullNumber};
use ci_git::{Git, Mirror, MirrorConfig, Subject, Tree, Workspaces};

/// Files of the repository, and of a build in it that git ignores.
const TRACKED: usize = 50_000;
const BUILT: usize = 5_000;
/// Files in one folder.
const FOLDER: usize = 100;
/// Files that a pull request changes.
const CHANGED: usize = 10;
/// How often each is measured; the median counts.
const REPEATS: u64 = 3;
/// Nothing here takes so long.
const LIMIT: Duration = Duration::from_secs(600);

struct Scene {
    root: PathBuf,
    mirror: Mirror,
    workspaces: Workspaces,
    trees: Vec<Tree>,
}

#[tokio::main]
async fn main() {
    let root = match std::env::var_os("BENCH_DIR") {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let root = root.expect("a folder for temporary files");
    let scene = Scene::make(root.path()).await;
    println!("{TRACKED} files in the repository, {BUILT} that a build has made");
    let is_meant = |part: &str| {
        let mut parts = std::env::args().skip(1).filter(|word| !word.starts_with("--")).peekable();
        parts.peek().is_none() || parts.any(|word| word == part)
    };
    let warm = scene.workspaces.workspace(&main_branch());
    warm.update(&scene.mirror, &scene.trees[0]).await.expect("the warm workspace");
    build(&warm.src());
    if is_meant("seeds") {
        seeds(&scene).await;
    }
    if is_meant("updates") {
        updates(&scene).await;
    }
}

/// Makes what git ignores.
fn build(source: &Path) {
    for number in 0..BUILT {
        let path = source.join(format!("build/{}/{number}.o", number / FOLDER));
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, content(number)).expect("a file of the build");
    }
}

/// A new workspace, and what else could be done instead.
async fn seeds(scene: &Scene) {
    let warm = scene.workspaces.workspace(&main_branch());
    let (mut seeded, mut first, mut copied, mut cloned) = (vec![], vec![], vec![], vec![]);
    for number in 0..REPEATS {
        let workspace = scene.workspaces.workspace(&Subject::Pull(PullNumber(number)));
        let begin = Cost::now();
        workspace.seed_from(&warm).await.expect("a copy");
        seeded.push(begin.since());
        let begin = Cost::now();
        workspace.update(&scene.mirror, &scene.trees[1]).await.expect("an update");
        first.push(begin.since());
        workspace.remove().await.expect("no workspace");

        let other = scene.root.join("other");
        let copy = ["--archive", "--reflink=auto", "--"];
        copied.push(timed(Command::new("cp").args(copy).arg(warm.src()).arg(&other)));
        fs::remove_dir_all(&other).expect("no copy");
        let clone = ["clone", "--quiet", "--shared", "--no-checkout"];
        let mut clone = git(&scene.root, &clone);
        let without_files = timed(clone.arg(scene.mirror.dir()).arg(&other));
        let checkout = ["checkout", "--quiet", "--detach", scene.trees[1].commit().as_str()];
        cloned.push(without_files + timed(&mut git(&other, &checkout)));
        fs::remove_dir_all(&other).expect("no clone");
    }
    let (seeded, first) = (median(seeded), median(first));
    let (copied, cloned) = (median(copied), median(cloned));
    println!("a new workspace, warm");
    show("seed", seeded, None);
    show("first update", first, None);
    show("cp --archive", copied, Some(seeded));
    show("git clone --shared", cloned, Some(seeded));
}

/// From one commit to another and back, beside git alone in a work tree of its own.
async fn updates(scene: &Scene) {
    let workspace = scene.workspaces.workspace(&main_branch());
    let alone = scene.root.join("alone");
    timed(git(&scene.root, &["clone", "--quiet", "--shared"]).arg(scene.mirror.dir()).arg(&alone));
    build(&alone);
    let (mut ours, mut gits) = (vec![], vec![]);
    for turn in 0..REPEATS * 2 {
        let tree = &scene.trees[usize::from(turn % 2 == 0)];
        let begin = Cost::now();
        workspace.update(&scene.mirror, tree).await.expect("an update");
        ours.push(begin.since());
        let commit = tree.commit().as_str();
        let read = timed(&mut git(&alone, &["read-tree", "--reset", "-u", commit]));
        gits.push(read + timed(&mut git(&alone, &["clean", "-f", "-f", "-d", "-q"])));
    }
    let (ours, gits) = (median(ours), median(gits));
    println!("an update by {CHANGED} files");
    show("update", ours, None);
    show("git alone", gits, Some(ours));
}

/// What something took by the clock, and of the processors, by us and by programs that have ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    clock: Duration,
    processors: Duration,
}

impl Cost {
    /// Counted from a fixed moment.
    fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let stat = fs::read_to_string("/proc/self/stat").expect("the kernel tells");
        let (_, fields) = stat.rsplit_once(')').expect("the name is in brackets");
        let ticks = fields.split_whitespace().skip(11).take(4);
        let ticks = ticks.map(|ticks| ticks.parse::<u64>().expect("a number")).sum::<u64>();
        let processors = Duration::from_millis(ticks * 10);
        Self { clock: since.expect("it is later than 1970"), processors }
    }

    fn since(self) -> Self {
        let now = Self::now();
        Self { clock: now.clock - self.clock, processors: now.processors - self.processors }
    }
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { clock: self.clock + other.clock, processors: self.processors + other.processors }
    }
}

fn show(what: &str, cost: Cost, ours: Option<Cost>) {
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let (clock, processors) = (millis(cost.clock), millis(cost.processors));
    print!("  {what:<20} {clock:>8.0} ms, {processors:>6.0} ms of the processors");
    match ours {
        Some(ours) => println!(
            "; ours is x{:.2}, x{:.2}",
            millis(ours.clock) / clock,
            millis(ours.processors) / processors
        ),
        None => println!(),
    }
}

impl Scene {
    async fn make(root: &Path) -> Self {
        let origin = root.join("origin");
        let commits = import(&origin);
        let config = MirrorConfig {
            git: Git::discover(None).await.expect("git"),
            dir: root.join("mirror.git"),
            url: origin.to_string_lossy().into_owned(),
            credential: None,
            timeout: LIMIT,
        };
        let workspaces = Workspaces::open(config.git.clone(), &root.join("workspaces"), LIMIT);
        let (mirror, _) = Mirror::open(config).await.expect("a mirror");
        mirror.fetch().await.expect("a fetch");
        let mut trees = Vec::new();
        for commit in &commits {
            trees.push(mirror.tree(commit).await.expect("a listing"));
        }
        let workspaces = workspaces.expect("a folder for workspaces");
        Self { root: root.to_owned(), mirror, workspaces, trees }
    }
}

/// Makes a repository with two commits, of which the second changes a few files.
fn import(origin: &Path) -> Vec<CommitSha> {
    timed(git(Path::new("/"), &["init", "--quiet", "-b", "main"]).arg(origin));
    let mut stream = commit("first", TRACKED, content);
    stream += "M 644 inline .gitignore\ndata 7\nbuild/\n\n";
    stream += &commit("second", CHANGED, |number| format!("changed {number}\n"));
    let mut import = git(origin, &["fast-import", "--quiet"]);
    let mut import = import.stdin(Stdio::piped()).spawn().expect("git starts");
    let mut stdin = import.stdin.take().expect("it was piped above");
    stdin.write_all(stream.as_bytes()).expect("git reads");
    drop(stdin);
    assert!(import.wait().expect("git ends").success());
    ["main~1", "main"].iter().map(|name| resolve(origin, name)).collect()
}

fn commit(message: &str, files: usize, content: impl Fn(usize) -> String) -> String {
    let length = message.len();
    let mut stream = format!(
        "commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata {length}\n{message}\n"
    );
    for number in 0..files {
        let (folder, content) = (number / FOLDER, content(number));
        write!(
            stream,
            "M 644 inline lib{}/part{folder}/file{number}\ndata {}\n{content}\n",
            folder / 10,
            content.len()
        )
        .expect("a string takes all that is written");
    }
    stream
}

/// Between one and three kilobytes, different for each file.
fn content(number: usize) -> String {
    format!("line {number}\n").repeat(80 + number % 160)
}

fn resolve(origin: &Path, name: &str) -> CommitSha {
    let output = git(origin, &["rev-parse", name]).output().expect("git starts");
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    CommitSha::new(name).expect("git prints the name of a commit")
}

fn git(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0"]);
    command.args(arguments).current_dir(folder);
    command
}

fn timed(command: &mut Command) -> Cost {
    let begin = Cost::now();
    assert!(command.status().expect("it starts").success(), "{command:?}");
    begin.since()
}

fn main_branch() -> Subject {
    Subject::Branch(BranchName::new("main").expect("a name of a branch"))
}

fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_unstable();
    costs[costs.len() / 2]
}
