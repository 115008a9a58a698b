//! How values of the standard library show themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Display;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use heights_core::ChildId;

use super::{Inspect, View};
use crate::process::ProcessId;

macro_rules! by_conversion {
    ($($kind:ty => $method:ident),* $(,)?) => {
        $(impl Inspect for $kind {
            fn inspect(&self, view: View<'_>) {
                view.$method((*self).into());
            }
        })*
    };
}

by_conversion! {
    bool => flag,
    u8 => count, u16 => count, u32 => count, u64 => count,
    i8 => number, i16 => number, i32 => number, i64 => number,
    f32 => fraction, f64 => fraction,
}

macro_rules! by_text {
    ($($kind:ty),* $(,)?) => {
        $(impl Inspect for $kind {
            fn inspect(&self, view: View<'_>) {
                view.text(self);
            }
        })*
    };
}

by_text! { str, String, char, ChildId, ProcessId }

impl Inspect for usize {
    fn inspect(&self, view: View<'_>) {
        view.count(u64::try_from(*self).unwrap_or(u64::MAX));
    }
}

impl Inspect for Duration {
    fn inspect(&self, view: View<'_>) {
        view.text(format_args!("{self:?}"));
    }
}

impl Inspect for Path {
    fn inspect(&self, view: View<'_>) {
        view.text(self.display());
    }
}

impl<T: Inspect> Inspect for Option<T> {
    fn inspect(&self, view: View<'_>) {
        match self {
            Some(value) => value.inspect(view),
            None => view.nothing(),
        }
    }
}

impl<T: Inspect + ?Sized> Inspect for &T {
    fn inspect(&self, view: View<'_>) {
        (**self).inspect(view);
    }
}

impl<T: Inspect + ?Sized> Inspect for Box<T> {
    fn inspect(&self, view: View<'_>) {
        (**self).inspect(view);
    }
}

impl<T: Inspect + ?Sized> Inspect for Arc<T> {
    fn inspect(&self, view: View<'_>) {
        (**self).inspect(view);
    }
}

impl<T: Inspect + ?Sized> Inspect for Rc<T> {
    fn inspect(&self, view: View<'_>) {
        (**self).inspect(view);
    }
}

impl<T: Inspect> Inspect for [T] {
    fn inspect(&self, view: View<'_>) {
        view.list(self);
    }
}

impl<T: Inspect> Inspect for Vec<T> {
    fn inspect(&self, view: View<'_>) {
        view.list(self);
    }
}

impl<T: Inspect> Inspect for VecDeque<T> {
    fn inspect(&self, view: View<'_>) {
        view.list(self);
    }
}

impl<T: Inspect> Inspect for BTreeSet<T> {
    fn inspect(&self, view: View<'_>) {
        view.list(self);
    }
}

impl<K: Display, V: Inspect> Inspect for BTreeMap<K, V> {
    fn inspect(&self, view: View<'_>) {
        view.map(self);
    }
}

impl<K: Display, V: Inspect, S> Inspect for HashMap<K, V, S> {
    fn inspect(&self, view: View<'_>) {
        view.map(self);
    }
}
