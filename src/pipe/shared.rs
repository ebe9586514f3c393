use core::mem;
use core::task::Waker;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::state::State;
use super::word::Word;
use crate::sync::Mutex;

/// What the two halves share.
pub(super) struct Shared<T, End, E> {
    pub(super) word: Word,
    pub(super) state: Mutex<State<T, End, E>>,
}

impl<T, End, E> Shared<T, End, E> {
    pub(super) fn new() -> Self {
        Self { word: Word::new(), state: Mutex::new(State::new()) }
    }
}

/// Wakes the task of the other half, outside the lock. If its waker panics, that is contained: the
/// half that wakes has done its work and must not lose its item over it.
pub(super) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        contained(|| waker.wake());
    }
}

/// Runs what is not ours, in a place where a panic must not go further.
pub(super) fn contained(work: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
        // A payload may itself panic when dropped; then it is leaked.
        if let Err(worse) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
            mem::forget(worse);
        }
    }
}
