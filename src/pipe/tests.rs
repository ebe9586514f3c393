use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use super::{Cut, Next, Receiver, SendError, Sender, TrySendError, pipe};
use crate::limits;
use crate::watermark::{Marks, Weigh};

/// Weighs what it says, and counts its drop.
#[derive(Debug)]
struct Item(u64, Option<Arc<AtomicUsize>>);

impl Weigh for Item {
    fn weight_bytes(&self) -> u64 {
        self.0
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        if let Some(drops) = &self.1 {
            drops.fetch_add(1, Relaxed);
        }
    }
}

type Halves = (Sender<Item, u8, &'static str>, Receiver<Item, u8, &'static str>);

const COST: u64 = limits::PIPE_ITEM_COST_BYTES;

/// Room for `low` and `high` items of weight 0, and one more.
fn room_for(low: u64, high: u64) -> Halves {
    pipe(Marks::new(low * COST, high * COST).unwrap())
}

fn item() -> Item {
    Item(0, None)
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn counted() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    (count, waker)
}

fn next(receiver: &mut Receiver<Item, u8, &'static str>) -> Poll<Next<u64, u8, &'static str>> {
    poll_with(receiver, Waker::noop())
}

fn poll_with(
    receiver: &mut Receiver<Item, u8, &'static str>,
    waker: &Waker,
) -> Poll<Next<u64, u8, &'static str>> {
    receiver.poll_next(&mut Context::from_waker(waker)).map(|next| match next {
        Next::Item(item) => Next::Item(item.0),
        Next::Finished(end) => Next::Finished(end),
        Next::Cut(cut) => Next::Cut(cut),
        Next::Over => Next::Over,
    })
}

#[test]
fn items_come_in_order_and_the_end_comes_once() {
    let (mut sender, mut receiver) = pipe(Marks::from_high(1 << 20));
    assert_eq!(next(&mut receiver), Poll::Pending);
    for n in 1..=3 {
        sender.try_send(Item(n, None)).unwrap();
    }
    sender.finish(7).unwrap();
    for n in 1..=3 {
        assert_eq!(receiver.peek_end(), None, "{n} and more come before it");
        assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(n)));
    }
    assert_eq!(receiver.peek_end(), Some(&7));
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Finished(7)));
    assert_eq!(receiver.peek_end(), None);
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Over));
    drop(sender);
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Over));
}

#[test]
fn an_error_is_queued_behind_the_items() {
    let (mut sender, mut receiver) = room_for(0, 9);
    sender.try_send(item()).unwrap();
    sender.fail("broken").unwrap();
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(0)));
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Cut(Cut::Failed("broken"))));
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Over));
}

#[test]
fn a_sender_dropped_without_an_end_is_not_complete() {
    let (mut sender, mut receiver) = room_for(0, 9);
    sender.try_send(item()).unwrap();
    drop(sender);
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(0)));
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Cut(Cut::Cancelled)));
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Over));
}

#[test]
fn an_abort_overtakes_the_items_and_counts_them() {
    let (mut sender, mut receiver) = room_for(0, 9);
    let drops = Arc::new(AtomicUsize::new(0));
    let send = |sender: &mut Sender<_, _, _>| {
        sender.try_send(Item(5, Some(Arc::clone(&drops)))).unwrap();
    };
    (0..4).for_each(|_| send(&mut sender));
    // One is given out, three are fetched, two queue up behind them.
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(5)));
    (0..2).for_each(|_| send(&mut sender));
    assert_eq!((drops.load(Relaxed), sender.held_bytes()), (1, 5 * (COST + 5)));
    sender.abort("gone").unwrap();
    assert_eq!(drops.load(Relaxed), 3, "what is queued");
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Cut(Cut::Aborted("gone"))));
    assert_eq!(drops.load(Relaxed), 6, "and what was fetched");
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Over));
    assert_eq!((sender.stats().items, sender.stats().dropped_items), (6, 5));
    assert_eq!((sender.held_bytes(), receiver.held_bytes()), (0, 0));
}

#[test]
fn an_abort_is_seen_by_a_batch() {
    let (mut sender, mut receiver) = room_for(0, 9);
    sender.try_send(item()).unwrap();
    sender.try_send(item()).unwrap();
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(0)));
    sender.abort("gone").unwrap();
    let mut items = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(receiver.poll_batch(&mut cx, &mut items), Poll::Ready(0));
    assert!(items.is_empty());
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Cut(Cut::Aborted("gone"))));
    assert_eq!(receiver.poll_batch(&mut cx, &mut items), Poll::Ready(0));
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Over));
}

