//! What the pipe allocates: nothing, once it has run for a while.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tidegate::limits::PIPE_ITEM_COST_BYTES;
use tidegate::pipe::{Next, Receiver, Sender, pipe};
use tidegate::watermark::Marks;

use crate::counting::{allocations, live_bytes};

/// Sends until it is full, then takes all, `rounds` times; how many items went through.
fn rounds(
    sender: &mut Sender<Bytes, (), ()>,
    receiver: &mut Receiver<Bytes, (), ()>,
    rounds: usize,
) -> u64 {
    let mut cx = Context::from_waker(Waker::noop());
    let mut items = 0;
    for _ in 0..rounds {
        assert!(receiver.poll_next(&mut cx).is_pending());
        while sender.poll_ready(&mut cx).is_ready() {
            sender.try_send(Bytes::from_static(&[7; 1000])).unwrap();
        }
        while let Poll::Ready(next) = receiver.poll_next(&mut cx) {
            assert!(matches!(next, Next::Item(bytes) if bytes.len() == 1000));
            items += 1;
        }
    }
    items
}

#[test]
fn a_warm_pipe_allocates_nothing() {
    for room in [0, 15 * (1000 + PIPE_ITEM_COST_BYTES)] {
        let (mut sender, mut receiver) = pipe(Marks::new(0, room).unwrap());
        rounds(&mut sender, &mut receiver, 3);
        let mut items = 0;
        assert_eq!(allocations(|| items = rounds(&mut sender, &mut receiver, 100)), 0);
        assert_eq!(items, if room == 0 { 100 } else { 1600 });
    }
}

#[test]
fn what_a_pipe_costs_is_freed() {
    let before = live_bytes();
    let (mut sender, mut receiver) = pipe(Marks::from_high(1 << 20));
    rounds(&mut sender, &mut receiver, 3);
    // 1,000 slots of 40 bytes in each of two deques, as powers of two.
    let costs_bytes = live_bytes() - before;
    assert!(costs_bytes <= 2 * 1024 * 40 + 1024, "{costs_bytes}");
    drop((sender, receiver));
    assert_eq!(live_bytes(), before);
}
