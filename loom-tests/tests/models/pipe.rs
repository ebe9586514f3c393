//! Models of `pipe`.
//!
//! Most let each half do a few polls while the other does some, then drive both to the end on one
//! thread, polling only who was woken: so a wake that was lost in the race is a half that is stuck.

use tidegate_loom_tests::kit::{Fuse, Model, Payload, Task, spawn};
use tidegate_loom_tests::limits;
use tidegate_loom_tests::models;
use tidegate_loom_tests::pipe::{Cut, Next, Receiver, SendError, Sender, TrySendError, pipe};
use tidegate_loom_tests::watermark::{Marks, Weigh};

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;

pub const MODELS: &[Model] = models!("pipe";
    racing_transfer: 7_100 Exhaustive;
    racing_finish: 51 Exhaustive;
    racing_fail: 51 Exhaustive;
    h42_racing_abort: 30 Exhaustive;
    abort_drops_what_was_fetched: 4 Exhaustive;
    h42_racing_sender_drop: 19_000 Exhaustive;
    h42_racing_receiver_drop: 15_300 Exhaustive;
    racing_close: 237 Exhaustive;
    h41_watermark_edges: 249 Bounded;
    h39_edge_or_drop: 27_500 Exhaustive;
    racing_batch: 175 Exhaustive;
    h43_panicking_receiver_waker: 21 Exhaustive;
    h43_panicking_sender_waker: 400 Exhaustive;
    fresh_waker_each_poll: 5380 Exhaustive;
    h47_cancelled_send: 40 Exhaustive;
    h43_migrating_receiver: 1_140 Exhaustive;
    migrating_sender: 4640 Exhaustive;
);

/// An item: its number, and what its sender wrote before it was sent.
struct Item {
    number: u64,
    payload: Arc<Payload>,
    alive: Arc<AtomicU64>,
}

impl Weigh for Item {
    fn weight_bytes(&self) -> u64 {
        1
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Relaxed);
    }
}

/// What an item is charged, with the cost of its slot, which is no larger than the least.
const ITEM_BYTES: u64 = 1 + limits::PIPE_ITEM_COST_BYTES;

/// Room for one item at a time.
const ONE: (u64, u64) = (0, 0);

/// The sending half: its task, and what it still has to send.
struct Tx {
    sender: Sender<Item, u64, Arc<Payload>>,
    task: Task,
    left: VecDeque<Item>,
    at_end: AtEnd,
    state: State,
}

/// The receiving half: its task, and what it got.
struct Rx {
    receiver: Receiver<Item, u64, Arc<Payload>>,
    task: Task,
    got: u64,
    end: Option<End>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Runs,
    Waits,
    Done,
}

enum AtEnd {
    Finish,
    Fail,
    Drop,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Finished,
    Failed,
    Aborted,
    Cancelled,
}

/// A pipe with marks at so many items, a sender of `items`, and a count of the items alive.
fn halves(marks: (u64, u64), items: u64, at_end: AtEnd) -> (Tx, Rx, Arc<AtomicU64>) {
    let marks = Marks::new(marks.0 * ITEM_BYTES, marks.1 * ITEM_BYTES).unwrap();
    let (sender, receiver) = pipe(marks);
    let alive = Arc::new(AtomicU64::new(items));
    let item =
        |number| Item { number, payload: Arc::new(Payload::new()), alive: Arc::clone(&alive) };
    let left = (0..items).map(item).collect();
    let tx = Tx { sender, task: Task::new(), left, at_end, state: State::Runs };
    let rx = Rx { receiver, task: Task::new(), got: 0, end: None, state: State::Runs };
    (tx, rx, alive)
}

