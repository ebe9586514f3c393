//! Wakers that panic when they are cloned, woken or dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use bytes::Bytes;
use tidegate::pipe::{Next, Receiver, Sender, pipe};
use tidegate::watermark::Marks;

#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Clone,
    Wake,
    Drop,
}

const ALL: [At; 3] = [At::Clone, At::Wake, At::Drop];

/// A waker that panics there; the one that is lent is not dropped.
fn lend<T>(at: At, work: impl FnOnce(&mut Context<'_>) -> T) -> T {
    let data: &'static At = match at {
        At::Clone => &At::Clone,
        At::Wake => &At::Wake,
        At::Drop => &At::Drop,
    };
    // SAFETY: the table's functions only read the place in static memory.
    let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::from_ref(data).cast(), &TABLE)) };
    work(&mut Context::from_waker(&std::mem::ManuallyDrop::new(waker)))
}

fn check(data: *const (), now: At) {
    // SAFETY: `data` is a static place, see `lend`.
    let at = unsafe { *data.cast::<At>() };
    assert!(at != now || std::thread::panicking(), "the waker panics");
}

static TABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        check(data, At::Clone);
        RawWaker::new(data, &TABLE)
    },
    |data| check(data, At::Wake),
    |data| check(data, At::Wake),
    |data| check(data, At::Drop),
);

/// Whether it panicked, without a message.
fn panics(work: impl FnOnce()) -> bool {
    static HOOK: Mutex<()> = Mutex::new(());
    let _one = HOOK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let panicked = catch_unwind(AssertUnwindSafe(work)).is_err();
    std::panic::set_hook(hook);
    panicked
}

type Halves = (Sender<Bytes, (), ()>, Receiver<Bytes, (), ()>);

fn one_at_a_time() -> Halves {
    pipe(Marks::new(0, 0).unwrap())
}

fn plain<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll(&mut Context::from_waker(Waker::noop()))
}

fn carries((mut sender, mut receiver): Halves) {
    assert!(plain(|cx| sender.poll_ready(cx)).is_ready());
    sender.try_send(Bytes::from_static(b"after")).unwrap();
    sender.finish(()).unwrap();
    let next = plain(|cx| receiver.poll_next(cx));
    assert!(matches!(next, Poll::Ready(Next::Item(bytes)) if bytes == "after"));
    assert!(matches!(plain(|cx| receiver.poll_next(cx)), Poll::Ready(Next::Finished(()))));
}

#[test]
fn h43_a_receivers_waker_does_not_reach_the_sender() {
    for at in ALL {
        let (mut sender, mut receiver) = one_at_a_time();
        let panicked = panics(|| _ = lend(at, |cx| receiver.poll_next(cx).is_pending()));
        assert_eq!(panicked, at == At::Clone, "its own poll");
        sender.try_send(Bytes::from_static(b"one")).unwrap();
        let next = plain(|cx| receiver.poll_next(cx));
        assert!(matches!(next, Poll::Ready(Next::Item(bytes)) if bytes == "one"), "{at:?}");
        carries((sender, receiver));
    }
}

#[test]
fn h43_a_senders_waker_does_not_reach_the_receiver() {
    for at in ALL {
        let (mut sender, mut receiver) = one_at_a_time();
        sender.try_send(Bytes::from_static(b"one")).unwrap();
        let panicked = panics(|| _ = lend(at, |cx| sender.poll_ready(cx).is_pending()));
        assert_eq!(panicked, at == At::Clone, "its own poll");
        let next = plain(|cx| receiver.poll_next(cx));
        assert!(matches!(next, Poll::Ready(Next::Item(bytes)) if bytes == "one"), "{at:?}");
        carries((sender, receiver));
    }
}

#[test]
fn h43_a_waker_that_panics_when_it_is_replaced_is_replaced() {
    let (mut sender, mut receiver) = one_at_a_time();
    assert!(lend(At::Drop, |cx| receiver.poll_next(cx).is_pending()));
    assert!(panics(|| _ = plain(|cx| receiver.poll_next(cx)).is_pending()));
    sender.try_send(Bytes::from_static(b"one")).unwrap();
    assert!(lend(At::Drop, |cx| sender.poll_ready(cx).is_pending()));
    assert!(panics(|| _ = plain(|cx| sender.poll_ready(cx)).is_pending()));
    let next = plain(|cx| receiver.poll_next(cx));
    assert!(matches!(next, Poll::Ready(Next::Item(bytes)) if bytes == "one"));
    carries((sender, receiver));
}

#[test]
fn ends_and_drops_of_a_half_contain_all_wakers() {
    for at in [At::Wake, At::Drop] {
        let (mut sender, mut receiver) = one_at_a_time();
        sender.try_send(Bytes::new()).unwrap();
        assert!(lend(at, |cx| sender.poll_ready(cx).is_pending()));
        assert!(plain(|cx| receiver.poll_next(cx)).is_ready());
        assert!(lend(at, |cx| receiver.poll_next(cx).is_pending()));
        assert!(lend(at, |cx| sender.poll_closed(cx).is_pending()));
        // While the thread unwinds a second panic would abort.
        assert!(panics(|| {
            let _halves = (sender, receiver);
            panic!("unwinds");
        }));
    }
}
