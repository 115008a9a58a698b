//! The two clocks that jobs go by.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heights_core::Moment;
use tokio::time::{Instant, sleep, sleep_until};

use super::Wall;

/// How long to trust that nobody sets the clock on the wall.
const TRUST: Duration = Duration::from_secs(30);

/// Tells the time since something.
#[derive(Clone)]
pub(super) struct Clock {
    wall: Wall,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// By a clock that only goes forward: since so long before an instant.
    Elapsed(Duration, Instant),
    /// By the clock on the wall: since the start of 1970.
    Wall,
}

impl Clock {
    /// A clock that only goes forward; `last`, by the wall, was its zero, or else now is.
    pub(super) fn elapsed(wall: Wall, last: Option<Moment>) -> Self {
        let ahead = last.map(|last| since_1970(&wall).saturating_sub(last)).unwrap_or_default();
        Self { wall, kind: Kind::Elapsed(ahead, Instant::now()) }
    }

    pub(super) fn wall(wall: Wall) -> Self {
        Self { wall, kind: Kind::Wall }
    }

    pub(super) fn now(&self) -> Moment {
        match self.kind {
            Kind::Elapsed(ahead, begin) => ahead.saturating_add(begin.elapsed()),
            Kind::Wall => since_1970(&self.wall),
        }
    }

    /// Returns when a moment of the past was, by the clock on the wall.
    pub(super) fn on_the_wall(&self, moment: Moment) -> SystemTime {
        let time = match self.kind {
            Kind::Elapsed(..) => (self.wall)().checked_sub(self.now().saturating_sub(moment)),
            // Exactly: a little earlier, and it would come again.
            Kind::Wall => UNIX_EPOCH.checked_add(moment),
        };
        time.unwrap_or(UNIX_EPOCH)
    }

    /// Sleeps until then, or, by the wall, until it is time to look again.
    pub(super) async fn sleep_until(&self, moment: Option<Moment>) {
        let Some(moment) = moment else { return std::future::pending().await };
        match self.kind {
            Kind::Elapsed(ahead, begin) => {
                match begin.checked_add(moment.saturating_sub(ahead)) {
                    Some(instant) => sleep_until(instant).await,
                    // Beyond the reach of the clock.
                    None => std::future::pending().await,
                }
            }
            Kind::Wall => sleep(moment.saturating_sub(self.now()).min(TRUST)).await,
        }
    }
}

/// A clock before 1970 is one that nobody has set yet.
fn since_1970(wall: &Wall) -> Moment {
    wall().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Elapsed(..) => "Elapsed",
            Kind::Wall => "Wall",
        })
    }
}