impl Tx {
    /// As its task would be polled: goes on until it has to wait.
    fn run(&mut self) {
        while self.state != State::Done {
            let ready = self.task.poll(|cx| self.sender.poll_ready(cx));
            match ready {
                Poll::Pending => {
                    self.state = State::Waits;
                    return;
                }
                Poll::Ready(Ok(())) => self.send(),
                Poll::Ready(Err(SendError::Closed(()))) => self.state = State::Done,
                Poll::Ready(Err(SendError::Ended(()))) => panic!("it has not ended"),
            }
        }
    }

    fn send(&mut self) {
        let Some(item) = self.left.pop_front() else { return self.end() };
        item.payload.write(item.number + 1);
        match self.sender.try_send(item) {
            Ok(()) => {}
            Err(TrySendError::Closed(item)) => self.left.push_front(item),
            Err(TrySendError::Full(_)) => panic!("it was ready"),
            Err(TrySendError::Ended(_)) => panic!("it has not ended"),
        }
    }

    fn end(&mut self) {
        self.state = State::Done;
        // A receiver that is gone needs no end.
        let _ = match self.at_end {
            AtEnd::Finish => self.sender.finish(9).is_ok(),
            AtEnd::Fail => self.sender.fail(written(9)).is_ok(),
            AtEnd::Drop => {
                let (other, _) = pipe(Marks::DEFAULT);
                drop(std::mem::replace(&mut self.sender, other));
                true
            }
        };
    }

    fn run_if_woken(&mut self) -> bool {
        run_if_woken(self.state, &self.task) && {
            self.run();
            true
        }
    }
}

impl Rx {
    /// As its task would be polled: goes on until it has to wait.
    fn run(&mut self) {
        while self.state != State::Done && self.poll() {}
    }

    /// One poll, for one item; whether it was ready.
    fn poll(&mut self) -> bool {
        match self.task.poll(|cx| self.receiver.poll_next(cx)) {
            Poll::Ready(next) => {
                self.state = State::Runs;
                self.take(next);
                true
            }
            Poll::Pending => {
                self.state = State::Waits;
                false
            }
        }
    }

    fn take(&mut self, next: Next<Item, u64, Arc<Payload>>) {
        let end = match next {
            Next::Item(item) => return self.take_item(&item),
            Next::Finished(9) => End::Finished,
            Next::Finished(end) => panic!("another end: {end}"),
            Next::Cut(Cut::Failed(error)) => {
                assert_eq!(error.read(), 9);
                End::Failed
            }
            Next::Cut(Cut::Aborted(reason)) => {
                assert_eq!(reason.read(), 9);
                End::Aborted
            }
            Next::Cut(Cut::Cancelled) => End::Cancelled,
            Next::Over => panic!("the end was given before"),
        };
        assert_eq!(self.end.replace(end), None, "two ends");
        self.state = State::Done;
        let over = self.task.poll(|cx| self.receiver.poll_next(cx));
        assert!(matches!(over, Poll::Ready(Next::Over)));
    }

    fn take_item(&mut self, item: &Item) {
        assert_eq!(item.number, self.got, "lost, doubled or out of order");
        assert_eq!(item.payload.read(), item.number + 1);
        self.got += 1;
    }

    fn run_if_woken(&mut self) -> bool {
        run_if_woken(self.state, &self.task) && {
            self.run();
            true
        }
    }
}

fn run_if_woken(state: State, task: &Task) -> bool {
    match state {
        State::Runs => true,
        State::Waits => task.take_woken(),
        State::Done => false,
    }
}

/// Polls who was woken until both are done.
fn drive(tx: &mut Tx, rx: &mut Rx) {
    while tx.run_if_woken() || rx.run_if_woken() {}
    assert_eq!((tx.state, rx.state), (State::Done, State::Done), "a wake was lost");
}

fn written(value: u64) -> Arc<Payload> {
    let payload = Arc::new(Payload::new());
    payload.write(value);
    payload
}

/// Runs the sender on a thread of its own while `work` runs here; then both are driven to the end.
fn race(mut tx: Tx, mut rx: Rx, work: impl FnOnce(&mut Rx)) -> (Tx, Rx) {
    let thread = spawn(move || {
        tx.run();
        tx
    });
    work(&mut rx);
    let mut tx = thread.join().unwrap();
    drive(&mut tx, &mut rx);
    (tx, rx)
}

