//! H1 to H3: what small pieces cost, what they keep alive, and that they are not held against
//! those who send them honestly.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tidegate::async_filter::{Input, Output as AsyncOutput, async_filter};
use tidegate::pipe::{Next, pipe};
use tidegate::{
    BodyBuf, Capabilities, Capability, Chain, Declaration, Error, Filter, Head, Marks,
    MessageTraits, Output, Plan, View, limits,
};

use crate::counting::live_bytes;
use crate::kit::*;

/// From one byte to a whole frame, with the sizes around which something changes.
const CHUNK_BYTES: [usize; 14] =
    [1, 2, 7, 31, 100, 300, 511, 512, 513, 600, 1448, 4096, 16 * 1024, 64 * 1024];

/// The places where bytes can come to rest, by what makes them rest there.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Kept by a verdict.
    Held,
    /// Arrived behind a quiet hold.
    Unseen,
    /// Let go, while something behind is over.
    Released,
    /// In the output queue, with a slow sink.
    Output,
}

const PLACES: [Place; 4] = [Place::Held, Place::Unseen, Place::Released, Place::Output];

/// Answers all data alike, and lets go when it is asked again. Logs nothing: the heap is counted.
struct Answers(Verdict);

impl<H: Head> Filter<H> for Answers {
    fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
        self.0
    }

    fn resume(&mut self, _: &mut View<'_, H>) -> Verdict {
        PASS
    }
}

/// A chain at `place` of which bytes stay.
fn chain_resting<H: Dir>(place: Place) -> Chain<H> {
    let plan = Plan::<H>::builder();
    let plan = match place {
        Place::Held => plan.filter("A", || Answers(HOLD)),
        Place::Unseen => plan.filter("A", || Answers(SAW)),
        // A kilobyte goes, and puts the queue over: the rest stays, though it was let go.
        Place::Released => plan
            .filter("A", || Answers(HOLD))
            .output_marks(Marks::from_high(0))
            .max_frame_bytes(1024),
        Place::Output => plan,
    };
    let plan = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
    chain.handle_head(H::plain(), false).expect("the head is taken");
    assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
    chain
}

/// Gives `chunk`s while they are wanted, and less than `most`. Says how many bytes they were, and
/// how many buffers may have bookkeeping.
fn fill<H: Dir>(
    chain: &mut Chain<H>,
    place: Place,
    most: usize,
    chunk: impl Fn() -> Bytes,
) -> (usize, usize) {
    let mut given = 0;
    while chain.wants_input() && given < most {
        let chunk = chunk();
        given += chunk.len();
        chain.handle_data(chunk, false).expect("it is wanted");
    }
    let buffers = match place {
        Place::Held | Place::Output => 1,
        // The first chunk was seen, and is held.
        Place::Unseen => 2,
        Place::Released => {
            chain.handle_resume(0);
            // Held before, released now, queued; and transit.
            4
        }
    };
    assert!(chain.outcome().is_none(), "nothing ends: {:?}", chain.outcome());
    // Of a frame that is larger than the engine moves at once, a part may wait before the chain.
    let outside = given - usize::try_from(chain.held_bytes()).expect("a length");
    assert!(outside < chunk().len(), "all of it rests: {given} given, {outside} do not");
    (given, buffers)
}

/// The bytes on this thread's heap since `before`.
fn heap_since(before: isize) -> usize {
    usize::try_from(live_bytes() - before).expect("more is live than before")
}

/// Envoy CVE-2020-8659 and CVE-2020-12603, h2 #935: bytes of 1 B each cost 33 times as much and
/// more. Here the heap is at most twice the payload and a constant, wherever the bytes rest and
/// however they are cut. (C4: A = 2, B = `BOOKKEEPING_BASE_BYTES` a buffer in use.)
fn h01_small_chunks_cost_at_most_twice_their_bytes<H: Dir>() {
    for place in PLACES {
        for chunk_bytes in CHUNK_BYTES {
            let mut chain = chain_resting::<H>(place);
            let before = live_bytes();
            let chunk = || Bytes::from(vec![b'x'; chunk_bytes]);
            let (given, buffers) = fill(&mut chain, place, usize::MAX, chunk);
            let heap = heap_since(before);
            assert!(
                heap <= 2 * given + buffers * limits::BOOKKEEPING_BASE_BYTES,
                "{place:?}, chunks of {chunk_bytes}: {heap} bytes of heap for {given} of payload"
            );
            let high = limits::DEFAULT_HIGH_BYTES as usize;
            assert!(given > high, "{place:?}: it was filled");
        }
    }
}

