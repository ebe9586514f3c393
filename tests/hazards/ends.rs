//! H25, H26, H28, H30, H31: how messages end. One that was cut never looks whole, one that is whole
//! stays readable, each direction ends for itself, every filter is told once, and nothing is left
//! for the next message.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, request, response};
use tidegate::exchange::{EarlyResponse, ExchangePlan, Observer, RequestSide, ResponseSide, Side};
use tidegate::{
    BoundPlan, Capabilities, Capability, Chain, Declaration, Error, ErrorKind, Filter, LocalReply,
    MessageTraits, Origin, Outcome, Output, Plan, ResumeHandle, Timeout, Verdict, View,
};

use crate::kit::{Dir, both};

/// When a filter lets go what it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    Nothing,
    Head,
    Data,
    /// Everything, until it is resumed from outside.
    All,
}

const KEEPS: [Keeps; 4] = [Keeps::Nothing, Keeps::Head, Keeps::Data, Keeps::All];

/// What filters tell.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    /// The numbers of those that were called.
    started: Vec<usize>,
    /// Number and outcome, in the order of the calls.
    closes: Vec<(usize, String)>,
    handles: Vec<ResumeHandle>,
}

impl Told {
    fn with<T>(&self, work: impl FnOnce(&mut Notes) -> T) -> T {
        work(&mut self.0.lock().expect("no filter panics"))
    }

    fn resume_all(&self) {
        let handles = self.with(|notes| notes.handles.clone());
        for handle in &handles {
            let _ = handle.resume();
        }
    }
}

struct Keeper {
    number: usize,
    keeps: Keeps,
    told: Told,
    started: bool,
    closed: bool,
}

impl Keeper {
    fn call<H: Dir>(&mut self, view: &mut View<'_, H>, keeps: bool) -> Verdict {
        assert!(!self.closed, "called after its close");
        if !std::mem::replace(&mut self.started, true) {
            let handle = view.resume_handle();
            self.told.with(|notes| {
                notes.started.push(self.number);
                notes.handles.push(handle);
            });
        }
        let keeps = keeps && (self.keeps == Keeps::All || !view.input_ended());
        if keeps { Verdict::HOLD } else { Verdict::PASS }
    }
}

impl<H: Dir> Filter<H> for Keeper {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::HoldHead).require(Capability::KeepToEnd)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        let keeps = matches!(self.keeps, Keeps::Head | Keeps::All);
        self.call(view, keeps)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let keeps = matches!(self.keeps, Keeps::Data | Keeps::All);
        self.call(view, keeps)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(view, true)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(view, false)
    }

    fn recycle(&mut self) -> bool {
        self.started = false;
        self.closed = false;
        true
    }

    fn close(&mut self, outcome: &Outcome) {
        assert!(!self.closed, "closed twice");
        self.closed = true;
        self.told.with(|notes| notes.closes.push((self.number, format!("{outcome:?}"))));
    }
}

fn plan<H: Dir>(keeps: &[Keeps], told: &Told) -> BoundPlan<H> {
    let plan = keeps.iter().copied().enumerate().fold(Plan::builder(), |plan, (number, keeps)| {
        let told = told.clone();
        plan.filter(format!("{keeps:?} {number}"), move || Keeper {
            number,
            keeps,
            told: told.clone(),
            started: false,
            closed: false,
        })
    });
    let plan = plan.keep_chains(2).build().expect("a plan");
    plan.bind(Capabilities::ALL).expect("an edge")
}

/// All lists of up to two filters.
fn lists() -> Vec<Vec<Keeps>> {
    let pairs = KEEPS.iter().flat_map(|first| KEEPS.iter().map(|second| vec![*first, *second]));
    [vec![]].into_iter().chain(KEEPS.iter().map(|one| vec![*one])).chain(pairs).collect()
}

/// What a sink was given.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sunk {
    head: bool,
    body: Vec<u8>,
    whole: bool,
    cut: bool,
}

impl Sunk {
    fn put<H>(&mut self, output: Output<H>) {
        assert!(!self.whole && !self.cut, "an output behind the end");
        match output {
            Output::Head { end_of_stream, .. } => {
                self.head = true;
                self.whole = end_of_stream;
            }
            Output::Data(data) => self.body.extend_from_slice(&data),
            Output::Trailers(_) | Output::End => self.whole = true,
            Output::Reset(_) | Output::Reply(_) => self.cut = true,
            Output::Informational(_) => panic!("none was given"),
        }
    }

    fn take<H: Dir>(&mut self, chain: &mut Chain<H>) {
        while let Some(output) = chain.poll_output() {
            self.put(output);
        }
        assert!(!chain.has_work(), "so little is done in one drive");
    }
}

