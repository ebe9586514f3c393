//! Filters that play a part in a flow, and exchanges without I/O.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tidegate::error::Timeout;
use tidegate::exchange::{RequestSide, ResponseSide};
use tidegate::flow::{Flow, FlowBuilder, Node, Summary};
use tidegate::{
    Capabilities, Capability, Declaration, Error, ErrorKind, Filter, Head, LocalReply,
    MessageTraits, Origin, Outcome, Output, Verdict, View,
};

/// What happened, in order: `made a`, `head a`, `closed a`.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    events: Vec<String>,
    summaries: Vec<Summary>,
}

impl Log {
    pub(crate) fn note(&self, event: impl Into<String>) {
        self.0.lock().unwrap().events.push(event.into());
    }

    /// The names behind `what`, in order.
    pub(crate) fn all(&self, what: &str) -> Vec<String> {
        let inner = self.0.lock().unwrap();
        let names =
            inner.events.iter().filter_map(|event| event.strip_prefix(what)?.strip_prefix(' '));
        names.map(str::to_owned).collect()
    }

    /// Forgets what was so far: the instances made for declarations.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().events.clear();
    }

    /// The summaries that a finalizer was told.
    pub(crate) fn summaries(&self) -> Vec<Summary> {
        self.0.lock().unwrap().summaries.clone()
    }

    /// Builds the flow, with a finalizer that keeps what it is told.
    pub(crate) fn build(&self, flow: FlowBuilder) -> Flow {
        let log = self.clone();
        let flow = flow.finalizer("record", move |summary: &Summary| {
            log.0.lock().unwrap().summaries.push(summary.clone());
        });
        let flow = flow.build().expect("a flow");
        self.clear();
        flow
    }

    /// A node with a probe.
    pub(crate) fn node<H: Head>(&self, name: &str, results: &[&'static str], act: Act) -> Node<H> {
        let (log, owned) = (self.clone(), name.to_owned());
        let results = results.to_vec();
        Node::new(name, move || {
            log.note(format!("made {owned}"));
            Probe {
                name: owned.clone(),
                results: results.clone(),
                act: act.clone(),
                log: log.clone(),
            }
        })
    }
}

