//! What is kept, by whom, and for how long: nothing of it may be forgotten, or grow without bound.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::chain::Stats;
use tidegate::exchange::{Direction, ExchangePlan};
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode, SendMode};
use tidegate::ext_proc::session::{SessionEnd, SessionOutput, SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::Event;
use tidegate::{
    Capability, Declaration, Error, Filter, Head, Interest, Marks, Outcome, ResumeHandle, Verdict,
    View,
};

use crate::counted::Promised;
use crate::filters::{Mark, Pass, pair};
use crate::messages::{
    Mutation, request_body, request_headers, request_trailers, response_headers,
};
use crate::replies::immediate;
use crate::support::{Talk, body_of, both, head_event, streamed};

const HEAD: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];

/// Asks somebody about each chunk before it goes on, and keeps it in a variable meanwhile.
fn asks(go: &tokio::sync::watch::Sender<bool>) -> ExchangePlan {
    let receiver = go.subscribe();
    let ask = move |mut input: Input, mut output: Output| {
        let mut receiver = receiver.clone();
        async move {
            while let Some(chunk) = input.next().await? {
                let _ = receiver.wait_for(|go| *go).await;
                output.send(chunk).await?;
            }
            Ok::<(), Error>(())
        }
    };
    let declaration = Declaration::new().require(Capability::ChangeLength);
    let declaration = declaration.interest(Interest::DATA);
    ExchangePlan::builder().request("asks", async_filter(declaration, ask)).build().expect("a plan")
}

fn skipping(mode: BodyMode) -> ProcessingMode {
    let mode = DirectionMode::new(mode).with_trailers(SendMode::Skip).expect("it may");
    ProcessingMode::both(mode)
}

#[test]
fn p07_what_a_future_has_in_hand_is_not_answered_away_where_any_message_may_be_the_last() {
    let go = tokio::sync::watch::Sender::new(false);
    let mut talk = Talk::new(asks(&go), skipping(BodyMode::Streamed));
    talk.send(request_headers(&HEAD, false));
    // Trailers follow this one, and are not shown.
    assert!(talk.send(request_body(&b"one"[..], false)).is_empty(), "it has no other answer");
    go.send_replace(true);
    let replies = talk.replies();
    let [reply] = &replies[..] else { panic!("{replies:?}") };
    match body_of(reply) {
        None => {}
        Some(Mutation::Body(body)) => assert_eq!(&body[..], b"one"),
        other => panic!("{other:?}"),
    }
}

/// Trailers come behind the answer to the last body message, and nothing says which that is.
#[test]
fn p07_what_a_future_has_in_hand_goes_with_its_message_where_trailers_may_follow() {
    let go = tokio::sync::watch::Sender::new(false);
    let mut talk = Talk::new(asks(&go), both(BodyMode::Streamed));
    talk.send(request_headers(&HEAD, false));
    assert!(talk.send(request_body(&b"one"[..], false)).is_empty(), "it has no other answer");
    // Now it has: only the newest waits.
    assert_eq!(talk.send(request_body(&b"two"[..], false)).len(), 1);
    go.send_replace(true);
    let replies = talk.replies();
    let [reply] = &replies[..] else { panic!("{replies:?}") };
    assert_eq!(body_of(reply), Some(Mutation::Body("onetwo".into())));
    assert_eq!(talk.send(request_trailers(&[("a", "1")])).len(), 1);
}

/// What has come may be all there is, where the end is not shown.
#[test]
fn a_half_close_behind_a_hidden_end_waits_for_the_filter_that_is_at_it() {
    let go = tokio::sync::watch::Sender::new(false);
    let mut talk = Talk::new(asks(&go), skipping(BodyMode::Streamed));
    talk.send(request_headers(&HEAD, false));
    talk.send(request_body(&b"one"[..], false));
    talk.session.handle_half_close();
    assert_eq!(talk.status(), None, "a filter is at it");
    go.send_replace(true);
    assert_eq!(talk.replies().len(), 1);
    assert!(talk.status().expect("nothing is owed").is_ok());
    assert!(matches!(talk.session.end(), Some(SessionEnd::Released)), "{:?}", talk.session);
}

/// Holds all that comes until its end, and has not said so.
struct HoldsUndeclared;

impl<H: Head> Filter<H> for HoldsUndeclared {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() { Verdict::PASS } else { Verdict::HOLD }
    }
}

