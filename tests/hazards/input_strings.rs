//! H19 and H24: every short string of inputs, legal or not, with and without empty frames. What
//! must come of each is said by an automaton of a few lines.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Body;
use tidegate::body::FilteredBody;
use tidegate::chain::InputError;
use tidegate::{
    BoundPlan, Capabilities, Chain, Filter, Head, Interest, MessageTraits, Outcome, Output, Plan,
    Verdict, View,
};

use crate::edge::{Source, Step, block_on};
use crate::kit::*;

/// One call of the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Head { end: bool },
    Data { bytes: usize, end: bool },
    End,
    Trailers { fields: usize },
}

const H: Input = Input::Head { end: false };
const H_END: Input = Input::Head { end: true };
const D0: Input = Input::Data { bytes: 0, end: false };
const D0_END: Input = Input::Data { bytes: 0, end: true };
const D1: Input = Input::Data { bytes: 1, end: false };
const D1_END: Input = Input::Data { bytes: 1, end: true };
const T: Input = Input::Trailers { fields: 1 };
const T0: Input = Input::Trailers { fields: 0 };
const E: Input = Input::End;

/// What the automaton knows of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Awaited,
    Open,
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Taken,
    OutOfOrder,
    Ended,
}

/// What a message that is only passed on must come to.
struct Automaton {
    state: State,
    sink: String,
}

impl Automaton {
    fn input(&mut self, input: Input) -> Answer {
        let (state, sunk) = match (self.state, input) {
            (State::Over, _) => return Answer::Ended,
            (State::Awaited, Input::Head { end: false }) => (State::Open, "H"),
            (State::Awaited, Input::Head { end: true }) => (State::Over, "H."),
            (State::Awaited, _) | (State::Open, Input::Head { .. }) => return Answer::OutOfOrder,
            (State::Open, Input::Data { bytes: 0, end: false }) => (State::Open, ""),
            (State::Open, Input::Data { bytes: 0, end: true } | Input::End) => (State::Over, "."),
            (State::Open, Input::Data { end: false, .. }) => (State::Open, "d"),
            (State::Open, Input::Data { end: true, .. }) => (State::Over, "d."),
            // An empty map is a plain end.
            (State::Open, Input::Trailers { fields: 0 }) => (State::Over, "."),
            (State::Open, Input::Trailers { .. }) => (State::Over, "T."),
        };
        self.state = state;
        self.sink.push_str(sunk);
        Answer::Taken
    }
}

fn trailers(fields: usize) -> HeaderMap {
    let field = (HeaderName::from_static("x-check"), HeaderValue::from_static("1"));
    HeaderMap::from_iter((0..fields).map(|_| field.clone()))
}

fn give<D: Dir>(chain: &mut Chain<D>, input: Input) -> Answer {
    let given = match input {
        Input::Head { end } => chain.handle_head(D::plain(), end),
        Input::Data { bytes, end } => chain.handle_data(Bytes::from_static(&b"d"[..bytes]), end),
        Input::End => chain.handle_end(),
        Input::Trailers { fields } => chain.handle_trailers(trailers(fields)),
    };
    match given {
        Ok(()) => Answer::Taken,
        Err(InputError::OutOfOrder) => Answer::OutOfOrder,
        Err(InputError::Ended) => Answer::Ended,
        Err(other) => panic!("the sink is open, so data is wanted: {other:?}"),
    }
}

/// Takes all there is; never more than a few outputs.
fn drain<D: Dir>(chain: &mut Chain<D>, sink: &mut String) {
    for _ in 0..64 {
        match chain.poll_output() {
            Some(Output::Head { end_of_stream, .. }) => {
                sink.push_str(if end_of_stream { "H." } else { "H" });
            }
            Some(Output::Data(data)) => {
                assert!(!data.is_empty(), "data is never empty");
                sink.push_str(&String::from_utf8_lossy(&data));
            }
            Some(Output::Trailers(fields)) => {
                assert_eq!(fields, trailers(1));
                sink.push_str("T.");
            }
            Some(Output::End) => sink.push('.'),
            Some(_) => sink.push('!'),
            None if chain.has_work() => {}
            None => return,
        }
    }
    panic!("the chain does not come to rest");
}

