//! The slot of the future that this thread polls now.

use core::cell::Cell;
use core::task::{Context, Poll};

use super::slot::Slot;
use super::wait::Wait;
use crate::error::{Error, ErrorKind, Origin};
use crate::sync::{AtomicU64, Ordering};

thread_local! {
    static CURRENT: Cell<Option<Box<Slot>>> = const { Cell::new(None) };
}

/// 0 is no message.
static MESSAGES: AtomicU64 = AtomicU64::new(1);

/// A number that no other message of this process has.
pub(super) fn new_message() -> u64 {
    // Ordering: Relaxed. Only that no number comes twice matters.
    MESSAGES.fetch_add(1, Ordering::Relaxed)
}

/// While it lives, the slot can be reached from this thread. It goes home when this is dropped,
/// also by a panic, and the slot of an outer poll is back in its place.
pub(super) struct Entered<'a> {
    home: &'a mut Option<Box<Slot>>,
    outer: Option<Box<Slot>>,
}

impl<'a> Entered<'a> {
    /// `None` if this thread is ending and has no place for a slot any more.
    #[inline]
    pub(super) fn new(home: &'a mut Option<Box<Slot>>) -> Option<Self> {
        let outer = CURRENT.try_with(|current| current.replace(home.take()));
        match outer {
            Ok(outer) => Some(Self { home, outer }),
            Err(_) => None,
        }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        let outer = self.outer.take();
        if let Ok(slot) = CURRENT.try_with(|current| current.replace(outer)) {
            *self.home = slot;
        }
    }
}

/// Works on the slot of `message`, if its future is the one that this thread polls now.
///
/// `work` runs no user code: the slot is away from its place meanwhile.
///
/// # Errors
///
/// [`ErrorKind::OutsidePoll`].
#[inline]
pub(super) fn with<R>(message: u64, work: impl FnOnce(&mut Slot) -> R) -> Result<R, Error> {
    let done = CURRENT.try_with(|current| {
        let mut slot = current.take()?;
        let done = if slot.message == message { Some(work(&mut slot)) } else { None };
        let none = current.replace(Some(slot));
        debug_assert!(none.is_none(), "no user code has run");
        // Nothing to drop: spares the code that would.
        core::mem::forget(none);
        done
    });
    match done {
        Ok(Some(done)) => Ok(done),
        Ok(None) | Err(_) => Err(outside()),
    }
}

/// Takes one step of an operation that may have to wait. `step` answers `None` if it has to; then
/// the one with this context is noted where `wait` says.
#[inline]
pub(super) fn poll_with<R>(
    message: u64,
    cx: &Context<'_>,
    wait: fn(&mut Slot) -> &mut Wait,
    step: impl FnOnce(&mut Slot) -> Option<R>,
) -> Poll<Result<R, Error>> {
    let stepped = with(message, |slot| {
        if let Some(done) = step(slot) {
            return Stepped::Done(done);
        }
        let is_own = slot.is_own(cx);
        let waiting = wait(slot);
        if is_own && !matches!(waiting, Wait::Part(_)) {
            *waiting = Wait::Future;
            return Stepped::Noted;
        }
        Stepped::ToNote { is_own }
    });
    match stepped {
        Ok(Stepped::Done(done)) => Poll::Ready(Ok(done)),
        Ok(Stepped::Noted) => Poll::Pending,
        Ok(Stepped::ToNote { is_own }) => note(message, cx, wait, is_own),
        Err(error) => Poll::Ready(Err(error)),
    }
}

enum Stepped<R> {
    Done(R),
    Noted,
    ToNote { is_own: bool },
}

/// Wakers are cloned and dropped, which is user code: with the slot in its place.
#[cold]
fn note<R>(
    message: u64,
    cx: &Context<'_>,
    wait: fn(&mut Slot) -> &mut Wait,
    is_own: bool,
) -> Poll<Result<R, Error>> {
    let mut new = Wait::of(cx, is_own);
    match with(message, |slot| core::mem::swap(wait(slot), &mut new)) {
        Ok(()) => Poll::Pending,
        Err(error) => Poll::Ready(Err(error)),
    }
}

#[cold]
fn outside() -> Error {
    Error::new(ErrorKind::OutsidePoll, Origin::Filter)
}
