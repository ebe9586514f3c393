//! What a message leaves behind for the next one on a recycled chain: memory, and nothing else.

mod kit;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tidegate::chain::PlanBuilder;
use tidegate::error::ErrorKind;
use tidegate::{
    BodyBuf, BoundPlan, Capabilities, Capability, Chain, Declaration, Filter, Head, LocalReply,
    Marks, MessageTraits, Outcome, Output, Plan, ResumeHandle, Resumed, View,
};

use kit::{Dir, HOLD, PASS, SAW, Verdict, both};

/// Passes everything; is made anew for every message.
struct Nothing;

impl<H: Head> Filter<H> for Nothing {}

const SECRET: &[u8] = b"another user's secret";

fn bound<H: Dir>(plan: PlanBuilder<H>) -> BoundPlan<H> {
    plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge")
}

fn chain<H: Dir>(plan: &BoundPlan<H>) -> Chain<H> {
    plan.chain(MessageTraits::new()).expect("nothing is required")
}

/// Everything that comes out, as text.
fn drained<H: Dir>(chain: &mut Chain<H>) -> String {
    let mut out = String::new();
    while let Some(output) = chain.poll_output() {
        out += &match output {
            Output::Head { head, .. } => format!("head {:?}|", head.headers()),
            Output::Informational(head) => format!("informational {:?}|", head.headers()),
            Output::Data(data) => format!("{}|", String::from_utf8_lossy(&data)),
            Output::Trailers(trailers) => format!("trailers {trailers:?}|"),
            Output::End => "end|".to_owned(),
            Output::Reply(_) => "reply|".to_owned(),
            Output::Reset(error) => format!("reset {error:?}|"),
        };
    }
    out
}

/// What one message does with every place where a chain can keep something.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Passes,
    Holds,
    HoldsQuietly,
    /// Releases some, so that it waits behind a slow sink.
    ReleasesSome,
    /// Takes bytes, says that it keeps them, and does so.
    Keeps,
    Replies,
    Fails,
    DeclaresLength,
    Panics,
}

const PARTS: [Part; 9] = [
    Part::Passes,
    Part::Holds,
    Part::HoldsQuietly,
    Part::ReleasesSome,
    Part::Keeps,
    Part::Replies,
    Part::Fails,
    Part::DeclaresLength,
    Part::Panics,
];

/// What the filters of one plan share with the test.
#[derive(Default)]
struct World {
    part: Mutex<Option<Part>>,
    handles: Mutex<Vec<ResumeHandle>>,
    seen: Mutex<String>,
    recycled: AtomicUsize,
}

/// Plays the part that the world says, and writes down what it is shown.
struct Player {
    world: Arc<World>,
    kept: Vec<BodyBuf>,
    /// Only the last one of a chain may change the length: it is the one whose word counts.
    changes_length: bool,
}

impl Player {
    fn plays(&self) -> Part {
        self.world.part.lock().expect("one user").expect("a part")
    }

    fn note(&self, what: &str) {
        *self.world.seen.lock().expect("one user") += what;
    }
}

