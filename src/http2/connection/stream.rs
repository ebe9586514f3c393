use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::Buf;
use http::{HeaderMap, Response};
use http_body::Body;
use pin_project_lite::pin_project;

use super::inbox::Inbox;
use crate::http2::Reason;
use crate::http2::protocol::Protocol;
use crate::limits::TRANSPORT_WRITE_BYTES;
use crate::sync::Arc;
use crate::unwind::contained;

/// A stream in the task of its connection.
pub(super) struct Stream<F, R: Body> {
    pub(super) inbox: Arc<Inbox>,
    work: Pin<Box<Work<F, R>>>,
    /// Whether it waits for room, and has not been told of any.
    pub(super) is_blocked: bool,
    /// Whether something has come that it does not wait for, and the connection has not looked.
    pub(super) is_given: bool,
}

pin_project! {
    /// Who makes the response.
    #[project = WorkProjection]
    pub(super) enum Work<F, R>
    where
        R: Body,
    {
        Calling { #[pin] future: F },
        /// `data`: what is being sent. Nothing else is asked for before that is done.
        Answering { #[pin] body: R, data: Option<R::Data> },
        /// All is sent, or will not be.
        Over,
    }
}

/// What is left of a stream for the next one, with nothing of it.
pub(super) struct Kept<F, R: Body> {
    pub(super) inbox: Option<Arc<Inbox>>,
    pub(super) work: Option<Pin<Box<Work<F, R>>>>,
}

impl<F, R: Body> Kept<F, R> {
    pub(super) const NOTHING: Self = Self { inbox: None, work: None };
}

/// What a poll of a stream has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polled {
    /// It waits, for its own waker or for room.
    Waiting,
    /// It waits until what was written has gone out.
    Full,
    /// All is sent.
    Sent,
    /// It is to be reset.
    Failed(Reason),
}

/// What comes next of a response.
enum Next {
    /// The head has been sent. `ends`: and was all, as the body said then.
    Head {
        ends: bool,
    },
    /// It is to be sent.
    Data,
    Trailers(HeaderMap),
    End,
    Failed,
}

impl<F, R, E> Stream<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    /// `work` is under way.
    pub(super) const fn new(inbox: Arc<Inbox>, work: Pin<Box<Work<F, R>>>) -> Self {
        Self { inbox, work, is_blocked: false, is_given: false }
    }

    /// Goes on with the response as far as there is room for it. A panic of the service fails this
    /// stream and no other.
    pub(super) fn poll(
        &mut self,
        slot: usize,
        protocol: &mut Protocol,
        cx: &mut Context<'_>,
    ) -> Polled {
        if let Work::Over = *self.work {
            return Polled::Sent;
        }
        let mut polled = Polled::Failed(Reason::INTERNAL_ERROR);
        contained(|| polled = self.go_on(slot, protocol, cx));
        match polled {
            Polled::Waiting | Polled::Full => {}
            Polled::Sent | Polled::Failed(_) => self.end(),
        }
        polled
    }

    fn go_on(&mut self, slot: usize, protocol: &mut Protocol, cx: &mut Context<'_>) -> Polled {
        self.is_blocked = false;
        loop {
            match self.work.as_mut().send(slot, protocol) {
                Sending::Done => {}
                Sending::Ended => return Polled::Sent,
                Sending::Blocked => {
                    self.is_blocked = true;
                    return Polled::Waiting;
                }
                Sending::Full => return Polled::Full,
                Sending::Failed => return Polled::Failed(Reason::INTERNAL_ERROR),
            }
            match ask(self.work.as_mut(), slot, protocol, cx) {
                Poll::Pending => return Polled::Waiting,
                Poll::Ready(Next::Head { ends: false } | Next::Data) => {}
                Poll::Ready(Next::Head { ends: true }) => return Polled::Sent,
                Poll::Ready(Next::Trailers(trailers)) => {
                    protocol.send_trailers(slot, &trailers);
                    return Polled::Sent;
                }
                Poll::Ready(Next::End) => {
                    // Of nothing there is enough.
                    let _ = protocol.send_data(slot, &mut &b""[..], 0, true);
                    return Polled::Sent;
                }
                Poll::Ready(Next::Failed) => return Polled::Failed(Reason::INTERNAL_ERROR),
            }
        }
    }
}

