//! A bounded recycler of values that are dear to make.
//!
//! [`Pool::take`] gives out the value that came back last; [`Pool::put`] takes one back, from any
//! thread, and keeps it if there is room. A [`Lease`] does both by itself.
//!
//! # Bounds
//!
//! A pool keeps at most as many values as it was made for. What comes back to a full pool, or to
//! one that was closed or dropped, is dropped. Every value is in exactly one place: with whoever
//! took it, or on the shelf.
//!
//! # Locks
//!
//! One short lock for each call, held for a push or a pop. A value is dropped, and a new one made,
//! with the lock given back.
//!
//! This module never names bytes, HTTP or a runtime, and never runs code of its values with its
//! lock held.

mod lease;
mod shelf;
mod stats;

use core::fmt;

pub use lease::Lease;
pub use stats::PoolStats;

use crate::sync::Arc;
use shelf::Shelf;

/// Keeps up to a stated number of values for the next use. See the [module](self).
///
/// Dropping it closes it: leases that are alive drop their values when they go.
///
/// # Examples
///
/// ```
/// use tidegate::pool::Pool;
///
/// let pool = Pool::new(1);
/// assert_eq!(pool.take(), None);
/// pool.put(String::from("one"));
/// pool.put(String::from("one too many"));
/// assert_eq!(pool.take().as_deref(), Some("one"));
/// assert_eq!(pool.stats().refused, 1);
/// ```
pub struct Pool<T> {
    shelf: Arc<Shelf<T>>,
}

impl<T> Pool<T> {
    /// A pool that keeps up to `capacity` values. 0 keeps none. Allocates for the shelf only when
    /// values come back.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { shelf: Arc::new(Shelf::new(capacity)) }
    }

    /// The value that came back last; `None` if none is kept: the caller makes one.
    #[must_use]
    pub fn take(&self) -> Option<T> {
        self.shelf.take()
    }

    /// As [`take`](Self::take), the value that came back first of those that are kept: for values
    /// that get ready while they wait.
    #[must_use]
    pub fn take_oldest(&self) -> Option<T> {
        self.shelf.take_oldest()
    }

    /// Keeps `value` for the next [`take`](Self::take). If the pool is full or closed, it is
    /// dropped on this thread, with no lock held.
    ///
    /// # Panics
    ///
    /// If the value is dropped and its drop panics. The pool is untouched by that.
    pub fn put(&self, value: T) {
        self.shelf.put(value);
    }

    /// As [`put`](Self::put), as the next one for [`take_oldest`](Self::take_oldest).
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    pub fn put_oldest(&self, value: T) {
        self.shelf.put_oldest(value);
    }

    /// A value that comes back by itself: one that was kept, or else what `make` makes.
    ///
    /// # Panics
    ///
    /// If `make` does.
    pub fn lease(&self, make: impl FnOnce() -> T) -> Lease<T> {
        self.lend(self.shelf.take().unwrap_or_else(make))
    }

    /// A lease of `value`, which comes back here by itself.
    #[must_use]
    pub fn lend(&self, value: T) -> Lease<T> {
        Lease::new(value, Arc::clone(&self.shelf))
    }

    /// How many values it keeps at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shelf.capacity()
    }

    /// What has been counted so far.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.shelf.stats()
    }

    /// Drops what is kept, with no lock held, and keeps nothing from now on. Again: does nothing.
    pub fn close(&self) {
        self.shelf.close();
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("capacity", &self.capacity())
            .field("stats", &self.stats())
            .finish()
    }
}

#[cfg(test)]
mod tests;
