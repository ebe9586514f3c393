//! Filters made in pairs, for both directions of one exchange.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use http::{StatusCode, request, response};
use tidegate::chain::PlanError;
use tidegate::exchange::{EarlyResponse, ExchangePlan, Refused};
use tidegate::{
    Capabilities, Capability, Declaration, Filter, Head, Interest, Marks, MessageTraits, Outcome,
    Plan, Verdict, View, limits,
};

use crate::kit::script::Log;
use crate::kit::*;
use crate::stage::{Stage, sunk};

/// What the halves of one pair share.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

/// Notes what it sees, and which instance it is.
struct Half {
    notes: Arc<Notes>,
    declaration: Declaration,
}

impl Half {
    fn new(notes: &Arc<Notes>) -> Self {
        Self { notes: Arc::clone(notes), declaration: Declaration::new() }
    }

    fn note(&self, text: String) {
        self.notes.0.lock().unwrap().push(text);
    }
}

impl<H: Head> Filter<H> for Half {
    fn declare(&self) -> Declaration {
        self.declaration.clone()
    }

    fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.note("head".to_owned());
        Verdict::PASS
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.note(format!("{} bytes", view.body().len()));
        Verdict::PASS
    }

    fn close(&mut self, outcome: &Outcome) {
        self.note(format!("complete {}", outcome.is_complete()));
    }

    /// Halves are not asked: this would be noted, and the half would outlive its exchange.
    fn recycle(&mut self) -> bool {
        self.note("recycle".to_owned());
        true
    }
}

fn bind(plan: &ExchangePlan) -> tidegate::exchange::BoundExchangePlan {
    plan.bind(Capabilities::ALL, Capabilities::ALL).expect("an edge that can do it")
}

#[test]
fn requests_meet_the_list_in_order_and_responses_in_reverse() {
    let log = Log::default();
    let (p, q) = (Arc::new(pair("P", &log)), Arc::new(pair("Q", &log)));
    let plan = ExchangePlan::builder()
        .request("A", script("A").into_factory(&log))
        .response("X", script("X").into_factory(&log))
        .pair("P", move || (p.0(), p.1()))
        .response("Y", script("Y").into_factory(&log))
        .request("B", script("B").into_factory(&log))
        .pair("Q", move || (q.0(), q.1()))
        .build()
        .unwrap();
    let names = |filters: Vec<&str>| filters.join(" ");
    assert_eq!(names(plan.request().filters().map(|(name, _)| name).collect()), "A P B Q");
    assert_eq!(names(plan.response().filters().map(|(name, _)| name).collect()), "Q Y P X");
    let mut stage = Stage::of(plan, EarlyResponse::Forward, log);
    stage.both_heads().calls("A.H(0) P.H(0) B.H(0) Q.H(0) Q.H(0) Y.H(0) P.H(0) X.H(0)");
}

type Maker<H> = Box<dyn Fn() -> script::Actor<H> + Send + Sync>;

fn pair(name: &'static str, log: &Log) -> (Maker<request::Parts>, Maker<response::Parts>) {
    (Box::new(script(name).into_factory(log)), Box::new(script(name).into_factory(log)))
}

#[test]
fn one_call_makes_both_halves_of_each_exchange() {
    let made = Arc::new(AtomicUsize::new(0));
    let all: Arc<Mutex<Vec<Arc<Notes>>>> = Arc::default();
    let (count, notes_of) = (Arc::clone(&made), Arc::clone(&all));
    let plan = ExchangePlan::builder()
        .pair("pair", move || {
            count.fetch_add(1, SeqCst);
            let notes = Arc::new(Notes::default());
            notes_of.lock().unwrap().push(Arc::clone(&notes));
            (Half::new(&notes), Half::new(&notes))
        })
        .build()
        .unwrap();
    assert_eq!(made.load(SeqCst), 1, "once for the declarations");
    let plan = bind(&plan);
    // Two exchanges at once, each direction on a thread of its own, and one after another.
    for round in 0..50 {
        thread::scope(|scope| {
            for bytes in [1, 2] {
                let traits = MessageTraits::new();
                let (mut request, mut response) = plan.exchange(traits, traits).unwrap();
                scope.spawn(move || {
                    request.handle_head(Dir::plain(), false).unwrap();
                    request.handle_data(vec![b'x'; bytes].into(), true).unwrap();
                    sunk(&mut request);
                });
                scope.spawn(move || {
                    response.handle_head(Dir::plain(), false).unwrap();
                    response.handle_data(vec![b'x'; bytes + 2].into(), true).unwrap();
                    sunk(&mut response);
                });
            }
        });
        let mut all = all.lock().unwrap();
        let two = all.split_off(1);
        assert_eq!(two.len(), 2, "round {round}");
        for (notes, bytes) in two.iter().zip([1, 2]) {
            let mut notes = notes.0.lock().unwrap().clone();
            notes.sort();
            let (up, down) = (format!("{bytes} bytes"), format!("{} bytes", bytes + 2));
            assert_eq!(notes, [&up, &down, "complete true", "complete true", "head", "head"]);
        }
        assert_eq!(Arc::strong_count(&two[0]), 1, "both halves are gone with their exchange");
    }
    assert_eq!(made.load(SeqCst), 1 + 2 * 50);
}

