//! Rule I11: what a chain allocates and copies for a chunk, once it is warm. Nothing.

#[path = "support/counting.rs"]
mod counting;
mod kit;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tidegate::{
    BodyBuf, Capabilities, Capability, Chain, Declaration, Filter, Head, Marks, MessageTraits,
    Output, Plan, ResumeHandle, Resumed, View,
};

use counting::allocations;
use kit::{Dir, HOLD, PASS, Verdict, both};

/// Chunk sizes: tiny, just packed, just not packed, usual.
const SIZES: [usize; 4] = [1, 511, 512, 16 * 1024];

/// Looks at everything and passes it.
#[derive(Default)]
struct Pass(u64);

impl<H: Head> Filter<H> for Pass {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0 += view.new_bytes() as u64;
        PASS
    }
}

/// Holds what comes, and lets it go when resumed.
struct Hold;

impl<H: Head> Filter<H> for Hold {
    fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
        HOLD
    }
}

/// Lets go all but the last bytes.
struct KeepLast(usize);

impl<H: Head> Filter<H> for KeepLast {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        Verdict::pass_first(view.body().len().saturating_sub(self.0))
    }
}

/// Puts something before and behind each piece, and takes its first byte.
struct Frame;

impl<H: Head> Filter<H> for Frame {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.new_bytes() > 1 {
            drop(view.take_first(1).expect("a granted edit"));
        }
        view.prepend(Bytes::from_static(b"<")).expect("room for an edit");
        view.push(Bytes::from_static(b">")).expect("room for an edit");
        PASS
    }
}

fn opened<H: Dir>(plan: tidegate::chain::PlanBuilder<H>) -> Chain<H> {
    let plan = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
    chain.handle_head(H::plain(), false).expect("the head is taken");
    assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
    chain
}

/// A chunk whose allocation is shared already: the first split of a fresh one costs one inside
/// `bytes`.
fn shared(len: usize) -> Bytes {
    let chunk = Bytes::from(vec![b'x'; len]);
    drop(chunk.clone());
    chunk
}

/// Takes all output; says how many bytes there were.
fn drain<H: Dir>(chain: &mut Chain<H>) -> usize {
    let mut bytes = 0;
    while let Some(output) = chain.poll_output() {
        match output {
            Output::Data(data) => bytes += data.len(),
            other => panic!("only data is expected: {}", name(&other)),
        }
    }
    bytes
}

fn name<H>(output: &Output<H>) -> &'static str {
    match output {
        Output::Informational(_) => "informational",
        Output::Head { .. } => "head",
        Output::Data(_) => "data",
        Output::Trailers(_) => "trailers",
        Output::End => "end",
        Output::Reply(_) => "reply",
        Output::Reset(_) => "reset",
    }
}

/// Runs `turn` until it is warm, then counts.
#[track_caller]
fn allocates_nothing(mut turn: impl FnMut()) {
    // Warm: where a rest of 100 bytes stays of each chunk, the second packing block comes after 40.
    for _ in 0..64 {
        turn();
    }
    assert_eq!(allocations(|| (0..100).for_each(|_| turn())), 0);
}

/// A plan of eight filters: `odd` at `place`, the others pass.
fn among<H: Dir, F: Filter<H> + 'static>(
    place: usize,
    odd: impl Fn() -> F + Send + Sync + Clone + 'static,
) -> tidegate::chain::PlanBuilder<H> {
    (0..8).fold(Plan::builder(), |plan, k| {
        if k == place {
            plan.filter("odd", odd.clone())
        } else {
            plan.filter("pass", Pass::default)
        }
    })
}

fn pass_through_allocates_nothing<H: Dir>() {
    for filters in [0, 1, 8, 64] {
        let plan = (0..filters).fold(Plan::builder(), |plan, _| plan.filter("p", Pass::default));
        let mut chain = opened::<H>(plan);
        for len in SIZES {
            let chunk = shared(len);
            allocates_nothing(|| {
                chain.handle_data(chunk.clone(), false).expect("data is taken");
                assert_eq!(drain(&mut chain), len);
            });
        }
    }
}

