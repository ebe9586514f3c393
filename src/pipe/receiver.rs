use core::fmt;
use core::future::poll_fn;
use core::mem;
use core::task::{Context, Poll, ready};
use std::collections::VecDeque;

use super::shared::{Shared, wake};
use super::state::{Ending, Fetched, Reading, Slot};
use super::word::News;
use super::{Next, PipeStats};
use crate::sync::{Arc, lock};
use crate::unwind::{contained, drop_each_contained};

/// The half of a pipe that takes items.
///
/// Dropping it tells the sender: see [`close`](Self::close).
pub struct Receiver<T, End, E> {
    shared: Arc<Shared<T, End, E>>,
    low_bytes: u64,
    fetched: Fetched<T, End, E>,
    /// What was queued behind `fetched` when that was last looked at: never more than there is.
    queued_seen_bytes: u64,
    /// The last look found something, so the next one most likely finds nothing. A guess, which
    /// decides how often the lock is taken and nothing else.
    found_last: bool,
}

impl<T, End, E> Receiver<T, End, E> {
    pub(super) fn new(shared: Arc<Shared<T, End, E>>, low_bytes: u64) -> Self {
        let fetched = Fetched { items: VecDeque::new(), bytes: 0, reading: Reading::Flowing };
        Self { shared, low_bytes, fetched, queued_seen_bytes: 0, found_last: false }
    }

    /// The next item, or the end.
    ///
    /// `Pending` while there is nothing; the task is woken when there is. The newest waker counts.
    /// After the end, and after [`close`](Self::close), it is always [`Next::Over`].
    ///
    /// # Panics
    ///
    /// If the waker panics when it is cloned, or a former one when it is dropped. Nothing is lost,
    /// and it can be polled again.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if it is not polled again.
    #[inline]
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next<T, End, E>> {
        loop {
            if let Some(slot) = self.fetched.items.pop_front() {
                if let Some(item) = self.hand_out(slot) {
                    return Poll::Ready(Next::Item(item));
                }
                continue;
            }
            if matches!(self.fetched.reading, Reading::Flowing) {
                ready!(self.poll_fetch(cx));
                continue;
            }
            return Poll::Ready(match mem::replace(&mut self.fetched.reading, Reading::Over) {
                Reading::Ending(ending) => ending.into_next(),
                Reading::Flowing | Reading::Over => Next::Over,
            });
        }
    }

    /// The next item, or the end: [`poll_next`](Self::poll_next) as a future.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn next(&mut self) -> Next<T, End, E> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// All items that are there, appended to `items`: at most one lock for all of them.
    ///
    /// Ready with how many. Zero: there will be no more, and [`poll_next`](Self::poll_next) gives
    /// the end without waiting. From then on they are the caller's and not counted by the pipe. For
    /// the rest as [`poll_next`](Self::poll_next).
    pub fn poll_batch(&mut self, cx: &mut Context<'_>, items: &mut Vec<T>) -> Poll<usize> {
        while matches!(self.fetched.reading, Reading::Flowing) && self.fetched.items.is_empty() {
            ready!(self.poll_fetch(cx));
        }
        let count = self.fetched.items.len();
        if count == 0 {
            return Poll::Ready(0);
        }
        // Room first: if there is none, nothing has happened.
        items.reserve(count);
        match self.shared.word.give_back(mem::take(&mut self.fetched.bytes)) {
            News::None => {}
            News::SenderWaits => self.on_given_back(),
            News::Aborted => {
                self.drop_fetched(None);
                return Poll::Ready(0);
            }
        }
        items.extend(self.fetched.items.drain(..).map(|slot| slot.item));
        Poll::Ready(count)
    }

    /// Takes no more: what was not given yet is dropped and counted, and the sender is told, with
    /// the reason. The first reason counts.
    ///
    /// Dropping the receiver closes it without a reason.
    pub fn close(&mut self, reason: E) {
        self.close_with(Some(reason));
    }

    /// The end, if it is known that nothing comes before it.
    #[must_use]
    pub fn peek_end(&self) -> Option<&End> {
        match &self.fetched.reading {
            Reading::Ending(Ending::Finished(end)) if self.fetched.items.is_empty() => Some(end),
            Reading::Ending(_) | Reading::Flowing | Reading::Over => None,
        }
    }