/// Two items through room for one: in order, each once, what was written before them is seen, and
/// each half is woken when it waits.
fn racing_transfer() {
    let (tx, rx, alive) = halves(ONE, 2, AtEnd::Finish);
    let (_, rx) = race(tx, rx, Rx::run);
    assert_eq!((rx.got, rx.end, alive.load(Relaxed)), (2, Some(End::Finished), 0));
}

/// The end comes once and behind the item.
fn racing_finish() {
    let (tx, rx, _) = halves((9, 9), 1, AtEnd::Finish);
    let (_, rx) = race(tx, rx, |rx| while rx.state == State::Runs && rx.poll() {});
    assert_eq!((rx.got, rx.end), (1, Some(End::Finished)));
}

/// An error does not overtake the item before it; what was written before it is seen.
fn racing_fail() {
    let (tx, rx, _) = halves((9, 9), 1, AtEnd::Fail);
    let (_, rx) = race(tx, rx, Rx::run);
    assert_eq!((rx.got, rx.end), (1, Some(End::Failed)));
}

/// After an abort the receiver gets no item any more; each is either given or dropped, counted, and
/// nothing stays charged.
fn h42_racing_abort() {
    let (mut tx, mut rx, alive) = halves((9, 9), 3, AtEnd::Finish);
    (0..2).for_each(|_| tx.send());
    assert!(rx.poll(), "one is given, one fetched");
    let thread = spawn(move || {
        tx.send();
        tx.sender.abort(written(9)).unwrap();
        assert!(tx.sender.fail(written(1)).is_err(), "an end after the end");
        tx.state = State::Done;
        tx
    });
    rx.run();
    let mut tx = thread.join().unwrap();
    drive(&mut tx, &mut rx);
    let stats = tx.sender.stats();
    assert_eq!((rx.end, rx.got + stats.dropped_items), (Some(End::Aborted), 3));
    assert_eq!((alive.load(Relaxed), tx.sender.held_bytes()), (0, 0));
}

/// Once an abort is known to the receiver's thread, it gets no item that it fetched before.
fn abort_drops_what_was_fetched() {
    let (mut tx, mut rx, alive) = halves((9, 9), 3, AtEnd::Finish);
    (0..3).for_each(|_| tx.send());
    assert!(rx.poll(), "one is given, two fetched");
    let thread = spawn(move || {
        tx.sender.abort(written(9)).unwrap();
        tx.state = State::Done;
        tx
    });
    rx.poll();
    let mut tx = thread.join().unwrap();
    assert!(rx.got <= 2);
    let got = rx.got;
    drive(&mut tx, &mut rx);
    assert_eq!((rx.end, rx.got), (Some(End::Aborted), got), "an item behind the abort");
    assert_eq!(alive.load(Relaxed), 0);
}

/// A sender that is dropped, after no item, one or two, is never complete: its items come, then the
/// cut.
fn h42_racing_sender_drop() {
    for items in 0..3 {
        let (tx, rx, alive) = halves((9, 9), items, AtEnd::Drop);
        let (_, rx) = race(tx, rx, |rx| {
            rx.poll();
        });
        assert_eq!((rx.got, rx.end), (items, Some(End::Cancelled)));
        assert_eq!(alive.load(Relaxed), 0);
    }
}

/// A receiver that is dropped while the sender sends, or waits for room: the sender is told, keeps
/// what was not sent, and nothing leaks.
fn h42_racing_receiver_drop() {
    let (mut tx, mut rx, alive) = halves(ONE, 3, AtEnd::Finish);
    let thread = spawn(move || {
        tx.run();
        tx
    });
    rx.poll();
    let got = rx.got;
    drop(rx);
    let mut tx = thread.join().unwrap();
    while tx.run_if_woken() {}
    assert_eq!(tx.state, State::Done, "a waiting sender was not told");
    let stats = tx.sender.stats();
    assert_eq!(got + stats.dropped_items + tx.left.len() as u64, 3);
    assert_eq!(alive.load(Relaxed), tx.left.len() as u64);
    assert_eq!((tx.sender.held_bytes(), tx.task.wakers()), (0, 0));
}