fn hold_and_release_allocate_nothing<H: Dir>() {
    let alone = Plan::builder().filter("hold", || Hold);
    let mut plans = vec![(0, alone)];
    plans.extend([0, 3, 7].map(|place| (place, among(place, || Hold))));
    for (station, plan) in plans {
        let mut chain = opened::<H>(plan);
        for len in SIZES {
            let chunk = shared(len);
            allocates_nothing(|| {
                chain.handle_data(chunk.clone(), false).expect("data is taken");
                assert!(chain.poll_output().is_none());
                chain.handle_resume(station);
                assert_eq!(drain(&mut chain), len);
            });
            // Windows of several chunks.
            allocates_nothing(|| {
                for _ in 0..3 {
                    chain.handle_data(chunk.clone(), false).expect("data is taken");
                }
                chain.handle_resume(station);
                assert_eq!(drain(&mut chain), 3 * len);
            });
        }
    }
}

/// The same through a handle, as another task would do it.
fn resume_through_a_handle_allocates_nothing<H: Dir>() {
    #[derive(Clone, Default)]
    struct Handing(Arc<Mutex<Option<ResumeHandle>>>);
    impl<H: Head> Filter<H> for Handing {
        fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
            *self.0.lock().expect("one user") = Some(view.resume_handle());
            PASS
        }

        fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
            HOLD
        }
    }
    let handing = Handing::default();
    let filter = handing.clone();
    let mut chain = opened::<H>(Plan::builder().filter("hold", move || filter.clone()));
    let handle = handing.0.lock().expect("one user").take().expect("a handle");
    let chunk = shared(4096);
    allocates_nothing(|| {
        chain.handle_data(chunk.clone(), false).expect("data is taken");
        assert_eq!(handle.resume(), Resumed::Queued);
        chain.handle_resumes();
        assert_eq!(drain(&mut chain), chunk.len());
    });
}

fn splitting_allocates_nothing<H: Dir>() {
    for plan in [
        Plan::builder().filter("keep", || KeepLast(100)),
        among(3, || KeepLast(100)),
        Plan::builder().filter("pass", Pass::default).max_frame_bytes(1000),
    ] {
        let mut chain = opened::<H>(plan);
        let chunk = shared(16 * 1024);
        allocates_nothing(|| {
            chain.handle_data(chunk.clone(), false).expect("data is taken");
            assert!(drain(&mut chain) >= chunk.len() - 100);
        });
    }
}

fn edits_at_the_borders_allocate_nothing<H: Dir>() {
    for plan in [Plan::builder().filter("frame", || Frame), among(3, || Frame)] {
        let mut chain = opened::<H>(plan);
        for len in [512, 16 * 1024] {
            let chunk = shared(len);
            allocates_nothing(|| {
                chain.handle_data(chunk.clone(), false).expect("data is taken");
                assert_eq!(drain(&mut chain), len + 1);
            });
        }
    }
}

/// The sink takes less often than the source gives: chunks rest in the output queue.
fn slow_sink_allocates_nothing<H: Dir>() {
    let plan = (0..8).fold(Plan::builder(), |plan, _| plan.filter("p", Pass::default));
    let mut chain = opened::<H>(plan);
    for len in SIZES {
        let chunk = shared(len);
        allocates_nothing(|| {
            for _ in 0..4 {
                chain.handle_data(chunk.clone(), false).expect("data is taken");
            }
            assert_eq!(drain(&mut chain), 4 * len);
        });
        // Whole buffers, in parts that cut segments.
        let mut taken = BodyBuf::new();
        allocates_nothing(|| {
            for _ in 0..4 {
                chain.handle_data(chunk.clone(), false).expect("data is taken");
            }
            for part in [len, 2 * len + len / 3, len] {
                chain.take_output(&mut taken, part);
                taken.clear();
            }
            assert!(chain.poll_output().is_none());
        });
        // Some of it stays for the next time.
        allocates_nothing(|| {
            for _ in 0..3 {
                chain.handle_data(chunk.clone(), false).expect("data is taken");
            }
            assert!(matches!(chain.poll_output(), Some(Output::Data(_))));
            chain.handle_data(chunk.clone(), false).expect("data is taken");
            drain(&mut chain);
        });
    }
}

