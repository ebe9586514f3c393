//! What work costs (rule I14), counted and not timed, so that it is the same on every machine:
//! filter calls, allocations, copied bytes, outputs. Each count is taken at a size and at ten
//! times that size: linear work is ten times as much, and what is worse than linear stands out.

#[path = "support/counting.rs"]
mod counting;
mod kit;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tidegate::chain::PlanBuilder;
use tidegate::{
    Capabilities, Capability, Chain, Declaration, Filter, Head, Marks, MessageTraits, Output, Plan,
    View,
};

use counting::allocations;
use kit::{Dir, HOLD, PASS, Verdict, both};

/// What one message cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    calls: u64,
    outputs: u64,
    copied_bytes: u64,
    allocations: u64,
}

impl Cost {
    /// Nothing grew by more than ten times, but for what any message costs.
    #[track_caller]
    fn is_linear_in_ten_times(self, large: Self) {
        const ANY_MESSAGE: u64 = 100;
        let counts = |cost: Self| [cost.calls, cost.outputs, cost.copied_bytes, cost.allocations];
        for (small, large) in counts(self).into_iter().zip(counts(large)) {
            assert!(large <= 10 * small + ANY_MESSAGE, "{self:?} became {large:?}");
        }
    }
}

/// Calls of all filters of a plan.
#[derive(Clone, Default)]
struct Calls(Arc<AtomicU64>);

impl Calls {
    fn one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Holds until it is resumed, or passes.
#[derive(Clone)]
struct Counted {
    calls: Calls,
    verdict: Verdict,
}

impl<H: Head> Filter<H> for Counted {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength).marks(Marks::from_high(u64::MAX))
    }

    fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.calls.one();
        PASS
    }

    fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.calls.one();
        self.verdict
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.calls.one();
        PASS
    }
}

/// What a message does after its head.
struct Script {
    chunks: usize,
    chunk_bytes: usize,
    /// How many filters pass before the one that may hold.
    passing: usize,
    /// The last filter holds, and is resumed before the end.
    holds: bool,
    max_frame_bytes: usize,
    /// The sink takes nothing before the end.
    slow_sink: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            chunks: 100,
            chunk_bytes: 1024,
            passing: 4,
            holds: false,
            max_frame_bytes: 64 * 1024,
            slow_sink: false,
        }
    }
}

impl Script {
    fn cost<H: Dir>(&self) -> Cost {
        let calls = Calls::default();
        let filter = |verdict| Counted { calls: calls.clone(), verdict };
        let (pass, last) = (filter(PASS), filter(if self.holds { HOLD } else { PASS }));
        let plan: PlanBuilder<H> = (0..self.passing).fold(Plan::builder(), |plan, _| {
            let pass = pass.clone();
            plan.filter("pass", move || pass.clone())
        });
        let plan = plan
            .filter("last", move || last.clone())
            .max_frame_bytes(self.max_frame_bytes)
            .output_marks(Marks::from_high(u64::MAX));
        let plan = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
        let chunk = Bytes::from(vec![b'x'; self.chunk_bytes]);
        drop(chunk.clone());
        let (mut outputs, mut copied_bytes) = (0, 0);
        let allocations = allocations(|| {
            let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
            chain.handle_head(H::plain(), false).expect("the head is taken");
            for _ in 0..self.chunks {
                chain.handle_data(chunk.clone(), false).expect("data is taken");
                if !self.slow_sink {
                    outputs += drain(&mut chain);
                }
            }
            while chain.held_bytes() > 0 && self.holds {
                chain.handle_resume(self.passing);
                outputs += drain(&mut chain);
            }
            chain.handle_end().expect("the end is taken");
            if self.holds {
                chain.handle_resume(self.passing);
            }
            outputs += drain(&mut chain);
            assert!(chain.outcome().is_some_and(tidegate::Outcome::is_complete));
            let stats = chain.stats();
            assert_eq!(stats.output_bytes, (self.chunks * self.chunk_bytes) as u64);
            copied_bytes = stats.packed_bytes;
        });
        Cost { calls: calls.0.load(Ordering::Relaxed), outputs, copied_bytes, allocations }
    }
}

fn drain<H: Dir>(chain: &mut Chain<H>) -> u64 {
    let mut outputs = 0;
    while let Some(output) = chain.poll_output() {
        assert!(!matches!(output, Output::Reset(_) | Output::Reply(_)), "the message goes well");
        outputs += 1;
    }
    outputs
}

/// Ten times the chunks: ten times the calls, and not one allocation more.
fn h51_chunks_that_pass<H: Dir>() {
    for chunk_bytes in [1, 1024] {
        let small = Script { chunk_bytes, ..Script::default() }.cost::<H>();
        let large = Script { chunk_bytes, chunks: 1_000, ..Script::default() }.cost::<H>();
        assert_eq!((small.calls, large.calls), (5 * 102, 5 * 1_002));
        assert_eq!((small.outputs, large.outputs), (102, 1_002));
        assert_eq!((small.copied_bytes, large.copied_bytes), (0, 0));
        assert_eq!(small.allocations, large.allocations);
    }
}

