//! A waker that panics.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};
use std::thread;

/// Where a waker panics, unless its thread unwinds already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fuse {
    /// When it is cloned.
    Clone,
    /// When it is woken.
    Wake,
    /// When it is dropped.
    Drop,
}

impl Fuse {
    /// Hands `work` a waker of no task that panics there. That very waker is not dropped.
    pub fn lend<T>(self, work: impl FnOnce(&Waker) -> T) -> T {
        let data = Arc::into_raw(Arc::new(self)).cast();
        // Safety: the table's functions get what `into_raw` gave, once for each waker.
        let waker = unsafe { Waker::from_raw(RawWaker::new(data, &TABLE)) };
        work(&ManuallyDrop::new(waker))
    }

    fn blow(self, at: Self) {
        // Not a message: the runner tells every other panic.
        if self == at && !thread::panicking() {
            panic_any(self);
        }
    }
}

/// Whether `work` panicked.
pub fn panics(work: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_err()
}

static TABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        let fuse = data.cast::<Fuse>();
        // Safety: one reference is the caller's, and one more is made for the clone.
        unsafe {
            (*fuse).blow(Fuse::Clone);
            Arc::increment_strong_count(fuse);
        }
        RawWaker::new(data, &TABLE)
    },
    |data| {
        // Safety: the waker is given up here.
        let fuse = unsafe { Arc::from_raw(data.cast::<Fuse>()) };
        fuse.blow(Fuse::Wake);
    },
    |data| {
        // Safety: the caller's reference is only looked at.
        let fuse = unsafe { *data.cast::<Fuse>() };
        fuse.blow(Fuse::Wake);
    },
    |data| {
        // Safety: the waker is given up here.
        let fuse = unsafe { Arc::from_raw(data.cast::<Fuse>()) };
        fuse.blow(Fuse::Drop);
    },
);
