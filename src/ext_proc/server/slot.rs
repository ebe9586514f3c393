use core::pin::Pin;
use core::time::Duration;

use super::stream::Stream;
use crate::limits::STALL_LOOKS;
use crate::sync::{Mutex, lock};

/// Where a stream lies while nobody polls it.
///
/// | state | meaning | left by |
/// |---|---|---|
/// | `Waiting` | the last poll was pending, or there was none | a poll |
/// | `Given` | the last poll gave a frame out, and so many looks have passed since | a poll; one look too many, unless all was given out |
/// | `Away` | a poll has it | the end of that poll |
/// | `Stalled` | the watchdog has ended it | – |
///
/// The lock is held to move a pointer. The stream itself, and with it everything of the user, runs
/// and is dropped outside.
pub(super) struct Slot<B>(Mutex<State<B>>);

enum State<B> {
    Waiting(Pin<Box<Stream<B>>>),
    Given { stream: Pin<Box<Stream<B>>>, looks: u32 },
    Away,
    Stalled { timeout: Duration },
}

/// What a poll finds.
pub(super) enum Found<B> {
    Stream(Pin<Box<Stream<B>>>),
    Stalled { timeout: Duration },
    Nothing,
}

impl<B> Slot<B> {
    pub(super) fn new(stream: Pin<Box<Stream<B>>>) -> Self {
        Self(Mutex::new(State::Waiting(stream)))
    }

    /// Takes the stream out.
    pub(super) fn take(&self) -> Found<B> {
        let mut state = lock(&self.0);
        match core::mem::replace(&mut *state, State::Away) {
            State::Waiting(stream) | State::Given { stream, .. } => Found::Stream(stream),
            State::Away => Found::Nothing,
            State::Stalled { timeout } => {
                *state = State::Stalled { timeout };
                Found::Stalled { timeout }
            }
        }
    }

    /// Puts it back. `given`: it has given a frame out, and nobody need poll it before that is
    /// sent.
    pub(super) fn put(&self, stream: Pin<Box<Stream<B>>>, given: bool) {
        *lock(&self.0) =
            if given { State::Given { stream, looks: 0 } } else { State::Waiting(stream) };
    }
}

/// What a watchdog looks at.
pub(super) trait Look: Send + Sync {
    /// One look; ends the stream if it was one too many.
    fn look(&self, timeout: Duration);
}

impl<B: Send> Look for Slot<B> {
    fn look(&self, timeout: Duration) {
        let stream = {
            let mut state = lock(&self.0);
            match core::mem::replace(&mut *state, State::Away) {
                State::Given { stream, looks } if looks < STALL_LOOKS => {
                    *state = State::Given { stream, looks: looks + 1 };
                    return;
                }
                // Nothing is kept for it any more but the window of the client.
                State::Given { stream, looks } if stream.is_over() => {
                    *state = State::Given { stream, looks };
                    return;
                }
                State::Given { stream, .. } => {
                    *state = State::Stalled { timeout };
                    stream
                }
                other => {
                    *state = other;
                    return;
                }
            }
        };
        stream.stall(timeout);
    }
}
