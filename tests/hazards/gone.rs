//! H6, H10, H16 and H17: who goes is noticed at once whatever the others wait for, who never comes
//! can be noticed, nobody takes all the turns, and nothing is kept for those who have gone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, request, response};
use http_body::Body;
use tidegate::body::{FilteredBody, Timeouts, pipe_body};
use tidegate::exchange::{EarlyResponse, ExchangePlan};
use tidegate::pipe::{Cut, Next, SendError, pipe};
use tidegate::{
    BoundPlan, Capabilities, Chain, Error, ErrorKind, Filter, Head, LocalReply, Marks,
    MessageTraits, Origin, Outcome, Output, Plan, ResumeHandle, Timeout, View, limits,
};

use crate::counting::live_bytes;
use crate::edge::{Source, Step, Task, collect_async};
use crate::kit::*;
use crate::stage::{Stage as Exchange, sunk};

fn reset() -> Error {
    Error::new(ErrorKind::Reset, Origin::Downstream)
}

/// Holds data as it was told, and keeps its own handle; lets go when it is asked again.
struct Holds(Verdict, Option<ResumeHandle>);

impl<H: Head> Filter<H> for Holds {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.1.get_or_insert_with(|| view.resume_handle());
        self.0
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        PASS
    }
}

fn plan_holding<H: Dir>(verdicts: &[Verdict], keep_chains: usize) -> BoundPlan<H> {
    let mut plan = Plan::builder().keep_chains(keep_chains).output_marks(Marks::from_high(4));
    for (&verdict, name) in verdicts.iter().zip(["A", "B"]) {
        plan = plan.filter(name, move || Holds(verdict, None));
    }
    plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge that can do it")
}

/// What the chain waits for when the peer goes.
const WAITS: [&str; 6] =
    ["for its sink", "at the head", "for a filter", "for a quiet one", "for room", "for input"];

fn plan_waiting<H: Dir>(waits: &str, keep_chains: usize) -> BoundPlan<H> {
    let verdicts: &[Verdict] = match waits {
        "for a filter" => &[HOLD],
        "for a quiet one" => &[SAW, PASS],
        _ => &[PASS],
    };
    plan_holding::<H>(verdicts, keep_chains)
}

/// A chain that waits, with as much in it as can be.
fn waiting<H: Dir>(plan: &BoundPlan<H>, waits: &str) -> Chain<H> {
    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
    chain.handle_head(H::plain(), false).expect("the head is taken");
    if waits != "at the head" {
        assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
    }
    if waits == "for input" {
        return chain;
    }
    while chain.wants_input() {
        chain.handle_data(Bytes::from(vec![b'x'; 3000]), false).expect("it is wanted");
    }
    if waits == "for room" {
        // One frame in flight stands before the chain.
        chain.handle_data(Bytes::from(vec![b'x'; 3]), false).expect("one is taken");
    }
    chain
}

/// pingora #910: a reset from one side was not seen while the other was being written to, and the
/// credit was pinned. Whatever the chain waits for, a reset is the next that the sink is told,
/// before all that was queued, and nothing is kept.
fn h06_a_reset_is_seen_whatever_the_chain_waits_for<H: Dir>() {
    for waits in WAITS {
        let mut chain = waiting(&plan_waiting::<H>(waits, 0), waits);
        let queued = chain.held_bytes();
        assert!(queued != 0 || waits == "for input", "{waits}: something is in the way");
        chain.handle_reset(reset());
        assert_eq!(chain.held_bytes(), 0, "{waits}");
        assert!(matches!(chain.outcome(), Some(Outcome::Reset(_))), "{waits}");
        assert!(matches!(chain.poll_output(), Some(Output::Reset(_))), "{waits}");
        assert!(chain.poll_output().is_none(), "{waits}");
        let stats = chain.stats();
        assert_eq!(stats.input_bytes, stats.output_bytes + stats.discarded_bytes, "{waits}");
    }
}

