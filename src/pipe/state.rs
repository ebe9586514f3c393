use core::mem;
use core::task::Waker;
use std::collections::VecDeque;

use super::{Cut, Next, PipeStats, SendError};

/// What is behind the lock: plain data and its transitions. Nothing here runs user code; what has
/// to be dropped or woken is handed out.
pub(super) struct State<T, End, E> {
    stage: Stage<End, E>,
    queue: VecDeque<Slot<T>>,
    queued_bytes: u64,
    /// Invariant: `None` unless the stage is `Open` and the queue empty.
    receiver: Option<Waker>,
    sender: Option<Waker>,
    pub(super) stats: PipeStats,
}

/// An item and what it is charged.
pub(super) struct Slot<T> {
    pub(super) item: T,
    pub(super) charge_bytes: u64,
}

/// See the table on the module's page.
enum Stage<End, E> {
    Open,
    Ending(Ending<End, E>),
    Delivered,
    Closed(Option<E>),
}

/// How the sender ended, on its way to the receiver.
pub(super) enum Ending<End, E> {
    Finished(End),
    Cut(Cut<E>),
}

/// What the receiver has taken out of the state and not handed out yet.
pub(super) struct Fetched<T, End, E> {
    pub(super) items: VecDeque<Slot<T>>,
    pub(super) bytes: u64,
    pub(super) reading: Reading<End, E>,
}

/// How far the receiver has read.
pub(super) enum Reading<End, E> {
    /// There may be more in the state.
    Flowing,
    /// This follows what was fetched; no more is in the state.
    Ending(Ending<End, E>),
    /// The end was handed out, or the receiver closed. Nothing is fetched.
    Over,
}

impl<End, E> Ending<End, E> {
    pub(super) fn into_next<T>(self) -> Next<T, End, E> {
        match self {
            Self::Finished(end) => Next::Finished(end),
            Self::Cut(cut) => Next::Cut(cut),
        }
    }
}

impl<T, End, E> State<T, End, E> {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Open,
            queue: VecDeque::new(),
            queued_bytes: 0,
            receiver: None,
            sender: None,
            stats: PipeStats::default(),
        }
    }

    pub(super) fn queued_bytes(&self) -> u64 {
        self.queued_bytes
    }

    /// Queues an item. The waker to wake, if the receiver waits; or the item back.
    pub(super) fn push(&mut self, slot: Slot<T>) -> Result<Option<Waker>, SendError<T>> {
        match self.stage {
            Stage::Open => {}
            Stage::Closed(_) => return Err(SendError::Closed(slot.item)),
            Stage::Ending(_) | Stage::Delivered => return Err(SendError::Ended(slot.item)),
        }
        self.queued_bytes += slot.charge_bytes;
        self.queue.push_back(slot);
        self.stats.items += 1;
        Ok(self.take_receiver())
    }

    /// Ends behind what is queued. As [`push`](Self::push).
    pub(super) fn end(
        &mut self,
        ending: Ending<End, E>,
    ) -> Result<Option<Waker>, SendError<Ending<End, E>>> {
        match self.stage {
            Stage::Open => {}
            Stage::Closed(_) => return Err(SendError::Closed(ending)),
            Stage::Ending(_) | Stage::Delivered => return Err(SendError::Ended(ending)),
        }
        self.stage = Stage::Ending(ending);
        Ok(self.take_receiver())
    }

    /// Takes out what is queued, to be dropped.
    pub(super) fn take_queue(&mut self) -> (VecDeque<Slot<T>>, u64) {
        self.stats.dropped_items += self.queue.len() as u64;
        (mem::take(&mut self.queue), mem::take(&mut self.queued_bytes))
    }

    /// Moves all there is to the receiver, which has nothing. Whether there was something.
    pub(super) fn fetch(&mut self, fetched: &mut Fetched<T, End, E>) -> bool {
        let found = !self.queue.is_empty();
        if found {
            // The receiver's empty deque comes back with its room: nothing is allocated.
            mem::swap(&mut self.queue, &mut fetched.items);
            fetched.bytes = mem::take(&mut self.queued_bytes);
        }
        match mem::replace(&mut self.stage, Stage::Delivered) {
            Stage::Ending(ending) => {
                fetched.reading = Reading::Ending(ending);
                true
            }
            stage @ (Stage::Open | Stage::Delivered | Stage::Closed(_)) => {
                self.stage = stage;
                found
            }
        }
    }

    /// The receiver goes. The stage it leaves is given back to be dropped; `Err` if it had gone
    /// before, with the reason.
    pub(super) fn close(&mut self, reason: Option<E>) -> Result<Leftover<T, End, E>, Option<E>> {
        if matches!(self.stage, Stage::Closed(_)) {
            return Err(reason);
        }
        let stage = mem::replace(&mut self.stage, Stage::Closed(reason));
        let (queue, queued_bytes) = self.take_queue();
        Ok(Leftover { sender: self.take_sender(), queued_bytes, queue, _stage: stage })
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.stage, Stage::Closed(_))
    }

    /// The reason that the receiver gave when it went; once.
    pub(super) fn take_reason(&mut self) -> Option<E> {
        match &mut self.stage {
            Stage::Closed(reason) => reason.take(),
            Stage::Open | Stage::Ending(_) | Stage::Delivered => None,
        }
    }

    pub(super) fn receiver_is(&self, waker: &Waker) -> bool {
        self.receiver.as_ref().is_some_and(|known| known.will_wake(waker))
    }

    /// Registers the receiver's waker, which has found nothing. The one before, to be dropped.
    pub(super) fn set_receiver(&mut self, waker: Waker) -> Option<Waker> {
        self.receiver.replace(waker)
    }

    pub(super) fn set_sender(&mut self, waker: Waker) -> Option<Waker> {
        self.sender.replace(waker)
    }

    /// The sender's waker, to be woken.
    pub(super) fn take_sender(&mut self) -> Option<Waker> {
        self.stats.sender_wakes += u64::from(self.sender.is_some());
        self.sender.take()
    }

    fn take_receiver(&mut self) -> Option<Waker> {
        self.stats.receiver_wakes += u64::from(self.receiver.is_some());
        self.receiver.take()
    }

    /// The receiver's waker, to be dropped: its task waits no more.
    pub(super) fn forget_receiver(&mut self) -> Option<Waker> {
        self.receiver.take()
    }

    /// As [`forget_receiver`](Self::forget_receiver).
    pub(super) fn forget_sender(&mut self) -> Option<Waker> {
        self.sender.take()
    }
}

/// What a receiver leaves behind: to be dropped outside the lock.
pub(super) struct Leftover<T, End, E> {
    pub(super) sender: Option<Waker>,
    pub(super) queued_bytes: u64,
    pub(super) queue: VecDeque<Slot<T>>,
    _stage: Stage<End, E>,
}
