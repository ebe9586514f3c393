use core::fmt;
use core::ops::Deref;

use crate::unwind::drop_contained;

/// A value of the user whose drop may panic and must not take others with it: a snapshot that goes
/// drops many.
pub(super) struct Kept<T>(
    /// `None` only while it is being dropped.
    Option<T>,
);

impl<T> Kept<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until it goes")
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        drop_contained(self.0.take());
    }
}

impl<T: fmt::Debug> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
