use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};

use super::shared::{Shared, wake};
use super::state::{Ending, Slot};
use super::{Cut, PipeStats, SendError, TrySendError};
use crate::limits;
use crate::sync::{Arc, lock};
use crate::unwind::contained;
use crate::watermark::{Marks, Side, Weigh};

/// The half of a pipe that gives items.
///
/// End it with [`finish`](Self::finish), [`fail`](Self::fail) or [`abort`](Self::abort). Dropped
/// without one of these it is *not* complete: the receiver gets the items sent before, and then
/// [`Cut::Cancelled`].
pub struct Sender<T, End, E> {
    shared: Arc<Shared<T, End, E>>,
    marks: Marks,
    /// Invariant: as the last edge of `marks` that this half saw.
    side: Side,
    stage: Stage,
    /// All charges since the start, wrapping.
    sent_bytes: u64,
    /// Never less than what is held: looked up again when it would matter.
    held_at_most_bytes: u64,
    close_reason: Option<E>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Ended,
}

impl<T, End, E> Sender<T, End, E> {
    pub(super) fn new(shared: Arc<Shared<T, End, E>>, marks: Marks) -> Self {
        Self {
            shared,
            marks,
            side: Side::Below,
            stage: Stage::Open,
            sent_bytes: 0,
            held_at_most_bytes: 0,
            close_reason: None,
        }
    }

    /// Ready when an item can be sent.
    ///
    /// `Pending` after the pipe went over its high mark, until it has come down to the low mark or
    /// the receiver goes; then the task is woken. The newest waker counts.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] if the receiver is gone, [`SendError::Ended`] after an end.
    ///
    /// # Panics
    ///
    /// If the waker panics when it is cloned, or a former one when it is dropped. The pipe is as it
    /// was, and can be polled again.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if it is not polled again.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
        if self.stage == Stage::Ended {
            return Poll::Ready(Err(SendError::Ended(())));
        }
        if self.shared.word.is_closed() {
            return Poll::Ready(Err(SendError::Closed(())));
        }
        if self.has_room() {
            return Poll::Ready(Ok(()));
        }
        // User code: outside the lock.
        let fresh = cx.waker().clone();
        let (closed, unused) = {
            let mut state = lock(&self.shared.state);
            if state.is_closed() {
                (true, Some(fresh))
            } else {
                // With the lock held, so that a receiver which sees the flag finds the waker.
                self.held_at_most_bytes = self.shared.word.wait(self.sent_bytes);
                (false, state.set_sender(fresh))
            }
        };
        drop(unused);
        if closed {
            return Poll::Ready(Err(SendError::Closed(())));
        }
        if self.goes_low() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Waits until an item can be sent: [`poll_ready`](Self::poll_ready) as a future.
    ///
    /// # Errors
    ///
    /// As [`poll_ready`](Self::poll_ready).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost. With [`try_send`](Self::try_send) after it, an item is kept by its owner
    /// until it is sent.
    pub async fn ready(&mut self) -> Result<(), SendError<()>> {
        poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// Ends the pipe: the receiver gets what was sent, then `end`.
    ///
    /// # Errors
    ///
    /// `end` back, if the receiver is gone or this sender had ended. Nothing changed.
    pub fn finish(&mut self, end: End) -> Result<(), SendError<End>> {
        let unsent = |error: SendError<Ending<End, E>>| {
            error.map(|ending| match ending {
                Ending::Finished(end) => end,
                Ending::Cut(_) => unreachable!("it comes back as it went"),
            })
        };
        self.end(Ending::Finished(end)).map_err(unsent)
    }

    /// Ends the pipe with an error: the receiver gets what was sent, then [`Cut::Failed`].
    ///
    /// # Errors
    ///
    /// `error` back, if the receiver is gone or this sender had ended. Nothing changed.
    pub fn fail(&mut self, error: E) -> Result<(), SendError<E>> {
        self.end(Ending::Cut(Cut::Failed(error))).map_err(reason)
    }

    /// Ends the pipe at once: what the receiver has not been given yet is dropped and counted, and
    /// the next that it gets is [`Cut::Aborted`].
    ///
    /// What the receiver has fetched already is dropped by it, when it is polled next.
    ///
    /// # Errors
    ///
    /// `reason` back, if the receiver is gone or this sender had ended: an end that was told is not
    /// taken back. Nothing changed.
    pub fn abort(&mut self, reason: E) -> Result<(), SendError<E>> {
        if self.stage == Stage::Ended {
            return Err(SendError::Ended(reason));
        }
        let ended = {
            let mut state = lock(&self.shared.state);
            state.end(Ending::Cut(Cut::Aborted(reason))).map(|receiver| {
                self.shared.word.abort();
                (receiver, state.take_queue())
            })
        };
        let (receiver, (queue, queued_bytes)) = ended.map_err(self::reason)?;
        self.stage = Stage::Ended;
        self.sent_bytes = self.sent_bytes.wrapping_sub(queued_bytes);
        wake(receiver);
        drop(queue);
        Ok(())
    }

    /// Ready when the receiver is gone: [closed](super::Receiver::close), or dropped. To have read
    /// to the end is not to be gone.
    ///
    /// One waker is kept for this and for [`poll_ready`](Self::poll_ready): a sender belongs to one
    /// task.
    ///
    /// # Panics
    ///
    /// As [`poll_ready`](Self::poll_ready).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if it is not polled again.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.shared.word.is_closed() {
            return Poll::Ready(());
        }
        let fresh = cx.waker().clone();
        let (closed, unused) = {
            let mut state = lock(&self.shared.state);
            if state.is_closed() { (true, Some(fresh)) } else { (false, state.set_sender(fresh)) }
        };
        drop(unused);
        if closed { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether the receiver is gone. It may have gone since on another thread.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.word.is_closed()
    }

