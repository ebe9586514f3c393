use core::mem;
use core::pin::Pin;
use core::task::Waker;
use core::time::Duration;

use super::stream::{Stalled, Stream};
use crate::sync::{Mutex, lock};
use crate::unwind::{contained, drop_contained};

/// Where a stream lies while nobody polls it.
///
/// | state | meaning | left by |
/// |---|---|---|
/// | `Waiting` | the last poll was pending, or there was none; `blocked` if it does not read | a poll; a look, if it is blocked too long |
/// | `Given` | the last poll gave a frame out, and hyper has not come back for more | a poll; a look, if that takes too long |
/// | `Away` | a poll has it | the end of that poll |
/// | `Stalled` | a look has ended it | – |
///
/// The lock is held to move a pointer, or to read counters. The stream itself, and with it
/// everything of the user, runs and is dropped outside.
pub(super) struct Slot<B>(Mutex<State<B>>);

enum State<B> {
    Waiting { stream: Pin<Box<Stream<B>>>, blocked: Option<Waker> },
    Given(Pin<Box<Stream<B>>>),
    Away,
    Stalled(Stalled),
}

/// A stream that a look has ended.
struct Ended<B> {
    stream: Pin<Box<Stream<B>>>,
    stalled: Stalled,
    /// Of the task that will find out.
    waker: Option<Waker>,
}

/// What a poll finds.
pub(super) enum Found<B> {
    Stream(Pin<Box<Stream<B>>>),
    Stalled(Stalled),
    Nothing,
}

impl<B> Slot<B> {
    pub(super) fn new(stream: Pin<Box<Stream<B>>>) -> Self {
        Self(Mutex::new(State::Waiting { stream, blocked: None }))
    }

    /// Takes the stream out.
    pub(super) fn take(&self) -> Found<B> {
        let taken = mem::replace(&mut *lock(&self.0), State::Away);
        match taken {
            State::Waiting { stream, blocked } => {
                drop_contained(blocked);
                Found::Stream(stream)
            }
            State::Given(stream) => Found::Stream(stream),
            State::Away => Found::Nothing,
            State::Stalled(stalled) => Found::Stalled(stalled),
        }
    }

    /// Puts it back behind a poll that was pending. `waker`: of that poll.
    pub(super) fn put_waiting(&self, stream: Pin<Box<Stream<B>>>, waker: &Waker) {
        // User code: outside the lock.
        let blocked = stream.is_blocked().then(|| waker.clone());
        *lock(&self.0) = State::Waiting { stream, blocked };
    }

    /// Puts it back behind a poll that gave a frame out.
    pub(super) fn put_given(&self, stream: Pin<Box<Stream<B>>>) {
        *lock(&self.0) = State::Given(stream);
    }

    /// Ends the stream if it has been standing still for too many looks.
    fn end_stalled(&self, timeout: Duration) -> Option<Ended<B>> {
        let mut state = lock(&self.0);
        let (is_still, stalled) = match &mut *state {
            State::Given(stream) => (stream.as_mut().look(), Stalled::Unread { timeout }),
            State::Waiting { stream, blocked: Some(_) } => {
                (stream.as_mut().look(), Stalled::Held { timeout })
            }
            State::Waiting { blocked: None, .. } | State::Away | State::Stalled(_) => return None,
        };
        if !is_still {
            return None;
        }
        match mem::replace(&mut *state, State::Stalled(stalled)) {
            State::Given(stream) => Some(Ended { stream, stalled, waker: None }),
            State::Waiting { stream, blocked } => Some(Ended { stream, stalled, waker: blocked }),
            State::Away | State::Stalled(_) => None,
        }
    }
}

/// What a watchdog looks at.
pub(super) trait Look: Send + Sync {
    /// One look; ends the stream if it was one too many.
    fn look(&self, timeout: Duration);
}

impl<B: Send> Look for Slot<B> {
    fn look(&self, timeout: Duration) {
        let Some(Ended { stream, stalled, waker }) = self.end_stalled(timeout) else { return };
        stream.stall(&stalled);
        if let Some(waker) = waker {
            contained(move || waker.wake());
        }
    }
}
