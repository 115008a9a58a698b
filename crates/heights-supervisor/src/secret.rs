//! Values that nobody may read.

use std::fmt;

use crate::inspect::{Inspect, View};

/// What stands for a secret.
const HIDDEN: &str = "***";

/// A value that shows nothing of itself, wherever it is printed, serialized or inspected.
///
/// ```
/// use heights_supervisor::Secret;
///
/// #[derive(Debug)]
/// struct Login {
///     name: &'static str,
///     password: Secret<&'static str>,
/// }
///
/// let login = Login { name: "joe", password: Secret::new("open sesame") };
/// assert_eq!(format!("{login:?}"), r#"Login { name: "joe", password: *** }"#);
/// assert_eq!(*login.password.expose(), "open sesame");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value, for the one place that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Returns the value, which nothing hides from then on.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T> Inspect for Secret<T> {
    fn inspect(&self, view: View<'_>) {
        view.text(HIDDEN);
    }
}

#[cfg(feature = "serde")]
impl<T> serde::Serialize for Secret<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}