/// hyper #4042, h2 #896: one half of a pipe goes while the other waits, in every wait and after
/// every number of polls; the other is woken and ends. Nobody is polled who was not woken.
#[test]
fn h06_a_half_that_goes_ends_the_wait_of_the_other() {
    for polls in 0..8 {
        for (high, sends) in [(0, 5), (150, 5), (1000, 5), (0, 0)] {
            for sender_goes in [true, false] {
                let (mut sender, mut receiver) = pipe::<Bytes, (), ()>(Marks::from_high(high));
                let sending = async move {
                    for _ in 0..sends {
                        match sender.send(Bytes::from_static(b"x")).await {
                            Ok(()) => {}
                            Err(SendError::Closed(_)) => return,
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                    std::future::poll_fn(|cx| sender.poll_closed(cx)).await;
                };
                let receiving = async move {
                    loop {
                        match receiver.next().await {
                            Next::Item(_) => {}
                            Next::Cut(Cut::Cancelled) => return,
                            other => panic!("{other:?}"),
                        }
                    }
                };
                let (goes, stays): (Half, Half) = if sender_goes {
                    (Box::pin(sending), Box::pin(receiving))
                } else {
                    (Box::pin(receiving), Box::pin(sending))
                };
                let shown = format!("{polls} polls, {high}/{sends}, sender goes: {sender_goes}");
                assert!(ends_when_the_other_goes(goes, stays, polls), "{shown}");
            }
        }
    }
}

type Half = Pin<Box<dyn Future<Output = ()>>>;

/// Polls both in turn when they were woken, `polls` times; then drops one. Whether the other has
/// been woken for that, and ends.
fn ends_when_the_other_goes(goes: Half, mut stays: Half, polls: usize) -> bool {
    let (gone, staying) = (Task::new(), Task::new());
    let mut goes = Some(goes);
    for turn in 0..polls {
        let half = goes.as_mut().expect("it has not gone");
        if turn == 0 || gone.is_woken() {
            assert!(gone.poll(|cx| half.as_mut().poll(cx)).is_pending());
        }
        if turn == 0 || staying.is_woken() {
            assert!(staying.poll(|cx| stays.as_mut().poll(cx)).is_pending());
        }
    }
    drop(goes.take());
    let told = polls == 0 || staying.is_woken();
    told && staying.run(|cx| stays.as_mut().poll(cx)).is_ready()
}

/// The same for an abort: what is queued does not stand in its way.
#[test]
fn h06_an_abort_overtakes_what_is_queued() {
    for read in 0..4 {
        let (mut sender, mut receiver) = pipe::<Bytes, (), &str>(Marks::from_high(1000));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..4 {
            sender.try_send(Bytes::from_static(b"x")).expect("there is room");
        }
        for _ in 0..read {
            assert!(matches!(receiver.poll_next(&mut cx), Poll::Ready(Next::Item(_))));
        }
        sender.abort("gone").expect("the receiver is there");
        let next = receiver.poll_next(&mut cx);
        assert!(matches!(next, Poll::Ready(Next::Cut(Cut::Aborted("gone")))), "{next:?}");
        assert_eq!(receiver.held_bytes(), 0);
    }
}

/// The same at the edge: a body that is dropped after any number of polls lets go of its source at
/// once, directly and through a pump on another task, whatever either waits for.
#[test]
fn h06_a_consumer_that_goes_lets_go_of_the_source() {
    let steps = || [Step::Data(b"one"), Step::Yield, Step::Data(b"two"), Step::Gate];
    for verdicts in [&[][..], &[HOLD], &[SAW]] {
        for polls in 0..6 {
            let source = Source::new(steps());
            let state = source.state();
            let plan = plan_holding::<request::Parts>(verdicts, 0);
            let chain = plan.chain(MessageTraits::new()).expect("a chain");
            let mut body = FilteredBody::new(chain, request::Parts::plain(), source);
            let task = Task::new();
            drop(task.poll(|cx| Pin::new(&mut body).poll_head(cx)));
            for _ in 0..polls {
                drop(task.poll(|cx| Pin::new(&mut body).poll_frame(cx)));
            }
            drop(body);
            assert!(state.is_dropped(), "{verdicts:?}, {polls} polls");

            let source = Source::new(steps());
            let state = source.state();
            let (pump, piped) = pipe_body(source, Marks::from_high(0), Origin::Downstream);
            let (mut pump, mut piped) = (Box::pin(pump), Box::pin(piped));
            let (pumping, reading) = (Task::new(), Task::new());
            for _ in 0..polls {
                let pumped = pumping.poll(|cx| pump.as_mut().poll(cx));
                assert!(pumped.is_pending(), "the gate is closed");
                drop(reading.poll(|cx| piped.as_mut().poll_frame(cx)));
            }
            drop(piped);
            assert!(polls == 0 || pumping.is_woken(), "the pump is told, {polls} polls");
            assert!(pumping.poll(|cx| pump.as_mut().poll(cx)).is_ready(), "{polls} polls");
            assert!(state.is_dropped(), "{polls} polls");
        }
    }
}

/// The same across an exchange: the client goes while the request waits for its upstream.
#[test]
fn h06_a_client_that_goes_ends_a_request_that_is_blocked() {
    for hold in [PASS, HOLD, SAW] {
        let mut stage = Exchange::new(
            EarlyResponse::Forward,
            [script("A").data_always(move |_| hold)],
            [script("X")],
        );
        stage.both_heads();
        for _ in 0..3 {
            stage.request_data("blocked");
        }
        stage.response.cancel();
        // The sink had taken nothing: the reset comes before what was queued for it.
        stage.up("reset(reset) .");
        assert_eq!(stage.request.chain().held_bytes(), 0);
        stage.told("response cancelled, request reset reset");
        assert_eq!(sunk(&mut stage.response), ".");
    }
}

/// CVE-2020-12604: the timeout did not cover a response that was complete and not read. A message
/// whose input has ended, and of which nothing or something was taken, shows that nothing moves
/// (`stats().output_bytes` stands still); whoever has the clock can end it, and all memory goes.
fn h10_a_complete_message_that_nobody_reads_can_be_timed_out<H: Dir>() {
    for verdict in [PASS, HOLD, SAW] {
        for taken in 0..3 {
            for timeout in [Timeout::Idle, Timeout::Total, Timeout::Hold] {
                let plan = plan_holding::<H>(&[verdict], 0);
                let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
                chain.handle_head(H::plain(), false).expect("the head is taken");
                chain.handle_data(Bytes::from(vec![b'x'; 3]), false).expect("data is taken");
                chain.handle_data(Bytes::from(vec![b'x'; 3]), true).expect("the rest is taken");
                for _ in 0..taken {
                    drop(chain.poll_output());
                }
                let given = chain.stats().output_bytes;
                assert!(chain.outcome().is_none() && chain.held_bytes() != 0);
                chain.handle_timeout(timeout);
                assert!(matches!(chain.outcome(), Some(Outcome::TimedOut(_))));
                assert_eq!(chain.stats().output_bytes, given, "a fact until the end");
                assert_eq!(chain.held_bytes(), 0);
                assert!(matches!(chain.poll_output(), Some(Output::Reset(_))));
            }
        }
    }
}

/// The same behind the edge: the total runs while the consumer does not read, and is enforced when
/// it asks again, also where all the source had to give is in the chain.
#[tokio::test(start_paused = true)]
async fn h10_time_in_which_nobody_reads_counts_for_the_total() {
    let source = Source::of("complete").exact(8);
    let plan = plan_holding::<response::Parts>(&[], 0);
    let chain = plan.chain(MessageTraits::new()).expect("a chain");
    let timeouts = Timeouts::new().total(Duration::from_secs(1));
    let mut body = FilteredBody::new(chain, response::Parts::plain(), source).timeouts(timeouts);
    let head = std::future::poll_fn(|cx| Pin::new(&mut body).poll_head(cx)).await;
    head.expect("no filter fails it");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let all = collect_async(&mut body).await;
    let kind = all.error.expect("it took too long").kind();
    assert_eq!(kind, ErrorKind::TimedOut(Timeout::Total));
    assert_eq!(all.data, b"");
}

/// A filter that asks for itself again in every call, for ever.
struct Busy;

impl<H: Head> Filter<H> for Busy {
    fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
        Verdict::PASS.again()
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        Verdict::PASS.again()
    }
}

/// A body that always has more.
struct Endless(Arc<std::sync::atomic::AtomicU64>);

impl Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"more")))))
    }
}

