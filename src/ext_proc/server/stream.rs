use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::error::Error as StdError;

use bytes::Bytes;
use http_body::Body;
use pin_project_lite::pin_project;

use super::{StreamError, StreamReport, StreamSettings};
use crate::body::clock::{Clock, Moved, Waiting};
use crate::error::{Error, ErrorKind, Origin};
use crate::ext_proc::session::Session;
use crate::ext_proc::wire::{Decoder, GrpcCode, GrpcStatus, ReplyFrame, WireError, encode_taken};
use crate::limits;
use crate::sync::Arc;
use crate::unwind::{contained, drop_contained};

pin_project! {
    /// One stream: a session between the request body it reads and the frames it gives out.
    pub(super) struct Stream<B> {
        // Until it has ended, or will not be read again.
        #[pin]
        request: Option<B>,
        decoder: Decoder,
        session: Session,
        settings: Arc<StreamSettings>,
        clock: Option<Clock>,
        // Whether the last poll ended in waiting for the client.
        awaits_client: bool,
        is_reported: bool,
        // What was given out last, until it is taken.
        frame: Option<ReplyFrame>,
        // Frames that were given out.
        frames: u64,
        stillness: Stillness,
    }

    impl<B> PinnedDrop for Stream<B> {
        fn drop(this: Pin<&mut Self>) {
            // Whoever drops it says that the transport is gone.
            let this = this.project();
            contained(|| this.session.handle_end());
            report(this.session, this.settings, this.is_reported);
        }
    }
}

/// How long nothing has moved, in looks of the watchdog.
#[derive(Debug, Default)]
struct Stillness {
    moved_bytes: u64,
    frames: u64,
    looks: u32,
}

/// Why a watchdog has ended a stream.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stalled {
    /// The client does not take what it was sent.
    Unread { timeout: Duration },
    /// The filters leave so much lying that the client is not read.
    Held { timeout: Duration },
}

impl Stalled {
    /// What the stream ends with, if that can be sent.
    pub(super) fn status(self) -> GrpcStatus {
        GrpcStatus::new(GrpcCode::Aborted, StreamError::from(self).to_string())
    }
}

impl From<Stalled> for StreamError {
    fn from(stalled: Stalled) -> Self {
        match stalled {
            Stalled::Unread { timeout } => Self::Unread { timeout },
            Stalled::Held { timeout } => Self::Held { timeout },
        }
    }
}

/// What a poll came to.
pub(super) enum Step {
    Frame(ReplyFrame),
    End(GrpcStatus),
}

impl<B> Stream<B> {
    pub(super) fn new(request: B, session: Session, settings: &Arc<StreamSettings>) -> Self {
        let mut clock = Clock::new(settings.timeouts);
        if let Some(clock) = &mut clock {
            clock.start();
        }
        Self {
            request: Some(request),
            decoder: Decoder::new(settings.limits),
            session,
            settings: Arc::clone(settings),
            clock,
            awaits_client: false,
            is_reported: false,
            frame: None,
            frames: 0,
            stillness: Stillness::default(),
        }
    }

    /// Whether it does not read, and somebody waits for it to.
    pub(super) fn is_blocked(&self) -> bool {
        self.session.end().is_none() && !self.session.wants_input()
    }

    /// One look at a stream that is not polled, or blocked. Answers whether nothing has moved for
    /// more looks than there are in a timeout. One that is over has given out what was owed, and
    /// holds nothing.
    pub(super) fn look(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        let (moved_bytes, frames) = (this.session.moved_bytes(), *this.frames);
        let still = this.stillness;
        if (still.moved_bytes, still.frames) != (moved_bytes, frames) {
            *still = Stillness { moved_bytes, frames, looks: 0 };
        }
        still.looks = still.looks.saturating_add(1);
        still.looks > limits::STALL_LOOKS && this.session.end().is_none()
    }

    /// A watchdog has ended it. Everything it holds goes.
    pub(super) fn stall(mut self: Pin<Box<Self>>, stalled: &Stalled) {
        let this = self.as_mut().project();
        contained(|| {
            let why = StreamError::from(*stalled);
            let error = Error::with_source(ErrorKind::Stalled, Origin::Processor, why);
            this.session.abort(error, stalled.status());
        });
        drop_contained(self);
    }

    /// What it was polled for has panicked.
    pub(super) fn panicked(mut self: Pin<Box<Self>>) -> GrpcStatus {
        let status = GrpcStatus::new(GrpcCode::Internal, "the handler panicked");
        let this = self.as_mut().project();
        contained(|| {
            let error = Error::new(ErrorKind::Panicked, Origin::Filter);
            this.session.abort(error, status.clone());
        });
        drop_contained(self);
        status
    }
}

