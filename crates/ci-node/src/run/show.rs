//! What a session is shown by.

use anyhow::Result;

use crate::run::choice::Choice;
use crate::run::event::Event;
use crate::run::scene::Scene;
use crate::run::session::SessionEnd;

/// Shows a session as it goes.
pub(super) trait Show {
    /// What is going to run.
    ///
    /// # Errors
    /// It cannot be written, like all that follows.
    fn planned(&mut self, choice: &Choice) -> Result<()>;

    /// What happened.
    fn event(&mut self, event: &Event) -> Result<()>;

    /// What is no data.
    fn say(&mut self, words: &str) -> Result<()>;

    /// Time has passed.
    fn redraw(&mut self) -> Result<()> {
        Ok(())
    }

    /// It is over.
    fn ended(&mut self, end: &SessionEnd, scene: &Scene) -> Result<()>;
}