/// Ten times the filters: ten times the calls, and what it costs to make them.
fn h51_filters_that_pass<H: Dir>() {
    let small = Script { passing: 5, ..Script::default() }.cost::<H>();
    let large = Script { passing: 59, ..Script::default() }.cost::<H>();
    assert_eq!((small.calls, large.calls), (6 * 102, 60 * 102));
    assert_eq!(small.outputs, large.outputs);
    small.is_linear_in_ten_times(large);
}

/// Ten times the segments held: the holder is asked once a segment; a small one is copied once
/// where it comes to rest, however many lie there already.
fn h51_segments_held<H: Dir>() {
    for chunk_bytes in [1, 511, 512, 1024] {
        let held = |chunks| Script { chunk_bytes, chunks, holds: true, ..Script::default() };
        let (small, large) = (held(1_000).cost::<H>(), held(10_000).cost::<H>());
        small.is_linear_in_ten_times(large);
        // The heads, the chunks at four filters and the holder, two resumes, the end.
        assert_eq!((small.calls, large.calls), (5 * 1_002 + 2, 5 * 10_002 + 2));
        let body_bytes = 10_000 * chunk_bytes as u64;
        let once = if chunk_bytes < 512 { body_bytes } else { 0 };
        // A little more where a packed block is cut at the border of two released frames.
        let copied = once..=once + once / 64;
        assert!(copied.contains(&large.copied_bytes), "{chunk_bytes} B: {}", large.copied_bytes);
    }
}

/// A release of ten times as much, in frames: ten times the pieces.
fn h51_releases_in_frames<H: Dir>() {
    let held = |chunks| Script { chunks, holds: true, max_frame_bytes: 2048, ..Script::default() };
    held(100).cost::<H>().is_linear_in_ten_times(held(1_000).cost::<H>());
}

/// A frame of ten times the size, split at the entrance.
fn h51_large_frames<H: Dir>() {
    let frame =
        |chunk_bytes| Script { chunks: 1, chunk_bytes, max_frame_bytes: 512, ..Script::default() };
    let (small, large) = (frame(51_200).cost::<H>(), frame(512_000).cost::<H>());
    small.is_linear_in_ten_times(large);
    assert_eq!(large.outputs, 1 + 1_000 + 1, "a piece each");
    assert_eq!(large.calls, 5 * (1 + 1_000 + 1), "and a call each");
}

/// A sink that takes nothing for ten times as long.
fn h51_chunks_that_wait_for_the_sink<H: Dir>() {
    for chunk_bytes in [1, 1024] {
        let slow = |chunks| Script { chunks, chunk_bytes, slow_sink: true, ..Script::default() };
        let (small, large) = (slow(1_000).cost::<H>(), slow(10_000).cost::<H>());
        small.is_linear_in_ten_times(large);
        assert!(large.copied_bytes <= 10_000, "small ones are copied once, large ones never");
    }
}

/// A filter that lets one byte go at each resume: work for what moves, not for what stays.
fn h51_byte_by_byte_out_of_a_long_hold<H: Dir>() {
    struct Drip;
    impl<H: Head> Filter<H> for Drip {
        fn declare(&self) -> Declaration {
            Declaration::new().marks(Marks::from_high(u64::MAX))
        }

        fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
            HOLD
        }

        fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
            Verdict::pass_first(1)
        }
    }
    let drip = |resumes: usize| {
        let plan = Plan::<H>::builder().filter("drip", || Drip).build().expect("a plan");
        let plan = plan.bind(Capabilities::ALL).expect("an edge");
        let chunk = Bytes::from(vec![b'x'; 1024]);
        drop(chunk.clone());
        let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
        chain.handle_head(H::plain(), false).expect("the head is taken");
        assert_eq!(drain(&mut chain), 1);
        for _ in 0..100 {
            chain.handle_data(chunk.clone(), false).expect("data is taken");
        }
        let copied_before = chain.stats().packed_bytes;
        let allocations = allocations(|| {
            for _ in 0..resumes {
                chain.handle_resume(0);
                assert_eq!(drain(&mut chain), 1);
            }
        });
        (allocations, chain.stats().packed_bytes - copied_before)
    };
    let (small, large) = (drip(100), drip(1_000));
    assert_eq!(small, large, "(allocations, copied bytes) of a resume: none");
}

/// Dropping a message with very many held segments takes no stack: teardown is a loop.
fn h46_teardown_is_iterative<H: Dir>() {
    const STACK_BYTES: usize = 128 * 1024;
    let drop_full = || {
        let hold = Counted { calls: Calls::default(), verdict: HOLD };
        let plan = Plan::<H>::builder().filter("hold", move || hold.clone()).build();
        let plan = plan.expect("a plan").bind(Capabilities::ALL).expect("an edge");
        let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
        chain.handle_head(H::plain(), false).expect("the head is taken");
        let chunk = Bytes::from_static(&[b'x'; 512]);
        for _ in 0..200_000 {
            chain.handle_data(chunk.clone(), false).expect("data is taken");
        }
        assert_eq!(chain.held_bytes(), 512 * 200_000);
        drop(chain);
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(drop_full);
    thread.expect("a thread").join().expect("it does not overflow");
}

both!(
    h51_chunks_that_pass,
    h51_filters_that_pass,
    h51_segments_held,
    h51_releases_in_frames,
    h51_large_frames,
    h51_chunks_that_wait_for_the_sink,
    h51_byte_by_byte_out_of_a_long_hold,
    h46_teardown_is_iterative,
);