impl<B> Stream<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// Ready with the end, its status; or without, then a frame is to be
    /// [taken](Self::take_frame). Pending with a waker wherever something can come from: the
    /// client, a filter, the clock.
    ///
    /// Output goes before input, so that what can leave does not wait for what comes; and both are
    /// looked at in each poll, so that neither waits for the other (P24).
    pub(super) fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<GrpcStatus>> {
        self.as_mut().check_total(cx);
        let (mut frames, mut waits) = (0, false);
        loop {
            if let Poll::Ready(end) = self.as_mut().poll_output(cx) {
                return Poll::Ready(end);
            }
            if frames == limits::MAX_FRAMES_PER_POLL {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            frames += 1;
            if waits || self.as_mut().poll_input(cx).is_pending() {
                ready!(self.as_mut().poll_clock(cx));
            }
            // Its waker is where the client's next frame finds it: no need to ask again.
            waits = *self.as_mut().project().awaits_client;
        }
    }

    /// The frame that a poll has given out.
    pub(super) const fn frame(&self) -> Option<&ReplyFrame> {
        self.frame.as_ref()
    }

    /// The same, once.
    pub(super) fn take_frame(self: Pin<&mut Self>) -> Option<ReplyFrame> {
        self.project().frame.take()
    }

    /// What the session gives out now. Short replies without a body join the one behind them.
    fn poll_output(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<GrpcStatus>> {
        let this = self.project();
        let mut reply = None;
        loop {
            match this.session.poll_reply_into(cx, &mut reply) {
                Poll::Ready(None) => {}
                // The end is given again.
                Poll::Ready(Some(_)) | Poll::Pending if this.frame.is_some() => {
                    return Poll::Ready(None);
                }
                end => return end,
            }
            let Some(taken) = &mut reply else { continue };
            let encoded = match this.frame {
                Some(frame) => frame.join(taken),
                None => encode_taken(taken).map(|frame| *this.frame = Some(frame)),
            };
            // What is sent is not sent again.
            reply = None;
            match encoded {
                Ok(()) => *this.frames += 1,
                Err(error) => fail(this.session, error),
            }
            if this.frame.as_ref().is_some_and(|frame| !frame.can_be_joined()) {
                return Poll::Ready(None);
            }
        }
    }

    /// Ready if the session has been given something: all that is there, so that what belongs
    /// together is answered together.
    fn poll_input(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        *this.awaits_client = false;
        let mut given = false;
        let mut frames = 0;
        while this.session.wants_input() && frames < limits::MAX_FRAMES_PER_POLL {
            match this.decoder.next() {
                Ok(Some(event)) => {
                    this.session.handle(event);
                    given = true;
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    // What follows a message that cannot be read cannot be read either.
                    this.request.set(None);
                    fail(this.session, error);
                    return Poll::Ready(());
                }
            }
            let Some(request) = this.request.as_mut().as_pin_mut() else { return Poll::Pending };
            match request.poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers of a request have no meaning in gRPC.
                    frames += 1;
                    if let Ok(bytes) = frame.into_data() {
                        this.decoder.push(bytes);
                    }
                }
                Poll::Ready(None) => {
                    this.request.set(None);
                    match this.decoder.finish() {
                        Ok(()) => this.session.handle_half_close(),
                        Err(cut) => fail(this.session, cut),
                    }
                    return Poll::Ready(());
                }
                // A reset, by any code, is an end like any other (P20).
                Poll::Ready(Some(Err(_))) => {
                    this.request.set(None);
                    this.session.handle_end();
                    return Poll::Ready(());
                }
                Poll::Pending => {
                    *this.awaits_client = true;
                    break;
                }
            }
        }
        if given || frames > 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Ready if a clock ran out, which the session has been told.
    fn poll_clock(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let Some(clock) = this.clock else { return Poll::Pending };
        let waiting = Waiting {
            source: *this.awaits_client,
            holder: this.session.is_holding(),
            moved: Moved::in_all(this.session.moved_bytes(), this.session.held_bytes()),
        };
        let timeout = ready!(clock.poll(cx, waiting));
        clock.restart();
        this.session.handle_timeout(timeout);
        Poll::Ready(())
    }

    fn check_total(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let this = self.project();
        let Some(clock) = this.clock else { return };
        if let Some(timeout) = clock.check_total(cx) {
            clock.restart();
            this.session.handle_timeout(timeout);
        }
    }
}

/// What cannot be read, or written, ends the session.
#[cold]
fn fail(session: &mut Session, error: WireError) {
    let status = error.status();
    session.abort(Error::with_source(ErrorKind::Reset, Origin::Processor, error), status);
}

/// Tells how the session ended, once.
fn report(session: &Session, settings: &StreamSettings, is_reported: &mut bool) {
    let Some(observer) = &settings.observer else { return };
    if let Some(end) = session.end()
        && !core::mem::replace(is_reported, true)
    {
        let report = StreamReport {
            end: end.clone(),
            announced: session.announced(),
            chosen: session.chosen_mode(),
            unsent_fields: session.unsent_fields(),
        };
        contained(|| observer(&report));
    }
}