#[test]
fn a_batch_takes_all_there_is() {
    let (mut sender, mut receiver) = room_for(0, 9);
    let mut items = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(receiver.poll_batch(&mut cx, &mut items), Poll::Pending);
    (0..3).for_each(|n| sender.try_send(Item(n, None)).unwrap());
    assert_eq!(receiver.poll_batch(&mut cx, &mut items), Poll::Ready(3));
    assert_eq!(sender.held_bytes(), 0);
    sender.try_send(Item(3, None)).unwrap();
    sender.finish(1).unwrap();
    assert_eq!(receiver.poll_batch(&mut cx, &mut items), Poll::Ready(1));
    assert_eq!(receiver.poll_batch(&mut cx, &mut items), Poll::Ready(0));
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Finished(1)));
    assert_eq!(items.iter().map(|item| item.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn what_comes_after_an_end_comes_back() {
    let (mut sender, mut receiver) = room_for(0, 9);
    sender.finish(1).unwrap();
    assert!(matches!(sender.try_send(item()), Err(TrySendError::Ended(_))));
    for _ in 0..2 {
        assert_eq!(sender.finish(2), Err(SendError::Ended(2)));
        assert_eq!(sender.fail("e"), Err(SendError::Ended("e")));
        assert_eq!(sender.abort("a"), Err(SendError::Ended("a")));
        let ready = sender.poll_ready(&mut Context::from_waker(Waker::noop()));
        assert_eq!(ready, Poll::Ready(Err(SendError::Ended(()))));
        let _ = next(&mut receiver);
    }
}

#[test]
fn what_comes_after_the_receiver_went_comes_back() {
    let (mut sender, mut receiver) = room_for(0, 0);
    sender.try_send(item()).unwrap();
    assert!(matches!(sender.try_send(item()), Err(TrySendError::Full(_))));
    assert_eq!(sender.close_reason(), None);
    receiver.close("enough");
    receiver.close("more than enough");
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Over));
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.close_reason(), Some(&"enough"));
    assert_eq!(sender.close_reason(), Some(&"enough"));
    assert!(matches!(sender.try_send(item()), Err(TrySendError::Closed(_))));
    assert_eq!(sender.finish(2), Err(SendError::Closed(2)));
    assert_eq!(sender.fail("e"), Err(SendError::Closed("e")));
    assert_eq!(sender.abort("a"), Err(SendError::Closed("a")));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(sender.poll_ready(&mut cx), Poll::Ready(Err(SendError::Closed(()))));
    assert_eq!(sender.poll_closed(&mut cx), Poll::Ready(()));
    assert_eq!((sender.held_bytes(), sender.stats().dropped_items), (0, 1));
}

#[test]
fn the_receiver_is_woken_once_for_a_burst() {
    let (mut sender, mut receiver) = room_for(0, 9);
    let (count, waker) = counted();
    sender.try_send(item()).unwrap();
    assert_eq!(poll_with(&mut receiver, &waker), Poll::Ready(Next::Item(0)));
    sender.try_send(item()).unwrap();
    assert_eq!(poll_with(&mut receiver, &waker), Poll::Ready(Next::Item(0)));
    assert_eq!(poll_with(&mut receiver, &waker), Poll::Pending);
    assert_eq!(count.0.load(Relaxed), 0, "nobody waited");
    (0..5).for_each(|_| sender.try_send(item()).unwrap());
    sender.finish(0).unwrap();
    assert_eq!((count.0.load(Relaxed), receiver.stats().receiver_wakes), (1, 1));
}

#[test]
fn the_sender_is_woken_at_the_low_mark() {
    // Over with the fifth, low with two.
    let (mut sender, mut receiver) = room_for(2, 4);
    let (count, waker) = counted();
    let mut cx = Context::from_waker(&waker);
    for _ in 0..5 {
        assert_eq!(sender.poll_ready(&mut cx), Poll::Ready(Ok(())));
        sender.try_send(item()).unwrap();
    }
    assert!(matches!(sender.try_send(item()), Err(TrySendError::Full(_))));
    assert_eq!(sender.poll_ready(&mut cx), Poll::Pending);
    for woken in [0, 0, 1, 1, 1] {
        assert_eq!(sender.stats().sender_wakes, count.0.load(Relaxed) as u64);
        assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(0)));
        assert_eq!(count.0.load(Relaxed), woken);
    }
    assert_eq!(sender.poll_ready(&mut cx), Poll::Ready(Ok(())));
}

