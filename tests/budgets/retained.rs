//! Retained memory: a second account beside the marks, which count payload. A segment keeps the
//! whole block alive that it is a slice of. Below [`limits::PACK_BELOW_BYTES`] it is copied out
//! when it comes to rest (rule I11), so with read blocks of 16 KiB, hyper's, what is retained is at
//! most 32 times the held payload, and the bookkeeping.

use bytes::Bytes;
use http::{Request, request};
use tidegate::{
    Capabilities, Chain, Filter, MessageTraits, Output, Plan, ResumeHandle, Verdict, View, limits,
};

use crate::counting::live_bytes;

/// What hyper reads into.
const BLOCK_BYTES: usize = 16 * 1024;

/// The bound: how many bytes of blocks for each byte that is held.
const FACTOR: usize = BLOCK_BYTES / limits::PACK_BELOW_BYTES;

/// Buffers of one chain that can have bookkeeping: what a station holds, what it has not seen,
/// transit, the output queue.
const BUFFERS: usize = 4;

struct Holds(Option<ResumeHandle>);

impl Filter<request::Parts> for Holds {
    fn data(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.0 = Some(view.resume_handle());
        Verdict::HOLD
    }
}

fn chain() -> Chain<request::Parts> {
    let plan = Plan::builder().filter("holds", || Holds(None)).build().unwrap();
    let plan = plan.bind(Capabilities::ALL).unwrap();
    let mut chain = plan.chain(MessageTraits::new()).unwrap();
    let head = Request::post("/").body(()).unwrap().into_parts().0;
    chain.handle_head(head, false).unwrap();
    assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
    chain
}

/// The end of a block that somebody has read into, of which the rest has gone elsewhere.
fn slice(bytes: usize) -> Bytes {
    Bytes::from(vec![b'x'; BLOCK_BYTES]).slice(BLOCK_BYTES - bytes..)
}

/// Holds slices of these sizes by turns until the mark stops the source: what is held, and what
/// that keeps alive.
fn held_and_retained(sizes: &[usize]) -> (usize, usize) {
    let mut chain = chain();
    let before = live_bytes();
    for bytes in sizes.iter().cycle() {
        if !chain.wants_input() {
            break;
        }
        chain.handle_data(slice(*bytes), false).unwrap();
    }
    let held = usize::try_from(chain.held_bytes()).unwrap();
    assert!(held > limits::DEFAULT_HIGH_BYTES as usize, "{sizes:?}: it was filled");
    (held, usize::try_from(live_bytes() - before).unwrap())
}

#[test]
fn i11_retained_memory_is_at_most_32_times_what_is_held() {
    let all = [1, 2, 31, 100, 511, 512, 513, 600, 1024, 4096, 16_383, 16_384];
    let mixed = all.iter().map(|other| vec![limits::PACK_BELOW_BYTES, *other]);
    for sizes in all.iter().map(|bytes| vec![*bytes]).chain(mixed) {
        let (held, retained) = held_and_retained(&sizes);
        let bookkeeping =
            held * limits::BOOKKEEPING_BYTES_PER_BYTE + BUFFERS * limits::BOOKKEEPING_BASE_BYTES;
        assert!(
            retained <= FACTOR * held + bookkeeping,
            "{sizes:?}: {retained} bytes are kept for {held} held"
        );
    }
}

/// The bound is what happens: one byte less a slice, and the blocks are let go.
#[test]
fn i11_the_worst_slice_is_the_smallest_that_is_not_copied() {
    let (held, retained) = held_and_retained(&[limits::PACK_BELOW_BYTES]);
    assert!(retained >= FACTOR * held, "{retained} bytes for {held}: the bound could be lower");
    let (held, retained) = held_and_retained(&[limits::PACK_BELOW_BYTES - 1]);
    let most = 2 * held + BUFFERS * limits::BOOKKEEPING_BASE_BYTES;
    assert!(retained <= most, "{retained} bytes for {held}");
}

/// The slices of one byte that the issue is about: all of them cost their blocks until they rest,
/// and a packed byte each from then on.
#[test]
fn i11_slices_of_one_byte_keep_no_block() {
    let (held, retained) = held_and_retained(&[1]);
    let most = 2 * held + BUFFERS * limits::BOOKKEEPING_BASE_BYTES;
    assert!(retained <= most, "{retained} bytes for {held}");
}
