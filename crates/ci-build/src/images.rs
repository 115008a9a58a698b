//! The images of containers that were built on this machine: when each was used last, so that those that
//! nobody has used for long can go.
//!
//! Each has an empty file, whose time is when a job was last about to use it. Whoever asks for an image and
//! whoever removes one has that file locked. So none goes between the answer and the use: a fresh time keeps
//! it for longer than any job may take.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ci_exec::{Engine, EngineError, built_images, has_image, remove_image, remove_nameless_images};

/// How long an image stays that nobody uses; what is needed later is built once more.
pub(crate) const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The folder with the files.
#[derive(Clone, Debug)]
pub(crate) struct Images(PathBuf);

/// Images that cannot be asked for or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImagesError {
    /// The engine does not work.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The file system does not.
    #[error("note when an image was used")]
    Io(#[from] io::Error),
}

impl Images {
    pub(crate) fn noted_in(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Whether the engine has an image, which is about to be used.
    pub(crate) async fn has(&self, engine: &Engine, name: &str) -> Result<bool, ImagesError> {
        let note = self.note(name)?;
        note.lock_shared()?;
        note.set_modified(SystemTime::now())?;
        Ok(has_image(engine, name).await?)
    }

    /// Removes what was built here and that nobody has used for long; says which.
    pub(crate) async fn remove_unused(
        &self,
        engine: &Engine,
        now: SystemTime,
    ) -> Result<Vec<String>, ImagesError> {
        remove_nameless_images(engine, KEPT).await?;
        let mut removed = Vec::new();
        for name in built_images(engine).await? {
            // One that was never seen is as good as used now: another node may use it.
            let note = self.note(&name)?;
            if note.try_lock().is_err() || !is_old(&note, now)? {
                continue;
            }
            match remove_image(engine, &name).await {
                Ok(()) => removed.push(name),
                // Something runs in it.
                Err(EngineError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.forget(now, &removed)?;
        Ok(removed)
    }

    /// Removes the files of images that are gone, and of those that never came to be.
    fn forget(&self, now: SystemTime, removed: &[String]) -> io::Result<()> {
        for name in removed {
            fs::remove_file(self.path(name))?;
        }
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let age = now.duration_since(fs::metadata(&path)?.modified()?);
            if age.is_ok_and(|age| age > KEPT * 2) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn note(&self, name: &str) -> io::Result<File> {
        fs::create_dir_all(&self.0)?;
        File::options().create(true).append(true).open(self.path(name))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name.replace('/', "_"))
    }
}

fn is_old(note: &File, now: SystemTime) -> io::Result<bool> {
    Ok(now.duration_since(note.metadata()?.modified()?).is_ok_and(|age| age > KEPT))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::process::Command;

    use ci_exec::EngineKind;

    use super::*;

    const USED: &str = "localhost/ci-node/shop:used";
    const BUSY: &str = "localhost/ci-node/shop:busy";
    const OLD: &str = "localhost/ci-node/shop:old";

    /// An engine as far as its command line goes: it has three images, in one of which something runs.
    const ENGINE: &str = "#!/bin/sh
echo \"$*\" >> calls
case $1-$2 in
  images---quiet) echo some-id ;;
  images---filter) cat images ;;
  rmi-localhost/ci-node/shop:busy) echo in use by a container >&2; exit 2 ;;
  rmi-*) grep -v -- \"$2\" images > left; mv left images ;;
esac
";

    fn engine(folder: &Path) -> Engine {
        let (text, program) = (folder.join("text"), folder.join("engine"));
        let folder = folder.display();
        fs::write(&text, ENGINE.replace("\necho", &format!("\ncd {folder}; echo"))).unwrap();
        // A program that this process wrote could be busy still.
        let status =
            Command::new("install").args(["-m", "755"]).args([&text, &program]).status().unwrap();
        assert!(status.success());
        let env = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        Engine { kind: EngineKind::Podman, program, env }
    }

    #[tokio::test]
    async fn what_was_used_or_is_in_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        fs::write(folder.path().join("images"), [USED, BUSY, OLD].join("\n")).unwrap();
        let images = Images::noted_in(&folder.path().join("notes"));
        let start = SystemTime::now();
        let (later, long) = (start + KEPT / 2, start + KEPT + Duration::from_secs(60));
        assert_eq!(images.remove_unused(&engine, start).await.unwrap(), [""; 0]);
        assert_eq!(images.remove_unused(&engine, later).await.unwrap(), [""; 0]);
        assert!(images.has(&engine, USED).await.unwrap());
        let used = File::options().append(true).open(images.path(USED)).unwrap();
        used.set_modified(later).unwrap();
        assert_eq!(images.remove_unused(&engine, long).await.unwrap(), [OLD]);
        let left = fs::read_to_string(folder.path().join("images")).unwrap();
        assert_eq!(left.lines().collect::<Vec<_>>(), [USED, BUSY]);
        assert!(!images.path(OLD).exists());
    }

    #[tokio::test]
    async fn what_somebody_is_about_to_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        fs::write(folder.path().join("images"), OLD).unwrap();
        let images = Images::noted_in(&folder.path().join("notes"));
        let note = images.note(OLD).unwrap();
        note.lock_shared().unwrap();
        let long = SystemTime::now() + KEPT * 2;
        assert_eq!(images.remove_unused(&engine, long).await.unwrap(), [""; 0]);
        drop(note);
        assert_eq!(images.remove_unused(&engine, long).await.unwrap(), [OLD]);
    }
}