    /// What the pipe holds, in bytes: as [`Sender::held_bytes`](super::Sender::held_bytes).
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        lock(&self.shared.state).queued_bytes() + self.fetched.bytes
    }

    /// What went through so far.
    #[must_use]
    pub fn stats(&self) -> PipeStats {
        lock(&self.shared.state).stats
    }

    /// Gives the bytes of one item back, and the item out; `None` if the sender aborted.
    #[inline]
    fn hand_out(&mut self, slot: Slot<T>) -> Option<T> {
        self.fetched.bytes -= slot.charge_bytes;
        match self.shared.word.give_back(slot.charge_bytes) {
            News::None => {}
            News::SenderWaits => self.on_given_back(),
            News::Aborted => {
                self.drop_fetched(Some(slot));
                return None;
            }
        }
        Some(slot.item)
    }

    /// Bytes were given back while the sender waits: wakes it at the low mark.
    #[cold]
    fn on_given_back(&mut self) {
        // A sender that waits queues nothing, so the lock is not needed to see that it is too
        // early. If it went on and waits again, there is more than was seen, never less.
        if self.queued_seen_bytes + self.fetched.bytes > self.low_bytes {
            return;
        }
        let sender = {
            let mut state = lock(&self.shared.state);
            self.queued_seen_bytes = state.queued_bytes();
            if self.queued_seen_bytes + self.fetched.bytes > self.low_bytes {
                return;
            }
            self.shared.word.stop_waiting();
            state.take_sender()
        };
        wake(sender);
    }

    /// The sender aborted: drops what was fetched, and fetches the reason at the next poll.
    #[cold]
    fn drop_fetched(&mut self, first: Option<Slot<T>>) {
        let items = mem::take(&mut self.fetched.items);
        self.shared.word.give_back(mem::take(&mut self.fetched.bytes));
        let count = items.len() as u64 + u64::from(first.is_some());
        lock(&self.shared.state).stats.dropped_items += count;
        drop((first, items));
    }

    /// Fetches all that is queued, and the end behind it.
    fn poll_fetch(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        debug_assert!(self.fetched.items.is_empty(), "what was fetched is handed out first");
        self.queued_seen_bytes = 0;
        if !mem::take(&mut self.found_last) {
            let mut state = lock(&self.shared.state);
            if state.fetch(&mut self.fetched) {
                self.found_last = true;
                return Poll::Ready(());
            }
            if state.receiver_is(cx.waker()) {
                return Poll::Pending;
            }
        }
        // User code: outside the lock. So it has to be looked again, or only now.
        let fresh = cx.waker().clone();
        let (found, unused) = {
            let mut state = lock(&self.shared.state);
            if state.fetch(&mut self.fetched) {
                (true, Some(fresh))
            } else {
                (false, state.set_receiver(fresh))
            }
        };
        drop(unused);
        self.found_last = found;
        if found { Poll::Ready(()) } else { Poll::Pending }
    }

    fn close_with(&mut self, reason: Option<E>) {
        let items = mem::take(&mut self.fetched.items);
        let ending = mem::replace(&mut self.fetched.reading, Reading::Over);
        let (closed, own) = {
            let mut state = lock(&self.shared.state);
            let closed = state.close(reason);
            if closed.is_ok() {
                state.stats.dropped_items += items.len() as u64;
                self.shared.word.close();
            }
            (closed, state.forget_receiver())
        };
        let (sender, mut rest) = match closed {
            Ok(mut leftover) => (leftover.sender.take(), Ok(leftover)),
            Err(reason) => (None, Err(reason)),
        };
        let queued_bytes = rest.as_ref().map_or(0, |leftover| leftover.queued_bytes);
        // Nobody waits for room any more.
        self.shared.word.give_back(mem::take(&mut self.fetched.bytes) + queued_bytes);
        wake(sender);
        contained(move || drop(own));
        // Items are user code too, and this may be a `Drop`.
        drop_each_contained(items.into_iter());
        if let Ok(leftover) = &mut rest {
            drop_each_contained(leftover.queue.drain(..));
        }
        contained(move || drop((ending, rest)));
    }
}

impl<T, End, E> Drop for Receiver<T, End, E> {
    fn drop(&mut self) {
        self.close_with(None);
    }
}

impl<T, End, E> fmt::Debug for Receiver<T, End, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("fetched_items", &self.fetched.items.len())
            .field("fetched_bytes", &self.fetched.bytes)
            .finish_non_exhaustive()
    }
}
