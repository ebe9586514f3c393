use core::task::Waker;

use super::state::State;
use super::word::Word;
use crate::sync::Mutex;
use crate::unwind::contained;

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
