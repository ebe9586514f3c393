//! H7, H8, H14 and H15: the bound under every schedule and in every mode, room that must come, and
//! edges that balance.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tidegate::async_filter::{Input, Output as AsyncOutput, async_filter};
use tidegate::chain::{InputError, PlanBuilder};
use tidegate::pipe::{Next, TrySendError, pipe};
use tidegate::watermark::{Edge, Side, Watermark, Weigh};
use tidegate::{
    Capabilities, Capability, Chain, Declaration, Error, Filter, Interest, Marks, MessageTraits,
    Outcome, Output, Plan, ResumeHandle, View, limits,
};

use crate::counting::live_bytes;
use crate::kit::*;

fn marks(low: u64, high: u64) -> Marks {
    Marks::new(low, high).expect("low <= high")
}

fn started<H: Dir>(plan: PlanBuilder<H>) -> (Chain<H>, u64) {
    let plan = plan.build().expect("a plan");
    let most = plan.held_bound_bytes();
    let plan = plan.bind(Capabilities::ALL).expect("an edge that can do it");
    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
    chain.handle_head(H::plain(), false).expect("the head is taken");
    (chain, most)
}

/// Answers data with one verdict, and lets all go when it is asked again.
struct Answers {
    verdict: Verdict,
    marks: Marks,
    /// Its own handle: the test asks it again by its number, and it is not taken for stuck.
    handle: Option<ResumeHandle>,
}

impl Answers {
    fn new(verdict: Verdict) -> Self {
        Self { verdict, marks: marks(2, 4), handle: None }
    }
}

impl<H: Dir> Filter<H> for Answers {
    fn declare(&self) -> Declaration {
        Declaration::new()
            .marks(self.marks)
            .prefer(Capability::HoldHead)
            .prefer(Capability::ChangeLength)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.handle.get_or_insert_with(|| view.resume_handle());
        self.verdict
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        PASS
    }
}

struct Item(u64);

impl Weigh for Item {
    fn weight_bytes(&self) -> u64 {
        self.0
    }
}

/// hyper #4049: `Pending` fell through to sending, and a stalled reader cost gigabytes; pingora
/// #500. A sender that never looks at what it is answered holds as much as one that does: the high
/// mark and one item.
#[test]
fn h07_a_sender_that_ignores_full_gets_no_further() {
    for high in [0, 1, 100, 1000] {
        for weight in [0, 1, 99, 5000] {
            let (mut sender, receiver) = pipe::<Item, (), ()>(Marks::from_high(high));
            let mut cx = Context::from_waker(Waker::noop());
            let cost = limits::PIPE_ITEM_COST_BYTES;
            for turn in 0..1000 {
                // Asked, not asked, asked and not heeded.
                if turn % 2 == 0 {
                    let _ = sender.poll_ready(&mut cx);
                }
                match sender.try_send(Item(weight)) {
                    Ok(()) => {}
                    Err(TrySendError::Full(Item(back))) => assert_eq!(back, weight),
                    Err(_) => panic!("the receiver is there"),
                }
                let most = high + weight + cost;
                assert!(sender.held_bytes() <= most, "{} of {most}", sender.held_bytes());
                assert_eq!(sender.held_bytes(), receiver.held_bytes());
            }
        }
    }
}

/// The same for a chain: a source that never looks at `wants_input` gets its bytes back, all of
/// them, after one frame that may have been in flight.
fn h07_a_source_that_ignores_the_pause_gets_its_bytes_back<H: Dir>() {
    for piece_bytes in [1, 3, 64, 5000] {
        for holds in [true, false] {
            let plan = Plan::builder().output_marks(marks(2, 4)).max_frame_bytes(8);
            let plan = if holds { plan.filter("A", || Answers::new(HOLD)) } else { plan };
            let (mut chain, most) = started::<H>(plan);
            let before = live_bytes();
            let mut taken = 0;
            for _ in 0..1000 {
                match chain.handle_data(Bytes::from(vec![b'x'; piece_bytes]), false) {
                    Ok(()) => taken += piece_bytes,
                    Err(InputError::NotWanted(back)) => assert_eq!(back.len(), piece_bytes),
                    Err(other) => panic!("it is in order: {other:?}"),
                }
                assert!(chain.held_bytes() <= most);
                assert!(taken as u64 <= most + piece_bytes as u64, "one frame beyond the bound");
            }
            let heap = usize::try_from(live_bytes() - before).expect("more is live");
            assert!(heap <= 2 * taken + 3 * limits::BOOKKEEPING_BASE_BYTES, "{heap}");
        }
    }
}