#[test]
fn declarations_of_both_halves_count() {
    let notes = Arc::new(Notes::default());
    let plan = ExchangePlan::builder()
        .pair("pair", move || {
            let mut halves = (Half::new(&notes), Half::new(&notes));
            halves.0.declaration = Declaration::new().marks(Marks::from_high(100));
            halves.1.declaration = Declaration::new()
                .marks(Marks::from_high(1000))
                .interest(Interest::HEAD)
                .require(Capability::HoldHead);
            halves
        })
        .build()
        .unwrap();
    let empty = ExchangePlan::builder().build().unwrap();
    assert_eq!(plan.held_bound_bytes() - empty.held_bound_bytes(), 2 * 1100);
    assert_eq!(bind(&plan).held_bound_bytes(), plan.held_bound_bytes());
    let unmet = plan.bind(Capabilities::ALL, Capabilities::NONE).unwrap_err();
    assert_eq!((unmet.filter(), unmet.capability()), ("pair", Capability::HoldHead));

    let plan = bind(&plan);
    let traits = MessageTraits::new();
    let without = traits.without(Capability::HoldHead);
    let Err(Refused::Response { unmet }) = plan.exchange(traits, without) else { panic!() };
    assert_eq!(unmet.filter(), "pair");
}

#[test]
fn a_request_that_cannot_have_a_need_is_answered_through_the_response_chain() {
    let log = Log::default();
    let needs = script("A").requires(Capability::AddTrailers);
    let plan = ExchangePlan::builder()
        .request("A", needs.into_factory(&log))
        .response("X", script("X").into_factory(&log))
        .build()
        .unwrap();
    let traits = MessageTraits::new();
    let refused =
        bind(&plan).exchange(traits.without(Capability::AddTrailers), traits).unwrap_err();
    assert_eq!(refused.direction().to_string(), "request");
    let Refused::Request { mut response, .. } = refused else { panic!() };
    response.handle_reply(tidegate::LocalReply::new(StatusCode::NOT_IMPLEMENTED));
    assert_eq!(sunk(&mut response), "H[501](1) .");
    assert_eq!(log.lock().calls, ["X.H[501 local](1)"]);
}

#[test]
fn a_pair_that_cannot_be_made_fails_both_sides_and_is_answered() {
    for nth in [0, 1] {
        let log = Log::default();
        let calls = AtomicUsize::new(0);
        let (b, drops) = (Arc::new(pair("B", &log)), log.clone());
        let plan = ExchangePlan::builder()
            .pair("B", move || (b.0(), b.1()))
            .pair("bad", move || {
                if calls.fetch_add(1, SeqCst) > nth {
                    panic!("cannot be made");
                }
                let notes = Arc::new(Notes::default());
                (Half::new(&notes), Half::new(&notes))
            })
            .build()
            .unwrap();
        let plan = bind(&plan);
        let traits = MessageTraits::new();
        for _ in 0..nth {
            let (mut request, _response) = plan.exchange(traits, traits).unwrap();
            request.handle_head(Dir::plain(), true).unwrap();
            assert_eq!(sunk(&mut request), "H(1) .");
        }
        drops.lock().calls.clear();
        let (mut request, mut response) = plan.exchange(traits, traits).unwrap();
        assert!(request.handle_head(Dir::plain(), true).is_err());
        assert_eq!(sunk(&mut request), "reset(bad panicked) .");
        assert_eq!(sunk(&mut response), "H[500](1) .");
        assert_eq!(drops.lock().calls.len(), 0, "no filter is called");
    }
}