fn sum() -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert("x-sum", "1".parse().expect("a field value"));
    map
}

/// The inputs of a message of `STEPS` steps: head, two pieces, and an end, with trailers or alone.
const STEPS: usize = 4;

fn step<H: Dir>(chain: &mut Chain<H>, at: usize, trailers: bool) {
    match at {
        0 => chain.handle_head(H::plain(), false),
        1 => chain.handle_data(Bytes::from_static(b"one"), false),
        2 => chain.handle_data(Bytes::from_static(b"two"), false),
        _ if trailers => chain.handle_trailers(sum()),
        _ => chain.handle_end(),
    }
    .expect("an input in order");
}

/// How a message is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Reset,
    Abort,
    Timeout,
    Cancel,
    Drop,
    Reply,
}

const CUTS: [Cut; 6] = [Cut::Reset, Cut::Abort, Cut::Timeout, Cut::Cancel, Cut::Drop, Cut::Reply];

fn cut_off<H: Dir>(mut chain: Chain<H>, cut: Cut, sunk: &mut Sunk) -> Option<Outcome> {
    let broken = Error::new(ErrorKind::Reset, Origin::Upstream);
    match cut {
        Cut::Reset => chain.handle_reset(broken),
        Cut::Abort => chain.abort(broken),
        Cut::Timeout => chain.handle_timeout(Timeout::Idle),
        Cut::Cancel => chain.cancel(),
        Cut::Drop => return None,
        Cut::Reply => chain.handle_reply(LocalReply::new(StatusCode::FORBIDDEN)),
    }
    sunk.take(&mut chain);
    chain.outcome().cloned()
}

/// hyper #4069 (a dispatcher that was dropped looked like a clean end), h2 #810, dragonfly #1959
/// (the right length, the wrong bytes): a producer that goes away at any step, behind any filters.
fn h25_a_producer_that_goes_away_is_never_an_end<H: Dir>() {
    for keeps in lists() {
        for steps in 0..STEPS {
            for cut in [Cut::Reset, Cut::Abort, Cut::Timeout, Cut::Cancel, Cut::Drop] {
                let told = Told::default();
                let mut chain =
                    plan::<H>(&keeps, &told).chain(MessageTraits::new()).expect("a chain");
                let mut sunk = Sunk::default();
                for at in 0..steps {
                    step(&mut chain, at, false);
                    sunk.take(&mut chain);
                    assert!(!chain.is_end_stream());
                }
                let outcome = cut_off(chain, cut, &mut sunk);
                let case = format!("{keeps:?}, {cut:?} after {steps} steps");
                assert!(!sunk.whole, "{case}: {sunk:?}");
                assert!(b"onetwo".starts_with(&sunk.body[..]), "{case}: {sunk:?}");
                assert!(!outcome.is_some_and(|outcome| outcome.is_complete()), "{case}");
                let closes = told.with(|notes| std::mem::take(&mut notes.closes));
                assert!(closes.iter().all(|(_, told)| !told.contains("Complete")), "{case}");
            }
        }
    }
}

/// h2 #922, hyper #3998 (a reset behind the end lost a whole message): what has come in whole is
/// given out whole, whatever the source does then, and however late the sink comes.
fn h26_what_is_complete_stays_readable<H: Dir>() {
    for keeps in lists() {
        for trailers in [false, true] {
            let told = Told::default();
            let mut chain = plan::<H>(&keeps, &told).chain(MessageTraits::new()).expect("a chain");
            for at in 0..STEPS {
                step(&mut chain, at, trailers);
            }
            chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
            let mut sunk = Sunk::default();
            sunk.take(&mut chain);
            // Those that keep all are asked again, one after the other.
            for _ in 0..=keeps.len() {
                told.resume_all();
                chain.handle_resumes();
                chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
                sunk.take(&mut chain);
            }
            let case = format!("{keeps:?}, trailers: {trailers}");
            let whole = Sunk { head: true, body: b"onetwo".to_vec(), whole: true, cut: false };
            assert_eq!(sunk, whole, "{case}");
            assert!(chain.outcome().is_some_and(Outcome::is_complete), "{case}");
        }
    }
}

