//! Rule I11 for the body buffer: what it allocates, counted by the global allocator.

#[path = "support/counting.rs"]
mod counting;

use bytes::{Buf, Bytes};
use tidegate::{buf::BodyBuf, limits};

use counting::{allocations, live_bytes};

static BODY: [u8; 16 * 1024] = [7; 16 * 1024];

/// A segment that shares an allocation made before.
fn shared(len: usize) -> Bytes {
    let whole = Bytes::from(BODY[..len].to_vec());
    drop(whole.clone());
    whole
}

#[test]
fn new_allocates_nothing() {
    assert_eq!(allocations(|| drop(BodyBuf::new())), 0);
}

#[test]
fn push_and_pop_of_one_segment_allocate_nothing() {
    let segment = shared(BODY.len());
    let n = allocations(|| {
        let mut buf = BodyBuf::new();
        for _ in 0..100 {
            buf.push(segment.clone());
            assert!(buf.pop_front().is_some());
        }
    });
    assert_eq!(n, 0);
}

#[test]
fn a_window_of_64_allocates_nothing_once_warm() {
    let segment = shared(BODY.len());
    let mut buf = BodyBuf::new();
    let mut sink = BodyBuf::new();
    let mut window = || {
        for _ in 0..64 {
            buf.push(segment.clone());
        }
        sink.append(&mut buf);
        while sink.pop_front().is_some() {}
        for _ in 0..64 {
            buf.push(segment.clone());
        }
        buf.move_to(&mut sink, 40 * BODY.len() + 5);
        buf.clear();
        sink.clear();
    };
    // Each of the two buffers grows its deque once.
    window();
    window();
    assert_eq!(allocations(|| (0..10).for_each(|_| window())), 0);
}

#[test]
fn small_chunks_held_and_released_one_by_one_allocate_nothing_once_warm() {
    for len in [1, 30, 100, limits::PACK_BELOW_BYTES - 1] {
        let chunk = shared(len);
        let mut held = BodyBuf::new();
        let mut io = BodyBuf::new();
        let mut cycle = || {
            io.push(chunk.clone());
            held.append_at_rest(&mut io);
            io.append(&mut held);
            assert_eq!(io.pop_front().map(|chunk| chunk.len()), Some(len));
        };
        cycle();
        let n = allocations(|| (0..10_000).for_each(|_| cycle()));
        assert_eq!(n, 0, "chunks of {len}");
    }
}

#[test]
fn small_chunks_held_and_released_in_windows_allocate_nothing_once_warm() {
    let chunk = shared(100);
    let mut held = BodyBuf::new();
    let mut io = BodyBuf::new();
    let mut cycle = || {
        for _ in 0..30 {
            io.push(chunk.clone());
            held.append_at_rest(&mut io);
        }
        io.append(&mut held);
        io.clear();
    };
    (0..3).for_each(|_| cycle());
    assert_eq!(allocations(|| (0..1_000).for_each(|_| cycle())), 0);
}

#[test]
fn small_chunks_that_stay_cost_allocations_a_block_not_a_chunk() {
    let chunk = shared(32);
    let mut held = BodyBuf::new();
    held.push_at_rest(chunk.clone());
    let chunks = 100 * limits::PACK_BLOCK_BYTES / 32;
    let n = allocations(|| {
        for _ in 0..chunks {
            held.push_at_rest(chunk.clone());
        }
    });
    // The block and its reference count; and the deque's few doublings.
    assert!(n <= 2 * 101 + 8, "{n} allocations for 100 blocks");
}

#[test]
fn splits_of_shared_and_static_segments_allocate_nothing() {
    let shared = shared(BODY.len());
    let _other = shared.clone();
    for segment in [shared, Bytes::from_static(&BODY)] {
        let n = allocations(|| {
            let mut buf = BodyBuf::from(segment);
            for _ in 0..100 {
                let mut part = buf.split_to(7);
                assert_eq!(part.pop_front().map(|part| part.len()), Some(7));
                buf.advance(3);
            }
            assert_eq!(buf.copy_to_bytes(500).len(), 500);
            assert_eq!(buf.find(b"not there", 0), None);
        });
        assert_eq!(n, 0);
    }
}

#[test]
fn finding_across_borders_allocates_only_for_long_needles() {
    let buf: BodyBuf = (0..10).map(|_| Bytes::from_static(&BODY[..100])).collect();
    assert_eq!(allocations(|| assert_eq!(buf.find(&[9; 64], 0), None)), 0);
    assert_eq!(allocations(|| assert_eq!(buf.find(&[9; 65], 0), None)), 1);
}

/// I7: what is held costs a stated factor. Everything on the heap counts, not only what
/// `bookkeeping_bytes` reports: reference counts, the ends of full blocks, unused slots.
#[test]
fn one_byte_chunks_at_rest_cost_an_eighth_more_than_their_bytes() {
    let before = live_bytes();
    let mut held = BodyBuf::new();
    for i in 0..65_536_usize {
        held.push_at_rest(Bytes::copy_from_slice(&[(i % 251) as u8]));
    }
    let heap = usize::try_from(live_bytes() - before).expect("more is live than before");
    assert_eq!(held.len(), 65_536);
    assert_eq!(held.copied_bytes(), 65_536);
    assert!(heap <= held.len() + held.len() / 8, "{heap} bytes on the heap");
    assert!(held.bookkeeping_bytes() <= limits::BOOKKEEPING_BASE_BYTES);
    assert!(held.segment_count() <= 16);
}

/// The same for chunks that were pushed as passing and settled later, and for fragments of edits.
#[test]
fn passing_chunks_that_settle_cost_no_more() {
    let before = live_bytes();
    let mut held = BodyBuf::new();
    for _ in 0..65_536 {
        held.push(Bytes::from_static(b"x"));
    }
    assert!(held.bookkeeping_bytes() > 16 * held.len());
    assert_eq!(held.settle(), 65_536);
    let heap = usize::try_from(live_bytes() - before).expect("more is live than before");
    assert!(heap <= held.len() + held.len() / 8 + limits::BOOKKEEPING_BASE_BYTES, "{heap}");
}

/// However it is drained, and also while something is left.
#[test]
fn a_drained_buffer_gives_its_slots_back() {
    let drains: [fn(&mut BodyBuf); 6] = [
        |buf| while buf.len() > 1 && buf.pop_front().is_some() {},
        |buf| buf.advance(buf.len() - 1),
        |buf| buf.truncate(1),
        |buf| drop(buf.split_to(99_999)),
        |buf| drop(buf.remove(1..100_000)),
        |buf| {
            let mut other: BodyBuf = Bytes::from_static(b"y").into();
            other.append(buf);
        },
    ];
    for (nth, drain) in drains.into_iter().enumerate() {
        let mut buf: BodyBuf = (0..100_000).map(|_| Bytes::from_static(b"x")).collect();
        assert!(buf.bookkeeping_bytes() > 100_000 * size_of::<Bytes>());
        drain(&mut buf);
        assert!(buf.len() <= 1);
        assert!(buf.bookkeeping_bytes() <= limits::BOOKKEEPING_BASE_BYTES, "drain {nth}");
    }
}
