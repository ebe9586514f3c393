use core::mem;
use core::task::{Context, Waker};

use http::Response;
use http_body::Body;

use super::connection::place_of;
use super::inbox::Inbox;
use super::stream::{Kept, Polled, Stream, Work};
use super::{DirectBody, DirectError};
use crate::http2::Reason;
use crate::http2::protocol::Protocol;
use crate::socket::Wakes;
use crate::sync::{Arc, ConstArc};
use crate::unwind::contained;

/// What a slot is to the task of the connection: it serves one stream behind the other, and all of
/// them are woken by the same waker.
///
/// A stream that is ended by force is dropped when its place is free already: that is user code,
/// and may panic, wake the place, or read and drop the body of its request. There are as many
/// places as there were streams at once, at most.
pub(super) struct Place<F, R: Body> {
    slot: usize,
    waker: Waker,
    state: State<F, R>,
}

enum State<F, R: Body> {
    /// Most often the next stream can have what is kept of the last one.
    Free(Kept<F, R>),
    /// From the request on, until the response is sent and nobody reads the request any more.
    Taken(Stream<F, R>),
}

impl<F, R: Body> Place<F, R> {
    pub(super) fn new(slot: usize, wakes: &ConstArc<Wakes>) -> Self {
        let waker = Wakes::waker(wakes, place_of(slot));
        Self { slot, waker, state: State::Free(Kept::NOTHING) }
    }

    pub(super) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    pub(super) fn is_woken_by(&self, waker: &Waker) -> bool {
        waker.will_wake(&self.waker)
    }

    pub(super) const fn stream(&mut self) -> Option<&mut Stream<F, R>> {
        match &mut self.state {
            State::Taken(stream) => Some(stream),
            State::Free(_) => None,
        }
    }

    /// It is free now. Answers what had it.
    fn free(&mut self) -> Option<Stream<F, R>> {
        match mem::replace(&mut self.state, State::Free(Kept::NOTHING)) {
            State::Taken(stream) => Some(stream),
            free @ State::Free(_) => {
                self.state = free;
                None
            }
        }
    }

    /// The stream is over: who makes its response goes, and who waits for its request hears of it.
    /// Answers how much of that was read, or will never be, in bytes.
    #[cold]
    pub(super) fn fail(&mut self, error: DirectError) -> usize {
        let Some(stream) = self.free() else { return 0 };
        let waiting = stream.inbox.fail(error);
        let read_bytes = stream.inbox.look().read_bytes;
        stream.discard();
        contained(|| waiting.into_iter().for_each(Waker::wake));
        read_bytes
    }

    /// The stream is over, by force: neither side has anything more to say of it.
    pub(super) fn reset(&mut self, reason: Reason, protocol: &mut Protocol) {
        let read_bytes = self.fail(DirectError::Reset { code: reason.0 });
        protocol.release(self.slot, read_bytes);
        protocol.forget(self.slot, reason);
    }

    /// The stream is over, and all is well.
    fn finish(&mut self, protocol: &mut Protocol) {
        if let Some(stream) = self.free() {
            self.state = State::Free(stream.retire());
        }
        protocol.finish(self.slot);
    }
}

impl<F, R, E> Place<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    /// A stream begins: `call` is given the body of its request. `ends`: there is none. Answers
    /// whether it is served: a panic leaves the place free.
    pub(super) fn begin(&mut self, ends: bool, call: impl FnOnce(DirectBody) -> F) -> bool {
        let Kept { inbox, work } = match &mut self.state {
            State::Free(kept) => mem::replace(kept, Kept::NOTHING),
            State::Taken(_) => Kept::NOTHING,
        };
        let inbox = match inbox {
            Some(kept) => {
                if ends {
                    kept.set_ended();
                }
                kept
            }
            None => Arc::new(Inbox::new(self.waker.clone(), ends)),
        };
        let body = DirectBody::new(Arc::clone(&inbox));
        let mut work = work.unwrap_or_else(|| Box::pin(Work::Over));
        contained(|| work.set(Work::Calling { future: call(body) }));
        if let Work::Over = *work {
            return false;
        }
        self.state = State::Taken(Stream::new(inbox, work));
        true
    }

    /// Goes on with its stream, as far as that can go.
    pub(super) fn poll(&mut self, protocol: &mut Protocol) -> Polled {
        let State::Taken(stream) = &mut self.state else { return Polled::Waiting };
        let mut cx = Context::from_waker(&self.waker);
        let polled = stream.poll(self.slot, protocol, &mut cx);
        let looked = stream.inbox.look();
        protocol.release(self.slot, looked.read_bytes);
        match polled {
            Polled::Sent if looked.is_gone => self.finish(protocol),
            // Somebody reads the request still.
            Polled::Waiting | Polled::Full | Polled::Sent => {}
            Polled::Failed(reason) => self.reset(reason, protocol),
        }
        polled
    }
}
