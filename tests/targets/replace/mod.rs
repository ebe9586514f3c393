//! `replace`: a filter that finds and replaces, however the body is cut, however slow the sink is,
//! and whatever its neighbours hold; against a replacement in the flat body.
//!
//! A needle may be cut at any place, a replacement may shrink or grow the body, and growing may
//! have to wait for room (rules I1 to I4, I7, I8). The same filter is written as callbacks and as
//! an `async fn`. A poll happens only where the waker of the message was woken, or as one that
//! nobody asked for.

mod case;
mod filters;

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Wake, Waker};

use http::{HeaderMap, HeaderValue, header, request::Parts};
use tidegate::async_filter::{Input, Output as Sent, async_filter};
use tidegate::{
    BodyBuf, Capabilities, Capability, Chain, Marks, MessageTraits, Outcome, Output, Plan,
};

use super::choices::Choices;
use super::target::Target;
use case::{Case, Kind, Op, Stage, replaced};
use filters::{Neighbour, Outside, Replacing, declaration, replace};

pub(crate) const TARGET: Target = Target { name: "replace", run, describe, most_choices: 640 };

/// More than any case needs; a bound on what a livelock would do.
const MOST_TURNS: usize = 200_000;

fn run(choices: &[u8]) {
    play(&case::case(&mut Choices::new(choices)));
}

fn describe(choices: &[u8], text: &mut String) {
    let case = case::case(&mut Choices::new(choices));
    write!(text, "{case:#?}").expect("a string takes all");
}

/// A waker that only remembers.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

struct Message<'c> {
    case: &'c Case,
    expected: Vec<u8>,
    chain: Chain<Parts>,
    bound_bytes: u64,
    outside: Vec<Arc<Outside>>,
    woken: Arc<Flag>,
    /// There has been a handle, so there is somebody who wakes.
    registered: bool,
    /// How much of the body the source has given, in bytes; and whether it has said that it ends.
    sent: usize,
    finished: bool,
    /// How much the sink was given, in bytes.
    given: usize,
    /// The trailers that the sink was given, once it has seen the end.
    ended: Option<HeaderMap>,
}

fn play(case: &Case) {
    let mut message = Message::new(case);
    for &op in &case.ops {
        message.apply(op);
        message.settle();
    }
    message.drain();
    assert_eq!(message.given, message.expected.len(), "bytes are missing");
    assert_eq!(message.ended, Some(message.trailers()), "the trailers");
    let outcome = message.chain.outcome();
    assert!(matches!(outcome, Some(Outcome::Complete { discarded_bytes: 0, .. })), "{outcome:?}");
}

fn plan(case: &Case, outside: &[Arc<Outside>]) -> Plan<Parts> {
    let (low, high) = case.output_marks;
    let mut builder = Plan::builder()
        .max_frame_bytes(case.max_frame_bytes)
        .output_marks(Marks::new(low, high).expect("low is at most high"));
    for (k, (stage, outside)) in case.stages.iter().zip(outside).enumerate() {
        let Stage { low, high, kind } = stage;
        let (name, declaration) = (format!("f{k}"), declaration(*low, *high));
        let outside = Arc::clone(outside);
        builder = match kind {
            &Kind::Callbacks { ref rule, lazy_calls, quiet } => {
                let rule = Arc::clone(rule);
                builder.filter(name, move || Replacing {
                    rule: Arc::clone(&rule),
                    declaration: declaration.clone(),
                    outside: Arc::clone(&outside),
                    lazy_calls,
                    quiet,
                })
            }
            &Kind::Future { ref rule, naps, holds_head } => {
                let rule = Arc::clone(rule);
                let mut needs = declaration.require(Capability::ChangeLength);
                if holds_head {
                    needs = needs.require(Capability::HoldHead);
                }
                let make = move |input: Input, output: Sent| {
                    replace(Arc::clone(&rule), naps, Arc::clone(&outside), input, output)
                };
                builder.filter(name, async_filter(needs, make))
            }
            Kind::Neighbour { pauses } => {
                let pauses = pauses.clone();
                builder.filter(name, move || Neighbour {
                    declaration: declaration.clone(),
                    pauses: pauses.clone(),
                    calls: 0,
                    outside: Arc::clone(&outside),
                })
            }
        };
    }
    builder.build().expect("a plan of at most 4 filters")
}