/// Envoy shows no more before it has the answer, and would wait for it until its timeout.
#[test]
fn who_keeps_a_whole_body_undeclared_is_told_at_once() {
    for mode in [BodyMode::Buffered, BodyMode::BufferedPartial] {
        let mut talk = Talk::new(pair(|| HoldsUndeclared), both(mode));
        talk.send(request_headers(&HEAD, false));
        let replies = talk.send(request_body(&b"one"[..], false));
        assert_eq!(immediate(&replies).0, 500, "{mode}");
    }
}

#[test]
fn p07_a_part_that_a_future_has_in_hand_is_waited_for_where_more_passes_by_unseen() {
    let go = tokio::sync::watch::Sender::new(false);
    let mut talk = Talk::new(asks(&go), both(BodyMode::BufferedPartial));
    talk.send(request_headers(&HEAD, false));
    assert!(talk.send(request_body(&b"one"[..], false)).is_empty(), "it has no other answer");
    go.send_replace(true);
    let replies = talk.replies();
    let [reply] = &replies[..] else { panic!("{replies:?}") };
    match body_of(reply) {
        None => {}
        Some(Mutation::Body(body)) => assert_eq!(&body[..], b"one"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn p07_a_body_that_a_future_has_in_hand_is_waited_for_where_trailers_are_still_to_come() {
    let go = tokio::sync::watch::Sender::new(false);
    let mut talk = Talk::new(asks(&go), both(BodyMode::Buffered));
    talk.send(request_headers(&HEAD, false));
    assert!(talk.send(request_body(&b"one"[..], false)).is_empty(), "it has no other answer");
    go.send_replace(true);
    assert_eq!(talk.replies().len(), 1);
    assert_eq!(talk.send(request_trailers(&[("a", "1")])).len(), 1);
}

/// Drops every byte.
struct Drops;

impl<H: Head> Filter<H> for Drops {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        drop(view.take().expect("granted"));
        Verdict::PASS
    }
}

struct Counted {
    bytes: Vec<u8>,
    alive: Arc<AtomicU64>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(self.bytes.len() as u64, SeqCst);
    }
}

#[test]
fn p23_what_filters_have_dropped_is_not_kept_while_its_message_goes_on() {
    for mode in [BodyMode::Streamed, BodyMode::Buffered, BodyMode::BufferedPartial] {
        let plan = ExchangePlan::builder().request("drops", || Drops).build().expect("a plan");
        let mut talk = Talk::new(plan, both(mode));
        talk.send(request_headers(&HEAD, false));
        let alive = Arc::new(AtomicU64::new(0));
        let mut most_bytes = 0;
        for _ in 0..64 {
            let bytes = vec![7; 65_536];
            alive.fetch_add(bytes.len() as u64, SeqCst);
            let bytes = Bytes::from_owner(Counted { bytes, alive: Arc::clone(&alive) });
            talk.session.handle(Event::BodyPiece { direction: Direction::Request, bytes });
            assert!(talk.replies().is_empty());
            most_bytes = most_bytes.max(alive.load(SeqCst));
        }
        assert!(most_bytes <= 4 * 65_536, "{most_bytes} bytes are kept in {mode}");
    }
}

/// Holds the first body until it is resumed.
struct Waits(Arc<Mutex<Option<ResumeHandle>>>);

impl<H: Head> Filter<H> for Waits {
    fn declare(&self) -> Declaration {
        Declaration::new().marks(Marks::from_high(1))
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        *self.0.lock().expect("no panic") = Some(view.resume_handle());
        Verdict::HOLD.quiet()
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        Verdict::PASS
    }
}

#[test]
fn p23_messages_without_bytes_stop_the_reading_as_well() {
    let handle = Arc::new(Mutex::new(None));
    let waits = Arc::clone(&handle);
    let plan = ExchangePlan::builder().request("waits", move || Waits(Arc::clone(&waits)));
    let mut talk = Talk::new(plan.build().expect("a plan"), both(BodyMode::FullDuplexStreamed));
    talk.send(request_headers(&HEAD, false));
    talk.send(request_body(&b"one"[..], false));
    talk.send(request_body(&b"two"[..], false));
    for _ in 0..100_000 {
        if !talk.session.wants_input() {
            return;
        }
        let direction = Direction::Request;
        let event =
            Event::BodyEnd { direction, body_bytes: 0, end_of_stream: false, envelope: None };
        talk.session.handle(event);
        talk.replies();
    }
    panic!("a peer can have anything kept");
}

#[test]
fn p23_a_first_message_that_is_a_body_is_within_the_bound() {
    let shown = DirectionMode::new(BodyMode::FullDuplexStreamed);
    for mode in [shown, shown.with_headers(SendMode::Skip)] {
        let plan = ExchangePlan::builder().build().expect("a plan");
        let plan = SessionPlan::new(plan, SessionSettings::new(ProcessingMode::both(mode)));
        let plan = plan.expect("it fits");
        let mut session = plan.session();
        let piece = Bytes::from(vec![7; 65_536]);
        for _ in 0..1_000 {
            let direction = Direction::Request;
            session.handle(Event::BodyPiece { direction, bytes: piece.clone() });
            let held_bytes = session.held_bytes();
            let bound_bytes = plan.held_bound_bytes() + piece.len() as u64;
            assert!(held_bytes <= bound_bytes, "{held_bytes} bytes, the bound is {bound_bytes}");
        }
    }
}

/// How messages ended, as an observer was told.
type Told = Arc<Mutex<Vec<(Direction, String)>>>;

fn outcomes(plan: ExchangePlan, mode: ProcessingMode) -> (Talk, Told) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let observer = Arc::new(move |direction: Direction, outcome: &Outcome, _: &Stats| {
        log.lock().expect("no panic").push((direction, format!("{outcome:?}")));
    });
    let mut talk = Talk::new(plan.clone(), mode);
    let plan = SessionPlan::new(plan, SessionSettings::new(mode)).expect("it fits");
    talk.session = plan.on_finish(observer).session();
    (talk, told)
}