#[test]
fn a_sender_is_ready_at_the_low_mark() {
    let (mut sender, mut receiver) = room_for(0, 1);
    sender.try_send(item()).unwrap();
    sender.try_send(item()).unwrap();
    let (wakes, waker) = counted();
    let mut cx = Context::from_waker(&waker);
    {
        let mut ready = pin!(sender.ready());
        assert!(ready.as_mut().poll(&mut cx).is_pending());
        assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(0)));
        assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(0)));
        assert_eq!(wakes.0.load(Relaxed), 1);
        assert_eq!(ready.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
    }
    drop(receiver);
    let mut ready = pin!(sender.ready());
    assert_eq!(ready.as_mut().poll(&mut cx), Poll::Ready(Err(SendError::Closed(()))));
}

#[test]
fn a_sender_that_does_not_wait_is_not_woken() {
    let (mut sender, mut receiver) = room_for(0, 0);
    let (count, waker) = counted();
    let mut cx = Context::from_waker(&waker);
    sender.try_send(item()).unwrap();
    assert_eq!(sender.poll_ready(&mut cx), Poll::Pending);
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(0)));
    sender.try_send(item()).unwrap();
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(0)));
    assert_eq!(count.0.load(Relaxed), 1);
}

#[test]
fn a_heavy_item_passes_alone_and_the_bound_holds() {
    let (mut sender, mut receiver) = pipe(Marks::from_high(1000));
    sender.try_send(Item(u64::MAX, None)).unwrap();
    assert_eq!(sender.held_bytes(), limits::MAX_PIPE_ITEM_BYTES + COST);
    assert!(matches!(sender.try_send(item()), Err(TrySendError::Full(_))));
    assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(u64::MAX)));
    assert_eq!((sender.held_bytes(), receiver.held_bytes()), (0, 0));
    sender.try_send(item()).unwrap();
}

#[test]
fn the_count_of_bytes_may_wrap() {
    let (mut sender, mut receiver) = pipe(Marks::from_high(u64::MAX));
    // 2^16 times 2^48 is more than 64 bits, let alone 61.
    for _ in 0..1 << 17 {
        sender.try_send(Item(u64::MAX, None)).unwrap();
        assert_eq!(sender.held_bytes(), limits::MAX_PIPE_ITEM_BYTES + COST);
        assert_eq!(next(&mut receiver), Poll::Ready(Next::Item(u64::MAX)));
    }
    assert_eq!((sender.held_bytes(), receiver.held_bytes()), (0, 0));
}

#[test]
fn a_waiting_sender_is_woken_when_the_receiver_goes() {
    let (mut sender, receiver) = room_for(0, 0);
    let (count, waker) = counted();
    let mut cx = Context::from_waker(&waker);
    assert_eq!(sender.poll_closed(&mut cx), Poll::Pending);
    sender.try_send(item()).unwrap();
    assert_eq!(sender.poll_ready(&mut cx), Poll::Pending);
    drop(receiver);
    assert_eq!(count.0.load(Relaxed), 1);
    assert_eq!(sender.poll_closed(&mut cx), Poll::Ready(()));
    assert_eq!(sender.close_reason(), None);
}

#[test]
fn halves_let_go_of_their_own_wakers() {
    let (mut sender, mut receiver) = room_for(0, 0);
    let (count, waker) = counted();
    let mut cx = Context::from_waker(&waker);
    assert_eq!(sender.poll_closed(&mut cx), Poll::Pending);
    assert_eq!(poll_with(&mut receiver, &waker), Poll::Pending);
    assert_eq!(Arc::strong_count(&count), 4);
    receiver.close("enough");
    assert_eq!(Arc::strong_count(&count), 2, "one woken, one dropped");
    let (mut sender, receiver) = room_for(0, 0);
    assert_eq!(sender.poll_closed(&mut cx), Poll::Pending);
    drop(sender);
    assert_eq!(Arc::strong_count(&count), 2);
    drop(receiver);
}

/// What lies in the pipe itself is charged, whatever an item says it weighs.
#[test]
fn items_with_large_slots_are_charged_for_them() {
    struct Large(#[expect(dead_code, reason = "there to be large")] [u8; 4096]);
    impl Weigh for Large {
        fn weight_bytes(&self) -> u64 {
            0
        }
    }
    let (mut sender, receiver) = pipe::<Large, (), ()>(Marks::from_high(64 * 1024));
    let mut sent = 0;
    while let Ok(()) = sender.try_send(Large([0; 4096])) {
        sent += 1;
    }
    assert_eq!(sent, 8, "room for 64 KiB, at more than 8 KiB each");
    assert!(sender.held_bytes() > 64 * 1024);
    drop(receiver);
}