/// The ways in which a filter may be in between and yet change nothing.
#[derive(Debug, Clone, Copy)]
enum Between {
    Nobody,
    /// Passes all it is asked about.
    Passes,
    /// Looks at nothing, or only at one kind of frame.
    Looks(Interest),
    /// Holds what comes, and lets go when it is asked again, which is at once.
    Holds,
    /// The same, and the engine does not ask it in between.
    HoldsQuietly,
    /// Two that hold, the second quietly.
    TwoHold,
}

const BETWEEN: [Between; 8] = [
    Between::Nobody,
    Between::Passes,
    Between::Looks(Interest::NONE),
    Between::Looks(Interest::HEAD),
    Between::Looks(Interest::TRAILERS),
    Between::Holds,
    Between::HoldsQuietly,
    Between::TwoHold,
];

impl Between {
    /// How long the strings are: all of five inputs where most can go wrong.
    fn longest(self) -> u32 {
        match self {
            Self::Nobody | Self::TwoHold => 5,
            Self::Passes | Self::Looks(_) | Self::Holds | Self::HoldsQuietly => 4,
        }
    }
}

/// Answers everything but a resume with one verdict.
struct Answers {
    verdict: Verdict,
    interest: Interest,
}

impl<D: Head> Filter<D> for Answers {
    fn declare(&self) -> tidegate::Declaration {
        tidegate::Declaration::new().interest(self.interest).prefer(tidegate::Capability::HoldHead)
    }

    fn head(&mut self, _: &mut View<'_, D>) -> Verdict {
        self.verdict
    }

    fn data(&mut self, _: &mut View<'_, D>) -> Verdict {
        self.verdict
    }

    fn trailers(&mut self, _: &mut View<'_, D>) -> Verdict {
        self.verdict
    }

    fn resume(&mut self, _: &mut View<'_, D>) -> Verdict {
        PASS
    }
}

fn plan_of<D: Dir>(between: Between) -> BoundPlan<D> {
    let (verdicts, interest): (&[Verdict], _) = match between {
        Between::Nobody => (&[], Interest::ALL),
        Between::Passes => (&[PASS], Interest::ALL),
        Between::Looks(interest) => (&[PASS], interest),
        Between::Holds => (&[HOLD], Interest::ALL),
        Between::HoldsQuietly => (&[SAW], Interest::ALL),
        Between::TwoHold => (&[HOLD, SAW], Interest::ALL),
    };
    let mut plan = Plan::builder();
    for (&verdict, name) in verdicts.iter().zip(["A", "B"]) {
        plan = plan.filter(name, move || Answers { verdict, interest });
    }
    plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge that can do it")
}

/// A string of inputs, shown where one fails.
struct Shown<'a>(&'a [Input], Between);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} with {:?}", self.0, self.1)
    }
}

fn play<D: Dir>(plan: &BoundPlan<D>, between: Between, inputs: &[Input]) {
    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
    let mut expected = Automaton { state: State::Awaited, sink: String::new() };
    let mut sink = String::new();
    let shown = Shown(inputs, between);
    for (step, &input) in inputs.iter().enumerate() {
        let answer = give(&mut chain, input);
        // Whoever holds is asked until nothing is held any more.
        for _ in 0..8 {
            for station in 0..chain.len() {
                chain.handle_resume(station);
            }
        }
        drain(&mut chain, &mut sink);
        let must = expected.input(input);
        assert_eq!(answer, must, "step {step} of {shown}");
        assert_eq!(sink, expected.sink, "step {step} of {shown}");
        assert_eq!(chain.held_bytes(), 0, "step {step} of {shown}");
    }
    let over = expected.state == State::Over;
    assert_eq!(chain.outcome().is_some_and(Outcome::is_complete), over, "{shown}");
    assert_eq!(chain.outcome().is_some(), over, "{shown}");
    assert_eq!(chain.is_end_stream(), over, "{shown}");
    assert_eq!(chain.wants_input(), expected.state == State::Open, "{shown}");
}

