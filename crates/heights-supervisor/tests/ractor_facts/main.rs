//! What the runtime relies on in ractor, so that an upgrade that changes it fails here first.
//!
//! Each test is one premise of our design, numbered; it holds ractor itself, with nothing of ours
//! around it, to what it did when the code that works around it was written. A failure is no bug:
//! its message says what in our code has lost its reason, or has to be thought over.
//!
//! | | what ractor does | tests |
//! |---|---|---|
//! | P1 | a kill waits for a handler that does not await | `stops` |
//! | P2 | the end of a parent kills its children, in no order, and waits for none | `families` |
//! | P3 | the end of a child is told while its own children still live | `families` |
//! | P4 | an old state can outlive the news of its end | `stops` |
//! | P5 | a parent that fails kills its children | `families` |
//! | P6 | a name is free before `post_stop` | `names` |
//! | P7 | only the first stop can be waited for, and none becomes a kill | `stops` |
//! | P8 | ends are told as text | `events` |
//! | P9 | a stop goes before the ends of children | `stops` |
//! | P10 | the ends of children go before messages | `events` |
//! | P11 | a parent that starts a child does nothing else | `starts` |
//! | P12 | a child is linked late, and a late link fails in silence | `starts`, `families` |
//! | P13 | a parent that stops gets no more children | `families` |
//! | P14 | old news arrives late | `events` |
//! | P15 | a mailbox dies with its actor | `calls` |
//! | P16 | a monitor of the dead hears nothing | `ractor_monitors` of `heights-conformance`, with its feature `peers`: we do not enable monitors |
//! | P17 | names are global | `names` |
//! | P18 | a factory restarts without end | `factories` |
//! | P19 | a factory waits without limit for a worker that it killed | `factories` |
//! | P20 | a full factory drops what it had accepted | `factories` |
//! | P21 | nothing of this works without unwinding | `starts` |
//! | P22 | two features would change the traits | `starts`, by compiling |
//! | P23 | timers outlive their actors, and intervals burst | `timers` |
//! | P24 | a state that was interrupted is handed on as if it were whole | `stops` |
//! | P25 | a blocked thread holds up whom it woke | `families` |
//! | P26 | mailboxes are unbounded, whatever the documentation says | `calls` |
//!
//! That the order of P2 is none cannot be shown by a test: a hash map may be in order by chance.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
#![expect(clippy::disallowed_methods, reason = "ractor itself is under test")]

mod gate;
mod support;

mod calls;
mod events;
mod factories;
mod families;
mod names;
mod starts;
mod stops;
mod timers;