    /// The reason of the receiver that is gone; `None` if it is not, or gave none.
    pub fn close_reason(&mut self) -> Option<&E> {
        if self.close_reason.is_none() && self.shared.word.is_closed() {
            self.close_reason = lock(&self.shared.state).take_reason();
        }
        self.close_reason.as_ref()
    }

    /// Whether an item can be sent, without waiting for it.
    pub fn has_room(&mut self) -> bool {
        match self.side {
            Side::Below => true,
            Side::Above => {
                self.held_at_most_bytes = self.shared.word.held_bytes(self.sent_bytes);
                self.goes_low()
            }
        }
    }

    /// What the pipe holds, in bytes: the weight of the items that were sent and neither given to
    /// the receiver nor dropped, and what their slots cost, each at least
    /// [`limits::PIPE_ITEM_COST_BYTES`].
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.shared.word.held_bytes(self.sent_bytes)
    }

    /// What went through so far.
    #[must_use]
    pub fn stats(&self) -> PipeStats {
        lock(&self.shared.state).stats
    }

    /// Looks for the low edge; whether it came.
    fn goes_low(&mut self) -> bool {
        self.look_for_edge();
        if self.side == Side::Above {
            return false;
        }
        self.shared.word.stop_waiting();
        true
    }

    fn look_for_edge(&mut self) {
        if let Some(edge) = self.marks.edge(self.side, self.held_at_most_bytes) {
            self.side = edge.side();
        }
    }

    fn end(&mut self, ending: Ending<End, E>) -> Result<(), SendError<Ending<End, E>>> {
        if self.stage == Stage::Ended {
            return Err(SendError::Ended(ending));
        }
        let ended = lock(&self.shared.state).end(ending);
        let receiver = ended?;
        self.stage = Stage::Ended;
        wake(receiver);
        Ok(())
    }
}

impl<T: Weigh, End, E> Sender<T, End, E> {
    /// Sends an item, if there is room.
    ///
    /// An item of any weight is taken while the pipe is not over its high mark.
    ///
    /// # Errors
    ///
    /// The item back, and why.
    #[inline]
    pub fn try_send(&mut self, item: T) -> Result<(), TrySendError<T>> {
        if self.stage == Stage::Ended {
            return Err(TrySendError::Ended(item));
        }
        if !self.has_room() {
            return Err(if self.shared.word.is_closed() {
                TrySendError::Closed(item)
            } else {
                TrySendError::Full(item)
            });
        }
        self.push(item).map_err(TrySendError::from)
    }

    /// Sends an item as soon as there is room.
    ///
    /// # Errors
    ///
    /// The item back, if the receiver is gone or this sender had ended.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the future drops the item, and it was not sent. To keep it, use
    /// [`ready`](Self::ready) and [`try_send`](Self::try_send).
    pub async fn send(&mut self, item: T) -> Result<(), SendError<T>> {
        let mut item = Some(item);
        poll_fn(|cx| {
            let ready = ready!(self.poll_ready(cx));
            let item = item.take().expect("a future is not polled after its end");
            Poll::Ready(match ready {
                Ok(()) => self.push(item),
                Err(error) => Err(error.map(|()| item)),
            })
        })
        .await
    }

    fn push(&mut self, item: T) -> Result<(), SendError<T>> {
        let weight_bytes = item.weight_bytes().min(limits::MAX_PIPE_ITEM_BYTES);
        let charge_bytes = weight_bytes + const { item_cost_bytes::<T>() };
        let receiver = lock(&self.shared.state).push(Slot { item, charge_bytes })?;
        self.sent_bytes = self.sent_bytes.wrapping_add(charge_bytes);
        self.held_at_most_bytes += charge_bytes;
        if self.held_at_most_bytes > self.marks.high() {
            self.held_at_most_bytes = self.shared.word.held_bytes(self.sent_bytes);
            self.look_for_edge();
        }
        wake(receiver);
        Ok(())
    }
}

/// What an item is charged besides its weight: its slot, in a deque that may be half empty.
const fn item_cost_bytes<T>() -> u64 {
    let slot_bytes = 2 * size_of::<Slot<T>>() as u64;
    if slot_bytes > limits::PIPE_ITEM_COST_BYTES {
        slot_bytes
    } else {
        limits::PIPE_ITEM_COST_BYTES
    }
}

fn reason<End, E>(error: SendError<Ending<End, E>>) -> SendError<E> {
    error.map(|ending| match ending {
        Ending::Cut(Cut::Failed(reason) | Cut::Aborted(reason)) => reason,
        Ending::Cut(Cut::Cancelled) | Ending::Finished(_) => {
            unreachable!("it comes back as it went")
        }
    })
}

impl<T, End, E> Drop for Sender<T, End, E> {
    fn drop(&mut self) {
        // If it has ended, or the receiver is gone, there is nothing to tell.
        drop(self.end(Ending::Cut(Cut::Cancelled)));
        // This task waits no more. The receiver must not keep it alive.
        let own = lock(&self.shared.state).forget_sender();
        contained(move || drop(own));
    }
}

impl<T, End, E> fmt::Debug for Sender<T, End, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("marks", &self.marks)
            .field("side", &self.side)
            .field("held_bytes", &self.held_bytes())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
