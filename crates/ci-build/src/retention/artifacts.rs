//! Keeps the files that jobs have left within their total: each content is on the disk once, and when all of
//! them together are too much, those of the oldest runs go first, and those that open pull requests show last.
//!
//! A file is in the folder of every run that has left it, under the digest of its content. What is the same in
//! several runs becomes one inode with several names, so it goes with the last of them, and nobody counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ci_domain::ids::AttemptId;
use heights::Fault;
use tracing::info;

use crate::retention::RetentionArgs;
use crate::runs::Runs;
use crate::view::JobStatus;

/// What a name ends in that stands for a link that is being made.
const DRAFT: &str = ".link";

/// The files of one run.
struct Kept {
    attempt: AttemptId,
    folder: PathBuf,
    /// When the run began or ended.
    changed: SystemTime,
    files: Vec<File>,
}

struct File {
    name: String,
    inode: u64,
    bytes: u64,
}

/// Makes one of what is the same, and removes what is too much.
pub(super) async fn keep_within_total(args: &RetentionArgs) -> Result<(), Fault> {
    let repos = args.repos.all();
    let Some(first) = repos.first() else { return Ok(()) };
    let (runs, total) = (first.elders.runs.clone(), args.keep.artifacts);
    let look = move || -> io::Result<(Runs, Vec<Kept>)> {
        let mut all = look(&runs)?;
        share(&mut all)?;
        runs.note_artifacts(taken(&all));
        Ok((runs, all))
    };
    let (runs, all) = tokio::task::spawn_blocking(look).await??;
    if taken(&all) <= total {
        return Ok(());
    }
    let shown = shown(args).await?;
    let remove = move || -> io::Result<()> {
        let left = remove_oldest(all, &shown, total)?;
        runs.note_artifacts(left);
        Ok(())
    };
    Ok(tokio::task::spawn_blocking(remove).await??)
}

/// The attempts that open pull requests show now.
async fn shown(args: &RetentionArgs) -> Result<BTreeSet<AttemptId>, Fault> {
    let mut shown = BTreeSet::new();
    for repo in args.repos.all() {
        for number in repo.watcher.view().await?.open {
            let Some(pull) = repo.pulls.lookup(&number) else { continue };
            for job in pull.view().await?.jobs {
                match job.status {
                    JobStatus::UnderWay(attempt, _) => shown.extend([attempt]),
                    JobStatus::Ended(outcome) => shown.extend(outcome.attempt),
                    _ => {}
                }
            }
        }
    }
    Ok(shown)
}

/// What runs that have ended have left, the oldest first.
fn look(runs: &Runs) -> io::Result<Vec<Kept>> {
    let at_work = runs.at_work()?;
    let mut all = Vec::new();
    for attempt in runs.attempts()?.into_iter().filter(|attempt| !at_work.contains(attempt)) {
        let folder = runs.path(&attempt).join("artifacts");
        let changed = match fs::metadata(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            found => found?.modified()?,
        };
        let files = files(&folder)?;
        all.push(Kept { attempt, folder, changed, files });
    }
    all.sort_by_key(|kept| kept.changed);
    Ok(all)
}

fn files(folder: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (name, found) = (entry.file_name().to_string_lossy().into_owned(), entry.metadata()?);
        // What was being made when somebody was killed is no file of anybody.
        if name.starts_with('.') {
            fs::remove_file(entry.path())?;
        } else {
            files.push(File { name, inode: found.ino(), bytes: found.len() });
        }
    }
    Ok(files)
}

/// Gives the same content one inode. A name always stands for all of its content, whoever is killed.
fn share(all: &mut [Kept]) -> io::Result<()> {
    let mut first: BTreeMap<String, (u64, PathBuf)> = BTreeMap::new();
    for kept in all {
        for file in &mut kept.files {
            let path = kept.folder.join(&file.name);
            let Some((inode, known)) = first.get(&file.name) else {
                first.insert(file.name.clone(), (file.inode, path));
                continue;
            };
            if *inode == file.inode {
                continue;
            }
            let draft = kept.folder.join(format!(".{}{DRAFT}", file.name));
            match fs::hard_link(known, &draft) {
                // The run was removed meanwhile, or an inode has as many names as it may have: then there
                // are two of them.
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::TooManyLinks) =>
                {
                    first.insert(file.name.clone(), (file.inode, path));
                }
                linked => {
                    linked?;
                    fs::rename(&draft, &path)?;
                    file.inode = *inode;
                }
            }
        }
    }
    Ok(())
}