/// linkerd2 #210 (an end only if trailers were polled), #1003 (a body dropped at its length): every
/// filter that was called gets one close, nobody else any, and all hear the same, in order.
fn h30_every_filter_is_told_the_end_once<H: Dir>() {
    for keeps in lists() {
        for steps in 0..=STEPS {
            for cut in CUTS {
                for taken in [false, true] {
                    let told = Told::default();
                    let bound = plan::<H>(&keeps, &told);
                    let mut chain = bound.chain(MessageTraits::new()).expect("a chain");
                    let mut sunk = Sunk::default();
                    for at in 0..steps {
                        step(&mut chain, at, true);
                        if taken {
                            sunk.take(&mut chain);
                        }
                    }
                    cut_off(chain, cut, &mut sunk);
                    let case = format!("{keeps:?}, {cut:?} after {steps} steps, taken: {taken}");
                    let (started, closes) =
                        told.with(|notes| (notes.started.clone(), notes.closes.clone()));
                    let numbers: Vec<usize> = closes.iter().map(|(number, _)| *number).collect();
                    assert_eq!(numbers, started, "{case}: closed (left), started (right)");
                    assert!(
                        closes.windows(2).all(|two| two[0].1 == two[1].1),
                        "{case}: {closes:?}"
                    );
                }
            }
        }
    }
}

/// pingora (bytes left over in a session that is used again): a chain that was given back after any
/// end, with bytes in every place there is, serves the next message as a new one does.
fn h31_nothing_is_left_for_the_next_message<H: Dir>() {
    for keeps in lists() {
        for steps in 0..=STEPS {
            for cut in CUTS {
                let told = Told::default();
                let bound = plan::<H>(&keeps, &told);
                let mut chain = bound.chain(MessageTraits::new()).expect("a chain");
                for at in 0..steps {
                    step(&mut chain, at, true);
                }
                chain.send_only_trailers(Vec::new());
                let left_over = told.with(|notes| notes.handles.clone());
                cut_off(chain, cut, &mut Sunk::default());
                told.with(|notes| *notes = Notes::default());

                let mut chain = bound.chain(MessageTraits::new()).expect("a chain");
                let case = format!("{keeps:?}, {cut:?} after {steps} steps");
                assert_eq!(chain.held_bytes(), 0, "{case}");
                assert_eq!(chain.stats(), tidegate::chain::Stats::default(), "{case}");
                let mut sunk = Sunk::default();
                sunk.take(&mut chain);
                assert_eq!(sunk, Sunk::default(), "{case}: something came out of nothing");
                for at in 0..STEPS {
                    step(&mut chain, at, true);
                    // A handle of the message before is of no use here.
                    for handle in &left_over {
                        assert_eq!(handle.resume(), tidegate::Resumed::Gone, "{case}");
                    }
                    chain.handle_resumes();
                    sunk.take(&mut chain);
                }
                for _ in 0..=keeps.len() {
                    told.resume_all();
                    chain.handle_resumes();
                    sunk.take(&mut chain);
                }
                let whole = Sunk { head: true, body: b"onetwo".to_vec(), whole: true, cut: false };
                assert_eq!(sunk, whole, "{case}");
                let complete = Outcome::Complete { discarded_bytes: 0, unsent_trailers: 0 };
                let outcome = chain.outcome().expect("the message is over");
                assert_eq!(format!("{outcome:?}"), format!("{complete:?}"), "{case}");
            }
        }
    }
}

/// Both sides of an exchange, and what observers were told of each.
struct Exchange {
    request: RequestSide,
    response: ResponseSide,
    up: Sunk,
    down: Sunk,
    told: Arc<Mutex<Vec<String>>>,
}

impl Exchange {
    fn new(keeps: (Keeps, Keeps), filters: &Told) -> Self {
        let keeper = |number, keeps, told: &Told| {
            let told = told.clone();
            move || Keeper { number, keeps, told: told.clone(), started: false, closed: false }
        };
        let plan = ExchangePlan::builder()
            .request("request", keeper(0, keeps.0, filters))
            .response("response", keeper(1, keeps.1, filters))
            .build()
            .expect("a plan")
            .bind(Capabilities::ALL, Capabilities::ALL)
            .expect("an edge")
            .early_response(EarlyResponse::Forward);
        let traits = MessageTraits::new();
        let (request, response) = plan.exchange(traits, traits).expect("an exchange");
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let notes = Arc::clone(&told);
        let observer: Observer = Arc::new(move |direction, outcome: &Outcome, _: &_| {
            let complete = outcome.is_complete();
            notes.lock().expect("no panic").push(format!("{direction} complete: {complete}"));
        });
        Self {
            request: request.on_finish(Arc::clone(&observer)),
            response: response.on_finish(observer),
            up: Sunk::default(),
            down: Sunk::default(),
            told,
        }
    }

    fn request_step(&mut self, at: usize) {
        let taken = match at {
            0 => self.request.handle_head(request::Parts::plain(), false),
            1 => self.request.handle_data(Bytes::from_static(b"one"), false),
            2 => self.request.handle_data(Bytes::from_static(b"two"), false),
            _ => self.request.handle_end(),
        };
        taken.expect("an input in order");
    }

