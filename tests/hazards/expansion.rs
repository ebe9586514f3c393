//! H11: a filter that makes much of little.

use bytes::Bytes;
use tidegate::async_filter::{Input, Output as AsyncOutput, async_filter};
use tidegate::chain::PlanBuilder;
use tidegate::filter::EditErrorKind;
use tidegate::{
    BodyBuf, Capabilities, Capability, Chain, Declaration, Error, Filter, Marks, MessageTraits,
    Outcome, Output, Plan, View, limits,
};

use crate::counting::live_bytes;
use crate::kit::*;

const HIGH_BYTES: u64 = 1000;

fn declaration() -> Declaration {
    Declaration::new()
        .require(Capability::ChangeLength)
        .marks(Marks::new(100, HIGH_BYTES).expect("marks"))
}

/// Puts `factor` bytes in the place of each: as a decoder of something that compresses well. Looks
/// at what it is answered after every piece, and goes on when it is asked again.
struct Expands {
    factor: usize,
    /// What is left to be made of the input that was taken: bytes.
    owed: usize,
    /// How much is pushed at once, in bytes.
    piece: usize,
    /// The most that was made in one call, in bytes.
    most: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Expands {
    fn go_on<H: Dir>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let mut made = 0;
        while self.owed != 0 {
            let piece = self.piece.min(self.owed);
            match view.push(Bytes::from(vec![b'y'; piece])) {
                Ok(()) => {}
                Err(full) if full.kind() == EditErrorKind::Full => {
                    self.most.fetch_max(made, std::sync::atomic::Ordering::Relaxed);
                    // What was made goes; it will be asked again when there is room.
                    return Verdict::pass_first(view.body().len());
                }
                Err(error) => panic!("{error}"),
            }
            self.owed -= piece;
            made += piece;
        }
        self.most.fetch_max(made, std::sync::atomic::Ordering::Relaxed);
        PASS
    }
}

