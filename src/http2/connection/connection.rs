use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker, ready};
use std::collections::VecDeque;
use std::io;

use bytes::BytesMut;
use http::{Request, Response};
use http_body::Body;
use hyper::service::Service;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop;

use super::clock::{Clock, Due, Life};
use super::place::Place;
use super::{ConnectionEnd, DirectBody, DirectError, Http2Settings};
use crate::http2::Broken;
use crate::http2::protocol::Protocol;
use crate::limits::{MAX_LINGER_BYTES, MAX_ROUNDS_PER_POLL};
use crate::socket::{Round, Wakes};
use crate::sync::ConstArc;

/// A connection with its streams: a future that ends with the connection. See the
/// [module](super).
///
/// # Cancel safety
///
/// Dropping it cuts the streams off.
pub(crate) struct Connection<I, O, S, R: Body>
where
    S: Service<Request<DirectBody>>,
{
    pub(super) reader: I,
    pub(super) writer: O,
    pub(super) input: BytesMut,
    pub(super) protocol: Protocol,
    pub(super) service: S,
    /// By slot. None goes before the connection stops serving.
    pub(super) places: Vec<Place<S::Future, R>>,
    pub(super) wakes: ConstArc<Wakes>,
    pub(super) waker: Waker,
    pub(super) round: Round,
    /// Places that have something to send, and wait until what was written has gone out.
    pub(super) full: VecDeque<usize>,
    /// Streams for which something has come that they do not wait for, in this round.
    pub(super) given: Vec<usize>,
    /// Whether nothing is read until what was written has gone out.
    pub(super) is_full: bool,
    /// How often something was read.
    pub(super) reads: u64,
    state: State,
    clock: Clock,
    /// Ready when the peer is to be told that it should open no more streams.
    leave: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

enum State {
    Serving,
    Closing(Ending),
    Lingering { ending: Ending, left: usize },
    Over,
}

/// How it ends.
type Ending = Result<(), ConnectionEnd>;

/// The place that clock and `leave` wake. A stream's is one more than its slot.
const OUTSIDE: usize = 0;

pub(super) const fn place_of(slot: usize) -> usize {
    slot + 1
}

impl<I, O, S, R> Connection<I, O, S, R>
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
    S: Service<Request<DirectBody>, Response = Response<R>>,
    R: Body,
{
    /// Serves `service` on what is read from `reader`, until `leave` is ready and all streams are
    /// served, or the peer goes.
    pub(crate) fn new(
        (reader, writer): (I, O),
        service: S,
        settings: &Http2Settings,
        leave: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let wakes = ConstArc::new(Wakes::new());
        let waker = Wakes::connection_waker(&wakes);
        Wakes::waker(&wakes, OUTSIDE).wake();
        Self {
            reader,
            writer,
            input: BytesMut::new(),
            protocol: Protocol::new(settings.protocol()),
            service,
            places: Vec::new(),
            wakes,
            waker,
            round: Round::default(),
            full: VecDeque::new(),
            given: Vec::new(),
            is_full: false,
            reads: 0,
            state: State::Serving,
            clock: Clock::new(settings.keep_alive),
            leave: Some(Box::pin(leave)),
        }
    }

    /// Goes round until nothing is woken. Bounded, so that what is written does not wait for what
    /// keeps coming.
    fn poll_rounds(&mut self) -> Result<(), Stop> {
        for _ in 0..MAX_ROUNDS_PER_POLL {
            if !self.wakes.take(&mut self.round) {
                break;
            }
            if !self.poll_round()? {
                break;
            }
        }
        Ok(())
    }

    /// What has been written goes out. Those who waited for that have their turn.
    fn flush(&mut self) -> Result<(), Stop> {
        match self.poll_flush() {
            Poll::Ready(Ok(())) => {
                if core::mem::take(&mut self.is_full) {
                    self.waker.wake_by_ref();
                }
                for slot in self.full.drain(..) {
                    if let Some(place) = self.places.get(slot) {
                        place.wake();
                    }
                }
                Ok(())
            }
            // The socket wakes the connection.
            Poll::Pending => Ok(()),
            Poll::Ready(Err(error)) => Err(Stop::Now(Err(error.into()))),
        }
    }

    /// Gives the transport all that is queued, and has it send what it gathers itself: one that
    /// encrypts does. Also if the streams have used up what tokio lets a task do in one poll: those
    /// that always do would keep it back for ever.
    fn poll_flush(&mut self) -> Poll<io::Result<()>> {
        let (output, writer) = (self.protocol.output(), &mut self.writer);
        let flushed = coop::unconstrained(poll_fn(|cx| {
            ready!(output.drain(writer, cx))?;
            Pin::new(&mut *writer).poll_flush(cx)
        }));
        pin!(flushed).poll(&mut Context::from_waker(&self.waker))
    }

    /// One poll of what serves.
    fn serve(&mut self) -> Result<(), Stop> {
        let went = self.poll_rounds();
        if let Err(stop @ (Stop::Now(_) | Stop::Gone)) = went {
            return Err(stop);
        }
        self.flush()?;
        went?;
        if self.protocol.is_over() {
            return Err(Stop::Closing(Ok(())));
        }
        Ok(())
    }

    /// Clock and `leave`.
    #[cold]
    pub(super) fn poll_outside(&mut self) -> Result<(), Stop> {
        let waker = Wakes::waker(&self.wakes, OUTSIDE);
        let mut cx = Context::from_waker(&waker);
        if let Some(leave) = &mut self.leave
            && leave.as_mut().poll(&mut cx).is_ready()
        {
            self.leave = None;
            self.protocol.leave();
        }
        let life = self.life();
        match self.clock.poll(&mut cx, &life) {
            Poll::Pending => Ok(()),
            Poll::Ready(Due::Ask) => {
                self.protocol.ping();
                Ok(())
            }
            Poll::Ready(Due::GiveUp) => Err(Stop::Now(Err(ConnectionEnd::Silent))),
        }
    }

    fn life(&self) -> Life {
        Life {
            is_greeted: self.protocol.is_greeted(),
            has_streams: self.protocol.live_streams() > 0,
            reads: self.reads,
        }
    }

    fn poll_state(&mut self) -> Poll<Ending> {
        loop {
            match &mut self.state {
                State::Serving => match self.serve() {
                    Ok(()) => return Poll::Pending,
                    Err(stop) => {
                        self.drop_streams();
                        self.state = match stop {
                            Stop::Now(ending) => return self.over(ending),
                            Stop::Gone => {
                                self.clock.linger();
                                State::Closing(Ok(()))
                            }
                            Stop::Closing(ending) => State::Closing(ending),
                        };
                        if let State::Closing(Err(ConnectionEnd::Broken(broken))) = &self.state {
                            self.protocol.break_off(*broken);
                            self.clock.linger();
                        }
                    }
                },
                State::Closing(_) => {
                    self.ignore_wakes();
                    let closed = ready!(self.poll_close());
                    let State::Closing(ending) = core::mem::replace(&mut self.state, State::Over)
                    else {
                        return Poll::Ready(Ok(()));
                    };
                    if closed.is_err() {
                        return self.over(ending);
                    }
                    self.clock.linger();
                    self.state = State::Lingering { ending, left: MAX_LINGER_BYTES };
                }
                State::Lingering { .. } => {
                    self.ignore_wakes();
                    ready!(self.poll_linger());
                    let State::Lingering { ending, .. } =
                        core::mem::replace(&mut self.state, State::Over)
                    else {
                        return Poll::Ready(Ok(()));
                    };
                    return self.over(ending);
                }
                State::Over => return Poll::Ready(Ok(())),
            }
        }
    }

    fn over(&mut self, ending: Ending) -> Poll<Ending> {
        self.state = State::Over;
        Poll::Ready(ending)
    }

    /// There is nobody to poll but the connection: what has been woken would have it polled again
    /// and again.
    fn ignore_wakes(&mut self) {
        self.wakes.take(&mut self.round);
        self.round.places.clear();
    }

    /// All that is queued goes out, and then the end of the stream. A peer that has broken the
    /// rules, or sends no more, has not long to take it: nothing else would end that.
    fn poll_close(&mut self) -> Poll<io::Result<()>> {
        let waker = Wakes::waker(&self.wakes, OUTSIDE);
        let life = self.life();
        let due = self.clock.poll(&mut Context::from_waker(&waker), &life);
        if let Poll::Ready(Due::GiveUp) = due {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        ready!(self.poll_flush())?;
        Pin::new(&mut self.writer).poll_shutdown(&mut Context::from_waker(&self.waker))
    }

    /// Throws away what still comes, for some time: a socket that is closed with something unread
    /// resets the connection, and the peer would not read why.
    fn poll_linger(&mut self) -> Poll<()> {
        let waker = Wakes::waker(&self.wakes, OUTSIDE);
        let life = self.life();
        if self.clock.poll(&mut Context::from_waker(&waker), &life).is_ready() {
            return Poll::Ready(());
        }
        loop {
            self.input.clear();
            match self.poll_read() {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(read)) if read > 0 => {
                    let State::Lingering { left, .. } = &mut self.state else {
                        return Poll::Ready(());
                    };
                    if read >= *left {
                        return Poll::Ready(());
                    }
                    *left -= read;
                }
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
    }
}

/// Why it does not serve any more.
pub(super) enum Stop {
    /// There is nobody to tell.
    Now(Ending),
    /// The peer sends no more. What it asked for before may be queued.
    Gone,
    /// The peer is told what is queued first.
    Closing(Ending),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Closing(Err(broken.into()))
    }
}

impl<I, O, S, R: Body> Connection<I, O, S, R>
where
    S: Service<Request<DirectBody>>,
{
    /// All streams end. What waits for their bodies hears of it.
    fn drop_streams(&mut self) {
        for place in &mut self.places {
            place.fail(DirectError::Disconnected);
        }
        self.places.clear();
        self.full.clear();
    }
}

/// Nothing in it is pinned where it lies.
impl<I, O, S, R: Body> Unpin for Connection<I, O, S, R> where S: Service<Request<DirectBody>> {}

impl<I, O, S, R> Future for Connection<I, O, S, R>
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
    S: Service<Request<DirectBody>, Response = Response<R>>,
    R: Body,
{
    type Output = Result<(), ConnectionEnd>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.wakes.begin_poll();
        let polled = this.poll_state();
        this.wakes.end_poll(cx.waker());
        polled
    }
}

impl<I, O, S, R: Body> Drop for Connection<I, O, S, R>
where
    S: Service<Request<DirectBody>>,
{
    fn drop(&mut self) {
        self.drop_streams();
    }
}
