//! One exchange, step by step.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{request, response};
use tidegate::exchange::{
    Direction, EarlyResponse, ExchangePlan, Observer, RequestSide, ResponseSide, Side,
};
use tidegate::{Capabilities, Error, ErrorKind, MessageTraits, Origin, Outcome, Output};

use crate::kit::script::Log;
use crate::kit::{Dir, Script, render};

/// What observers were told, as `request complete`.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    pub(crate) fn observer(&self) -> Observer {
        let told = self.clone();
        Arc::new(move |direction: Direction, outcome: &Outcome, _: &_| {
            let entry = format!("{direction} {}", render::outcome(outcome));
            told.0.lock().unwrap().push(entry);
        })
    }

    /// What was told since the last look.
    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(", ")
    }
}

/// Both sides, with scripts for filters.
pub(crate) struct Stage {
    pub(crate) request: RequestSide,
    pub(crate) response: ResponseSide,
    pub(crate) told: Told,
    log: Log,
}

impl Stage {
    /// `filters` in the order in which messages of their direction meet them.
    pub(crate) fn new<const M: usize, const N: usize>(
        early: EarlyResponse,
        requests: [Script<request::Parts>; M],
        responses: [Script<response::Parts>; N],
    ) -> Self {
        let log = Log::default();
        let mut plan = ExchangePlan::builder();
        for script in requests {
            plan = plan.request(script.name, script.into_factory(&log));
        }
        for script in responses.into_iter().rev() {
            plan = plan.response(script.name, script.into_factory(&log));
        }
        Self::of(plan.build().expect("a plan"), early, log)
    }

    pub(crate) fn of(plan: ExchangePlan, early: EarlyResponse, log: Log) -> Self {
        let all = Capabilities::ALL;
        let plan = plan.bind(all, all).expect("an edge that can do it").early_response(early);
        let traits = MessageTraits::new();
        let (request, response) = plan.exchange(traits, traits).expect("messages that can do it");
        let told = Told::default();
        Self {
            request: request.on_finish(told.observer()),
            response: response.on_finish(told.observer()),
            told,
            log,
        }
    }

    /// The log of the scripts.
    pub(crate) fn log(&self) -> Log {
        self.log.clone()
    }

    /// Calls of filters since the last look.
    #[track_caller]
    pub(crate) fn calls(&self, expected: &str) -> &Self {
        let actual = std::mem::take(&mut self.log.lock().calls).join(" ");
        assert_eq!(actual, expected, "calls (left) are not those required (right)");
        self
    }

    /// Close calls since the last look.
    pub(crate) fn closes(&self) -> String {
        std::mem::take(&mut self.log.lock().closes).join(" ")
    }

    /// Resumes a filter through its handle.
    pub(crate) fn resume(&self, name: &str) {
        let handle = self.log.lock().handles.get(name).cloned();
        handle.expect("it was called").resume();
    }

    /// What the upstream is given now.
    #[track_caller]
    pub(crate) fn up(&mut self, expected: &str) -> &mut Self {
        assert_eq!(sunk(&mut self.request), expected, "upstream");
        self
    }

    /// What the client is given now.
    #[track_caller]
    pub(crate) fn down(&mut self, expected: &str) -> &mut Self {
        assert_eq!(sunk(&mut self.response), expected, "downstream");
        self
    }

    #[track_caller]
    pub(crate) fn told(&self, expected: &str) -> &Self {
        assert_eq!(self.told.take(), expected, "told");
        self
    }

    /// The request's head, and the response's, have gone all the way.
    pub(crate) fn both_heads(&mut self) -> &mut Self {
        self.request_head(false).up("H(0)");
        self.response_head(false).down("H(0)")
    }

    pub(crate) fn request_head(&mut self, end: bool) -> &mut Self {
        self.request.handle_head(Dir::plain(), end).expect("the head is taken");
        self
    }

    pub(crate) fn response_head(&mut self, end: bool) -> &mut Self {
        self.response.handle_head(Dir::plain(), end).expect("the head is taken");
        self
    }

    pub(crate) fn request_data(&mut self, text: &'static str) -> &mut Self {
        self.request.handle_data(Bytes::from_static(text.as_bytes()), false).expect("taken");
        self
    }
}

/// A peer broke off.
pub(crate) fn reset_by(origin: Origin) -> Error {
    Error::new(ErrorKind::Reset, origin)
}

/// All that a side gives out now, and `.` if it is over.
pub(crate) fn sunk<H: Dir>(side: &mut Side<H>) -> String {
    let cx = Context::from_waker(Waker::noop());
    let mut entries = Vec::new();
    loop {
        match side.poll_next(&cx) {
            Poll::Ready(Some(output)) => entries.push(shown(&output)),
            Poll::Ready(None) => {
                entries.push(".".to_owned());
                return entries.join(" ");
            }
            Poll::Pending => return entries.join(" "),
        }
    }
}

fn shown<H: Dir>(output: &Output<H>) -> String {
    match output {
        Output::Informational(head) => render::informational(head),
        Output::Head { head, end_of_stream } => render::head(head, false, *end_of_stream),
        Output::Data(data) => format!("D({})", render::text(data)),
        Output::Trailers(map) => format!("T({})", render::fields(map)),
        Output::End => "end".to_owned(),
        Output::Reply(reply) => format!("reply({})", reply.status().as_u16()),
        Output::Reset(error) => format!("reset({})", render::error(error)),
    }
}
