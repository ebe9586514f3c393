use core::fmt;
use core::future::poll_fn;
use core::mem;
use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;

use super::current::{poll_with, with};
use super::slot::{Ending, Slot};
use super::wait::Wait;
use crate::buf::BodyBuf;
use crate::error::{Error, ErrorKind, Origin};
use crate::filter::{Capability, LocalReply};

/// Where an async filter sends what is to go on.
///
/// A small token, as [`Input`](super::Input) is: outside the polls of its own filter's future every
/// operation answers [`ErrorKind::OutsidePoll`].
pub struct Output {
    message: u64,
}

impl Output {
    pub(super) fn new(message: u64) -> Self {
        Self { message }
    }

    /// Sends `chunk` behind everything sent before. Lets a held head go.
    ///
    /// Ready once the chain has taken the bytes. Back-pressure is here: what a filter sends beyond
    /// what it took waits while something after it is over its high mark, or while the filter's own
    /// high mark is used up (rule I7). A chunk above the high mark goes in pieces.
    ///
    /// Dropped while it waits, the rest of the chunk is not sent. An empty chunk is nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BodyForbidden`] on a message without a body by definition, [`ErrorKind::Limit`]
    /// if a high mark of 0 has no room for anything, [`ErrorKind::OutsidePoll`].
    pub fn send(
        &mut self,
        chunk: impl Into<Bytes>,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let mut chunk = chunk.into();
        let message = self.message;
        poll_fn(move |cx| {
            poll_with(message, cx, Slot::room_wait, |slot| send_chunk(slot, &mut chunk))
                .map(Result::flatten)
        })
    }

    /// Sends all of `body`, chunk by chunk, as [`send`](Self::send) does.
    ///
    /// Dropped while it waits, the rest is not sent.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_all(
        &mut self,
        mut body: BodyBuf,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let mut chunk = Bytes::new();
        let message = self.message;
        poll_fn(move |cx| {
            poll_with(message, cx, Slot::room_wait, |slot| {
                loop {
                    match send_chunk(slot, &mut chunk) {
                        Some(Ok(())) => {}
                        other => return other,
                    }
                    match body.pop_front() {
                        Some(next) => chunk = next,
                        None => return Some(Ok(())),
                    }
                }
            })
            .map(Result::flatten)
        })
    }

    /// Sets the trailers that follow the body, in place of any that come.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Undeclared`] without [`Capability::AddTrailers`], [`ErrorKind::OutsidePoll`].
    pub fn set_trailers(&mut self, trailers: HeaderMap) -> Result<(), Error> {
        with(self.message, |slot| {
            if !slot.facts.granted.has(Capability::AddTrailers) {
                return Err(Capability::AddTrailers);
            }
            // The former ones go back: what they are made of is user code when it is dropped.
            Ok(slot.asked.trailers.replace(trailers))
        })?
        .map(drop)
        .map_err(|need| {
            Error::new(ErrorKind::Undeclared { capability: need.name() }, Origin::Filter)
        })
    }

    /// Declares how long the body will be when it leaves this filter, in bytes: sets
    /// `content-length`, and the chain's exit holds the message to it (rule I12).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::HeadGone`], [`ErrorKind::OutsidePoll`].
    pub fn declare_bytes(&mut self, bytes: u64) -> Result<(), Error> {
        let here = with(self.message, |slot| {
            let here = slot.head.is_here();
            if here {
                slot.asked.declared_bytes = Some(bytes);
            }
            here
        })?;
        if here { Ok(()) } else { Err(Error::new(ErrorKind::HeadGone, Origin::Filter)) }
    }

    /// Says which of its declared results the filter has for this message, as
    /// [`View::set_result`](crate::View::set_result) does; the last one counts. It is told when the
    /// head goes, or with a reply. One that the filter did not
    /// [declare](crate::Declaration::result) fails the message then.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::HeadGone`], [`ErrorKind::OutsidePoll`].
    pub fn set_result(&mut self, result: impl Into<Cow<'static, str>>) -> Result<(), Error> {
        let result = result.into();
        let here = with(self.message, |slot| {
            let here = slot.head.is_here();
            if here {
                slot.asked.result = Some(result);
            }
            here
        })?;
        if here { Ok(()) } else { Err(Error::new(ErrorKind::HeadGone, Origin::Filter)) }
    }

    /// Lets a held head go before the first byte is sent. Without [`Capability::HoldHead`] the head
    /// goes by itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutsidePoll`].
    pub fn release_head(&mut self) -> Result<(), Error> {
        with(self.message, |slot| slot.asked.release_head = true)
    }

    /// Ends the message here, behind what was sent, with the trailers that were set. The future is
    /// dropped when it next waits or returns. Input that was not taken is dropped, trailers that
    /// came too; what has yet to come is dropped and counted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutsidePoll`].
    pub fn end(self) -> Result<(), Error> {
        with(self.message, |slot| slot.asked.ending = Ending::Declared)
    }

    /// Answers the message with `reply` instead of carrying it on. The future is dropped when it
    /// next waits or returns, whatever it returns.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutsidePoll`].
    pub fn reply(self, reply: LocalReply) -> Result<(), Error> {
        let reply = Box::new(reply);
        with(self.message, |slot| slot.asked.ending = Ending::Replied(reply))
    }
}

impl Slot {
    fn room_wait(&mut self) -> &mut Wait {
        &mut self.room_wait
    }
}

/// Sends as much of `chunk` as there is room for. `None` if not all.
#[inline]
fn send_chunk(slot: &mut Slot, chunk: &mut Bytes) -> Option<Result<(), Error>> {
    while !chunk.is_empty() {
        let chunk_bytes = chunk.len() as u64;
        let room_bytes = slot.room_bytes();
        if chunk_bytes <= room_bytes {
            slot.send(mem::take(chunk));
            break;
        }
        if slot.facts.bodiless {
            return Some(Err(Error::new(ErrorKind::BodyForbidden, Origin::Filter)));
        }
        let high_bytes = slot.high_bytes;
        if high_bytes == 0 {
            let kind = ErrorKind::Limit { limit: "high mark", limit_bytes: 0 };
            return Some(Err(Error::new(kind, Origin::Filter)));
        }
        let piece_bytes = chunk_bytes.min(high_bytes);
        if piece_bytes > room_bytes {
            slot.wanted_bytes = piece_bytes;
            return None;
        }
        slot.send(chunk.split_to(usize::try_from(piece_bytes).unwrap_or(usize::MAX)));
    }
    Some(Ok(()))
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}