impl<H: Head> Filter<H> for Player {
    fn declare(&self) -> Declaration {
        let declaration = Declaration::new()
            .prefer(Capability::EditBytes)
            .prefer(Capability::HoldHead)
            .marks(Marks::from_high(64));
        if !self.changes_length {
            return declaration;
        }
        declaration.prefer(Capability::ChangeLength).prefer(Capability::AddTrailers)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        let head = view.head().map(|head| format!("{:?}", head.headers()));
        self.note(&format!("{head:?} {:?} {}|", view.declared_bytes(), view.is_local_reply()));
        if self.plays() == Part::DeclaresLength {
            view.set_declared_bytes(12_345);
        }
        self.world.handles.lock().expect("one user").push(view.resume_handle());
        PASS
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let text: Vec<u8> = view.body().chunks().flat_map(|chunk| chunk.to_vec()).collect();
        self.note(&format!("{} {}|", String::from_utf8_lossy(&text), view.new_at()));
        match self.plays() {
            Part::Passes | Part::DeclaresLength => PASS,
            Part::Holds => HOLD,
            Part::HoldsQuietly => SAW,
            Part::ReleasesSome => Verdict::pass_first(3),
            Part::Keeps => {
                let body = view.take().expect("granted");
                view.set_kept_bytes(body.len() as u64).expect("room");
                self.kept.push(body);
                HOLD
            }
            Part::Replies => {
                let status = http::StatusCode::FORBIDDEN;
                view.reply(LocalReply::text(status, Bytes::from_static(SECRET)))
            }
            Part::Fails => view.fail(tidegate::Error::filter_failed("secret")),
            Part::Panics => panic!("a filter's own"),
        }
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.note(&format!("{:?}|", view.trailers()));
        PASS
    }

    fn close(&mut self, outcome: &Outcome) {
        self.note(&format!("closed {}|", outcome.is_complete()));
    }

    fn recycle(&mut self) -> bool {
        self.world.recycled.fetch_add(1, Relaxed);
        self.kept.clear();
        true
    }
}

fn player(world: &Arc<World>, changes_length: bool) -> Player {
    Player { world: Arc::clone(world), kept: Vec::new(), changes_length }
}

fn players<H: Dir>(world: &Arc<World>, chains_kept: usize) -> BoundPlan<H> {
    let plan = (0..3).fold(Plan::<H>::builder(), |plan, place| {
        let world = Arc::clone(world);
        plan.filter("player", move || player(&world, place == 2))
    });
    bound(plan.output_marks(Marks::from_high(16)).keep_chains(chains_kept))
}

fn fields(name: &'static str, value: &'static str) -> HeaderMap {
    let field = (HeaderName::from_static(name), HeaderValue::from_static(value));
    HeaderMap::from_iter([field])
}

/// A message full of secrets that ends in the middle.
fn secretive<H: Dir>(chain: &mut Chain<H>, taken: usize) {
    let mut head = H::with("content-length", "1000");
    head.set("x-secret", "another user's");
    let _ = chain.handle_head(head, false);
    chain.set_marks(0, Marks::from_high(1));
    chain.set_marks(3, Marks::from_high(2));
    chain.send_only_trailers(vec![HeaderName::from_static("x-none")]);
    for _ in 0..taken {
        let _ = chain.poll_output();
    }
    for _ in 0..3 {
        let _ = chain.handle_data(Bytes::from_static(SECRET), false);
    }
    let _ = chain.handle_trailers(fields("x-secret", "another user's"));
}

/// An ordinary message, and all that anybody sees of it.
fn ordinary<H: Dir>(plan: &BoundPlan<H>, world: &World) -> String {
    *world.part.lock().expect("one user") = Some(Part::Passes);
    world.seen.lock().expect("one user").clear();
    let mut chain = chain(plan);
    let mut out = format!("{chain:?}|{:?}|{}|", chain.stats(), chain.held_bytes());
    chain.handle_head(H::with("content-length", "5"), false).expect("the head is taken");
    out += &drained(&mut chain);
    for word in ["he", "llo"] {
        chain.handle_data(Bytes::from_static(word.as_bytes()), false).expect("data is taken");
        out += &drained(&mut chain);
        out += &format!("{:?}|{}|", chain.stats(), chain.wants_input());
    }
    chain.handle_trailers(fields("x-end", "1")).expect("trailers are taken");
    out += &drained(&mut chain);
    out += &format!("{:?}|{:?}|", chain.outcome(), chain.stats());
    drop(chain);
    out + &world.seen.lock().expect("one user")
}