/// Swallows everything.
struct Swallows;

impl<H: Head> Filter<H> for Swallows {
    fn declare(&self) -> tidegate::Declaration {
        tidegate::Declaration::new().require(tidegate::Capability::ChangeLength)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        drop(view.take().expect("granted"));
        PASS
    }
}

/// h2 #860, hyper #4149: one stream took the turns or the credit of all. There is no credit that
/// messages share; turns they do share. Eight messages on one thread, of which seven have a source
/// that never ends or a filter that never rests, and swallow all or pass it: each poll takes a
/// bounded number of frames and calls, so the eighth is done after a few rounds.
#[test]
fn h16_a_busy_message_does_not_keep_others_from_their_turns() {
    for (name, plan) in [
        ("swallows", Plan::builder().filter("A", || Swallows)),
        ("swallows and asks", Plan::builder().filter("A", || Swallows).filter("B", || Busy)),
        ("asks and swallows", Plan::builder().filter("A", || Busy).filter("B", || Swallows)),
    ] {
        let plan = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
        let frames = Arc::<std::sync::atomic::AtomicU64>::default();
        let mut busy: Vec<_> = (0..7)
            .map(|_| {
                let chain = plan.chain(MessageTraits::new()).expect("a chain");
                let source = Endless(Arc::clone(&frames));
                FilteredBody::new(chain, request::Parts::plain(), source)
            })
            .collect();
        let source = Source::new([Step::Data(b"a"), Step::Yield, Step::Data(b"b")]);
        let chain = plan_holding::<request::Parts>(&[PASS], 0).chain(MessageTraits::new());
        let mut quiet = FilteredBody::new(chain.expect("a chain"), Dir::plain(), source);
        let task = Task::new();
        for body in &mut busy {
            assert!(task.poll(|cx| Pin::new(body).poll_head(cx)).is_ready());
        }
        assert!(task.poll(|cx| Pin::new(&mut quiet).poll_head(cx)).is_ready());
        let mut done = false;
        for _ in 0..10 {
            for body in &mut busy {
                let before = frames.load(std::sync::atomic::Ordering::Relaxed);
                let calls = body.driver().chain().stats().calls;
                assert!(task.poll(|cx| Pin::new(&mut *body).poll_frame(cx)).is_pending());
                assert!(task.is_woken(), "{name}: it goes on by itself");
                let taken = frames.load(std::sync::atomic::Ordering::Relaxed) - before;
                assert!(taken <= u64::from(limits::MAX_FRAMES_PER_POLL) + 1, "{name}: {taken}");
                let calls = body.driver().chain().stats().calls - calls;
                assert!(calls <= 4 * u64::from(limits::MAX_CALLS_PER_DRIVE), "{name}: {calls}");
            }
            done |=
                matches!(task.poll(|cx| Pin::new(&mut quiet).poll_frame(cx)), Poll::Ready(None));
        }
        assert!(done, "{name}: the quiet message got its turns");
    }
}

