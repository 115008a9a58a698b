//! Fetching what wishes lack: their heads all at once, or everything.

use std::collections::BTreeSet;

use ci_domain::ids::CommitSha;
use ci_domain::subject::Subject;
use ci_git::{CommandError, Wanted};
use tracing::debug;

use crate::mirror::prepare::{PrepareFault, Preparer};
use crate::mirror::wish::{Effort, Wish};

impl Preparer {
    /// Brings what `wishes` lack, and says of each whether something is in its way. A commit that the
    /// remote does not have is not, here: whoever needs it finds out.
    pub(super) async fn fetch(&self, wishes: &[Wish]) -> Vec<Result<(), PrepareFault>> {
        match self.fetch_lacking(wishes).await {
            Ok(results) => results,
            Err(fault) => wishes.iter().map(|_| Err(fault.clone())).collect(),
        }
    }

    async fn fetch_lacking(
        &self,
        wishes: &[Wish],
    ) -> Result<Vec<Result<(), PrepareFault>>, PrepareFault> {
        let _permit = self.permit_to_fetch().await?;
        let mut lacking = self.lacking(wishes).await?;
        self.door.open().await?;
        let heads = heads(wishes, &lacking);
        if !heads.is_empty() {
            match self.git.fetch_some(&heads).await {
                Ok(gone) if gone.is_empty() => {}
                Ok(gone) => debug!(?gone, "the remote has these no longer"),
                Err(error) => debug!(%error, "failed to fetch heads; all is fetched"),
            }
            lacking = self.lacking(wishes).await?;
        }
        if wishes.iter().all(|wish| self.is_complete(wish, &lacking)) {
            return Ok(wishes.iter().map(|_| Ok(())).collect());
        }
        let all = self.git.fetch().await.map_err(PrepareFault::from);
        let result = |wish| match self.is_complete(wish, &lacking) {
            true => Ok(()),
            false => all.clone(),
        };
        Ok(wishes.iter().map(result).collect())
    }

    async fn lacking(&self, wishes: &[Wish]) -> Result<BTreeSet<CommitSha>, CommandError> {
        let needs: BTreeSet<&CommitSha> = wishes.iter().flat_map(|wish| self.needs(wish)).collect();
        Ok(self.git.lacking(needs).await?.into_iter().cloned().collect())
    }

    /// Whether nothing more can be fetched for a wish. If git failed it while the mirror is sound,
    /// something is missing that its commits refer to.
    fn is_complete(&self, wish: &Wish, lacking: &BTreeSet<CommitSha>) -> bool {
        wish.effort == Effort::None && self.needs(wish).iter().all(|need| !lacking.contains(*need))
    }
}

/// The heads to fetch; none where something else is lacking too, which only a fetch of everything brings.
fn heads(wishes: &[Wish], lacking: &BTreeSet<CommitSha>) -> Vec<Wanted> {
    let heads: BTreeSet<&CommitSha> = wishes.iter().map(Wish::head).collect();
    if !lacking.iter().all(|commit| heads.contains(commit)) {
        return Vec::new();
    }
    let lacking_heads = wishes.iter().filter(|wish| lacking.contains(wish.head()));
    let wanted: BTreeSet<Wanted> = lacking_heads.map(|wish| wanted(&wish.subject)).collect();
    wanted.into_iter().collect()
}

fn wanted(subject: &Subject) -> Wanted {
    match subject {
        Subject::Pull(number) => Wanted::Pull(*number),
        Subject::Branch(name) => Wanted::Branch(name.clone()),
    }
}