/// The reason of a receiver that closes, and what was written before, is seen by the sender; a
/// sender that waits for that is woken.
fn racing_close() {
    let (mut tx, mut rx, _) = halves(ONE, 0, AtEnd::Finish);
    rx.poll();
    let thread = spawn(move || rx.receiver.close(written(9)));
    let closed = tx.task.poll(|cx| tx.sender.poll_closed(cx));
    if closed.is_ready() {
        assert_eq!(tx.sender.close_reason().unwrap().read(), 9);
    }
    thread.join().unwrap();
    assert!(closed.is_ready() || tx.task.take_woken(), "a wake was lost");
    assert!(tx.task.poll(|cx| tx.sender.poll_closed(cx)).is_ready());
    assert_eq!(tx.sender.close_reason().unwrap().read(), 9);
    assert_eq!((tx.task.wakers(), rx.task.wakers()), (0, 0));
}

/// Between two marks: the sender is woken only when it waits and at the low mark, once; what is
/// held stays within the high mark and one item.
fn h41_watermark_edges() {
    let (mut tx, mut rx, _) = halves((1, 1), 3, AtEnd::Finish);
    let thread = spawn(move || {
        tx.run();
        assert!(tx.sender.held_bytes() <= 2 * ITEM_BYTES, "over the bound");
        tx
    });
    rx.run();
    assert!(rx.receiver.held_bytes() <= 2 * ITEM_BYTES, "over the bound");
    let mut tx = thread.join().unwrap();
    let waited = tx.state == State::Waits;
    assert_eq!(tx.sender.stats().sender_wakes, tx.task.wakes() as u64);
    assert!(waited || tx.task.wakes() <= 1, "woken without waiting");
    drive(&mut tx, &mut rx);
    assert_eq!((rx.got, rx.end), (3, Some(End::Finished)));
    assert!(tx.task.wakes() <= 1, "woken twice for one wait");
}

/// A receiver that takes one item and goes: the sender, which waits for room, gets it or is told,
/// and does not wait for ever.
fn h39_edge_or_drop() {
    let (mut tx, mut rx, _) = halves(ONE, 2, AtEnd::Finish);
    tx.run();
    assert_eq!(tx.state, State::Waits);
    let thread = spawn(move || {
        assert!(rx.poll());
        drop(rx);
    });
    // Polled once more while the receiver is at it.
    tx.run();
    thread.join().unwrap();
    while tx.run_if_woken() {}
    assert_eq!((tx.state, tx.sender.held_bytes()), (State::Done, 0));
}

/// Batches take all there is, and wake a sender that waits as single items do.
fn racing_batch() {
    let (mut tx, mut rx, _) = halves((0, 1), 3, AtEnd::Finish);
    let thread = spawn(move || {
        tx.run();
        tx
    });
    let mut items = Vec::new();
    let mut ready = rx.task.poll(|cx| rx.receiver.poll_batch(cx, &mut items));
    let mut tx = thread.join().unwrap();
    while ready != Poll::Ready(0) {
        let woken = ready.is_ready() || rx.task.take_woken();
        assert!(tx.run_if_woken() || woken, "a wake was lost");
        if woken {
            ready = rx.task.poll(|cx| rx.receiver.poll_batch(cx, &mut items));
        }
    }
    items.iter().for_each(|item| rx.take_item(item));
    rx.run();
    assert_eq!((rx.got, rx.end), (3, Some(End::Finished)));
}

