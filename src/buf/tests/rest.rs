//! Bytes that come to rest: what is packed, and what it costs.

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes};

use super::{BODY, MESSAGE, content};
use crate::buf::BodyBuf;
use crate::buf::packer::Packer;
use crate::limits::{PACK_BELOW_BYTES, PACK_BLOCK_BYTES, SEGMENT_SLOTS_KEPT};

/// What a filter has left of more: below 512 bytes in all it ends in one packed piece, in order,
/// wherever the open block stands, and is not copied again.
#[test]
fn a_small_rest_is_packed_in_one_piece_once() {
    for left in [0, 1, 7, 300, PACK_BELOW_BYTES - 1, PACK_BELOW_BYTES, 700] {
        for open in [0, 1, 200] {
            let mut buf = BodyBuf::new();
            let mut kept = Vec::new();
            // Twice the room of both blocks.
            for turn in 0..4 * PACK_BLOCK_BYTES / 100 {
                let chunk = &BODY[turn..turn + 1000];
                buf.push(Bytes::copy_from_slice(chunk));
                buf.push_at_rest(Bytes::copy_from_slice(&chunk[..open]));
                let gone = buf.len() - left.min(buf.len());
                kept.push(buf.split_to(gone).to_bytes());
                let before = content(&buf);
                let copied = buf.settle_rest();
                assert_eq!(content(&buf), before);
                assert_eq!(buf.len(), before.len());
                if left < PACK_BELOW_BYTES {
                    assert!(buf.segment_count() <= 1, "{left}, {open}: {buf:?}");
                    assert!(copied <= left);
                }
                assert_eq!(buf.settle_rest(), 0, "{left}, {open}: copied again");
                // Some are kept for a while, some go at once.
                if turn % 7 < 3 {
                    kept.clear();
                }
            }
        }
    }
}

#[test]
fn what_a_buffer_costs_is_itself_its_slots_and_its_block() {
    let itself = size_of::<BodyBuf>();
    let costs = |buf: &BodyBuf| (buf.bookkeeping_bytes(), buf.kept_bytes());
    let mut buf = BodyBuf::from(MESSAGE);
    assert_eq!(costs(&buf), (itself, itself));
    buf.extend([Bytes::from_static(MESSAGE), Bytes::from_static(MESSAGE)]);
    let deque = size_of::<VecDeque<Bytes>>();
    let slots = |buf: &BodyBuf| deque + buf.rest.capacity() * size_of::<Bytes>();
    assert!(slots(&buf) >= deque + 3 * size_of::<Bytes>());
    assert_eq!(costs(&buf), (itself + slots(&buf), itself + slots(&buf)));
    buf.push_at_rest(Bytes::from_static(&BODY[..100]));
    let block = itself + slots(&buf) + size_of::<Packer>() + PACK_BLOCK_BYTES;
    assert_eq!(costs(&buf), (block - 100, block));
}

#[test]
fn a_reset_buffer_is_as_new_but_for_its_block() {
    let mut buf = BodyBuf::new();
    buf.push_at_rest(Bytes::from_static(&BODY[..100]));
    let taken = buf.split_to(40);
    assert_eq!(buf.copied_bytes(), 100);
    buf.reset();
    assert_eq!((buf.len(), buf.segment_count(), buf.copied_bytes()), (0, 0, 0));
    let block = size_of::<BodyBuf>() + size_of::<Packer>() + PACK_BLOCK_BYTES;
    assert_eq!(buf.kept_bytes(), block, "it waits for its slices, and serves again");
    drop(taken);
    buf.push_at_rest(Bytes::from_static(&BODY[..100]));
    assert_eq!(buf.bookkeeping_bytes(), block - 100);
}

#[test]
fn a_reset_buffer_does_not_keep_a_block_that_was_used_up() {
    let mut buf = BodyBuf::new();
    for at in (0..PACK_BLOCK_BYTES).step_by(256) {
        buf.push_at_rest(Bytes::from_static(&BODY[at..at + 256]));
    }
    let block = buf.pop_front().expect("one segment");
    assert_eq!((block.len(), buf.len()), (PACK_BLOCK_BYTES, 0));
    buf.reset();
    assert!(block.is_unique(), "a view of nothing behind it keeps the block alive");
    assert_eq!(buf.kept_bytes(), size_of::<BodyBuf>() + size_of::<Packer>());
}