impl<'c> Message<'c> {
    fn new(case: &'c Case) -> Self {
        let outside: Vec<_> = case.stages.iter().map(|_| Arc::default()).collect();
        let plan = plan(case, &outside);
        let bound = plan.bind(Capabilities::ALL).expect("all is granted");
        let mut chain = bound.chain(MessageTraits::new()).expect("all is granted");
        let mut head = http::Request::new(()).into_parts().0;
        if case.declares_length {
            head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(case.body.len()));
        }
        chain.handle_head(head, false).expect("the head is the first");
        let mut message = Self {
            case,
            expected: replaced(&case.body, &case.stages),
            bound_bytes: plan.held_bound_bytes(),
            chain,
            outside,
            woken: Arc::new(Flag(AtomicBool::new(false))),
            registered: false,
            sent: 0,
            finished: false,
            given: 0,
            ended: None,
        };
        message.settle();
        message
    }

    fn trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        if self.case.trailers {
            trailers.insert("x-sum", HeaderValue::from(self.case.body.len()));
        }
        trailers
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Give { bytes, end } => self.give(bytes, end),
            Op::Finish => self.finish(),
            Op::Take(n) => _ = self.take(n),
            Op::TakeBytes(n) => {
                let mut into = BodyBuf::new();
                self.chain.take_output(&mut into, n);
                into.chunks().for_each(|chunk| self.took(chunk));
            }
            Op::PollData => {
                if let Some(data) = self.chain.poll_data() {
                    self.took(&data);
                }
            }
            Op::Resume(k) => _ = self.outside[k].resume(),
            Op::Wake(k) => _ = self.outside[k].wake(),
            Op::Ask(k) => self.chain.handle_resume(k),
            Op::Turn => self.turn(),
        }
    }

    fn give(&mut self, bytes: usize, end: bool) {
        let rest = self.case.body.len() - self.sent;
        if rest == 0 || !self.chain.wants_input() {
            return;
        }
        let data = self.case.body.slice(self.sent..self.sent + bytes.min(rest));
        self.sent += data.len();
        self.finished = end && self.sent == self.case.body.len() && !self.case.trailers;
        self.chain.handle_data(data, self.finished).expect("it is wanted");
    }

    fn finish(&mut self) {
        if self.sent < self.case.body.len() || self.finished {
            return;
        }
        self.finished = true;
        let ended = if self.case.trailers {
            self.chain.handle_trailers(self.trailers())
        } else {
            self.chain.handle_end()
        };
        ended.expect("the end is always taken");
    }

    /// The sink takes up to `n` outputs. Answers how many there were.
    fn take(&mut self, n: usize) -> usize {
        for taken in 0..n {
            let Some(output) = self.chain.poll_output() else { return taken };
            assert!(self.ended.is_none(), "something comes behind the end");
            match output {
                Output::Head { head, end_of_stream } => {
                    let length = head.headers.get(header::CONTENT_LENGTH);
                    assert!(length.is_none(), "the length is not that of the replaced body");
                    if end_of_stream {
                        self.ended = Some(HeaderMap::new());
                    }
                }
                Output::Data(data) => self.took(&data),
                Output::End => self.ended = Some(HeaderMap::new()),
                Output::Trailers(trailers) => self.ended = Some(trailers),
                Output::Informational(_) | Output::Reply(_) => panic!("nobody has made one"),
                Output::Reset(error) => panic!("{error}"),
            }
        }
        n
    }

    fn took(&mut self, data: &[u8]) {
        assert!(self.ended.is_none(), "body comes behind the end");
        let expected = &self.expected[self.given..];
        assert!(expected.starts_with(data), "at byte {}: {data:?}", self.given);
        self.given += data.len();
    }

    /// One poll of the edge: registers its waker, then passes on what was queued.
    fn turn(&mut self) {
        self.woken.0.store(false, Relaxed);
        self.register();
        self.chain.handle_resumes();
    }

    fn register(&self) {
        if let Some(set) = self.chain.resume_set() {
            set.register(&Waker::from(Arc::clone(&self.woken)));
        }
    }

    /// What an edge does before it waits, and what must hold then.
    fn settle(&mut self) {
        if !self.registered && self.chain.resume_set().is_some() {
            self.registered = true;
            self.turn();
        }
        self.register();
        let held = self.chain.held_bytes();
        assert!(held <= self.bound_bytes, "I7: {held} bytes held, of {}", self.bound_bytes);
    }

    /// Everybody does what is to be done, and nobody polls who was not woken.
    fn drain(&mut self) {
        for _ in 0..MOST_TURNS {
            if self.woken.0.load(Relaxed) {
                self.turn();
            }
            let taken = self.take(usize::MAX);
            self.settle();
            if self.chain.outcome().is_some() {
                return;
            }
            if taken == 0 && !self.chain.has_work() && !self.woken.0.load(Relaxed) {
                assert!(self.go_on(), "I8: STUCK after {} of {}", self.given, self.expected.len());
                self.settle();
            }
        }
        panic!("I13: LIVELOCK after {} of {} bytes", self.given, self.expected.len());
    }

    /// One step of everybody outside. Answers whether there was one.
    fn go_on(&mut self) -> bool {
        if self.chain.wants_input() {
            if self.sent < self.case.body.len() {
                self.give(100, true);
            } else {
                self.finish();
            }
            return true;
        }
        let woken = self.outside.iter().filter(|outside| outside.wake()).count();
        let resumed = self.outside.iter().filter(|outside| outside.resume()).count();
        woken + resumed > 0 && self.woken.0.load(Relaxed)
    }
}