#[test]
fn a_chain_has_its_limit_in_each_direction() {
    let notes = Arc::new(Notes::default());
    let mut plan = ExchangePlan::builder();
    for _ in 0..=limits::MAX_FILTERS {
        let notes = Arc::clone(&notes);
        plan = plan.pair("pair", move || (Half::new(&notes), Half::new(&notes)));
    }
    let filters = limits::MAX_FILTERS + 1;
    assert_eq!(plan.build().unwrap_err(), PlanError::TooManyFilters { filters });
    let empty = ExchangePlan::builder().max_frame_bytes(0).build();
    assert_eq!(empty.unwrap_err(), PlanError::EmptyFrames);
}

#[test]
fn two_plans_are_a_plan_without_pairs() {
    let log = Log::default();
    let requests = Plan::builder()
        .filter("A", script("A").into_factory(&log))
        .filter("B", script("B").into_factory(&log));
    let responses = Plan::builder()
        .filter("X", script("X").into_factory(&log))
        .filter("Y", script("Y").into_factory(&log));
    let plan = ExchangePlan::new(requests.build().unwrap(), responses.build().unwrap());
    let mut stage = Stage::of(plan, EarlyResponse::Forward, log);
    stage.both_heads().calls("A.H(0) B.H(0) X.H(0) Y.H(0)");
}

/// Would serve again if asked; says which exchange it was made for.
struct Eager {
    exchange: usize,
    called: Arc<Mutex<Vec<usize>>>,
}

impl<H: Head> Filter<H> for Eager {
    fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.called.lock().unwrap().push(self.exchange);
        Verdict::PASS
    }

    fn recycle(&mut self) -> bool {
        self.called.lock().unwrap().push(usize::MAX);
        true
    }
}

/// A half goes with its exchange, whatever it would answer: nothing of it waits in a pool, where
/// another message of the same plan would find it.
#[test]
fn halves_are_neither_kept_nor_asked() {
    let called = Arc::new(Mutex::new(Vec::new()));
    let (exchanges, log) = (AtomicUsize::new(0), Arc::clone(&called));
    let plan = ExchangePlan::builder()
        .pair("eager", move || {
            let exchange = exchanges.fetch_add(1, SeqCst);
            let half = || Eager { exchange, called: Arc::clone(&log) };
            (half(), half())
        })
        .build()
        .unwrap();
    let bound = bind(&plan);
    drop(bound.exchange(MessageTraits::new(), MessageTraits::new()).unwrap());
    assert_eq!(plan.request().recycling().kept, 1, "the rest of the chain is kept");
    assert_eq!(Arc::strong_count(&called), 2, "only the factory is left");
    // A chain of one direction alone has no half.
    let chain = plan.request().bind(Capabilities::ALL).unwrap().chain(MessageTraits::new());
    chain.unwrap().handle_head(Dir::plain(), true).unwrap();
    assert_eq!(*called.lock().unwrap(), [0; 0]);
}

/// A half whose chain there is not panics when it is dropped: the refusal is what the caller gets.
#[test]
fn a_half_without_a_chain_may_panic_in_its_drop() {
    struct Needs;
    impl Filter<request::Parts> for Needs {
        fn declare(&self) -> Declaration {
            Declaration::new().require(Capability::AddTrailers)
        }
    }
    struct Panics(bool);
    impl Filter<request::Parts> for Panics {}
    impl Drop for Panics {
        fn drop(&mut self) {
            assert!(!self.0, "planted");
        }
    }
    let made = AtomicUsize::new(0);
    let plan = ExchangePlan::builder()
        .request("needs", || Needs)
        .pair("panics", move || {
            let notes = Arc::new(Notes::default());
            (Panics(made.fetch_add(1, SeqCst) != 0), Half::new(&notes))
        })
        .build()
        .unwrap();
    let traits = MessageTraits::new();
    let refused = bind(&plan).exchange(traits.without(Capability::AddTrailers), traits);
    assert!(matches!(refused, Err(Refused::Request { .. })));
}

/// A request that failed in the making is answered also if its side is dropped at once.
#[test]
fn a_request_that_cannot_be_made_is_answered_without_being_polled() {
    let made = AtomicUsize::new(0);
    let plan = ExchangePlan::builder()
        .request("bad", move || {
            assert!(made.fetch_add(1, SeqCst) == 0, "cannot be made");
            Half::new(&Arc::default())
        })
        .build()
        .unwrap();
    let traits = MessageTraits::new();
    let (request, mut response) = bind(&plan).exchange(traits, traits).unwrap();
    drop(request);
    assert_eq!(sunk(&mut response), "H[500](1) .");
}
