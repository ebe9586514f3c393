use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::StreamError;
use super::health::HealthCall;
use super::shared::Ticket;
use super::slot::{Found, Slot};
use super::stream::{Stalled, Step, Stream};
use super::transport::Lent;
use crate::ext_proc::wire::{GrpcStatus, ReplyFrame};
use crate::sync::Arc;
use crate::unwind::{contained, drop_contained};

/// The answers of one call, driven by whoever polls this: there is no task and no channel behind
/// it.
///
/// Dropping it ends the session. Where nothing was owed any more that is a normal end (P20).
///
/// # Cancel safety
///
/// Nothing is lost if it is not polled again; a stream whose frame is not taken for longer than the
/// [stall timeout](super::StreamSettings::stall) is ended by the watchdog.
pub struct ProcessBody<B> {
    state: State<B>,
}

enum State<B> {
    Stream { slot: Arc<Slot<B>>, lent: Option<Lent>, ticket: Ticket },
    Health(Box<HealthCall<B>>),
    Over,
}

impl<B> ProcessBody<B> {
    /// In the task of the connection, if what it writes should not be copied.
    pub(super) fn stream(slot: Arc<Slot<B>>, ticket: Ticket) -> Self {
        Self { state: State::Stream { slot, lent: Lent::current(), ticket } }
    }

    pub(super) fn health(call: HealthCall<B>) -> Self {
        Self { state: State::Health(Box::new(call)) }
    }

    /// Everything there was to say is in the head.
    pub(super) fn over() -> Self {
        Self { state: State::Over }
    }

    /// The end of the call.
    fn end(&mut self, status: &GrpcStatus) -> Option<Result<Frame<ReplyFrame>, StreamError>> {
        let trailers = match &self.state {
            State::Stream { ticket, .. } => ticket.trailers(status),
            State::Health(_) | State::Over => status.to_trailers(),
        };
        self.state = State::Over;
        Some(Ok(Frame::trailers(trailers)))
    }
}

impl<B> Body for ProcessBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Data = ReplyFrame;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<ReplyFrame>, StreamError>>> {
        let step = match &mut self.state {
            State::Stream { slot, lent, .. } => match slot.take() {
                Found::Stream(mut stream) => match poll_contained(&mut stream, cx) {
                    Poll::Pending => {
                        slot.put_waiting(stream, cx.waker());
                        return Poll::Pending;
                    }
                    Poll::Ready(Polled::Frame) => {
                        if let (Some(lent), Some(frame)) = (lent, stream.frame()) {
                            lent.lend(frame);
                        }
                        let frame = stream.as_mut().take_frame();
                        slot.put_given(stream);
                        let Some(frame) = frame else { return Poll::Ready(None) };
                        return Poll::Ready(Some(Ok(Frame::data(frame))));
                    }
                    Poll::Ready(Polled::End(status)) => {
                        drop_contained(stream);
                        Step::End(status)
                    }
                    Poll::Ready(Polled::Panicked) => Step::End(stream.panicked()),
                },
                Found::Stalled(stalled @ Stalled::Held { .. }) => Step::End(stalled.status()),
                Found::Stalled(stalled @ Stalled::Unread { .. }) => {
                    self.state = State::Over;
                    return Poll::Ready(Some(Err(stalled.into())));
                }
                Found::Nothing => return Poll::Ready(None),
            },
            State::Health(call) => ready!(call.poll(cx)),
            State::Over => return Poll::Ready(None),
        };
        Poll::Ready(match step {
            Step::Frame(frame) => Some(Ok(Frame::data(frame))),
            Step::End(status) => self.end(&status),
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}

/// What a poll of a stream came to.
enum Polled {
    /// It has a frame to be taken.
    Frame,
    End(GrpcStatus),
    /// That ends this stream and no other, and never well (P7).
    Panicked,
}

fn poll_contained<B>(stream: &mut Pin<Box<Stream<B>>>, cx: &mut Context<'_>) -> Poll<Polled>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut polled = None;
    contained(|| polled = Some(stream.as_mut().poll(cx)));
    match polled {
        Some(polled) => polled.map(|end| end.map_or(Polled::Frame, Polled::End)),
        None => Poll::Ready(Polled::Panicked),
    }
}

impl<B> fmt::Debug for ProcessBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Stream { .. } => "stream",
            State::Health(_) => "health",
            State::Over => "over",
        };
        f.debug_struct("ProcessBody").field("state", &state).finish_non_exhaustive()
    }
}