async fn passes_all(mut input: Input, mut output: AsyncOutput) -> Result<(), Error> {
    while let Some(chunk) = input.next().await? {
        output.send(chunk).await?;
    }
    Ok(())
}

async fn doubles_all(mut input: Input, mut output: AsyncOutput) -> Result<(), Error> {
    while let Some(chunk) = input.next().await? {
        output.send(chunk.clone()).await?;
        output.send(chunk).await?;
    }
    Ok(())
}

async fn collects_all(mut input: Input, mut output: AsyncOutput) -> Result<(), Error> {
    let body = input.collect(u64::MAX).await?;
    output.send_all(body).await
}

/// Every way in which a filter can have to do with bytes.
const MODES: [&str; 16] = [
    "pass",
    "hold",
    "hold quietly",
    "reject",
    "reject quietly",
    "pass none",
    "pass one",
    "pass all but open",
    "pass again",
    "hold again",
    "blind hold",
    "keep",
    "grow",
    "async pass",
    "async double",
    "async collect",
];

fn with_mode<H: Dir>(plan: PlanBuilder<H>, mode: &'static str, name: &str) -> PlanBuilder<H> {
    let edits = || Declaration::new().require(Capability::ChangeLength).marks(marks(2, 4));
    let verdict = match mode {
        "pass" => PASS,
        "hold" => HOLD,
        "hold quietly" => SAW,
        "reject" => BUF,
        "reject quietly" => SAB,
        "pass none" => CDE,
        "pass one" => Verdict::pass_first(1),
        "pass all but open" => Verdict::pass_first(usize::MAX),
        "pass again" => PASS.again(),
        "hold again" => HOLD.again(),
        "async pass" => return plan.filter(name, async_filter(edits(), passes_all)),
        "async double" => return plan.filter(name, async_filter(edits(), doubles_all)),
        "async collect" => return plan.filter(name, async_filter(edits(), collects_all)),
        "blind hold" => return plan.filter(name, || BlindHold),
        "keep" => return plan.filter(name, || Edits { kept: 0, grows: false }),
        _ => return plan.filter(name, || Edits { kept: 0, grows: true }),
    };
    plan.filter(name, move || Answers::new(verdict))
}

/// Holds the head, and looks at nothing else: the body queues behind it.
struct BlindHold;

impl<H: Dir> Filter<H> for BlindHold {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD).marks(marks(2, 4)).require(Capability::HoldHead)
    }

    fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
        HOLD
    }
}

/// Takes what comes and keeps it, or adds as much as it may.
struct Edits {
    kept: u64,
    grows: bool,
}

impl<H: Dir> Filter<H> for Edits {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength).marks(marks(2, 4))
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.grows {
            while view.push(Bytes::from_static(b"g")).is_ok() {}
            return PASS;
        }
        self.kept += view.take().expect("granted").len() as u64;
        view.set_kept_bytes(self.kept).expect("it was taken");
        HOLD
    }
}

/// What a consumer does between two frames of the source.
#[derive(Debug, Clone, Copy)]
enum Sink {
    Stalled,
    TakesOne,
    TakesAll,
}

