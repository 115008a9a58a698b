//! What a crash report tells of the last message, beside its label.

use std::fmt::{self, Write};

use crate::panic::shielded;

/// How much of a message is kept: enough to recognize it, however much it carries.
const LONGEST: usize = 1000;

/// What is kept of a message while it is handled, for the report of a crash.
///
/// By default only its label. More is for each server to ask for, by
/// [`Server::LAST_MESSAGE`](crate::Server::LAST_MESSAGE): whatever a message says goes to the log
/// and to all who listen to reports. What nobody may see is put into a [`Secret`](crate::Secret). And it costs
/// time, since each message is written down before it is handled: after that it is gone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use heights_supervisor::{ChildSpec, Context, Fault, Flow, Server, Supervisor};
/// use heights_supervisor::{LastMessage, Secret};
///
/// #[derive(Debug)]
/// struct Transfer {
///     cents: u64,
///     pin: Secret<u32>,
/// }
///
/// struct Teller;
///
/// impl Server for Teller {
///     type Args = ();
///     type Msg = Transfer;
///
///     const LAST_MESSAGE: LastMessage<Transfer> = LastMessage::debug();
/// #   async fn init((): (), _cx: &mut Context<Transfer>) -> Result<Self, Fault> {
/// #       Ok(Self)
/// #   }
///
///     async fn handle(&mut self, msg: Transfer, _cx: &mut Context<Transfer>) -> Result<Flow, Fault> {
///         let _left = 100_u64.checked_sub(msg.cents).ok_or("overdrawn")?;
///         Ok(Flow::Continue)
///     }
/// }
///
/// let (spec, teller) = ChildSpec::server::<Teller>("teller", || ());
/// let root = Supervisor::builder("bank").child(spec).start().await?;
/// let life = teller.running().await;
/// teller.cast(Transfer { cents: 250, pin: Secret::new(1234) })?;
/// life.process().gone().await;
/// let crash = root.hub().ok_or("it runs")?.crashes().remove(0);
/// assert_eq!(crash.last_message.as_deref(), Some("Transfer { cents: 250, pin: *** }"));
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct LastMessage<M>(Option<Writes<M>>);

type Writes<M> = fn(&M, &mut fmt::Formatter<'_>) -> fmt::Result;

impl<M> LastMessage<M> {
    /// Keeps the label alone.
    pub const fn label() -> Self {
        Self(None)
    }

    /// Keeps what this writes.
    pub const fn written_by(writes: Writes<M>) -> Self {
        Self(Some(writes))
    }

    pub(crate) const fn writes(&self) -> Option<Writes<M>> {
        self.0
    }
}

impl<M: fmt::Debug> LastMessage<M> {
    /// Keeps the message in its [`Debug`](fmt::Debug) form, of which fields that are
    /// [`Secret`](crate::Secret) show nothing.
    pub const fn debug() -> Self {
        Self::written_by(<M as fmt::Debug>::fmt)
    }
}

/// Where the message that is being handled is written down.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Replaces what was written; a panic on the way is logged and harms nobody.
    pub(crate) fn write<M>(&mut self, writes: Writes<M>, message: &M) {
        self.0.clear();
        let shown = Shown { message, writes };
        shielded("what writes down a message", || {
            // A page that is full ends the writing early.
            let _full = write!(self, "{shown}");
        });
    }
}

impl fmt::Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST.saturating_sub(self.0.len());
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() <= room {
            return Ok(());
        }
        self.0.push('…');
        Err(fmt::Error)
    }
}

struct Shown<'a, M> {
    message: &'a M,
    writes: Writes<M>,
}

impl<M> fmt::Display for Shown<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.writes)(self.message, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<M>(last_message: LastMessage<M>, message: &M) -> String {
        let mut page = Page::default();
        page.write(last_message.writes().unwrap(), message);
        page.text().to_owned()
    }

    #[test]
    fn j91_a_page_holds_the_latest_message_and_no_more_than_fits() {
        assert_eq!(written(LastMessage::debug(), &Some("ü")), "Some(\"ü\")");
        let long = written(LastMessage::debug(), &Some("ü".repeat(LONGEST)));
        assert!(long.starts_with("Some(\"üü") && long.ends_with("ü…"), "{long}");
        assert!(long.len() <= LONGEST + '…'.len_utf8(), "{}", long.len());
    }

    #[test]
    fn j91_a_message_that_cannot_be_written_harms_nobody() {
        let writes = LastMessage::written_by(|(): &(), f| {
            f.write_str("so far")?;
            panic!("and no further");
        });
        assert_eq!(written(writes, &()), "so far");
    }
}