#[test]
fn every_copy_is_counted() {
    let parts = || [&BODY[..10], &BODY[10..30]].map(Bytes::from_static).into_iter();
    let (mut flat, mut read): (BodyBuf, BodyBuf) = (parts().collect(), parts().collect());
    flat.flatten();
    assert_eq!(read.copy_to_bytes(15), BODY[..15]);
    let mut rested = BodyBuf::new();
    assert_eq!(rested.push_at_rest(Bytes::from_static(&BODY[..10])), 10);
    let (copy, mut next) = (rested.clone(), BodyBuf::new());
    assert_eq!(next.append_at_rest(&mut rested), 10);
    let copied = [&flat, &read, &rested, &copy, &next].map(BodyBuf::copied_bytes);
    assert_eq!(copied, [30, 15, 10, 10, 10]);
    let mut many: BodyBuf = (0..16).map(|i| Bytes::from_static(&BODY[i..=i])).collect();
    assert_eq!(many.push_at_rest(Bytes::from_static(&BODY[..10])), 10 + 26);
    assert_eq!(many.copied_bytes(), 36);
}

/// The bound on segments at rest is `16 + len / 128`.
#[test]
fn settling_compacts_above_its_bound_and_not_at_it() {
    let ones = |n: usize| -> BodyBuf { (0..n).map(|i| Bytes::from_static(&BODY[i..=i])).collect() };
    assert_eq!((ones(16).settle(), ones(17).settle()), (0, 17));
    let parts = || BODY[..24 * 64].chunks(64).map(Bytes::from_static);
    assert_eq!(parts().collect::<BodyBuf>().settle(), 0);
    let mut buf: BodyBuf = parts().collect();
    for i in 0..4 {
        buf.push(Bytes::from_static(&BODY[i..=i]));
    }
    assert_eq!(buf.settle(), 0);
    buf.push(Bytes::from_static(b"x"));
    assert_eq!(buf.settle(), 24 * 64 + 5);
    assert_eq!(buf.segment_count(), 1);
}

#[test]
fn compaction_copies_small_neighbours_only() {
    let of = |lens: &[usize]| -> BodyBuf {
        lens.iter().map(|&len| Bytes::from_static(&BODY[..len])).collect()
    };
    for (lens, copied, segments) in [
        (&[511, 511][..], 1022, 1),
        (&[512, 512], 0, 2),
        (&[511, 512], 0, 2),
        (&[5, 600, 5], 0, 3),
        (&[5, 600, 5, 6], 11, 3),
        (&[5, 6, 600, 5], 11, 3),
        (&[600, 5, 6, 7, 600], 18, 3),
        (&[5], 0, 1),
    ] {
        let mut buf = of(lens);
        let before = content(&buf);
        assert_eq!((buf.compact(), buf.segment_count()), (copied, segments), "{lens:?}");
        assert_eq!(content(&buf), before);
        assert_eq!(buf.copied_bytes(), copied as u64);
    }
}

#[test]
fn slots_are_given_back_when_they_are_far_too_many() {
    let part = || Bytes::from_static(&BODY[..PACK_BELOW_BYTES]);
    let with_slots = |slots: usize| {
        let mut rest = VecDeque::with_capacity(slots);
        rest.extend((0..10).map(|_| part()));
        let mut buf = BodyBuf { len: 10 * PACK_BELOW_BYTES, ..BodyBuf::new() };
        *buf.rest = rest;
        buf
    };
    let kept = SEGMENT_SLOTS_KEPT + 4 * 10;
    for (slots, left) in [(kept, kept), (kept + 1, SEGMENT_SLOTS_KEPT + 2 * 10)] {
        let mut buf = with_slots(slots);
        assert_eq!(buf.rest.capacity(), slots);
        assert_eq!(buf.settle(), 0);
        assert_eq!(buf.rest.capacity(), left);
    }
}
