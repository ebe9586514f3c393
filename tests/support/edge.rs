//! What the tests of the edge share: a scripted source, a scripted filter, and a task that is
//! polled only when it was woken.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, request, response};
use http_body::{Body, Frame, SizeHint};
use tidegate::body::{FilteredBody, Opening};
use tidegate::chain::PlanBuilder;
use tidegate::{
    Capabilities, Chain, Declaration, Error, Filter, Head, MessageTraits, Outcome, Plan, Verdict,
    View,
};

/// One thing a [`Source`] does when it is polled.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Data(&'static [u8]),
    /// `x-check: <value>`.
    Trailers(&'static str),
    Error,
    /// `Pending`, woken at once.
    Yield,
    /// `Pending` until the handle opens the gate.
    Gate,
}

/// A body that follows a script, and panics if it is polled after its end.
#[derive(Debug)]
pub(crate) struct Source {
    steps: VecDeque<Step>,
    /// Whether `is_end_stream` tells the truth, or just nothing.
    tells_end: bool,
    exact: Option<u64>,
    ended: bool,
    state: Arc<SourceState>,
}

#[derive(Debug, Default)]
pub(crate) struct SourceState {
    pub(crate) polls: AtomicUsize,
    dropped: AtomicBool,
    gates_open: AtomicUsize,
    waker: Mutex<Option<Waker>>,
}

impl Source {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            tells_end: false,
            exact: None,
            ended: false,
            state: Arc::default(),
        }
    }

    pub(crate) fn of(data: &'static str) -> Self {
        Self::new([Step::Data(data.as_bytes())]).telling_end()
    }

    pub(crate) fn empty() -> Self {
        Self::new([]).telling_end()
    }

    pub(crate) fn telling_end(mut self) -> Self {
        self.tells_end = true;
        self
    }

    pub(crate) fn exact(mut self, bytes: u64) -> Self {
        self.exact = Some(bytes);
        self
    }

    pub(crate) fn state(&self) -> Arc<SourceState> {
        Arc::clone(&self.state)
    }
}

impl SourceState {
    pub(crate) fn open_gate(&self) {
        self.gates_open.fetch_add(1, SeqCst);
        let waker = self.waker.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.dropped.load(SeqCst)
    }

    pub(crate) fn polls(&self) -> usize {
        self.polls.load(SeqCst)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.state.dropped.store(true, SeqCst);
    }
}

impl Body for Source {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        assert!(!self.ended, "polled after the end");
        self.state.polls.fetch_add(1, SeqCst);
        let Some(step) = self.steps.front().cloned() else {
            self.ended = true;
            return Poll::Ready(None);
        };
        let frame = match step {
            Step::Data(data) => Ok(Frame::data(Bytes::from_static(data))),
            Step::Trailers(value) => {
                self.ended = true;
                Ok(Frame::trailers(check_trailers(value)))
            }
            Step::Error => {
                self.ended = true;
                Err(Broken)
            }
            Step::Yield => {
                self.steps.pop_front();
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Step::Gate => {
                *self.state.waker.lock().unwrap() = Some(cx.waker().clone());
                let opened =
                    self.state.gates_open.fetch_update(SeqCst, SeqCst, |open| open.checked_sub(1));
                if opened.is_err() {
                    return Poll::Pending;
                }
                self.steps.pop_front();
                return self.poll_frame(cx);
            }
        };
        self.steps.pop_front();
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.tells_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.exact.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// The error of a source.
#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source broke")
    }
}

impl StdError for Broken {}

pub(crate) const CHECK: HeaderName = HeaderName::from_static("x-check");

pub(crate) fn check_trailers(value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(CHECK, HeaderValue::from_static(value))])
}

/// Which callback a [`Probe`] is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Head,
    Data,
    Trailers,
    Resume,
}

