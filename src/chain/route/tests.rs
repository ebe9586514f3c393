use core::mem;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, request, response};

use super::{Entry, Next, Route};
use crate::chain::{Chain, MessageTraits, Output, Plan, Stats};
use crate::error::{Error, ErrorKind, Origin, Timeout};
use crate::filter::{
    Capabilities, Capability, Declaration, Filter, Head, LocalReply, ResultError, Verdict, View,
};
use crate::frame::Outcome;
use crate::sync::{Arc, Mutex, lock};
use crate::watermark::Marks;

type Log = Arc<Mutex<Vec<String>>>;

fn note(log: &Log, text: impl Into<String>) {
    lock(log).push(text.into());
}

/// What was noted since the last time.
fn taken(log: &Log) -> String {
    mem::take(&mut *lock(log)).join(" ")
}

/// Answers what it was given.
struct Script {
    log: Log,
    first: Next,
    /// By station: where its head goes on success, and with its first result.
    next: Vec<[Next; 2]>,
    reply_place: usize,
    /// Where the answer to a failure comes in.
    rescue_place: Option<usize>,
}

impl Script {
    /// Straight on through `stations`, except for what is changed afterwards.
    fn straight(log: &Log, stations: usize) -> Self {
        let behind = |k| if k + 1 < stations { Next::Station(k + 1) } else { Next::Sink };
        Self {
            log: Arc::clone(log),
            first: Next::Station(0),
            next: (0..stations).map(|k| [behind(k); 2]).collect(),
            reply_place: stations,
            rescue_place: None,
        }
    }
}

impl<H: Head> Route<H> for Script {
    fn enter(&mut self, _: &H, entry: Entry<'_>) -> Next {
        note(
            &self.log,
            format!(
                "enter:{}",
                match entry {
                    Entry::Message => "message".to_owned(),
                    Entry::Reply => "reply".to_owned(),
                    Entry::Answer(error) => format!("{}", error.kind()),
                }
            ),
        );
        self.first
    }

    fn leave(&mut self, k: usize, result: Option<u8>) -> Next {
        note(&self.log, format!("leave:{k}:{result:?}"));
        self.next[k][usize::from(result.is_some())]
    }

    fn replied(&mut self, k: Option<usize>, result: Option<u8>) -> usize {
        note(&self.log, format!("replied:{k:?}:{result:?}"));
        self.reply_place
    }

    fn failed(&mut self, error: &Error) -> Option<(usize, LocalReply)> {
        note(&self.log, format!("failed:{}", error.kind()));
        Some((self.rescue_place?, LocalReply::new(StatusCode::BAD_GATEWAY)))
    }

    fn closed(&mut self, outcome: &Outcome, _: &Stats, arrived_bytes: &[u64]) {
        let how = match outcome {
            Outcome::Complete { .. } => "complete".to_owned(),
            Outcome::Failed(error) => format!("failed({})", error.kind()),
            Outcome::Replaced { by, status } => format!("replaced({by:?},{status})"),
            Outcome::Reset(_) => "reset".to_owned(),
            Outcome::TimedOut(_) => "timed-out".to_owned(),
            Outcome::Stalled(_) => "stalled".to_owned(),
            Outcome::Limit(_) => "limit".to_owned(),
            Outcome::EndUnseen => "end-unseen".to_owned(),
            Outcome::Cancelled => "cancelled".to_owned(),
        };
        note(&self.log, format!("closed:{how}:{arrived_bytes:?}"));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Pass,
    /// Says its declared result.
    Say,
    SayUndeclared,
    /// Says its result when the head has gone.
    SayLate,
    HoldHead,
    PanicAtHead,
    PanicAtData,
    Reply,
    /// Says its result, and replies.
    SayAndReply,
}

/// A filter that notes all its calls.
struct Noting {
    name: &'static str,
    act: Act,
    log: Log,
}

impl<H: Head> Filter<H> for Noting {
    fn declare(&self) -> Declaration {
        Declaration::new()
            .result("said")
            .require(Capability::HoldHead)
            .require(Capability::ChangeLength)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        note(&self.log, format!("{}:head", self.name));
        match self.act {
            Act::Pass | Act::SayLate | Act::PanicAtData => Verdict::PASS,
            Act::Say => {
                view.set_result("said").unwrap();
                Verdict::PASS
            }
            Act::SayUndeclared => {
                assert_eq!(view.set_result("unheard"), Err(ResultError::Undeclared));
                Verdict::PASS
            }
            Act::HoldHead => Verdict::HOLD,
            Act::PanicAtHead => panic!("planted"),
            Act::Reply => view.reply(LocalReply::text(StatusCode::IM_A_TEAPOT, "tea")),
            Act::SayAndReply => {
                view.set_result("said").unwrap();
                view.reply(LocalReply::text(StatusCode::IM_A_TEAPOT, "tea"))
            }
        }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        note(&self.log, format!("{}:data", self.name));
        match self.act {
            Act::PanicAtData => panic!("planted"),
            Act::SayLate => {
                assert_eq!(view.set_result("said"), Err(ResultError::HeadGone));
                Verdict::PASS
            }
            Act::HoldHead if !view.input_ended() => Verdict::HOLD,
            _ => Verdict::PASS,
        }
    }

