use core::fmt;
use core::ops::{Deref, DerefMut};

use super::shelf::Shelf;
use crate::sync::Arc;

/// A value of a [`Pool`](super::Pool), which goes back there when this is dropped, from any thread.
///
/// Outlives its pool: then the value is dropped.
pub struct Lease<T> {
    /// `None` only while it is being dropped.
    value: Option<T>,
    shelf: Arc<Shelf<T>>,
}

impl<T> Lease<T> {
    pub(super) fn new(value: T, shelf: Arc<Shelf<T>>) -> Self {
        Self { value: Some(value), shelf }
    }

    /// Takes the value for good: it will not come back.
    #[must_use]
    pub fn into_inner(mut self) -> T {
        self.value.take().expect("a lease has its value until it goes")
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("a lease has its value until it goes")
    }
}

impl<T> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a lease has its value until it goes")
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.shelf.put(value);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&**self).finish()
    }
}