/// Calls `with` with every string over `alphabet` of `len` letters, behind `start`.
fn each_string(alphabet: &[Input], start: &[Input], len: u32, mut with: impl FnMut(&[Input])) {
    let mut string = start.to_vec();
    for mut number in 0..alphabet.len().pow(len) {
        string.truncate(start.len());
        for _ in 0..len {
            string.push(alphabet[number % alphabet.len()]);
            number /= alphabet.len();
        }
        with(&string);
    }
}

/// Envoy CVE-2026-73513 (trailers out of place, use after free), h2 #899 (frames before HEADERS):
/// every string of five inputs, most of them illegal. What may not be is a typed error and changes
/// nothing; it never panics, and what may be goes on as if the rest had not been.
fn h19_inputs_where_none_may_be_are_typed_errors<D: Dir>() {
    let alphabet = [H, H_END, D1, D1_END, T, E];
    for between in BETWEEN {
        let plan = plan_of::<D>(between);
        for len in 0..=between.longest() {
            each_string(&alphabet, &[], len, |inputs| play(&plan, between, inputs));
        }
    }
}

/// Envoy #44201 (an empty chunked body hung), CVE-2026-47221, hyper #1267 (an empty chunk looped):
/// every string of five over empty frames and full ones, with ends of every kind. An empty frame
/// without an end is nothing, and one with an end is the end, once.
fn h24_empty_frames_are_nothing_and_ends_come_once<D: Dir>() {
    let alphabet = [D0, D0_END, D1, D1_END, T, T0];
    for between in BETWEEN {
        let plan = plan_of::<D>(between);
        for len in 0..=between.longest() {
            each_string(&alphabet, &[H], len, |inputs| play(&plan, between, inputs));
        }
    }
}

/// The frames of a body behind the edge, as `d`, `T` and `.`; panics at an empty one.
fn collected<D: Dir>(steps: Vec<Step>, tells_end: bool) -> String {
    let mut source = Source::new(steps);
    if tells_end {
        source = source.telling_end();
    }
    let plan = plan_of::<D>(Between::Passes);
    let chain = plan.chain(MessageTraits::new()).expect("a chain");
    let mut body = FilteredBody::new(chain, D::plain(), source);
    block_on(async move {
        let opening = poll_fn(|cx| Pin::new(&mut body).poll_head(cx)).await;
        opening.expect("no filter fails it");
        let mut frames = String::new();
        while !body.is_end_stream() {
            match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                Some(frame) => match frame.expect("nothing fails").into_data() {
                    Ok(data) => {
                        assert!(!data.is_empty(), "an empty frame ends a chunked body");
                        frames.push_str(&String::from_utf8_lossy(&data));
                    }
                    Err(_) => frames.push('T'),
                },
                None => break,
            }
        }
        frames.push('.');
        frames
    })
}

/// pingora: an empty chunk ends a chunked body on the wire. So none leaves the edge, whatever the
/// source gives, and whether or not it tells its end.
fn h24_no_empty_frame_leaves_the_edge<D: Dir>() {
    let letters = [Step::Data(b""), Step::Data(b"d"), Step::Yield];
    for len in 0..=4 {
        for mut number in 0..letters.len().pow(len) {
            let mut steps = Vec::new();
            for _ in 0..len {
                steps.push(letters[number % letters.len()].clone());
                number /= letters.len();
            }
            let data = |step: &Step| matches!(step, Step::Data(data) if !data.is_empty());
            let mut expected = "d".repeat(steps.iter().filter(|step| data(step)).count());
            for tells_end in [false, true] {
                let frames = collected::<D>(steps.clone(), tells_end);
                assert_eq!(frames, format!("{expected}."), "{steps:?}, {tells_end}");
            }
            steps.push(Step::Trailers("1"));
            expected.push_str("T.");
            assert_eq!(collected::<D>(steps.clone(), false), expected, "{steps:?}");
        }
    }
}

both!(
    h19_inputs_where_none_may_be_are_typed_errors,
    h24_empty_frames_are_nothing_and_ends_come_once,
    h24_no_empty_frame_leaves_the_edge,
);