/// The ways in which a message goes.
const GOES: [&str; 5] = ["reset", "cancelled", "dropped", "replied", "timed out"];

/// Apache CVE-2023-45802, h2 CVE-2023-26964: the memory of streams that were reset was kept until
/// the connection went. Messages that go in every state and in every way, one after the other:
/// after each the heap is what it was, with chains of their own and with recycled ones (which keep
/// what they state).
fn h17_a_reset_message_leaves_nothing_on_the_heap<H: Dir>() {
    for keep_chains in [0, 1] {
        for waits in WAITS {
            for goes in GOES {
                let plan = plan_waiting::<H>(waits, keep_chains);
                let mut baseline = None;
                for round in 0..40 {
                    let mut chain = waiting(&plan, waits);
                    match goes {
                        "reset" => chain.handle_reset(reset()),
                        "cancelled" => chain.cancel(),
                        "replied" => {
                            chain.handle_reply(LocalReply::new(StatusCode::FORBIDDEN));
                            while chain.poll_output().is_some() {}
                        }
                        "timed out" => chain.handle_timeout(Timeout::Idle),
                        _ => {}
                    }
                    if goes != "dropped" {
                        assert!(chain.outcome().is_some() && chain.held_bytes() == 0);
                    }
                    drop(chain);
                    // What a plan keeps of a chain is made by its first few messages.
                    if keep_chains == 0 || round >= 3 {
                        let live = live_bytes();
                        let first = *baseline.get_or_insert(live);
                        assert_eq!(live, first, "{waits}, {goes}, round {round}");
                    }
                }
            }
        }
    }
}