    fn close(&mut self, _: &Outcome) {
        note(&self.log, format!("{}:close", self.name));
    }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A chain of noting filters.
fn chain<H: Head>(log: &Log, acts: &[Act]) -> Chain<H> {
    let mut plan = Plan::<H>::builder();
    for (&act, &name) in acts.iter().zip(&NAMES) {
        let log = Arc::clone(log);
        plan = plan.filter(name, move || Noting { name, act, log: Arc::clone(&log) });
    }
    let plan = plan.build().unwrap().bind(Capabilities::ALL).unwrap();
    plan.chain(MessageTraits::new()).unwrap()
}

fn response_head() -> response::Parts {
    Response::new(()).into_parts().0
}

fn request_head() -> request::Parts {
    http::Request::new(()).into_parts().0
}

/// All that the chain gives out, in short.
fn given<H: Head>(chain: &mut Chain<H>, status: impl Fn(&H) -> String) -> String {
    let mut given = Vec::new();
    while let Some(output) = chain.poll_output() {
        given.push(match output {
            Output::Head { head, end_of_stream } => {
                format!("head({}{})", status(&head), if end_of_stream { ",end" } else { "" })
            }
            Output::Informational(_) => "1xx".to_owned(),
            Output::Data(data) => format!("data({})", data.len()),
            Output::Trailers(_) => "trailers".to_owned(),
            Output::End => "end".to_owned(),
            Output::Reply(reply) => format!("reply({})", reply.status().as_u16()),
            Output::Reset(error) => format!("reset({})", error.kind()),
        });
    }
    given.join(" ")
}

fn answered(chain: &mut Chain<response::Parts>) -> String {
    given(chain, |head| head.status.as_u16().to_string())
}

fn sent(chain: &mut Chain<request::Parts>) -> String {
    given(chain, |_| "request".to_owned())
}

#[test]
fn a_station_that_is_left_out_is_never_called_and_what_passes_goes_by() {
    let log = Log::default();
    let mut chain = chain::<response::Parts>(&log, &[Act::Say, Act::HoldHead, Act::Pass]);
    let mut script = Script::straight(&log, 3);
    script.next[0][1] = Next::Station(2);
    chain.set_route(Box::new(script));
    chain.handle_head(response_head(), false).unwrap();
    chain.handle_data(Bytes::from_static(b"12345"), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("x", "y".parse().unwrap());
    chain.handle_trailers(trailers).unwrap();
    assert_eq!(answered(&mut chain), "head(200) data(5) trailers");
    assert_eq!(
        taken(&log),
        "enter:message a:head leave:0:Some(0) c:head leave:2:None a:data c:data a:data c:data \
         a:close c:close closed:complete:[5, 5, 5, 5]"
    );
}

#[test]
fn a_head_can_come_in_further_on_or_go_straight_to_the_sink() {
    for (first, calls) in [(Next::Station(1), "b:head leave:1:None"), (Next::Sink, "")] {
        let log = Log::default();
        let mut chain = chain::<response::Parts>(&log, &[Act::Pass, Act::Pass]);
        chain.set_route(Box::new(Script { first, ..Script::straight(&log, 2) }));
        chain.handle_head(response_head(), true).unwrap();
        assert_eq!(answered(&mut chain), "head(200,end)");
        let expected = format!("enter:message {calls}");
        assert!(taken(&log).starts_with(expected.trim_end()), "{first:?}");
    }
}

#[test]
fn a_request_can_be_answered_without_an_upstream() {
    let log = Log::default();
    let mut chain = chain::<request::Parts>(&log, &[Act::Say, Act::Pass]);
    let mut script = Script::straight(&log, 2);
    script.next[0][1] = Next::Answer(StatusCode::SERVICE_UNAVAILABLE);
    chain.set_route(Box::new(script));
    chain.handle_head(request_head(), false).unwrap();
    assert_eq!(sent(&mut chain), "reply(503)");
    assert!(!chain.wants_input());
    assert_eq!(
        taken(&log),
        "enter:message a:head leave:0:Some(0) a:close closed:replaced(Some(\"a\"),503 Service \
         Unavailable):[0, 0, 0]"
    );
}

#[test]
fn a_result_that_was_not_declared_fails_the_message() {
    let log = Log::default();
    let mut chain = chain::<request::Parts>(&log, &[Act::SayUndeclared, Act::Pass]);
    chain.set_route(Box::new(Script::straight(&log, 2)));
    chain.handle_head(request_head(), true).unwrap();
    let kind = ErrorKind::Undeclared { capability: "result" };
    assert_eq!(sent(&mut chain), format!("reset({kind})"));
    assert!(!taken(&log).contains("leave"));
}

#[test]
fn a_result_comes_too_late_when_the_head_has_gone() {
    let log = Log::default();
    let mut chain = chain::<response::Parts>(&log, &[Act::SayLate]);
    chain.set_route(Box::new(Script::straight(&log, 1)));
    chain.handle_head(response_head(), false).unwrap();
    chain.handle_data(Bytes::from_static(b"1"), true).unwrap();
    assert_eq!(answered(&mut chain), "head(200) data(1) end");
}

#[test]
fn a_reply_comes_in_where_the_route_says() {
    for (act, result) in [(Act::Reply, "None"), (Act::SayAndReply, "Some(0)")] {
        let log = Log::default();
        let mut chain = chain::<response::Parts>(&log, &[act, Act::Pass, Act::Pass]);
        chain.set_route(Box::new(Script { reply_place: 2, ..Script::straight(&log, 3) }));
        chain.handle_head(response_head(), false).unwrap();
        assert_eq!(answered(&mut chain), "head(418) data(3) end");
        assert_eq!(
            taken(&log),
            format!(
                "enter:message a:head replied:Some(0):{result} c:head leave:2:None c:data a:close \
                 c:close closed:replaced(Some(\"a\"),418 I'm a teapot):[0, 0, 3, 3]"
            )
        );
    }
}

#[test]
fn a_reply_never_comes_in_before_a_station_that_has_had_a_head() {
    let log = Log::default();
    let acts = [Act::Pass, Act::HoldHead, Act::Pass];
    for place in 0..=3 {
        let mut chain = chain::<response::Parts>(&log, &acts);
        chain.set_route(Box::new(Script { reply_place: place, ..Script::straight(&log, 3) }));
        chain.handle_head(response_head(), false).unwrap();
        chain.handle_reply(LocalReply::new(StatusCode::IM_A_TEAPOT));
        // The end of an empty reply is a call of its own where the head passed by alone.
        assert_eq!(answered(&mut chain), "head(418,end)", "{place}");
        let calls = taken(&log);
        assert_eq!(calls.contains("c:head"), place == 2, "{place}: {calls}");
        assert_eq!(calls.matches("a:head").count(), 1, "{place}: {calls}");
    }
}

#[test]
fn a_reply_from_outside_comes_in_by_the_route_if_nothing_was_there() {
    let log = Log::default();
    let mut chain = chain::<response::Parts>(&log, &[Act::Pass, Act::Pass]);
    chain.set_route(Box::new(Script { first: Next::Station(1), ..Script::straight(&log, 2) }));
    chain.handle_reply(LocalReply::new(StatusCode::NOT_FOUND));
    assert_eq!(answered(&mut chain), "head(404,end)");
    assert!(taken(&log).starts_with("enter:reply b:head leave:1:None b:close closed:replaced"));
}

#[test]
fn an_answer_says_to_what_it_is_one() {
    let log = Log::default();
    let mut chain = chain::<response::Parts>(&log, &[Act::Pass]);
    chain.set_route(Box::new(Script::straight(&log, 1)));
    let error = Error::new(ErrorKind::TimedOut(Timeout::Total), Origin::Internal);
    chain.handle_answer(LocalReply::new(StatusCode::GATEWAY_TIMEOUT), &error);
    assert_eq!(answered(&mut chain), "head(504,end)");
    assert!(taken(&log).starts_with("enter:total timeout a:head"));
}

/// What makes a message fail whose head stands at the first station.
fn fail_by(how: &str, chain: &mut Chain<response::Parts>) {
    match how {
        "panic" | "stall" => {}
        "timeout" => chain.handle_timeout(Timeout::Hold),
        "reset" => chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream)),
        _ => unreachable!("{how}"),
    }
}

#[test]
fn stations_that_have_had_no_head_see_the_answer_to_a_failure() {
    for (how, act, outcome) in [
        ("panic", Act::PanicAtHead, "failed(a filter panicked)"),
        ("timeout", Act::HoldHead, "timed-out"),
        ("reset", Act::HoldHead, "reset"),
        ("stall", Act::HoldHead, "stalled"),
    ] {
        let log = Log::default();
        let mut plan = Plan::<response::Parts>::builder();
        for (act, name) in [(act, "a"), (Act::Pass, "b"), (Act::Pass, "c")] {
            let log = Arc::clone(&log);
            plan = plan.filter(name, move || Noting { name, act, log: Arc::clone(&log) });
        }
        // Two bytes are over the mark: a holder without a handle is stuck then.
        let declared = || {
            let log = Log::default();
            Noting { name: "d", act: Act::Pass, log }
        };
        let plan = plan.filter("d", declared).build().unwrap();
        let mut chain = plan.bind(Capabilities::ALL).unwrap().chain(MessageTraits::new()).unwrap();
        chain.set_route(Box::new(Script { rescue_place: Some(2), ..Script::straight(&log, 4) }));
        chain.handle_head(response_head(), false).unwrap();
        if how == "stall" {
            chain.set_marks(0, Marks::new(1, 1).unwrap());
            chain.handle_data(Bytes::from_static(b"12"), false).unwrap();
        }
        fail_by(how, &mut chain);
        let given = answered(&mut chain);
        assert_eq!(given, "head(502,end)", "{how}");
        assert!(chain.is_end_stream(), "{how}: the sink was given a whole answer");
        let calls = taken(&log);
        assert!(calls.contains("failed:") && calls.contains("c:head"), "{how}: {calls}");
        assert!(!calls.contains("b:"), "{how}: {calls}");
        assert_eq!(calls.contains("a:close"), how != "panic", "{how}: {calls}");
        assert!(calls.contains(&format!("closed:{outcome}:")), "{how}: {calls}");
    }
}

#[test]
fn a_failure_behind_the_last_head_call_ends_the_message() {
    let log = Log::default();
    let mut chain = chain::<response::Parts>(&log, &[Act::PanicAtData, Act::Pass]);
    chain.set_route(Box::new(Script { rescue_place: Some(1), ..Script::straight(&log, 2) }));
    chain.handle_head(response_head(), false).unwrap();
    chain.handle_data(Bytes::from_static(b"1"), false).unwrap();
    assert_eq!(answered(&mut chain), format!("reset({})", ErrorKind::Panicked));
    let calls = taken(&log);
    assert!(!calls.contains("failed:"), "nobody is left to see an answer: {calls}");
    assert_eq!(calls.matches("closed:").count(), 1, "{calls}");
}

#[test]
fn a_message_is_saved_once() {
    let log = Log::default();
    let acts = [Act::PanicAtHead, Act::PanicAtHead, Act::Pass];
    let mut chain = chain::<response::Parts>(&log, &acts);
    chain.set_route(Box::new(Script { rescue_place: Some(1), ..Script::straight(&log, 3) }));
    chain.handle_head(response_head(), false).unwrap();
    assert_eq!(answered(&mut chain), format!("reset({})", ErrorKind::Panicked));
    let calls = taken(&log);
    assert_eq!(calls.matches("failed:").count(), 1, "{calls}");
    assert_eq!(calls.matches("closed:").count(), 1, "{calls}");
}

#[test]
fn a_request_that_fails_is_not_saved() {
    let log = Log::default();
    let mut chain = chain::<request::Parts>(&log, &[Act::PanicAtHead, Act::Pass]);
    chain.set_route(Box::new(Script::straight(&log, 2)));
    chain.handle_head(request_head(), false).unwrap();
    assert_eq!(sent(&mut chain), format!("reset({})", ErrorKind::Panicked));
    assert!(taken(&log).contains("closed:failed"));
}

#[test]
fn a_route_is_told_the_end_of_a_chain_that_is_dropped() {
    for begun in [false, true] {
        let log = Log::default();
        let mut chain = chain::<response::Parts>(&log, &[Act::HoldHead]);
        chain.set_route(Box::new(Script::straight(&log, 1)));
        if begun {
            chain.handle_head(response_head(), false).unwrap();
        }
        drop(chain);
        let calls = taken(&log);
        assert!(calls.ends_with("closed:cancelled:[0, 0]"), "{calls}");
    }
}

#[test]
fn a_route_is_told_at_once_of_a_chain_that_could_not_be_made() {
    let log = Log::default();
    let make = Arc::new(Mutex::new(0));
    let plan = Plan::<response::Parts>::builder().filter("a", move || {
        *lock(&make) += 1;
        // The first is made for the declaration.
        assert!(*lock(&make) == 1, "planted");
        Noting { name: "a", act: Act::Pass, log: Log::default() }
    });
    let plan = plan.build().unwrap().bind(Capabilities::ALL).unwrap();
    let mut chain = plan.chain(MessageTraits::new()).unwrap();
    chain.set_route(Box::new(Script::straight(&log, 1)));
    assert_eq!(taken(&log), format!("closed:failed({}):[0, 0]", ErrorKind::Panicked));
    drop(chain);
    assert_eq!(taken(&log), "");
}

#[test]
fn informational_heads_go_by_a_chain_with_a_route() {
    let log = Log::default();
    let mut chain = chain::<response::Parts>(&log, &[Act::Pass]);
    chain.set_route(Box::new(Script::straight(&log, 1)));
    let mut early = response_head();
    early.status = StatusCode::EARLY_HINTS;
    chain.handle_informational(early).unwrap();
    chain.handle_head(response_head(), true).unwrap();
    assert_eq!(answered(&mut chain), "1xx head(200,end)");
    assert!(taken(&log).starts_with("enter:message a:head leave:0:None"));
}

/// Says a result in the first message only, and holds its head.
struct SaysOnce(Arc<Mutex<u32>>);

impl<H: Head> Filter<H> for SaysOnce {
    fn declare(&self) -> Declaration {
        Declaration::new().result("said").require(Capability::HoldHead)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        let mut messages = lock(&self.0);
        *messages += 1;
        if *messages == 1 {
            view.set_result("said").unwrap();
            return Verdict::HOLD;
        }
        Verdict::PASS
    }
}

#[test]
fn what_was_said_in_one_message_is_not_heard_in_the_next() {
    let log = Log::default();
    let messages = Arc::new(Mutex::new(0));
    let plan = Plan::<response::Parts>::builder()
        .filter("a", move || SaysOnce(Arc::clone(&messages)))
        .keep_chains(1)
        .build()
        .unwrap();
    let bound = plan.bind(Capabilities::ALL).unwrap();
    for calls in ["enter:message closed:cancelled", "enter:message leave:0:None"] {
        let mut chain = bound.chain(MessageTraits::new()).unwrap();
        chain.set_route(Box::new(Script::straight(&log, 1)));
        chain.handle_head(response_head(), true).unwrap();
        drop(chain);
        let told = taken(&log);
        assert!(told.starts_with(calls), "{told}");
    }
    assert_eq!(plan.recycling().reused, 1);
}

/// Holds, edits and passes at random, and counts what it is shown.
struct Counting {
    k: usize,
    rng: u64,
    shown_bytes: Arc<Mutex<Vec<u64>>>,
}

impl Counting {
    fn next(&mut self, below: u64) -> u64 {
        self.rng = self.rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.rng >> 33) % below
    }
}