/// Envoy #39514: one body mode moved the watermarks, another did not. Pairs of filters of every
/// kind before a sink of every kind; the source gives whenever it is wanted, for as long as it is,
/// or 60 frames. The bound that was stated before the first byte holds after every step.
fn h08_the_bound_holds_in_every_mode<H: Dir>() {
    for first in MODES {
        for second in MODES {
            for sink in [Sink::Stalled, Sink::TakesOne, Sink::TakesAll] {
                for frame_bytes in [1, 5, 40] {
                    let plan = Plan::builder().output_marks(marks(2, 4)).max_frame_bytes(8);
                    let plan = with_mode(with_mode(plan, first, "A"), second, "B");
                    let (mut chain, most) = started::<H>(plan);
                    let shown = format!("{first}, {second}, {sink:?}, frames of {frame_bytes}");
                    for _ in 0..60 {
                        if !chain.wants_input() && matches!(sink, Sink::Stalled) {
                            break;
                        }
                        if chain.wants_input() {
                            let frame = Bytes::from(vec![b'x'; frame_bytes]);
                            chain.handle_data(frame, false).expect("it is wanted");
                        }
                        assert!(chain.held_bytes() <= most, "{shown}: {}", chain.held_bytes());
                        match sink {
                            Sink::Stalled => {}
                            Sink::TakesOne => drop(chain.poll_output()),
                            Sink::TakesAll => while chain.poll_output().is_some() {},
                        }
                    }
                    assert!(chain.stats().peak_held_bytes <= most, "{shown}");
                    assert!(
                        !matches!(sink, Sink::Stalled) || !chain.wants_input(),
                        "{shown}: a stalled sink stops the source"
                    );
                }
            }
        }
    }
}

/// HAProxy 3.0.31: a payload larger than the buffer less its reserve waited for ever. Every piece
/// size around every pair of marks, before filters that hold for a while or let go in small parts,
/// and a sink that takes one thing at a time: all of it arrives.
fn h14_a_piece_larger_than_the_marks_gets_through<H: Dir>() {
    const TOTAL_BYTES: usize = 12;
    for high in 0..4 {
        for low in 0..=high {
            for max_frame_bytes in [1, 2, 100] {
                for piece_bytes in 1..=6 {
                    for verdicts in [
                        &[][..],
                        &[PASS],
                        &[HOLD],
                        &[SAW],
                        &[CDE],
                        &[Verdict::pass_first(1)],
                        &[HOLD, Verdict::pass_first(1)],
                        &[Verdict::pass_first(1), SAW],
                    ] {
                        let plan = Plan::builder().output_marks(marks(low, high));
                        let mut plan = plan.max_frame_bytes(max_frame_bytes);
                        for (&verdict, name) in verdicts.iter().zip(["A", "B"]) {
                            let marks = marks(low, high);
                            plan = plan
                                .filter(name, move || Answers { marks, ..Answers::new(verdict) });
                        }
                        let shown = format!(
                            "{low}/{high}, frames of {max_frame_bytes}, pieces of {piece_bytes}, \
                             {verdicts:?}"
                        );
                        let (chain, _) = started::<H>(plan);
                        get_through(chain, TOTAL_BYTES, piece_bytes, &shown);
                    }
                }
            }
        }
    }
}

fn get_through<H: Dir>(mut chain: Chain<H>, total: usize, piece_bytes: usize, shown: &str) {
    let (mut left, mut sunk, mut ended) = (total, 0, false);
    for _ in 0..1000 {
        if chain.wants_input() && left != 0 {
            let piece = piece_bytes.min(left);
            left -= piece;
            chain.handle_data(Bytes::from(vec![b'x'; piece]), false).expect("it is wanted");
        } else if chain.wants_input() && !ended {
            ended = true;
            chain.handle_end().expect("the end is taken");
        }
        if let Some(Output::Data(data)) = chain.poll_output() {
            sunk += data.len();
        }
        for station in 0..chain.len() {
            chain.handle_resume(station);
        }
        if chain.outcome().is_some_and(Outcome::is_complete) {
            assert_eq!(sunk, total, "{shown}");
            return;
        }
        assert!(chain.outcome().is_none(), "{shown}: {:?}", chain.outcome());
    }
    panic!("{shown}: {left} bytes left, {sunk} came: {chain:?}");
}

