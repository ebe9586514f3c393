//! H50: counts at the ends of their ranges. Nothing wraps, nothing is cut short, and what cannot be
//! counted is refused with a value.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tidegate::body::Timeouts;
use tidegate::pipe::{Next, pipe};
use tidegate::watermark::{Edge, Side, Watermark, Weigh};
use tidegate::{
    Capabilities, Capability, Chain, Declaration, ErrorKind, Filter, Marks, MessageTraits, Outcome,
    Output, Plan, Verdict, View, limits,
};

use crate::kit::{Dir, both};

/// Says that it weighs so much.
struct Heavy(u64);

impl Weigh for Heavy {
    fn weight_bytes(&self) -> u64 {
        self.0
    }
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// h2 #914 (`255u8 + 1`: 256 bytes of credit leaked a frame): the counts of a pipe lie in one word
/// of 61 bits. Items that say they weigh all there is take it round many times; what is held is
/// right after each, and the sender is never told of room that is not there.
#[test]
fn h50_counts_of_a_pipe_wrap_without_a_trace() {
    let charge = limits::MAX_PIPE_ITEM_BYTES + limits::PIPE_ITEM_COST_BYTES;
    for weight in [u64::MAX, u64::MAX - 95, 1 << 63, limits::MAX_PIPE_ITEM_BYTES] {
        let (mut sender, mut receiver) = pipe::<Heavy, (), ()>(Marks::from_high(charge));
        for turn in 0..20_000_u32 {
            // Two are over the mark of one.
            for held in [charge, 2 * charge] {
                assert!(sender.poll_ready(&mut noop()).is_ready(), "turn {turn}");
                assert!(sender.try_send(Heavy(weight)).is_ok(), "turn {turn}");
                assert_eq!(sender.held_bytes(), held, "turn {turn}");
            }
            assert!(sender.poll_ready(&mut noop()).is_pending(), "turn {turn}");
            for left in [charge, 0] {
                assert!(matches!(receiver.poll_next(&mut noop()), Poll::Ready(Next::Item(_))));
                assert_eq!(sender.held_bytes(), left, "turn {turn}");
            }
        }
    }
}

/// nginx CVE-2026-123007 (a window overflowed): a watermark that is `k` short of all there is.
#[test]
fn h50_a_watermark_counts_up_to_the_last_byte() {
    for k in 0..4_u64 {
        let start = u64::MAX - k;
        let mut mark = Watermark::new(Marks::from_high(start));
        assert_eq!(mark.add(start), None);
        assert_eq!((mark.len_bytes(), mark.side()), (start, Side::Below));
        if k > 0 {
            assert_eq!(mark.add(k), Some(Edge::High));
            assert_eq!(mark.sub(k), None, "half has to go first");
        }
        let over = std::panic::catch_unwind(move || mark.add(k + 1));
        assert!(over.is_err(), "one more than there is");
    }
}

/// Names the largest numbers there are, in every place that takes one.
struct Vast {
    call: usize,
}

impl<H: Dir> Filter<H> for Vast {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength).marks(Marks::from_high(u64::MAX))
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        assert!(view.set_declared_bytes(u64::MAX));
        Verdict::pass_first(usize::MAX)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call += 1;
        for bytes in [u64::MAX, u64::MAX - 1, limits::MAX_KEPT_BYTES + 1] {
            assert!(view.set_kept_bytes(bytes).is_err(), "more than can be kept");
        }
        view.set_kept_bytes(limits::MAX_KEPT_BYTES).expect("the most that can be kept");
        match self.call {
            1 => Verdict::pass_first(usize::MAX),
            2 => Verdict::pass_first(usize::MAX - 1).or_reject(),
            _ => Verdict::HOLD,
        }
    }
}

fn vast<H: Dir>(filters: usize) -> (Plan<H>, Chain<H>) {
    let plan = (0..filters).fold(Plan::<H>::builder(), |plan, k| {
        plan.filter(format!("vast {k}"), || Vast { call: 0 })
    });
    let plan = plan.output_marks(Marks::from_high(u64::MAX)).build().expect("a plan");
    let bound = plan.bind(Capabilities::ALL).expect("an edge");
    let chain = bound.chain(MessageTraits::new()).expect("a chain");
    (plan, chain)
}

