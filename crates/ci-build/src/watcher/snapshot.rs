//! What a poll saw: every open pull request, the branches, the comments; and the room on the disk.

use std::collections::BTreeSet;
use std::time::Duration;

use ci_domain::forge::Skipped;
use ci_domain::ids::PullNumber;
use ci_github::ForgeError;
use heights::{Context, Fault};
use tracing::warn;

use crate::watcher::known::KnownEvent;
use crate::watcher::{Msg, Seen, Watcher};

/// The longest wait after polls that did not work.
const MAX_POLL_BACKOFF: Duration = Duration::from_secs(600);

impl Watcher {
    /// Takes in what a poll saw, and polls again later.
    pub(super) async fn take_snapshot(
        &mut self,
        result: Result<Box<Seen>, ForgeError>,
        cx: &mut Context<Msg>,
    ) -> Result<(), Fault> {
        let seen = match result {
            Ok(seen) => *seen,
            Err(error) => {
                warn!(repo = %self.args.elders.repo, %error, "failed to poll");
                self.view.trouble = Some(error.to_string());
                self.poll_backoff =
                    (self.poll_backoff * 2).clamp(self.args.poll_interval, MAX_POLL_BACKOFF);
                self.poll_after(self.poll_backoff, cx);
                return Ok(());
            }
        };
        self.view.trouble = None;
        self.view.polls += 1;
        self.poll_backoff = Duration::ZERO;
        self.take_branches(&seen.snapshot, cx).await?;
        self.look_at_disk();
        let missing: Vec<PullNumber> = {
            let listed: BTreeSet<PullNumber> =
                seen.snapshot.pulls.iter().map(|p| p.number).collect();
            self.known.open().filter(|number| !listed.contains(number)).collect()
        };
        for facts in seen.snapshot.pulls {
            self.observe(facts, None, cx).await?;
        }
        let is_branch = |skipped: &Skipped| skipped.what.starts_with("branch");
        let is_complete = !seen.snapshot.skipped.iter().any(is_branch);
        for skipped in seen.snapshot.skipped {
            warn!(repo = %self.args.elders.repo, what = skipped.what, why = skipped.why, "skipped");
        }
        if !self.known.is_seen() {
            self.known.record(&self.args.elders, KnownEvent::Seen).await?;
            // What was said before the node first looked is not for it.
            let now = KnownEvent::CommentsRead((self.args.now)());
            self.known.record(&self.args.elders, now).await?;
        }
        for number in missing {
            self.read(number, Vec::new(), cx).await?;
        }
        self.look_at_branches(is_complete, cx).await?;
        self.take_all_comments(seen.comments, cx).await?;
        self.give_owed(cx).await?;
        self.unheeded.drain(..).for_each(|done| done.tell(()));
        self.ask_for_lost_deliveries().await?;
        self.poll_after(self.args.poll_interval, cx);
        Ok(())
    }

    /// Tells every pull request and branch when the disk fills up, and when there is room again.
    fn look_at_disk(&mut self) {
        let disk = self.args.elders.disk();
        self.args.elders.queues.note_disk(disk);
        if disk != self.disk {
            warn!(repo = %self.args.elders.repo, ?disk, "the free space has crossed the reserve");
            self.disk = disk;
        }
        for (_, pull) in self.args.registry.all() {
            pull.note_disk(disk);
        }
        for (_, branch) in self.args.branch_registry.all() {
            branch.note_disk(disk);
        }
    }
}