/// What a probe does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Its head goes, with this result.
    Says(&'static str),
    /// The head is held until the input has ended, and goes then, with this result.
    SaysAtEnd(&'static str),
    /// The same, by a resume of its own.
    SaysInResume(&'static str),
    /// Replies, with this result.
    Replies(u16, &'static str),
    /// Lets the head go and replies when bytes come.
    RepliesLate(u16),
    /// Sets a status and goes on.
    Edits(u16),
    Panics,
    Fails,
    /// Lets the head go and fails when bytes come.
    FailsLate(&'static str),
    /// Holds everything and cannot go on.
    Stalls,
    /// Holds more than it may.
    Overflows,
    /// Lets the head go, then the same.
    OverflowsLate,
    /// Lets the head go, then fails as if the upstream had.
    BlamesUpstream,
}

/// Notes its calls and plays its part.
pub(crate) struct Probe {
    name: String,
    results: Vec<&'static str>,
    act: Act,
    log: Log,
}

impl<H: Head> Filter<H> for Probe {
    fn declare(&self) -> Declaration {
        let all = [Capability::HoldHead, Capability::EditBytes, Capability::ChangeLength];
        let declaration = all.into_iter().fold(Declaration::new(), Declaration::prefer);
        self.results.iter().fold(declaration, |declaration, &name| declaration.result(name))
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.log.note(format!("head {}", self.name));
        match self.act {
            Act::Says(result) => {
                let _ = view.set_result(result);
                Verdict::PASS
            }
            Act::SaysAtEnd(result) if view.input_ended() => {
                let _ = view.set_result(result);
                Verdict::PASS
            }
            Act::SaysAtEnd(_) | Act::Stalls => Verdict::HOLD,
            Act::Overflows => Verdict::HOLD.or_reject(),
            Act::SaysInResume(_) => Verdict::HOLD.quiet().again(),
            Act::Replies(status, result) => {
                let _ = view.set_result(result);
                view.reply(LocalReply::text(StatusCode::from_u16(status).unwrap(), "reply"))
            }
            Act::Edits(status) => {
                edit(view, status);
                Verdict::PASS
            }
            Act::Panics => panic!("{} panics", self.name),
            Act::Fails => view.fail(Error::filter_failed("no")),
            Act::FailsLate(result) => {
                let _ = view.set_result(result);
                Verdict::PASS
            }
            Act::RepliesLate(_) | Act::OverflowsLate | Act::BlamesUpstream => Verdict::PASS,
        }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.act {
            Act::SaysAtEnd(result) if view.input_ended() => {
                let _ = view.set_result(result);
                Verdict::PASS
            }
            Act::SaysAtEnd(_) | Act::Stalls => Verdict::HOLD,
            Act::Overflows | Act::OverflowsLate => Verdict::HOLD.or_reject(),
            Act::BlamesUpstream => view.fail(Error::new(ErrorKind::Reset, Origin::Upstream)),
            Act::FailsLate(_) => view.fail(Error::filter_failed("late")),
            Act::RepliesLate(status) => {
                view.reply(LocalReply::text(StatusCode::from_u16(status).unwrap(), "late"))
            }
            _ => Verdict::PASS,
        }
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Act::SaysInResume(result) = self.act {
            let _ = view.set_result(result);
        }
        Verdict::PASS
    }

    fn close(&mut self, outcome: &Outcome) {
        let how = if outcome.is_complete() { "complete" } else { "not" };
        self.log.note(format!("closed {} {how}", self.name));
    }
}

/// A response's status; requests have none.
fn edit<H: Head>(view: &mut View<'_, H>, status: u16) {
    let head: Option<&mut dyn std::any::Any> = view.head_mut().map(|head| head as _);
    if let Some(head) = head.and_then(|head| head.downcast_mut::<http::response::Parts>()) {
        head.status = StatusCode::from_u16(status).unwrap();
        if view.body().is_empty() {
            view.push(Bytes::from_static(b"page")).expect("room for a page");
        }
    }
}

/// What the upstream does with its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upstream {
    Answers(u16),
    /// Breaks off before its head.
    Breaks,
    /// The edge's clock runs out.
    TimesOut,
    /// The client breaks off.
    ClientBreaks,
    /// The edge cannot call it.
    Unreachable,
}

/// What the client got, and what the upstream was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The request head came to the upstream.
    pub(crate) called: bool,
    pub(crate) status: Option<u16>,
    pub(crate) body: String,
    /// The response was cut off.
    pub(crate) reset: bool,
}

/// Both sides of one exchange.
pub(crate) fn sides(flow: &Flow) -> (RequestSide, ResponseSide) {
    let all = Capabilities::ALL;
    let plan = flow.plan().bind(all, all).expect("an edge that can do it");
    plan.exchange(MessageTraits::new(), MessageTraits::new()).expect("messages that can do it")
}

/// One exchange from beginning to end.
pub(crate) fn exchange(flow: &Flow, upstream: Upstream) -> Seen {
    let (mut request, mut response) = sides(flow);
    let mut seen = Seen::default();
    let breaks = upstream == Upstream::ClientBreaks;
    send(&mut request, !breaks);
    drain_request(&mut request, &mut seen);
    if breaks {
        request.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
        drain_request(&mut request, &mut seen);
    } else if seen.called {
        answer(&mut response, upstream);
    }
    drain_response(&mut response, &mut seen);
    drain_request(&mut request, &mut seen);
    seen
}

pub(crate) fn send(request: &mut RequestSide, whole: bool) {
    let (head, ()) = Request::new(()).into_parts();
    // Whatever a filter makes of it: some answer before all is there.
    let _ = request.handle_head(head, false);
    let _ = request.handle_data(Bytes::from_static(b"ping"), false);
    if whole {
        let _ = request.handle_end();
    }
}

pub(crate) fn answer(response: &mut ResponseSide, upstream: Upstream) {
    match upstream {
        Upstream::Answers(status) => {
            start(response, status);
            let _ = response.handle_end();
        }
        Upstream::Breaks => response.handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream)),
        Upstream::TimesOut => response.handle_timeout(Timeout::Total),
        Upstream::Unreachable => {
            response.handle_reset(Error::new(ErrorKind::Reset, Origin::Internal));
        }
        Upstream::ClientBreaks => {}
    }
}

pub(crate) fn start(response: &mut ResponseSide, status: u16) {
    let head = Response::builder().status(status).body(()).unwrap().into_parts().0;
    let _ = response.handle_head(head, false);
    let _ = response.handle_data(Bytes::from_static(b"pong"), false);
}

pub(crate) fn drain_request(request: &mut RequestSide, seen: &mut Seen) {
    let cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(output)) = request.poll_next(&cx) {
        seen.called |= matches!(output, Output::Head { .. });
    }
}

pub(crate) fn drain_response(response: &mut ResponseSide, seen: &mut Seen) {
    let cx = Context::from_waker(Waker::noop());
    // A side that woke itself has more to do.
    for _ in 0..4 {
        while let Poll::Ready(Some(output)) = response.poll_next(&cx) {
            match output {
                Output::Head { head, .. } => seen.status = Some(head.status.as_u16()),
                Output::Data(data) => seen.body += std::str::from_utf8(&data).unwrap(),
                Output::Reset(_) => seen.reset = true,
                _ => {}
            }
        }
    }
}