/// RUSTSEC-2026-0007 (`reserve` wrapped in release builds), RUSTSEC-2021-0079: 64 filters that keep
/// all they may, declare all there is, and let go more than they have.
fn h50_numbers_of_filters_saturate<H: Dir>() {
    for filters in [1, 64] {
        let (plan, mut chain) = vast::<H>(filters);
        assert_eq!(plan.held_bound_bytes(), u64::MAX, "a bound that cannot be named is no bound");
        chain.handle_head(H::plain(), false).expect("the head is taken");
        let Some(Output::Head { head, .. }) = chain.poll_output() else { panic!("no head") };
        assert_eq!(head.get("content-length"), Some("18446744073709551615"));
        assert_eq!(chain.remaining_bytes(), Some(u64::MAX));
        for _ in 0..3 {
            chain.handle_data(Bytes::from_static(b"x"), false).expect("data is taken");
            while chain.poll_output().is_some() {}
        }
        let kept = limits::MAX_KEPT_BYTES;
        assert!(chain.held_bytes() >= kept && chain.held_bytes() <= kept * 64 + 3);
        chain.handle_end().expect("the end is taken");
        chain.cancel();
        assert!(chain.outcome().is_some_and(|outcome| !outcome.is_complete()));
        assert_eq!(chain.held_bytes(), 0);
    }
}

/// hyper #4056 (`u64 as usize`), HAProxy CVE-2026-55203 (65535 + 1): declared lengths around every
/// power of two up to the last, and beyond it. What fits is counted as it is; what does not is an
/// error, and never a small number.
fn h50_declared_lengths_are_read_whole<H: Dir>() {
    let powers = (0..64).map(|power| 1_u128 << power);
    let around = powers.flat_map(|power| [power - 1, power, power + 1]);
    let last = u128::from(u64::MAX);
    for declared in around.chain([last - 1, last, last + 1, last + 5, last * 10, u128::MAX]) {
        for zeros in ["", "0", "000000000000000000000000000000"] {
            let (_, mut chain) = vast::<H>(0);
            let value = format!("{zeros}{declared}");
            chain.handle_head(H::with("content-length", &value), false).expect("taken");
            let _ = chain.handle_data(Bytes::from_static(b"12345678"), true);
            while chain.poll_output().is_some() {}
            let outcome = chain.outcome().expect("the message is over");
            let kind = match u64::try_from(declared) {
                Err(_) => Some(ErrorKind::LengthInvalid),
                Ok(8) => None,
                Ok(declared_bytes) if declared_bytes < 8 => {
                    Some(ErrorKind::LengthExceeded { declared_bytes })
                }
                Ok(declared_bytes) => {
                    Some(ErrorKind::LengthShort { declared_bytes, actual_bytes: 8 })
                }
            };
            assert_eq!(outcome.error().map(tidegate::Error::kind), kind, "{value}");
            assert_eq!(outcome.is_complete(), declared == 8, "{value}");
        }
    }
}

/// A time that no clock can name never comes.
#[tokio::test(start_paused = true)]
async fn h50_times_beyond_the_clock_never_come() {
    use crate::edge::{Source, Step, chain, collect_async, no_filters, request_head};
    let never = Some(Duration::MAX);
    let mut timeouts = Timeouts::default();
    (timeouts.idle, timeouts.hold, timeouts.total) = (never, never, never);
    let source = Source::new([Step::Data(b"one"), Step::Yield, Step::Data(b"two")]);
    let body = tidegate::body::FilteredBody::new(chain(&no_filters()), request_head(), source);
    let mut body = body.timeouts(timeouts);
    let all = collect_async(&mut body).await;
    assert_eq!((all.text(), all.error.is_none()), ("onetwo", true));
    assert!(body.driver().chain().outcome().is_some_and(Outcome::is_complete));
}

both!(h50_declared_lengths_are_read_whole, h50_numbers_of_filters_saturate);