/// A filter that will hold for ever, because what it waits for is more than its mark: that is a
/// stall with its name, or it gets what it waits for. Never a wait.
fn h14_a_filter_that_waits_for_more_than_its_mark_is_a_named_stall<H: Dir>() {
    for high in 0..6 {
        for awaited in 0..10 {
            for piece_bytes in 1..6 {
                let until = move |view: &mut View<'_, H>| {
                    if view.body().len() >= awaited { PASS } else { HOLD }
                };
                let a = script::<H>("A").high(high).data_always(until).no_handle();
                let mut run = Run::new([a]);
                run.head(false);
                let mut given = 0;
                while run.chain.wants_input() && given < 20 {
                    run.frame(Bytes::from(vec![b'x'; piece_bytes]), false);
                    given += piece_bytes;
                }
                let shown = format!("high {high}, awaits {awaited}, pieces of {piece_bytes}");
                match run.chain.outcome() {
                    None => assert!(given >= 20, "{shown}: waits at {given}"),
                    Some(Outcome::Stalled(error)) => {
                        assert_eq!(error.filter(), Some("A"));
                        assert!(given as u64 > high && given < awaited, "{shown}: {given}");
                    }
                    other => panic!("{shown}: {other:?}"),
                }
                drop(run.abandon());
            }
        }
    }
}

async fn answers_with(
    bytes: usize,
    mut input: Input,
    mut output: AsyncOutput,
) -> Result<(), Error> {
    while input.next().await?.is_some() {}
    output.send(Bytes::from(vec![b'y'; bytes])).await
}

/// The same for an async filter that sends more at once than all marks together: it goes in
/// pieces, or is a typed error where the mark has room for nothing.
fn h14_an_async_send_larger_than_every_mark_gets_through<H: Dir>() {
    for high in 0..4 {
        for out_high in 0..3 {
            for max_frame_bytes in [1, 100] {
                for bytes in 0..12 {
                    let declaration = || {
                        Declaration::new().require(Capability::ChangeLength).marks(marks(0, high))
                    };
                    let make = move |input, output| answers_with(bytes, input, output);
                    let plan = Plan::builder().filter("A", async_filter(declaration(), make));
                    let plan = plan.output_marks(marks(0, out_high));
                    let (mut chain, _) = started::<H>(plan.max_frame_bytes(max_frame_bytes));
                    chain.handle_end().expect("the end is taken");
                    let mut sunk = 0;
                    for _ in 0..200 {
                        if let Some(Output::Data(data)) = chain.poll_output() {
                            sunk += data.len();
                        }
                        chain.handle_resumes();
                    }
                    let shown = format!("{bytes} bytes, {high}, {out_high}, {max_frame_bytes}");
                    let outcome = chain.outcome().map(render::outcome);
                    if high == 0 && bytes > 0 {
                        assert_eq!(outcome.as_deref(), Some("failed A limit 0"), "{shown}");
                    } else {
                        assert_eq!(outcome.as_deref(), Some("complete"), "{shown}");
                        assert_eq!(sunk, bytes, "{shown}");
                    }
                }
            }
        }
    }
}

/// The same for a pipe, with its marks and the cost of a slot: an item of any weight gets in when
/// the pipe is empty, and whoever waits is not forgotten.
#[test]
fn h14_an_item_heavier_than_the_pipe_gets_through() {
    let cost = limits::PIPE_ITEM_COST_BYTES;
    let steps = [0, 1, cost - 1, cost, cost + 1, 2 * cost, 3 * cost + 7];
    let mut cx = Context::from_waker(Waker::noop());
    for high in steps {
        for low in steps.into_iter().filter(|&low| low <= high) {
            for weight in steps {
                let (mut sender, mut receiver) = pipe::<Item, (), ()>(marks(low, high));
                let mut received = 0;
                for turn in 0..200 {
                    let ready = sender.poll_ready(&mut cx).is_ready();
                    if ready {
                        sender.try_send(Item(weight)).unwrap_or_else(|_| panic!("it is ready"));
                    }
                    // A full pipe is read before the next item; an empty one must be ready.
                    if !ready || turn % 3 == 0 {
                        match receiver.poll_next(&mut cx) {
                            Poll::Ready(Next::Item(_)) => received += 1,
                            _ => panic!("{low}/{high}, {weight}: neither room nor an item"),
                        }
                    }
                }
                assert!(received > 50, "{low}/{high}, {weight}: {received}");
            }
        }
    }
}