#[test]
fn a_message_that_is_cut_where_its_end_would_be_shown_is_cancelled() {
    for mode in [BodyMode::Streamed, BodyMode::FullDuplexStreamed] {
        let (mut talk, told) = outcomes(pair(|| Pass), both(mode));
        talk.send(request_headers(&HEAD, false));
        assert_eq!(talk.send(request_body(&b"one"[..], false)).len(), 1);
        talk.session.handle_end();
        let told = told.lock().expect("no panic");
        assert_eq!(told[..], [(Direction::Request, "Cancelled".to_owned())], "{mode}");
    }
    let (mut talk, told) = outcomes(pair(|| Pass), skipping(BodyMode::Streamed));
    talk.send(request_headers(&HEAD, false));
    assert_eq!(talk.send(request_body(&b"one"[..], false)).len(), 1);
    talk.session.handle_end();
    assert_eq!(told.lock().expect("no panic")[..], [(Direction::Request, "EndUnseen".to_owned())]);
}

/// Ends each message with its head.
struct EndsWithHead;

impl<H: Head> Filter<H> for EndsWithHead {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD)
    }

    fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
        Verdict::END
    }
}

#[test]
fn an_observer_is_told_of_a_message_that_ends_with_its_head_when_that_has_gone() {
    let plan = ExchangePlan::builder().request("ends", || EndsWithHead).build().expect("a plan");
    for mode in [BodyMode::Streamed, BodyMode::FullDuplexStreamed] {
        let (mut talk, told) = outcomes(plan.clone(), both(mode));
        talk.session.handle(head_event(Direction::Request));
        let cx = Context::from_waker(Waker::noop());
        assert!(talk.session.poll_reply(&cx).is_ready(), "the head is answered: {mode}");
        let told = told.lock().expect("no panic");
        let [(Direction::Request, outcome)] = &told[..] else { panic!("{mode}: {told:?}") };
        assert!(outcome.starts_with("Complete"), "{mode}: {outcome}");
    }
}

/// Nothing of it was answered, wherever its bytes are by then.
#[test]
fn a_body_message_that_is_cut_in_its_midst_is_no_end_that_was_not_shown() {
    for (promises, mode) in [
        (false, BodyMode::Streamed),
        (true, BodyMode::Streamed),
        (false, BodyMode::BufferedPartial),
    ] {
        let plan = if promises { pair(|| Promised(Pass)) } else { pair(|| Pass) };
        let (mut talk, told) = outcomes(plan, skipping(mode));
        talk.send(request_headers(&HEAD, false));
        talk.session
            .handle(Event::BodyPiece { direction: Direction::Request, bytes: "one".into() });
        assert!(talk.replies().is_empty(), "the message is not whole");
        talk.session.handle_end();
        if mode == BodyMode::Streamed {
            assert!(matches!(talk.session.end(), Some(SessionEnd::Abandoned)), "{promises}");
        }
        let told = told.lock().expect("no panic");
        assert_eq!(told[..], [(Direction::Request, "Cancelled".to_owned())], "{mode} {promises}");
    }
}