/// The same for a pipe: an item is charged its slot, so that its bound is one of memory and not of
/// payload, down to items of no bytes.
#[test]
fn h01_small_items_in_a_pipe_cost_what_they_are_charged() {
    for chunk_bytes in [0].into_iter().chain(CHUNK_BYTES) {
        let high = limits::DEFAULT_HIGH_BYTES;
        let before = live_bytes();
        let (mut sender, receiver) = pipe::<Bytes, (), ()>(Marks::from_high(high));
        while sender.has_room() {
            sender.try_send(Bytes::from(vec![b'x'; chunk_bytes])).expect("there is room");
        }
        let heap = u64::try_from(live_bytes() - before).expect("more is live than before");
        let most = high + chunk_bytes as u64 + limits::PIPE_ITEM_COST_BYTES;
        assert!(sender.held_bytes() <= most, "items of {chunk_bytes}");
        // The deque may have doubled just before.
        assert!(heap <= 2 * most, "items of {chunk_bytes}: {heap} bytes of heap, {most} charged");
        drop((sender, receiver));
    }
}

/// bytes #842, h2 #884: a slice of one byte keeps the buffer that was read into. What rests below
/// 512 B is copied out, so such slices keep nothing, wherever they rest.
fn h02_small_slices_at_rest_pin_no_read_buffer<H: Dir>() {
    const READ_BYTES: usize = 16 * 1024;
    for place in PLACES {
        for slice_bytes in [1, 100, limits::PACK_BELOW_BYTES - 1] {
            let mut chain = chain_resting::<H>(place);
            let before = live_bytes();
            let slice = || {
                let read = Bytes::from(vec![b'x'; READ_BYTES]);
                read.slice(READ_BYTES - slice_bytes..)
            };
            let (given, buffers) = fill(&mut chain, place, 100 * slice_bytes, slice);
            let heap = heap_since(before);
            // The first piece of an empty output queue has not come to rest: the sink is asked.
            let first = READ_BYTES;
            assert!(
                heap <= 2 * given + buffers * limits::BOOKKEEPING_BASE_BYTES + first,
                "{place:?}, slices of {slice_bytes}: {heap} bytes of heap for {given}"
            );
        }
    }
}

/// How a filter keeps only the end of each frame.
#[derive(Debug, Clone, Copy)]
enum Keeps {
    /// By letting all before it go: the rest of a line.
    Passing,
    /// By taking all before it out.
    Taking,
    /// By removing all but the last byte of what is new: one byte more of each frame.
    Removing,
}

/// bytes #842 again, from inside: `1000 × (read 16 KiB; keep the last bytes)` by a filter that
/// splits lines. What stays held below 512 B in all is copied out of the read buffer.
fn h02_the_rest_that_a_filter_holds_pins_no_read_buffer<H: Dir>() {
    const READ_BYTES: usize = 16 * 1024;
    const REST_BYTES: usize = 20;
    for keeps in [Keeps::Passing, Keeps::Taking, Keeps::Removing] {
        let a = script::<H>("A").no_handle().data_always(move |view: &mut View<'_, H>| {
            let (len, new_at) = (view.body().len(), view.new_at());
            match keeps {
                Keeps::Passing => return Verdict::pass_first(len - REST_BYTES),
                Keeps::Taking => drop(view.take_first(len - REST_BYTES).expect("granted")),
                Keeps::Removing => drop(view.remove(new_at..len - 1).expect("granted")),
            }
            HOLD
        });
        let mut run = Run::new([a]);
        run.head(false);
        let before = live_bytes();
        let mut rests = 0;
        for _ in 0..100 {
            run.frame(Bytes::from(vec![b'x'; READ_BYTES]), false);
            drop((run.take_pieces(), run.drop_calls()));
            rests += 1;
            let heap = heap_since(before);
            assert!(
                heap <= limits::BOOKKEEPING_BASE_BYTES,
                "{keeps:?}: {heap} bytes of heap for {} held, frame {rests}",
                run.chain.held_bytes()
            );
        }
        run.cancel();
        drop(run.abandon());
    }
}

/// A buffer by itself: what is left of it after splits, advances and truncations is its own when
/// it rests.
#[test]
fn h02_empty_slices_keep_nothing() {
    let before = live_bytes();
    let mut buf = BodyBuf::new();
    for _ in 0..1000 {
        let read = Bytes::from(vec![b'x'; 16 * 1024]);
        buf.push(read.slice(0..0));
        buf.push_at_rest(read.slice(16 * 1024..));
        buf.prepend(read.slice(7..7));
        buf.insert(0, read.slice(9..9));
    }
    assert_eq!((buf.len(), buf.segment_count(), live_bytes() - before), (0, 0, 0));
}

