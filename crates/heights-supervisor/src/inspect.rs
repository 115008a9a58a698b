//! What can be seen of a server's state: what it chooses to show, and never more than fits.
//!
//! A view is made by the server itself between two messages, when somebody has asked for one, in
//! front of all that wait. So it is never half of a change, and costs nothing while nobody looks.

mod exhibit;
mod shown;
mod values;

pub(crate) use self::exhibit::{Exhibit, Exhibition, Window};
pub use self::exhibit::{Seen, Sight, StateView};
pub use self::shown::{Record, Shown, View};

/// A value that shows something of itself to whoever looks into a running process.
///
/// It is written by hand, field by field, so that nothing is shown that nobody thought of: `Debug`
/// is for those who may see everything. A [`Secret`](crate::Secret) shows that it is one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use heights_supervisor::{
///     ChildSpec, Context, Fault, Flow, Inspect, Secret, Server, Shown, Sight, StateView, Supervisor, View,
/// };
///
/// struct Mailer {
///     sent: u64,
///     password: Secret<String>,
/// }
///
/// impl Inspect for Mailer {
///     fn inspect(&self, view: View<'_>) {
///         view.record(|mailer| mailer.field("sent", &self.sent).field("password", &self.password));
///     }
/// }
///
/// impl Server for Mailer {
///     type Args = String;
///     type Msg = &'static str;
///
///     const STATE: StateView<Self> = StateView::inspect();
///
///     async fn init(password: String, _cx: &mut Context<&'static str>) -> Result<Self, Fault> {
///         Ok(Self { sent: 0, password: Secret::new(password) })
///     }
///
///     async fn handle(&mut self, _msg: &'static str, _cx: &mut Context<&'static str>) -> Result<Flow, Fault> {
///         self.sent += 1;
///         Ok(Flow::Continue)
///     }
/// }
///
/// let (spec, mailer) = ChildSpec::server::<Mailer>("mailer", || "open sesame".to_owned());
/// let root = Supervisor::builder("root").child(spec).start().await?;
/// let mailer = mailer.running().await;
/// let sight = mailer.process().look(4_096, Duration::from_secs(1)).await;
/// let Sight::Fresh(seen) = sight else { return Err("it answers".into()) };
/// let secret = Shown::Text("***".to_owned());
/// assert_eq!(seen.view, Shown::Record(vec![("sent".into(), Shown::Count(0)), ("password".into(), secret)]));
/// root.stop().await;
/// # Ok(())
/// # }
/// ```
pub trait Inspect {
    /// Shows the value, in exactly one call to the view.
    fn inspect(&self, view: View<'_>);
}