/// Whatever a message had in whatever place, the next one is as on a new chain.
fn nothing_of_a_message_reaches_the_next<H: Dir>() {
    let world = Arc::new(World::default());
    let expected = ordinary(&players::<H>(&world, 0), &world);
    assert!(expected.contains("hello") || expected.contains("llo"), "{expected}");
    for part in PARTS {
        for taken in 0..3 {
            for keeps_handles in [false, true] {
                let plan = players::<H>(&world, 4);
                world.handles.lock().expect("one user").clear();
                *world.part.lock().expect("one user") = Some(part);
                let mut dirty = chain(&plan);
                secretive(&mut dirty, taken);
                drop(dirty);
                let mut stale = std::mem::take(&mut *world.handles.lock().expect("one user"));
                if !keeps_handles {
                    stale.clear();
                }
                let seen = ordinary(&plan, &world);
                assert_eq!(seen, expected, "{part:?}, {taken} taken");
                assert!(stale.iter().all(|handle| handle.resume() == Resumed::Gone));
                assert_eq!(plan.recycling().reused, 1);
            }
        }
    }
}

/// A handle that outlived its message does nothing to the message that has the chain now.
fn a_stale_handle_is_a_no_op<H: Dir>() {
    let world = Arc::new(World::default());
    let plan = players::<H>(&world, 1);
    *world.part.lock().expect("one user") = Some(Part::Holds);
    let hold = |plan: &BoundPlan<H>| {
        let mut chain = chain(plan);
        chain.handle_head(H::plain(), false).expect("the head is taken");
        assert!(chain.poll_output().is_some());
        chain.handle_data(Bytes::from_static(b"x"), false).expect("data is taken");
        chain
    };
    drop(hold(&plan));
    let stale = std::mem::take(&mut *world.handles.lock().expect("one user"));
    let mut chain = hold(&plan);
    assert_eq!(plan.recycling().reused, 1);
    for handle in &stale {
        assert_eq!(handle.clone().resume(), Resumed::Gone);
    }
    let calls = chain.stats().calls;
    chain.handle_resumes();
    assert_eq!(chain.stats().calls, calls, "nobody was asked");
    // Nor does the last of them make the message that is held a stall.
    drop(stale);
    assert!(chain.poll_output().is_none());
    assert_eq!(world.handles.lock().expect("one user")[0].resume(), Resumed::Queued);
    chain.handle_resumes();
    assert_eq!(chain.stats().calls, calls + 2, "it let go what the next one holds");
}

/// Filters stay only where they agree; the others are made anew, in their places.
fn filters_stay_where_they_agree<H: Dir>() {
    struct Numbered {
        place: usize,
        instance: usize,
        stays: bool,
        log: Arc<Mutex<Vec<(usize, usize)>>>,
    }
    impl<H: Head> Filter<H> for Numbered {
        fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
            self.log.lock().expect("one user").push((self.place, self.instance));
            PASS
        }
        fn recycle(&mut self) -> bool {
            self.stays
        }
    }
    for stays in 0..8usize {
        let log = Arc::new(Mutex::new(Vec::new()));
        let plan = (0..3).fold(Plan::<H>::builder(), |plan, place| {
            let (log, made) = (Arc::clone(&log), AtomicUsize::new(0));
            plan.filter(format!("f{place}"), move || Numbered {
                place,
                instance: made.fetch_add(1, Relaxed),
                stays: stays & (1 << place) != 0,
                log: Arc::clone(&log),
            })
        });
        let plan = bound(plan);
        for message in 0..3 {
            let mut chain = chain(&plan);
            chain.handle_head(H::plain(), true).expect("the head is taken");
            drop(chain);
            let seen = std::mem::take(&mut *log.lock().expect("one user"));
            // Instance 0 was only asked for its declaration.
            let instance = |place: usize| if stays & (1 << place) == 0 { 1 + message } else { 1 };
            assert_eq!(seen, [0, 1, 2].map(|place| (place, instance(place))), "{stays:03b}");
        }
    }
}

