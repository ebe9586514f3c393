//! One round: the socket is read once, what came goes to the streams, and they answer.

use core::mem;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::io;

use http::{Request, Response};
use http_body::Body;
use hyper::service::Service;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::task::coop;

use super::DirectBody;
use super::connection::{Connection, Stop, place_of};
use super::inbox::Inbox;
use super::place::Place;
use super::stream::Polled;
use crate::http2::Reason;
use crate::http2::protocol::Event;
use crate::limits::{MIN_READ_BYTES, TRANSPORT_READ_BYTES, TRANSPORT_WRITE_BYTES};
use crate::unwind::contained;

impl<I, O, S, R> Connection<I, O, S, R>
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
    S: Service<Request<DirectBody>, Response = Response<R>>,
    R: Body,
{
    /// Answers whether another round has a use.
    pub(super) fn poll_round(&mut self) -> Result<bool, Stop> {
        let mut woken = mem::take(&mut self.round.places);
        if woken.contains(&0) {
            self.poll_outside()?;
        }
        if self.round.connection {
            self.read(&mut woken)?;
        }
        let mut polled = 0;
        while let Some(&place) = woken.get(polled) {
            if let Some(slot) = place.checked_sub(1) {
                self.poll_place(slot);
            }
            polled += 1;
            // Behind a stream that has used up what tokio lets a task do in one poll, the others
            // would find nothing ready: they come first in the next poll.
            if !coop::has_budget_remaining() {
                break;
            }
        }
        self.settle();
        woken.drain(..polled);
        if woken.is_empty() {
            self.round.places = woken;
        } else {
            self.wakes.put_back(woken);
        }
        Ok(coop::has_budget_remaining())
    }

    /// Reads the socket once, unless so much waits to be written that more would not find room, and
    /// takes in what came. Streams that it concerns are added to `woken`.
    fn read(&mut self, woken: &mut Vec<usize>) -> Result<(), Stop> {
        if self.protocol.output().len() >= TRANSPORT_WRITE_BYTES {
            self.is_full = true;
            return Ok(());
        }
        match self.poll_read() {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(0)) => return Err(Stop::Gone),
            Poll::Ready(Ok(_)) => self.reads += 1,
            Poll::Ready(Err(error)) => return Err(Stop::Now(Err(error.into()))),
        }
        // There may be more, and if not, only the next read will be woken.
        self.waker.wake_by_ref();
        while let Some(event) = self.protocol.read(&mut self.input)? {
            self.take_in(event, woken);
        }
        Ok(())
    }

    /// Into what is left of the last buffer if that is not little, else into the same from its
    /// front if nobody has anything of it, else into a new one.
    pub(super) fn poll_read(&mut self) -> Poll<io::Result<usize>> {
        let wanted = TRANSPORT_READ_BYTES.saturating_sub(self.input.len()).max(MIN_READ_BYTES);
        if !self.input.try_reclaim(wanted)
            && self.input.capacity() - self.input.len() < MIN_READ_BYTES
        {
            self.input.reserve(wanted);
        }
        let read = pin!(self.reader.read_buf(&mut self.input));
        read.poll(&mut Context::from_waker(&self.waker))
    }

    fn take_in(&mut self, event: Event, woken: &mut Vec<usize>) {
        match event {
            Event::Request { slot, ends } => {
                self.begin(slot, ends);
                woken.push(place_of(slot));
            }
            Event::Data { slot, bytes, ends } => {
                self.give(slot, woken, |inbox| inbox.push(bytes, ends));
            }
            Event::Trailers { slot, trailers } => {
                self.give(slot, woken, |inbox| inbox.end(trailers));
            }
            Event::Reset { slot, reason } => {
                if let Some(place) = self.places.get_mut(slot) {
                    place.reset(reason, &mut self.protocol);
                }
            }
            Event::Room { slot } => self.unblock(slot, woken),
            Event::RoomForAll => self.unblock_all(woken),
        }
    }

    #[cold]
    fn unblock_all(&mut self, woken: &mut Vec<usize>) {
        for slot in 0..self.places.len() {
            self.unblock(slot, woken);
        }
    }

    /// There may be room for what a stream has to send. It is told once, however often that is
    /// said before it is polled.
    fn unblock(&mut self, slot: usize, woken: &mut Vec<usize>) {
        if let Some(stream) = self.places.get_mut(slot).and_then(Place::stream)
            && mem::take(&mut stream.is_blocked)
        {
            woken.push(place_of(slot));
        }
    }

    /// A stream begins.
    fn begin(&mut self, slot: usize, ends: bool) {
        let Some(request) = self.protocol.take_request() else {
            return self.protocol.forget(slot, Reason::INTERNAL_ERROR);
        };
        if slot >= self.places.len() {
            self.add_places(slot);
        }
        let call = |body| self.service.call(request.map(|()| body));
        if !self.places[slot].begin(ends, call) {
            self.protocol.forget(slot, Reason::INTERNAL_ERROR);
        }
    }

    /// Up to that of `slot`.
    #[cold]
    fn add_places(&mut self, slot: usize) {
        while self.places.len() <= slot {
            self.places.push(Place::new(self.places.len(), &self.wakes));
        }
    }

    /// Something has come for a stream: whoever waits for it is woken.
    fn give(
        &mut self,
        slot: usize,
        woken: &mut Vec<usize>,
        give: impl FnOnce(&Inbox) -> Option<Waker>,
    ) {
        let Some(place) = self.places.get_mut(slot) else { return };
        let Some(stream) = place.stream() else { return };
        let Some(waiting) = give(&stream.inbox) else {
            if !mem::replace(&mut stream.is_given, true) {
                self.given.push(slot);
            }
            return;
        };
        if place.is_woken_by(&waiting) {
            woken.push(place_of(slot));
        } else {
            contained(|| waiting.wake());
        }
    }

    /// What came in this round, and nobody has taken, lies as it can lie for long.
    fn settle(&mut self) {
        while let Some(slot) = self.given.pop() {
            let Some(stream) = self.places.get_mut(slot).and_then(Place::stream) else { continue };
            stream.is_given = false;
            let read_bytes = stream.inbox.look().read_bytes;
            self.protocol.release(slot, read_bytes);
        }
    }

    fn poll_place(&mut self, slot: usize) {
        let Some(place) = self.places.get_mut(slot) else { return };
        if place.poll(&mut self.protocol) == Polled::Full && !self.full.contains(&slot) {
            self.full.push_back(slot);
        }
    }
}