impl<H: Head> Filter<H> for Counting {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength).require(Capability::EditBytes)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        lock(&self.shown_bytes)[self.k] += view.new_bytes() as u64;
        let len = view.body().len();
        match self.next(8) {
            0 => drop(view.push(Bytes::from(vec![1; 1 + self.next(40) as usize]))),
            1 => drop(view.remove(0..len.min(self.next(40) as usize))),
            2 => drop(view.replace(0..len.min(7), Bytes::from(vec![2; self.next(9) as usize]))),
            3 => drop(view.take()),
            _ => {}
        }
        match self.next(4) {
            _ if view.input_ended() => Verdict::PASS,
            0 => Verdict::HOLD,
            1 => Verdict::pass_first(self.next(20) as usize),
            _ => Verdict::PASS,
        }
    }
}

#[test]
fn what_came_to_each_station_is_what_its_filter_was_shown() {
    let mut edits_seen = false;
    for seed in 0..2_000 {
        let log = Log::default();
        let shown_bytes = Arc::new(Mutex::new(vec![0u64; 3]));
        let mut plan = Plan::<response::Parts>::builder();
        for (k, name) in NAMES.into_iter().take(3).enumerate() {
            let shown_bytes = Arc::clone(&shown_bytes);
            plan = plan.filter(name, move || Counting {
                k,
                rng: seed * 31 + k as u64,
                shown_bytes: Arc::clone(&shown_bytes),
            });
        }
        let plan = plan.build().unwrap().bind(Capabilities::ALL).unwrap();
        let mut chain = plan.chain(MessageTraits::new()).unwrap();
        chain.set_route(Box::new(Script::straight(&log, 3)));
        let mut sizes = Counting { k: 0, rng: seed, shown_bytes: Arc::default() };
        chain.handle_head(response_head(), false).unwrap();
        let mut out_bytes = 0;
        let mut drain = |chain: &mut Chain<response::Parts>| {
            while let Some(output) = chain.poll_output() {
                if let Output::Data(data) = output {
                    out_bytes += data.len() as u64;
                }
            }
        };
        drain(&mut chain);
        for _ in 0..sizes.next(12) {
            let len = sizes.next(60) as usize;
            chain.handle_data(Bytes::from(vec![0; len]), false).unwrap();
            // Chunks that wait in the output queue do not take the fast path.
            if sizes.next(3) != 0 {
                drain(&mut chain);
            }
        }
        chain.handle_end().unwrap();
        drain(&mut chain);
        let mut expected = lock(&shown_bytes).clone();
        expected.push(out_bytes);
        let calls = taken(&log);
        assert!(calls.ends_with(&format!("closed:complete:{expected:?}")), "{seed}: {calls}");
        edits_seen |= expected[0] != expected[3];
    }
    assert!(edits_seen);
}
