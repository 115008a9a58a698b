//! The ways in which times follow each other, and what cannot be one.

use std::time::Duration;

use heights_core::{Cron, CronError, Timetable};
use heights_supervisor::Fault;

use super::zone::TzZone;

/// Says why a job cannot be repeated like that.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// There is no time between two runs.
    #[error("repeat a job without a pause")]
    ZeroPeriod,
    /// The cron expression is not one.
    #[error(transparent)]
    Cron(#[from] CronError),
    /// Nobody knows what the clocks show there.
    #[error("find the time zone {name:?}")]
    UnknownZone {
        /// The name that was given.
        name: String,
        /// What the database of time zones said.
        #[source]
        cause: Fault,
    },
}

#[derive(Debug, Clone)]
pub(super) enum Rhythm {
    Every(Duration),
    AfterEach(Duration),
    Cron(Cron, TzZone),
    OnDemand,
}

impl Rhythm {
    pub(super) fn every(interval: Duration) -> Result<Self, ScheduleError> {
        Ok(Self::Every(pause(interval)?))
    }

    pub(super) fn after_each(interval: Duration) -> Result<Self, ScheduleError> {
        Ok(Self::AfterEach(pause(interval)?))
    }

    pub(super) fn cron(expression: &str) -> Result<Self, ScheduleError> {
        Ok(Self::Cron(expression.parse()?, TzZone::utc()))
    }

    pub(super) fn cron_in(zone: &str, expression: &str) -> Result<Self, ScheduleError> {
        let zone = TzZone::named(zone)
            .map_err(|cause| ScheduleError::UnknownZone { name: zone.to_owned(), cause })?;
        Ok(Self::Cron(expression.parse()?, zone))
    }

    pub(super) fn timetable(&self) -> Timetable {
        match self.clone() {
            Self::Every(interval) => Timetable::Regular(interval),
            Self::AfterEach(interval) => Timetable::Shifted(interval),
            Self::Cron(cron, zone) => {
                Timetable::Calendar(Box::new(move |after| cron.next_after(after, &zone)))
            }
            Self::OnDemand => Timetable::Manual,
        }
    }
}

fn pause(interval: Duration) -> Result<Duration, ScheduleError> {
    if interval.is_zero() { Err(ScheduleError::ZeroPeriod) } else { Ok(interval) }
}