    fn response_step(&mut self, at: usize) {
        let taken = match at {
            0 => self.response.handle_head(response::Parts::plain(), false),
            1 => self.response.handle_data(Bytes::from_static(b"back"), false),
            _ => self.response.handle_end(),
        };
        taken.expect("an input in order");
    }

    fn take(&mut self) {
        take(&mut self.request, &mut self.up);
        take(&mut self.response, &mut self.down);
    }
}

fn take<H: Dir>(side: &mut Side<H>, sunk: &mut Sunk) {
    let cx = std::task::Context::from_waker(std::task::Waker::noop());
    while let std::task::Poll::Ready(Some(output)) = side.poll_next(&cx) {
        sunk.put(output);
    }
}

/// hyper `http2_responds_before_consuming_request_body`, Envoy #45617, #44605 (the end of one
/// direction closed the other, once in 20 to 50 runs): in every interleaving of the inputs of both
/// directions, with filters that keep what they may, both come out whole.
#[test]
fn h28_directions_end_each_for_itself() {
    const REQUEST: u32 = 4;
    const RESPONSE: u32 = 3;
    let mut interleavings = 0;
    for order in 0..1_u32 << (REQUEST + RESPONSE) {
        if order.count_ones() != RESPONSE {
            continue;
        }
        interleavings += 1;
        for keeps in KEEPS.iter().flat_map(|up| KEEPS.iter().map(|down| (*up, *down))) {
            let filters = Told::default();
            let mut exchange = Exchange::new(keeps, &filters);
            let (mut requests, mut responses) = (0, 0);
            for at in 0..REQUEST + RESPONSE {
                if order & (1 << at) == 0 {
                    exchange.request_step(requests);
                    requests += 1;
                } else {
                    exchange.response_step(responses);
                    responses += 1;
                }
                exchange.take();
            }
            filters.resume_all();
            exchange.take();
            let case = format!("order {order:b}, {keeps:?}");
            assert!(
                exchange.up.whole && exchange.up.body == b"onetwo",
                "{case}: {:?}",
                exchange.up
            );
            assert!(exchange.down.whole && exchange.down.body == b"back", "{case}");
            let mut told = exchange.told.lock().expect("no panic").clone();
            told.sort();
            assert_eq!(told, ["request complete: true", "response complete: true"], "{case}");
        }
    }
    assert_eq!(interleavings, 35);
}

/// One direction goes at any step while the other is under way: a client that goes takes the
/// request with it, and is never an end for the upstream; an upstream that goes is never an end for
/// the client. Each filter is told once.
#[test]
fn h25_a_side_that_goes_is_an_end_for_nobody() {
    for keeps in KEEPS.iter().flat_map(|up| KEEPS.iter().map(|down| (*up, *down))) {
        for requests in 0..4 {
            for responses in 0..3 {
                for request_goes in [false, true] {
                    let filters = Told::default();
                    let mut exchange = Exchange::new(keeps, &filters);
                    (0..requests).for_each(|at| exchange.request_step(at));
                    (0..responses).for_each(|at| exchange.response_step(at));
                    exchange.take();
                    let case = format!("{keeps:?}, {requests}, {responses}, {request_goes}");
                    let Exchange { mut request, mut response, mut up, mut down, told } = exchange;
                    if request_goes {
                        drop(request);
                        take(&mut response, &mut down);
                        // What is made up for the client is an answer, never an end of this body.
                        assert!(!down.whole || down.body.is_empty(), "{case}: {down:?}");
                        drop(response);
                    } else {
                        drop(response);
                        take(&mut request, &mut up);
                        assert!(!up.whole, "{case}: {up:?}");
                        drop(request);
                    }
                    let told = told.lock().expect("no panic");
                    assert!(told.len() <= 2, "{case}: {told:?}");
                    assert!(told.iter().all(|told| told.ends_with("false")), "{case}: {told:?}");
                    let (mut started, mut closes) =
                        filters.with(|notes| (notes.started.clone(), notes.closes.clone()));
                    started.sort_unstable();
                    closes.sort();
                    let numbers: Vec<usize> = closes.iter().map(|(number, _)| *number).collect();
                    assert_eq!(numbers, started, "{case}: closed (left), started (right)");
                }
            }
        }
    }
}

both!(
    h25_a_producer_that_goes_away_is_never_an_end,
    h26_what_is_complete_stays_readable,
    h30_every_filter_is_told_the_end_once,
    h31_nothing_is_left_for_the_next_message,
);
