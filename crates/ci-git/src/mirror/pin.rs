//! References under `refs/ci/` keep what a build may still need, whatever happens at the remote.

use std::collections::BTreeSet;

use ci_domain::ids::CommitSha;
use ci_domain::subject::Subject;

use super::Mirror;
use crate::command::CommandError;
use crate::subject::slug;

impl Mirror {
    /// Keeps `commit` for `subject` until it is unpinned. [`merge`](Self::merge) does this itself; a
    /// branch's tip needs it while it is built, because the branch may be forced elsewhere.
    ///
    /// # Errors
    /// The commit is not there, or git failed.
    pub async fn pin(&self, subject: &Subject, commit: &CommitSha) -> Result<(), CommandError> {
        let hold = self.hold().await?;
        let reference = reference(subject, commit);
        self.write_reference(&reference, commit).await?;
        self.has_written(1, &hold).await
    }

    /// Lets go of one commit; one that is not pinned is fine.
    ///
    /// # Errors
    /// Git failed.
    pub async fn unpin(&self, subject: &Subject, commit: &CommitSha) -> Result<(), CommandError> {
        let hold = self.hold().await?;
        let command = self.command("update-ref").args(["-d", "--", &reference(subject, commit)]);
        command.holding(&hold).run().await?;
        Ok(())
    }

    /// Lets go of all that is pinned for `subject`.
    ///
    /// # Errors
    /// Git failed.
    pub async fn release(&self, subject: &Subject) -> Result<(), CommandError> {
        self.delete_pins(&format!("refs/ci/{}/", slug(subject)), |_| true).await
    }

    /// Lets go of all that is pinned for others than `subjects`: for a janitor.
    ///
    /// # Errors
    /// Git failed.
    pub async fn release_others(&self, subjects: &[Subject]) -> Result<(), CommandError> {
        let kept: BTreeSet<String> = subjects.iter().map(slug).collect();
        self.delete_pins("refs/ci/", |slug| !kept.contains(slug)).await
    }

    /// The commits that are pinned for `subject`.
    ///
    /// # Errors
    /// Git failed.
    pub async fn pinned(&self, subject: &Subject) -> Result<Vec<CommitSha>, CommandError> {
        let references = self.pins_below(&format!("refs/ci/{}/", slug(subject))).await?;
        let names = references.iter().filter_map(|reference| reference.rsplit('/').next());
        Ok(names.filter_map(|name| CommitSha::new(name).ok()).collect())
    }

    async fn pins_below(&self, prefix: &str) -> Result<Vec<String>, CommandError> {
        let list = self.command("for-each-ref").args(["--format=%(refname)", "--", prefix]);
        Ok(list.run().await?.text().lines().map(str::to_owned).collect())
    }

    async fn delete_pins(
        &self,
        prefix: &str,
        unwanted: impl Fn(&str) -> bool,
    ) -> Result<(), CommandError> {
        let _hold = self.hold().await?;
        let references = self.pins_below(prefix).await?;
        let unwanted =
            references.iter().filter(|reference| slug_in(reference).is_some_and(&unwanted));
        let deletions: String = unwanted.map(|reference| format!("delete {reference}\n")).collect();
        if !deletions.is_empty() {
            self.command("update-ref").arg("--stdin").input(deletions).run().await?;
        }
        Ok(())
    }
}

fn reference(subject: &Subject, commit: &CommitSha) -> String {
    format!("refs/ci/{}/{commit}", slug(subject))
}

fn slug_in(reference: &str) -> Option<&str> {
    reference.strip_prefix("refs/ci/")?.split('/').next()
}