/// Envoy #5302, #24895, #19026: `readDisable` is a counter of several callers. Every string of
/// eight additions and removals under every pair of small marks: edges alternate, the first is
/// high, and below the low mark nothing is paused.
#[test]
fn h15_edges_alternate_and_balance() {
    for high in 0..4_u64 {
        for low in 0..=high {
            for mut string in 0..4_u32.pow(8) {
                let mut held = Watermark::new(marks(low, high));
                let (mut len, mut pauses) = (0_u64, 0_i32);
                for _ in 0..8 {
                    let (edge, after) = match string % 4 {
                        0 => (held.add(1), len + 1),
                        1 => (held.add(3), len + 3),
                        2 => (held.sub(len.min(1)), len - len.min(1)),
                        _ => (held.sub(len.min(4)), len - len.min(4)),
                    };
                    string /= 4;
                    len = after;
                    pauses += match edge {
                        Some(Edge::High) => 1,
                        Some(Edge::Low) => -1,
                        None => 0,
                    };
                    assert!(pauses == 0 || pauses == 1, "edges alternate");
                    assert_eq!(pauses == 1, held.side() == Side::Above);
                    assert!(pauses == 1 || len <= high, "over, and not paused");
                    assert!(pauses == 0 || len > low, "at the low mark, and still paused");
                }
            }
        }
    }
}

/// The same for a chain of three holders: a thousand random messages, with filters that hold, let
/// go in parts and all, and marks that change under way. However many are over, the source is
/// paused once and resumed once; and what one filter is charged pauses it by its own marks only.
fn h15_pauses_of_three_holders_balance<H: Dir>() {
    for seed in 0..1000 {
        let mut rng = Rng::new(seed);
        let mut plan = Plan::builder().output_marks(marks(1, 3)).max_frame_bytes(4);
        for name in ["A", "B", "C"] {
            let verdict = [PASS, HOLD, SAW, CDE, Verdict::pass_first(1)][rng.below(5)];
            let (low, more) = (rng.below(4) as u64, rng.below(4) as u64);
            plan = plan.filter(name, move || Answers {
                marks: marks(low, low + more),
                ..Answers::new(verdict)
            });
        }
        let (mut chain, _) = started::<H>(plan);
        for _ in 0..200 {
            match rng.below(6) {
                0 | 1 if chain.wants_input() => {
                    let frame = Bytes::from(vec![b'x'; 1 + rng.below(6)]);
                    chain.handle_data(frame, false).expect("it is wanted");
                }
                2 => chain.handle_resume(rng.below(3)),
                3 => {
                    let low = rng.below(3) as u64;
                    chain.set_marks(rng.below(4), marks(low, low + rng.below(3) as u64));
                }
                _ => drop(chain.poll_output()),
            }
            let stats = chain.stats();
            let paused = stats.pauses - stats.resumes;
            assert!(paused <= 1, "seed {seed}: {stats:?}");
            assert!(!chain.wants_input() || paused == 0, "seed {seed}: wanted, and paused");
        }
        for _ in 0..1000 {
            if chain.wants_input() {
                break;
            }
            (0..3).for_each(|station| chain.handle_resume(station));
            drop(chain.poll_output());
        }
        assert!(chain.wants_input(), "seed {seed}: paused for ever: {chain:?}");
        let stats = chain.stats();
        assert_eq!(stats.pauses, stats.resumes, "seed {seed}: zero at the end");
    }
}

both!(
    h07_a_source_that_ignores_the_pause_gets_its_bytes_back,
    h08_the_bound_holds_in_every_mode,
    h14_a_piece_larger_than_the_marks_gets_through,
    h14_a_filter_that_waits_for_more_than_its_mark_is_a_named_stall,
    h14_an_async_send_larger_than_every_mark_gets_through,
    h15_pauses_of_three_holders_balance,
);