#[test]
fn a_body_that_is_too_long_to_be_kept_whole_is_answered_413() {
    let settings = SessionSettings::new(both(BodyMode::Buffered)).max_whole_bytes(1_000);
    let mut talk = Talk::with(pair(|| Mark), settings);
    talk.send(request_headers(&HEAD, false));
    let replies = talk.send(request_body(vec![7; 2_000], true));
    assert_eq!(immediate(&replies).0, 413);
    let settings = SessionSettings::new(both(BodyMode::Buffered)).max_whole_bytes(1_000);
    let mut talk = Talk::with(pair(|| Mark), settings);
    talk.send(request_headers(&HEAD, true));
    talk.send(response_headers(&[(":status", "200")], false));
    let replies = talk.send(crate::messages::response_body(vec![7; 2_000], true));
    assert_eq!(immediate(&replies).0, 500);
}

#[test]
fn an_observer_that_takes_its_time_is_shown_all_that_came() {
    let handle = Arc::new(Mutex::new(None));
    let waits = Arc::clone(&handle);
    let plan = ExchangePlan::builder().request("waits", move || Waits(Arc::clone(&waits)));
    let plan = plan.build().expect("a plan");
    let (mut talk, told) = outcomes(plan, both(BodyMode::Streamed));
    let observed = |mut message: crate::messages::ProcessingRequest| {
        message.observability_mode = true;
        message
    };
    talk.send(observed(request_headers(&HEAD, false)));
    talk.send(observed(request_body(&b"one"[..], false)));
    talk.send(observed(request_body(&b"two"[..], true)));
    talk.session.handle_half_close();
    assert_eq!(talk.status(), None, "a filter looks at the first piece: {:?}", talk.session);
    let next = || handle.lock().expect("no panic").take();
    while let Some(waiting) = next() {
        assert_eq!(talk.status(), None);
        waiting.resume();
        talk.replies();
    }
    assert!(talk.status().expect("all was seen").is_ok());
    let told = told.lock().expect("no panic");
    assert!(told[0].1.starts_with("Complete"), "{told:?}");
}

/// Keeps so much, lets all of it go, and keeps nothing from then on.
struct KeepsFirst(usize);

impl<H: Head> Filter<H> for KeepsFirst {
    fn declare(&self) -> Declaration {
        let declaration = Declaration::new().require(Capability::KeepToEnd);
        declaration.marks(Marks::from_high(1 << 20))
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() || view.body().len() >= self.0 {
            self.0 = 0;
            return Verdict::PASS;
        }
        Verdict::HOLD
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// Polls as an executor does: again when it was woken, and else not.
fn run(talk: &mut Talk) -> usize {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut replies = 0;
    while woken.0.swap(false, SeqCst) {
        while let Poll::Ready(output) = talk.session.poll_reply(&Context::from_waker(&waker)) {
            assert!(matches!(output, SessionOutput::Reply(_)), "{output:?}");
            replies += 1;
        }
    }
    replies
}

#[test]
fn i13_what_is_let_go_in_the_middle_of_a_whole_body_needs_no_other_wake() {
    for pieces in [2, 5, 9, 17] {
        for first in [150_000, 300_000, 600_000] {
            let plan = ExchangePlan::builder().request("keeps", move || KeepsFirst(first));
            let mut talk = Talk::new(plan.build().expect("a plan"), both(BodyMode::Buffered));
            talk.send(request_headers(&HEAD, false));
            let direction = Direction::Request;
            for _ in 0..pieces {
                let bytes = Bytes::from(vec![7; 100_000]);
                talk.session.handle(Event::BodyPiece { direction, bytes });
            }
            let body_bytes = pieces * 100_000;
            let end = Event::BodyEnd { direction, body_bytes, end_of_stream: true, envelope: None };
            talk.session.handle(end);
            assert_eq!(run(&mut talk), 1, "{pieces} pieces, {first} bytes kept");
        }
    }
}

#[test]
fn what_is_reported_as_streamed_is_whole() {
    let go = tokio::sync::watch::Sender::new(true);
    let mut talk = Talk::new(asks(&go), both(BodyMode::FullDuplexStreamed));
    talk.send(request_headers(&HEAD, false));
    assert_eq!(streamed(&talk.send(request_body(&b"one"[..], true))), (b"one".to_vec(), true));
}