/// A filter that panicked in any callback, `close`, `recycle` or its drop never serves again, and
/// the others do (I9).
fn a_filter_that_panicked_never_serves_again<H: Dir>() {
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum At {
        Head,
        Close,
        Recycle,
        Drop,
    }
    struct Panics(At, bool);
    impl<H: Head> Filter<H> for Panics {
        fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
            assert!(!self.1, "it serves again");
            self.1 = true;
            assert!(self.0 != At::Head, "planted");
            PASS
        }
        fn close(&mut self, _: &Outcome) {
            assert!(self.0 != At::Close, "planted");
        }
        fn recycle(&mut self) -> bool {
            assert!(self.0 != At::Recycle, "planted");
            self.0 != At::Drop
        }
    }
    impl Drop for Panics {
        fn drop(&mut self) {
            assert!(!self.1 || self.0 != At::Drop, "planted");
        }
    }
    for at in [At::Head, At::Close, At::Recycle, At::Drop] {
        let world = Arc::new(World::default());
        *world.part.lock().expect("one user") = Some(Part::Passes);
        let shared = Arc::clone(&world);
        let plan = Plan::<H>::builder()
            .filter("player", move || player(&shared, false))
            .filter("panics", move || Panics(at, false));
        let plan = bound(plan);
        for message in 0..3 {
            let mut chain = chain(&plan);
            chain.handle_head(H::plain(), true).expect("the head is taken");
            let failed = matches!(chain.outcome(), Some(Outcome::Failed(_)));
            assert_eq!(failed, at == At::Head, "{at:?}");
            drop(chain);
            assert_eq!(world.recycled.load(Relaxed), message + 1, "the other one stays");
        }
        assert_eq!(plan.recycling().reused, 2, "{at:?}");
    }
}

/// A filter that is kept and panics when its plan goes takes nobody with it.
fn a_kept_filter_may_panic_when_the_plan_goes<H: Dir>() {
    struct Panics(Arc<AtomicUsize>);
    impl<H: Head> Filter<H> for Panics {
        fn recycle(&mut self) -> bool {
            self.0.fetch_add(1, Relaxed);
            true
        }
    }
    impl Drop for Panics {
        fn drop(&mut self) {
            assert!(self.0.load(Relaxed) == 0, "planted");
        }
    }
    let kept = Arc::new(AtomicUsize::new(0));
    let plan = (0..3).fold(Plan::<H>::builder(), |plan, _| {
        let kept = Arc::clone(&kept);
        plan.filter("panics", move || Panics(Arc::clone(&kept)))
    });
    let plan = bound(plan.keep_chains(1));
    // One of them is kept, the other finds the pool full.
    drop([chain(&plan), chain(&plan)]);
    assert_eq!(kept.load(Relaxed), 6);
    drop(plan);
    assert_eq!(Arc::strong_count(&kept), 1, "all are dropped");
}

/// A maker that panics while a recycled chain is completed fails that message, and no other.
fn a_maker_that_panics_fails_its_message_only<H: Dir>() {
    let made = Arc::new(AtomicUsize::new(0));
    let world = Arc::new(World::default());
    *world.part.lock().expect("one user") = Some(Part::Passes);
    let (shared, counter) = (Arc::clone(&world), Arc::clone(&made));
    let plan = Plan::<H>::builder().filter("player", move || player(&shared, false)).filter(
        "made",
        move || {
            assert!(counter.fetch_add(1, Relaxed) != 2, "planted");
            Nothing
        },
    );
    // Instance 0 declares, 1 serves, 2 cannot be made, 3 serves.
    let plan = bound(plan);
    for message in 0..3 {
        let mut chain = chain(&plan);
        match chain.outcome() {
            Some(Outcome::Failed(error)) => {
                assert_eq!(error.kind(), ErrorKind::Panicked);
                assert_eq!(message, 1);
            }
            outcome => {
                assert!(outcome.is_none() && message != 1, "{message}: {outcome:?}");
                chain.handle_head(H::plain(), true).expect("the head is taken");
            }
        }
    }
}