impl<F, R: Body> Stream<F, R> {
    /// What was given last goes, and who makes the response, one by one: two panics at once would
    /// end the process.
    fn end(&mut self) {
        if let WorkProjection::Answering { data, .. } = self.work.as_mut().project() {
            contained(|| *data = None);
        }
        contained(|| self.work.set(Work::Over));
    }

    /// It goes, before its response is sent or behind that.
    pub(super) fn discard(mut self) {
        self.end();
    }

    /// It is over. Answers what the next one can have.
    pub(super) fn retire(mut self) -> Kept<F, R> {
        self.end();
        Kept { inbox: Inbox::retired(self.inbox), work: Some(self.work) }
    }
}

impl<F, R: Body> Work<F, R> {
    /// Sends what it gave last, as far as there is room for it.
    fn send(self: Pin<&mut Self>, slot: usize, protocol: &mut Protocol) -> Sending {
        let WorkProjection::Answering { body, data } = self.project() else { return Sending::Done };
        let Some(piece) = data else { return Sending::Done };
        // Whether the response has nothing behind it.
        let ends = body.is_end_stream();
        let sending = send(slot, protocol, piece, ends);
        if let Sending::Done = sending {
            *data = None;
        }
        sending
    }
}

/// Asks for what comes next of a response, and sends its head.
fn ask<F, R, E>(
    mut work: Pin<&mut Work<F, R>>,
    slot: usize,
    protocol: &mut Protocol,
    cx: &mut Context<'_>,
) -> Poll<Next>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    match work.as_mut().project() {
        WorkProjection::Calling { future } => {
            let Ok(response) = ready!(future.poll(cx)) else { return Poll::Ready(Next::Failed) };
            let (head, body) = response.into_parts();
            // Asked once: what another thread fills may come to its end at any time.
            let ends = body.is_end_stream();
            protocol.send_head(slot, head.status, &head.headers, ends);
            work.set(Work::Answering { body, data: None });
            Poll::Ready(Next::Head { ends })
        }
        WorkProjection::Answering { body, data } => {
            Poll::Ready(match ready!(body.poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => {
                        *data = Some(piece);
                        Next::Data
                    }
                    Err(frame) => match frame.into_trailers() {
                        Ok(trailers) => Next::Trailers(trailers),
                        // A frame of a kind that HTTP/2 does not carry.
                        Err(_) => Next::Failed,
                    },
                },
                Some(Err(_)) => Next::Failed,
                None => Next::End,
            })
        }
        WorkProjection::Over => Poll::Ready(Next::Failed),
    }
}

/// What has become of a piece of a body.
enum Sending {
    /// It is in frames.
    Done,
    /// And was the last.
    Ended,
    /// There is no room in the windows for the rest.
    Blocked,
    /// There is none in the queue.
    Full,
    /// It is not what it says, or has panicked.
    Failed,
}

/// `ends`: nothing comes behind it.
fn send(slot: usize, protocol: &mut Protocol, data: &mut impl Buf, ends: bool) -> Sending {
    loop {
        let left = data.remaining();
        if left == 0 && !ends {
            return Sending::Done;
        }
        if protocol.output().len() >= TRANSPORT_WRITE_BYTES {
            return Sending::Full;
        }
        let here = left.min(protocol.room(slot));
        if here == 0 && left > 0 {
            return Sending::Blocked;
        }
        let is_last = here == left;
        if !protocol.send_data(slot, data, here, is_last && ends) {
            return Sending::Failed;
        }
        if is_last {
            return if ends { Sending::Ended } else { Sending::Done };
        }
    }
}