/// Back-pressure: the source runs ahead until it is told to stop, then waits for the sink.
fn pausing_and_resuming_allocate_nothing<H: Dir>() {
    let plan = Plan::builder().filter("p", Pass::default).output_marks(Marks::from_high(8192));
    let mut chain = opened::<H>(plan);
    let chunk = shared(1024);
    allocates_nothing(|| {
        while chain.wants_input() {
            chain.handle_data(chunk.clone(), false).expect("data is taken");
        }
        assert_eq!(drain(&mut chain), 9 * 1024);
    });
}

/// Where a chunk of 4096 bytes that is given in `at` came out.
fn pieces_of<H: Dir>(mut chain: Chain<H>, resumes: Option<usize>, chunk: &Bytes) -> Vec<Bytes> {
    chain.handle_data(chunk.clone(), false).expect("data is taken");
    chain.handle_data(chunk.clone(), false).expect("data is taken");
    let mut pieces = Vec::new();
    loop {
        while let Some(output) = chain.poll_output() {
            match output {
                Output::Data(data) => pieces.push(data),
                other => panic!("only data is expected: {}", name(&other)),
            }
        }
        match resumes {
            Some(station) if chain.held_bytes() > 0 => chain.handle_resume(station),
            _ => break,
        }
    }
    // At most the three bytes a turn that one of the filters adds.
    assert!(chain.stats().packed_bytes <= 6, "nothing of 512 bytes and more is packed");
    pieces
}

/// Every byte of a segment of 512 bytes and more that comes out is the very byte that went in:
/// passed, held, released in pieces, split (into parts of 512 bytes and more: what is smaller is
/// small, and packed if it rests), edited at its borders, queued for a slow sink.
fn body_bytes_are_never_copied<H: Dir>() {
    let marks = |high| Marks::from_high(high);
    let rows: Vec<(&str, Option<usize>, tidegate::chain::PlanBuilder<H>)> = vec![
        ("passed", None, among(9, || Hold)),
        ("held", Some(0), Plan::builder().filter("hold", || Hold)),
        ("held among others", Some(3), among(3, || Hold)),
        ("split at the entrance", None, among(9, || Hold).max_frame_bytes(1024)),
        ("released in frames", Some(3), among(3, || Hold).max_frame_bytes(1024)),
        (
            "released in pieces",
            Some(0),
            Plan::builder().filter("hold", || Hold).output_marks(marks(1024)),
        ),
        ("edited", None, among(3, || Frame)),
    ];
    for (what, resumes, plan) in rows {
        let chunk = shared(4096);
        let range = chunk.as_ptr_range();
        let pieces = pieces_of(opened(plan), resumes, &chunk);
        let mut own = 0;
        for piece in pieces.iter().filter(|piece| !matches!(&piece[..], b"<" | b">")) {
            let inside = piece.as_ptr_range();
            assert!(range.start <= inside.start && inside.end <= range.end, "{what}: copied");
            own += piece.len();
        }
        let taken = if what == "edited" { 2 } else { 0 };
        assert_eq!(own, 2 * chunk.len() - taken, "{what}: all of it came out");
    }
}

/// What is smaller than 512 bytes and comes to rest is copied once, and counted.
fn small_bytes_at_rest_are_copied_once<H: Dir>() {
    let mut chain = opened::<H>(Plan::builder().filter("hold", || Hold));
    let chunk = shared(100);
    for _ in 0..50 {
        chain.handle_data(chunk.clone(), false).expect("data is taken");
    }
    assert_eq!(chain.stats().packed_bytes, 50 * 100);
    chain.handle_resume(0);
    assert_eq!(drain(&mut chain), 50 * 100);
    assert_eq!(chain.stats().packed_bytes, 50 * 100, "letting go copies nothing");
}

both!(
    pass_through_allocates_nothing,
    hold_and_release_allocate_nothing,
    resume_through_a_handle_allocates_nothing,
    splitting_allocates_nothing,
    edits_at_the_borders_allocate_nothing,
    slow_sink_allocates_nothing,
    pausing_and_resuming_allocate_nothing,
    body_bytes_are_never_copied,
    small_bytes_at_rest_are_copied_once,
);