/// No more chains are kept than is stated; with 0, none.
fn what_is_kept_is_bounded<H: Dir>() {
    for kept in [0, 1, 3] {
        let plan = Plan::<H>::builder().filter("nothing", || Nothing).keep_chains(kept);
        let plan = bound(plan);
        let chains: Vec<_> = (0..5).map(|_| chain(&plan)).collect();
        drop(chains);
        let stats = plan.recycling();
        assert_eq!(stats.kept, kept);
        let (refused, missed) = if kept == 0 { (0, 0) } else { (5 - kept as u64, 5) };
        assert_eq!((stats.refused, stats.missed), (refused, missed));
    }
}

/// A chain may go on another thread than it came from, and after its plan.
fn chains_come_back_from_any_thread<H: Dir>() {
    let world = Arc::new(World::default());
    *world.part.lock().expect("one user") = Some(Part::Passes);
    let plan = players::<H>(&world, 8);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let plan = plan.clone();
            std::thread::spawn(move || {
                for _ in 0..200 {
                    let mut chain = chain(&plan);
                    chain.handle_head(H::plain(), true).expect("the head is taken");
                    assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
                    assert!(chain.outcome().is_some_and(Outcome::is_complete));
                }
                chain(&plan)
            })
        })
        .collect();
    let last: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    let stats = plan.recycling();
    assert_eq!(stats.reused + stats.missed, 804);
    assert!(stats.missed <= 8, "{stats:?}");
    drop(plan);
    drop(last);
    world.handles.lock().expect("one user").clear();
    assert_eq!(Arc::strong_count(&world), 1, "nothing is left");
}

/// What a filter put down for a verdict that it never gave, as it panicked, is not there for a
/// verdict of the next message.
fn what_was_put_down_before_a_panic_is_forgotten<H: Dir>() {
    type PutDown<H> = fn(&mut View<'_, H>) -> Verdict;
    struct Panics<H: Head>(PutDown<H>, Arc<Mutex<Option<Verdict>>>);
    impl<H: Head> Filter<H> for Panics<H> {
        fn declare(&self) -> Declaration {
            Declaration::new().require(Capability::AddTrailers)
        }
        fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
            let mut verdict = self.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            // Behind the panic: the verdict alone, kept from the other message.
            verdict.take().unwrap_or_else(|| {
                *verdict = Some((self.0)(view));
                panic!("planted")
            })
        }
    }
    let all: [PutDown<H>; 3] = [
        |view| view.reply(LocalReply::text(http::StatusCode::FORBIDDEN, SECRET)),
        |view| view.fail(tidegate::Error::filter_failed("another user's secret")),
        |view| {
            view.set_trailers(fields("x-secret", "another user's secret")).expect("granted");
            Verdict::END
        },
    ];
    for put_down in all {
        let verdict = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&verdict);
        let plan = bound(
            Plan::<H>::builder().filter("panics", move || Panics(put_down, Arc::clone(&shared))),
        );
        let both = [0, 1].map(|_| {
            let mut chain = chain(&plan);
            chain.handle_head(H::plain(), false).expect("the head is taken");
            chain.handle_data(Bytes::from_static(b"x"), false).expect("data is taken");
            let given = verdict.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            (drained(&mut chain), given.is_some())
        });
        let [(_, true), (seen, false)] = both else { panic!("put down once, given once") };
        assert_eq!(plan.recycling().reused, 1);
        assert!(!seen.contains("secret") && !seen.contains("reply"), "{seen}");
    }
}

both!(
    what_was_put_down_before_a_panic_is_forgotten,
    nothing_of_a_message_reaches_the_next,
    a_stale_handle_is_a_no_op,
    filters_stay_where_they_agree,
    a_filter_that_panicked_never_serves_again,
    a_kept_filter_may_panic_when_the_plan_goes,
    a_maker_that_panics_fails_its_message_only,
    what_is_kept_is_bounded,
    chains_come_back_from_any_thread,
);