/// What all of it takes, each inode once.
fn taken(all: &[Kept]) -> u64 {
    let files = all.iter().flat_map(|kept| &kept.files);
    files.map(|file| (file.inode, file.bytes)).collect::<BTreeMap<_, _>>().into_values().sum()
}

/// Removes what the oldest runs have left until the rest is within `total`; what is `shown` goes last.
/// Answers how much is left.
fn remove_oldest(mut all: Vec<Kept>, shown: &BTreeSet<AttemptId>, total: u64) -> io::Result<u64> {
    // The sort is stable: among those that are shown, and among the others, the oldest stays first.
    all.sort_by_key(|kept| shown.contains(&kept.attempt));
    while taken(&all) > total && !all.is_empty() {
        let kept = all.remove(0);
        match fs::remove_dir_all(&kept.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => info!(attempt = %kept.attempt, "removed artifacts: no room"),
        }
    }
    Ok(taken(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        folder: tempfile::TempDir,
        runs: Runs,
    }

    impl Scene {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let runs = Runs::open(folder.path()).unwrap();
            Self { folder, runs }
        }

        fn keep(&self, attempt: &str, content: &[(&str, &str)]) {
            let folder = self.path(attempt);
            fs::create_dir_all(&folder).unwrap();
            for (name, text) in content {
                fs::write(folder.join(name), text).unwrap();
            }
        }

        fn path(&self, attempt: &str) -> PathBuf {
            self.folder.path().join(attempt).join("artifacts")
        }

        /// All runs, in the order of their names, as if they were that old.
        fn look(&self) -> Vec<Kept> {
            let mut all = look(&self.runs).unwrap();
            all.sort_by(|one, other| one.attempt.cmp(&other.attempt));
            all
        }

        fn left(&self) -> Vec<String> {
            self.look().iter().map(|kept| kept.attempt.to_string()).collect()
        }
    }

    #[test]
    fn the_same_content_is_there_once() {
        let scene = Scene::new();
        scene.keep("x-1", &[("aa", "12345"), ("bb", "1")]);
        scene.keep("x-2", &[("aa", "12345"), (".0-1.part", "left")]);
        scene.keep("x-3", &[("aa", "12345")]);
        let mut all = scene.look();
        assert_eq!(taken(&all), 16);
        share(&mut all).unwrap();
        assert_eq!((taken(&all), taken(&scene.look())), (6, 6));
        // What one run loses the others keep.
        fs::remove_dir_all(scene.path("x-1")).unwrap();
        assert_eq!(fs::read_to_string(scene.path("x-3").join("aa")).unwrap(), "12345");
        let names = fs::read_dir(scene.path("x-2")).unwrap();
        assert_eq!(names.count(), 1, "nothing is left of what was being made");
    }

    #[test]
    fn the_oldest_go_first_and_what_is_shown_last() {
        let scene = Scene::new();
        for attempt in ["x-1", "x-2", "x-3", "x-4"] {
            scene.keep(attempt, &[(attempt, "12345")]);
        }
        let shown = BTreeSet::from(["x-1".parse().unwrap(), "x-4".parse().unwrap()]);
        assert_eq!(remove_oldest(scene.look(), &shown, 15).unwrap(), 15);
        assert_eq!(scene.left(), ["x-1", "x-3", "x-4"]);
        assert_eq!(remove_oldest(scene.look(), &shown, 9).unwrap(), 5);
        assert_eq!(scene.left(), ["x-4"]);
        assert_eq!(remove_oldest(scene.look(), &shown, 5).unwrap(), 5);
        assert_eq!(scene.left(), ["x-4"]);
    }

    #[test]
    fn what_is_shared_goes_with_the_last_that_has_it() {
        let scene = Scene::new();
        scene.keep("x-1", &[("aa", "12345")]);
        scene.keep("x-2", &[("aa", "12345"), ("bb", "1")]);
        let mut all = scene.look();
        share(&mut all).unwrap();
        assert_eq!(remove_oldest(all, &BTreeSet::new(), 5).unwrap(), 0);
        assert_eq!(scene.left(), Vec::<String>::new());
    }
}