type Act<H> = Box<dyn FnMut(Call, &mut View<'_, H>) -> Verdict + Send>;

/// A filter made of one closure, that notes how its message ended.
pub(crate) struct Probe<H> {
    declaration: Declaration,
    act: Act<H>,
    closed: Closed,
}

/// The outcomes that filters, and observers, were told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Closed(Arc<Mutex<Vec<String>>>);

impl Closed {
    pub(crate) fn note(&self, outcome: &Outcome) {
        self.0.lock().unwrap().push(outcome_name(outcome));
    }

    pub(crate) fn push(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    /// What was noted, in order.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) fn outcome_name(outcome: &Outcome) -> String {
    let name = match outcome {
        Outcome::Complete { .. } => "complete",
        Outcome::Reset(_) => "reset",
        Outcome::Cancelled => "cancelled",
        Outcome::Limit(_) => "limit",
        Outcome::Stalled(_) => "stalled",
        Outcome::TimedOut(_) => "timed out",
        Outcome::Failed(_) => "failed",
        Outcome::Replaced { .. } => "replaced",
        _ => "unknown",
    };
    name.to_owned()
}

impl<H: Head> Filter<H> for Probe<H> {
    fn declare(&self) -> Declaration {
        self.declaration.clone()
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        (self.act)(Call::Head, view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        (self.act)(Call::Data, view)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        (self.act)(Call::Trailers, view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        (self.act)(Call::Resume, view)
    }

    fn close(&mut self, outcome: &Outcome) {
        self.closed.note(outcome);
    }
}

/// Adds probes to a plan.
pub(crate) trait PlanExt<H: Head> {
    fn probe<A>(
        self,
        name: &str,
        declaration: Declaration,
        closed: &Closed,
        make: impl Fn() -> A + Send + Sync + 'static,
    ) -> Self
    where
        A: FnMut(Call, &mut View<'_, H>) -> Verdict + Send + 'static;
}

impl<H: Head> PlanExt<H> for PlanBuilder<H> {
    fn probe<A>(
        self,
        name: &str,
        declaration: Declaration,
        closed: &Closed,
        make: impl Fn() -> A + Send + Sync + 'static,
    ) -> Self
    where
        A: FnMut(Call, &mut View<'_, H>) -> Verdict + Send + 'static,
    {
        let closed = closed.clone();
        self.filter(name, move || Probe {
            declaration: declaration.clone(),
            act: Box::new(make()),
            closed: closed.clone(),
        })
    }
}

/// An empty plan for either direction.
pub(crate) fn no_filters<H: Head>() -> Plan<H> {
    Plan::builder().build().unwrap()
}

pub(crate) fn chain<H: Head>(plan: &Plan<H>) -> Chain<H> {
    plan.bind(Capabilities::ALL).unwrap().chain(MessageTraits::new()).unwrap()
}

pub(crate) fn request_head() -> request::Parts {
    Request::post("/").body(()).unwrap().into_parts().0
}

pub(crate) fn response_head() -> response::Parts {
    Response::new(()).into_parts().0
}

pub(crate) fn with_length<H: Head>(mut head: H, bytes: u64) -> H {
    head.headers_mut().insert(http::header::CONTENT_LENGTH, bytes.into());
    head
}

/// A task: counts its wakes.
#[derive(Debug, Default)]
pub(crate) struct Task {
    woken: AtomicUsize,
    polls: AtomicUsize,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, SeqCst);
    }
}

impl Task {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.woken.load(SeqCst) != 0
    }

    pub(crate) fn polls(&self) -> usize {
        self.polls.load(SeqCst)
    }

    /// The wakes since the last poll.
    pub(crate) fn wakes(&self) -> usize {
        self.woken.load(SeqCst)
    }

    /// Polls once, whatever was before; forgets the wakes.
    pub(crate) fn poll<T>(
        self: &Arc<Self>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.woken.store(0, SeqCst);
        self.polls.fetch_add(1, SeqCst);
        let waker = Waker::from(Arc::clone(self));
        poll(&mut Context::from_waker(&waker))
    }

    /// Polls as long as it is woken, and at least once.
    ///
    /// Panics when that does not end: a busy loop.
    pub(crate) fn run<T>(
        self: &Arc<Self>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        for _ in 0..100_000 {
            let result = self.poll(&mut poll);
            if result.is_ready() || !self.is_woken() {
                return result;
            }
        }
        panic!("a busy loop")
    }

    /// As [`run`](Self::run), where a `Pending` without a wake is a lost wakeup.
    pub(crate) fn finish<T>(self: &Arc<Self>, poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        match self.run(poll) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("pending, and nobody will wake the task"),
        }
    }
}

/// All of a body, in one value.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) data: Vec<u8>,
    pub(crate) frames: usize,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) error: Option<Error>,
}

impl Collected {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.data).unwrap()
    }

    /// Takes the next frame; ready at the end.
    pub(crate) fn poll<B>(&mut self, body: &mut B, cx: &mut Context<'_>) -> Poll<()>
    where
        B: Body<Data = Bytes, Error = Error> + Unpin,
    {
        while let Some(frame) = std::task::ready!(Pin::new(&mut *body).poll_frame(cx)) {
            self.frames += 1;
            assert!(self.trailers.is_none() && self.error.is_none(), "nothing follows an end");
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => {
                    assert!(!data.is_empty());
                    self.data.extend_from_slice(&data);
                }
                Ok(Err(frame)) => self.trailers = frame.into_trailers().ok(),
                Err(error) => self.error = Some(error),
            }
        }
        Poll::Ready(())
    }
}

/// Drives a body to its end on a task that is polled only when woken.
pub(crate) fn collect<B>(body: &mut B) -> Collected
where
    B: Body<Data = Bytes, Error = Error> + Unpin,
{
    let mut all = Collected::default();
    Task::new().finish(|cx| all.poll(body, cx));
    all
}

/// The same, on the current runtime.
pub(crate) async fn collect_async<B>(body: &mut B) -> Collected
where
    B: Body<Data = Bytes, Error = Error> + Unpin,
{
    let mut all = Collected::default();
    poll_fn(|cx| all.poll(body, cx)).await;
    all
}

/// The head of a message that is expected to have one.
pub(crate) fn head_of<B, H>(body: &mut FilteredBody<B, H>) -> H
where
    B: Body<Data = Bytes, Error = Broken> + Unpin,
    H: Head + fmt::Debug,
{
    match Task::new().finish(|cx| Pin::new(&mut *body).poll_head(cx)) {
        Ok(Opening::Head(head)) => head,
        other => panic!("no head: {other:?}"),
    }
}

/// Runs a future that needs nothing but its own wakes.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    Task::new().finish(|cx| future.as_mut().poll(cx))
}