/// The same for large bodies: what was held is freed by the reset itself, while the edge still has
/// the chain. What may stay until it is dropped is bookkeeping.
fn h17_a_reset_frees_what_is_held_at_once<H: Dir>() {
    for verdict in [PASS, HOLD, SAW, CDE] {
        let plan = Plan::<H>::builder().filter("A", move || Holds(verdict, None));
        let plan = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
        let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
        let empty = live_bytes();
        chain.handle_head(H::plain(), false).expect("the head is taken");
        while chain.wants_input() {
            chain.handle_data(Bytes::from(vec![b'x'; 1000]), false).expect("it is wanted");
        }
        let high = limits::DEFAULT_HIGH_BYTES.cast_signed() as isize;
        assert!(live_bytes() - empty > high, "it is full");
        chain.handle_reset(reset());
        let left = live_bytes() - empty;
        let base = limits::BOOKKEEPING_BASE_BYTES.cast_signed();
        assert!(left < base, "{verdict:?}: {left} bytes are left behind a reset");
    }
}

/// How the two sides of an exchange go.
const SIDES_GO: [&str; 6] = [
    "request first",
    "response first",
    "request reset",
    "response reset",
    "client gone, request polled",
    "request replied",
];

/// The same for exchanges, whose sides share a mailbox and wake each other: whichever side goes
/// first, in whatever state, and whatever letter lies between them, nothing is left.
#[test]
fn h17_an_exchange_that_is_reset_leaves_nothing_on_the_heap() {
    let holds = |verdict| move || Holds(verdict, None);
    for (up, down) in [(PASS, PASS), (HOLD, PASS), (PASS, SAW), (HOLD, HOLD)] {
        let plan = ExchangePlan::builder()
            .request("A", holds(up))
            .response("X", holds(down))
            .keep_chains(0)
            .build()
            .expect("a plan")
            .bind(Capabilities::ALL, Capabilities::ALL)
            .expect("an edge that can do it");
        for how in SIDES_GO {
            for steps in 0..5 {
                let before = live_bytes();
                let traits = MessageTraits::new();
                let (mut request, mut response) = plan.exchange(traits, traits).expect("sides");
                let cx = Context::from_waker(Waker::noop());
                for step in 0..steps {
                    match step {
                        0 => drop(request.handle_head(Dir::plain(), false)),
                        1 => drop(request.handle_data(Bytes::from(vec![b'x'; 900]), false)),
                        2 => drop(response.handle_head(Dir::plain(), false)),
                        _ => drop(response.handle_data(Bytes::from(vec![b'x'; 900]), true)),
                    }
                    // Wakers are registered, and outputs taken from one side only.
                    let _ = request.poll_next(&cx);
                    let _ = response.poll_mail(&cx);
                }
                match how {
                    "request first" => {
                        drop(request);
                        let _ = response.poll_next(&cx);
                        drop(response);
                    }
                    "response first" => {
                        drop(response);
                        let _ = request.poll_next(&cx);
                        drop(request);
                    }
                    "request reset" => {
                        request.handle_reset(reset());
                        drop((request, response));
                    }
                    "response reset" => {
                        response.handle_reset(reset());
                        drop((request, response));
                    }
                    "client gone, request polled" => {
                        response.cancel();
                        let _ = request.poll_next(&cx);
                        drop((request, response));
                    }
                    _ => {
                        request.handle_reply(LocalReply::text(StatusCode::FORBIDDEN, "no"));
                        let _ = request.poll_next(&cx);
                        drop((request, response));
                    }
                }
                let left = live_bytes() - before;
                assert_eq!(left, 0, "{how} after {steps} steps, {up:?}, {down:?}");
            }
        }
    }
}

both!(
    h06_a_reset_is_seen_whatever_the_chain_waits_for,
    h10_a_complete_message_that_nobody_reads_can_be_timed_out,
    h17_a_reset_message_leaves_nothing_on_the_heap,
    h17_a_reset_frees_what_is_held_at_once,
);
