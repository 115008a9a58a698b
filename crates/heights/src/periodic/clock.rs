//! The two clocks that jobs go by.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use heights_core::Moment;
use tokio::time::{Instant, sleep, sleep_until};

use super::Wall;

/// How long to trust that nobody sets the clock on the wall.
const TRUST: Duration = Duration::from_secs(30);

/// Tells the time since something.
#[derive(Clone)]
pub(super) enum Clock {
    /// Since an instant, by a clock that only goes forward.
    Elapsed(Instant),
    /// Since the start of 1970, by the clock on the wall.
    Wall(Wall),
}

impl Clock {
    pub(super) fn elapsed() -> Self {
        Self::Elapsed(Instant::now())
    }

    pub(super) fn wall(wall: Wall) -> Self {
        Self::Wall(wall)
    }

    pub(super) fn now(&self) -> Moment {
        match self {
            Self::Elapsed(start) => start.elapsed(),
            // A clock before 1970 is one that nobody has set yet.
            Self::Wall(now) => now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// Sleeps until then, or, by the wall, until it is time to look again.
    pub(super) async fn sleep_until(&self, moment: Option<Moment>) {
        match (self, moment) {
            (_, None) => std::future::pending().await,
            (Self::Elapsed(start), Some(moment)) => sleep_until(*start + moment).await,
            (Self::Wall(_), Some(moment)) => {
                sleep(moment.saturating_sub(self.now()).min(TRUST)).await;
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elapsed(_) => "Elapsed",
            Self::Wall(_) => "Wall",
        })
    }
}