impl<H: Dir> Filter<H> for Expands {
    fn declare(&self) -> Declaration {
        declaration()
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        // Nothing is ever kept in the view here, so all of it is new.
        self.owed += view.take().expect("granted").len() * self.factor;
        self.go_on(view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.go_on(view)
    }
}

/// The same, awaiting room instead.
async fn expands(factor: usize, mut input: Input, mut output: AsyncOutput) -> Result<(), Error> {
    while let Some(chunk) = input.next().await? {
        let mut owed = chunk.len() * factor;
        while owed != 0 {
            let piece = owed.min(100);
            output.send(Bytes::from(vec![b'y'; piece])).await?;
            owed -= piece;
        }
    }
    Ok(())
}

/// Carries `input_bytes` in `frame_bytes`, to a sink that takes one thing between two inputs. The
/// bound holds after every step, on the counter and on the heap; answers what the sink got.
fn carry<H: Dir>(plan: PlanBuilder<H>, input_bytes: usize, frame_bytes: usize) -> usize {
    let plan = plan.output_marks(Marks::from_high(HIGH_BYTES)).build().expect("a plan");
    let most = plan.held_bound_bytes();
    let plan = plan.bind(Capabilities::ALL).expect("an edge that can do it");
    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
    let empty = live_bytes();
    chain.handle_head(H::plain(), false).expect("the head is taken");
    let (mut left, mut sunk) = (input_bytes, 0);
    let mut idle = 0;
    while chain.outcome().is_none() {
        if left != 0 && chain.wants_input() {
            let frame = frame_bytes.min(left);
            left -= frame;
            chain.handle_data(Bytes::from(vec![b'x'; frame]), left == 0).expect("it is wanted");
        }
        // An edge passes resumes on before it takes output: an async filter wakes itself.
        chain.handle_resumes();
        check(&chain, most, empty);
        idle += 1;
        if let Some(Output::Data(data)) = chain.poll_output() {
            sunk += data.len();
            idle = 0;
        }
        assert!(idle < 1000, "nothing moves any more: {chain:?}");
        check(&chain, most, empty);
    }
    assert!(chain.outcome().is_some_and(Outcome::is_complete), "{:?}", chain.outcome());
    sunk
}

fn check<H: Dir>(chain: &Chain<H>, most: u64, empty: isize) {
    assert!(chain.held_bytes() <= most, "{} bytes held, {most} stated", chain.held_bytes());
    let heap = live_bytes() - empty;
    let base = 4 * limits::BOOKKEEPING_BASE_BYTES + limits::MAX_FRAME_BYTES;
    let stated = usize::try_from(most).expect("a size") + base;
    assert!(heap <= stated.cast_signed(), "{heap} bytes of heap, {stated} stated");
}

/// Envoy CVE-2022-29225, CVE-2026-48044 (a ratio looked at after each slice: hundreds of megabytes
/// in one call), and #29020 (a limit that cut the response short, and no error). A filter that
/// makes 10,000 bytes of each is told `Full` inside its loop, after its own high mark at most; in
/// the end all of it has come, and at no time was there more than stated.
fn h11_expansion_is_stopped_inside_the_loop_and_loses_nothing<H: Dir>() {
    for (factor, input_bytes) in [(1, 3000), (2, 3000), (100, 300), (10_000, 50)] {
        for frame_bytes in [1, 40, 3000] {
            for piece in [1, 7, 1000] {
                // Small pieces of much would only take long.
                if factor * input_bytes > 100_000 && piece < 1000 {
                    continue;
                }
                let most = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
                let noted = std::sync::Arc::clone(&most);
                let make =
                    move || Expands { factor, owed: 0, piece, most: std::sync::Arc::clone(&noted) };
                let sunk = carry::<H>(Plan::builder().filter("A", make), input_bytes, frame_bytes);
                assert_eq!(sunk, factor * input_bytes, "×{factor}, {frame_bytes}, {piece}");
                let most = most.load(std::sync::atomic::Ordering::Relaxed);
                // What was taken in the call makes room for as much again.
                let bound = usize::try_from(HIGH_BYTES).expect("a size") + frame_bytes;
                assert!(most <= bound, "×{factor}: {most} bytes in one call");
            }
        }
    }
}

/// The same for an async filter, which is stopped by awaiting.
fn h11_async_expansion_awaits_room_and_loses_nothing<H: Dir>() {
    for (factor, input_bytes) in [(1, 3000), (100, 300), (10_000, 50)] {
        for frame_bytes in [1, 40, 3000] {
            let make = move |input, output| expands(factor, input, output);
            let plan = Plan::builder().filter("A", async_filter(declaration(), make));
            let sunk = carry::<H>(plan, input_bytes, frame_bytes);
            assert_eq!(sunk, factor * input_bytes, "×{factor}, {frame_bytes}");
        }
    }
}

/// Two of them one behind the other: a million bytes of a hundred.
fn h11_expansion_of_expansion_is_bounded_as_one<H: Dir>() {
    let make = || Expands { factor: 100, owed: 0, piece: 900, most: Default::default() };
    let plan = Plan::builder().filter("A", make).filter("B", make);
    assert_eq!(carry::<H>(plan, 100, 10), 1_000_000);
}

/// One edit that is larger than the filter's own mark can never be made: a typed error with the
/// number, the bytes come back, and a filter that passes it on fails its message. Nothing looks
/// complete.
fn h11_an_edit_that_can_never_fit_is_an_error_and_no_short_success<H: Dir>() {
    for bytes in [HIGH_BYTES as usize + 1, 100_000] {
        let a = script::<H>("A").high(HIGH_BYTES).data_with(move |view| {
            let refused = view.push(Bytes::from(vec![b'y'; bytes])).expect_err("too large");
            assert_eq!(refused.kind(), EditErrorKind::TooLarge { high_bytes: HIGH_BYTES });
            let error = Error::from(refused);
            view.fail(error)
        });
        let mut run = Run::new([a]);
        run.head(false).data("x").calls(r#"A.H(0) A.D("x",0)"#);
        run.sink("H(0) reset(A limit 1000)");
        run.finish("failed A limit 1000");
    }
}

/// A filter that ignores what it is answered gets no further than one that looks.
fn h11_a_filter_that_ignores_full_adds_no_more<H: Dir>() {
    struct Ignores(BodyBuf);
    impl<H: Dir> Filter<H> for Ignores {
        fn declare(&self) -> Declaration {
            declaration()
        }

        fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
            for _ in 0..10_000 {
                if let Err(refused) = view.push(Bytes::from(vec![b'y'; 10])) {
                    // Its own pile is its own: it is trusted, and says what it keeps.
                    self.0.push(refused.into_bytes().slice(0..0));
                }
            }
            PASS
        }
    }
    let plan = Plan::builder().filter("A", || Ignores(BodyBuf::new()));
    let plan = plan.output_marks(Marks::from_high(10)).build().expect("a plan");
    let most = plan.held_bound_bytes();
    let plan = plan.bind(Capabilities::ALL).expect("an edge that can do it");
    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
    chain.handle_head(H::plain(), false).expect("the head is taken");
    for _ in 0..20 {
        if chain.wants_input() {
            chain.handle_data(Bytes::from_static(b"x"), false).expect("it is wanted");
        }
        assert!(chain.held_bytes() <= most, "{} of {most}", chain.held_bytes());
    }
    assert!(!chain.wants_input(), "the source waits");
}

both!(
    h11_expansion_is_stopped_inside_the_loop_and_loses_nothing,
    h11_async_expansion_awaits_room_and_loses_nothing,
    h11_expansion_of_expansion_is_bounded_as_one,
    h11_an_edit_that_can_never_fit_is_an_error_and_no_short_success,
    h11_a_filter_that_ignores_full_adds_no_more,
);