/// A receiver whose waker panics when it is woken: the sender does not notice, and nothing is lost.
fn h43_panicking_receiver_waker() {
    let (tx, mut rx, _) = halves((9, 9), 1, AtEnd::Finish);
    let first = Fuse::Wake.lend(|waker| {
        let mut cx = std::task::Context::from_waker(waker);
        rx.receiver.poll_next(&mut cx).is_pending()
    });
    assert!(first);
    let (_, rx) = race(tx, rx, |rx| {
        rx.poll();
    });
    assert_eq!((rx.got, rx.end), (1, Some(End::Finished)));
}

/// A sender whose waker panics when it is woken: the receiver does not notice, and has its item.
fn h43_panicking_sender_waker() {
    let (mut tx, mut rx, _) = halves(ONE, 2, AtEnd::Finish);
    tx.send();
    let waits = Fuse::Wake.lend(|waker| {
        let mut cx = std::task::Context::from_waker(waker);
        tx.sender.poll_ready(&mut cx).is_pending()
    });
    assert!(waits);
    let thread = spawn(move || {
        assert!(rx.poll(), "the item that was sent");
        rx
    });
    tx.run();
    let mut rx = thread.join().unwrap();
    drive(&mut tx, &mut rx);
    assert_eq!((rx.got, rx.end), (2, Some(End::Finished)));
}

/// Each poll brings another waker: the newest is woken, on either side.
fn fresh_waker_each_poll() {
    let (mut tx, mut rx, _) = halves(ONE, 2, AtEnd::Finish);
    let thread = spawn(move || {
        tx.run();
        if tx.state == State::Waits {
            tx.task = Task::new();
            tx.run();
        }
        tx
    });
    if !rx.poll() {
        rx.task = Task::new();
        rx.poll();
    }
    let mut tx = thread.join().unwrap();
    drive(&mut tx, &mut rx);
    assert_eq!((rx.got, rx.end), (2, Some(End::Finished)));
}

/// A send that is dropped while it waits: its item was sent, or dropped, and not both.
fn h47_cancelled_send() {
    let (mut tx, mut rx, alive) = halves(ONE, 2, AtEnd::Finish);
    tx.send();
    let thread = spawn(move || {
        let item = tx.left.pop_front().unwrap();
        item.payload.write(item.number + 1);
        let sent = {
            let send = pin!(tx.sender.send(item));
            tx.task.poll(|cx| send.poll(cx)).is_ready()
        };
        tx.end();
        (tx, sent)
    });
    rx.poll();
    let (tx, sent) = thread.join().unwrap();
    rx.run();
    assert_eq!((rx.got, rx.end), (1 + u64::from(sent), Some(End::Finished)));
    assert_eq!((alive.load(Relaxed), tx.sender.held_bytes()), (0, 0));
}

/// A receiver waits in one task and goes on in another: that one is woken.
fn h43_migrating_receiver() {
    let (tx, mut rx, _) = halves(ONE, 1, AtEnd::Finish);
    let first = spawn(move || {
        rx.poll();
        rx
    });
    let second = spawn(move || {
        let mut tx = tx;
        tx.run();
        tx
    });
    let mut rx = first.join().unwrap();
    rx.task = Task::new();
    rx.poll();
    let mut tx = second.join().unwrap();
    drive(&mut tx, &mut rx);
    assert_eq!((rx.got, rx.end), (1, Some(End::Finished)));
}

/// A sender waits in one task and goes on in another: that one is woken.
fn migrating_sender() {
    let (mut tx, mut rx, _) = halves(ONE, 2, AtEnd::Finish);
    tx.send();
    let first = spawn(move || {
        tx.run();
        tx
    });
    let second = spawn(move || {
        rx.poll();
        rx
    });
    let mut tx = first.join().unwrap();
    if tx.state == State::Waits {
        tx.task = Task::new();
        tx.run();
    }
    let mut rx = second.join().unwrap();
    drive(&mut tx, &mut rx);
    assert_eq!((rx.got, rx.end), (2, Some(End::Finished)));
}