/// h2 0.4.16 counted frames and cut honest traffic off, twice (#940, #942). Here small messages
/// that are consumed promptly are never limited, copied, or paused, and ends are free.
fn h03_prompt_small_messages_are_never_limited<H: Dir>() {
    const MESSAGES: usize = 50_000;
    for frames in 1..4 {
        let mut plan = Plan::<H>::builder();
        for name in ["A", "B", "C"].into_iter().take(frames) {
            plan = plan.filter(name, || Answers(PASS));
        }
        let plan = plan.build().expect("a plan");
        let plan = plan.bind(Capabilities::ALL).expect("an edge that can do it");
        let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
        chain.handle_head(H::plain(), false).expect("the head is taken");
        assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
        for _ in 0..MESSAGES / frames {
            for _ in 0..frames {
                assert!(chain.wants_input());
                chain.handle_data(Bytes::from_static(b"hello"), false).expect("wanted");
                chain.handle_data(Bytes::new(), false).expect("an empty frame is no frame");
            }
            while let Some(output) = chain.poll_output() {
                assert!(matches!(output, Output::Data(_)), "nothing but data comes");
            }
        }
        chain.handle_data(Bytes::new(), true).expect("an end is always taken");
        assert!(matches!(chain.poll_output(), Some(Output::End)));
        let stats = chain.stats();
        assert_eq!(stats.pauses, 0);
        assert_eq!(stats.output_bytes, stats.input_bytes);
        // Only what had to wait for its turn in the output queue may have been copied.
        assert!(frames > 1 || stats.packed_bytes == 0, "{stats:?}");
    }
}

/// The same through a pipe, a ping-pong of small items: no item waits, and the end needs no room.
#[test]
fn h03_a_prompt_reader_of_a_pipe_never_makes_its_sender_wait() {
    let mut cx = Context::from_waker(Waker::noop());
    let (mut sender, mut receiver) = pipe::<Bytes, u8, ()>(Marks::from_high(0));
    for _ in 0..100_000 {
        sender.try_send(Bytes::from_static(b"hello")).expect("the one before was read");
        assert!(matches!(receiver.poll_next(&mut cx), Poll::Ready(Next::Item(_))));
    }
    sender.try_send(Bytes::new()).expect("room for one");
    assert!(!sender.has_room());
    sender.finish(7).expect("an end needs no room");
    assert!(matches!(receiver.poll_next(&mut cx), Poll::Ready(Next::Item(_))));
    assert!(matches!(receiver.poll_next(&mut cx), Poll::Ready(Next::Finished(7))));
    assert_eq!(sender.stats().sender_wakes, 0);
}

/// Cuts what it is given into pieces of one byte, as a filter does that works line by line on a
/// body of empty lines.
struct Shreds {
    verdict: Verdict,
}

impl<H: Head> Filter<H> for Shreds {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let mut body = view.take().expect("granted");
        while !body.is_empty() {
            let piece = body.split_to(1).to_bytes();
            view.push(piece).expect("it was there before");
        }
        self.verdict
    }
}

async fn shreds(mut input: Input, mut output: AsyncOutput) -> Result<(), Error> {
    while let Some(chunk) = input.next().await? {
        for at in 0..chunk.len() {
            output.send(chunk.slice(at..=at)).await?;
        }
    }
    Ok(())
}

/// The same from inside: a filter that cuts a frame into 16,384 pieces. When the call is over, what
/// rests is bounded as ever, and what has gone has left nothing: no slots for pieces that are no
/// more.
fn h01_a_filter_that_shreds_its_body_leaves_no_bookkeeping<H: Dir>() {
    const FRAME_BYTES: usize = 16 * 1024;
    let edits = || Declaration::new().require(Capability::ChangeLength);
    for mode in ["pass", "hold", "keep one", "async"] {
        for sink_open in [true, false] {
            let plan = Plan::<H>::builder();
            let plan = match mode {
                "pass" => plan.filter("A", || Shreds { verdict: PASS }),
                "hold" => plan.filter("A", || Shreds { verdict: HOLD }),
                "keep one" => {
                    plan.filter("A", || Shreds { verdict: Verdict::pass_first(FRAME_BYTES - 1) })
                }
                _ => plan.filter("A", async_filter(edits(), shreds)),
            };
            let plan = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
            let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
            let before = live_bytes();
            chain.handle_head(H::plain(), false).expect("the head is taken");
            assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
            for _ in 0..4 {
                if !chain.wants_input() {
                    break;
                }
                let bytes = Bytes::from(vec![b'x'; FRAME_BYTES]);
                chain.handle_data(bytes, false).expect("it is wanted");
                chain.handle_resumes();
                while sink_open && let Some(output) = chain.poll_output() {
                    drop(output);
                }
                chain.handle_resumes();
                let heap = heap_since(before);
                let held = usize::try_from(chain.held_bytes()).expect("a length");
                // Of the station, the queue, transit and the async filter, which may have a frame
                // in hand.
                let most = 2 * held + 5 * limits::BOOKKEEPING_BASE_BYTES + FRAME_BYTES;
                assert!(
                    heap <= most,
                    "{mode}, open {sink_open}: {heap} bytes of heap, {held} held"
                );
            }
        }
    }
}

both!(
    h01_a_filter_that_shreds_its_body_leaves_no_bookkeeping,
    h01_small_chunks_cost_at_most_twice_their_bytes,
    h02_small_slices_at_rest_pin_no_read_buffer,
    h02_the_rest_that_a_filter_holds_pins_no_read_buffer,
    h03_prompt_small_messages_are_never_limited,
);
