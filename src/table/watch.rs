use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use super::epoch::Epoch;
use super::signal::Signal;
use crate::sync::Arc;

/// Tells of publishes: of the last one, not of each.
///
/// No publish is missed: one that comes while a task registers is told, or wakes it. A task is
/// woken once for each time it registered. One that has unsubscribed (by dropping this) is woken by
/// no publish that begins after; one that was under way may still wake it.
///
/// Wakers run on the thread that publishes, with no lock held; a panic in one goes no further.
pub struct Watch {
    signal: Arc<Signal>,
    nonce: u64,
    id: u64,
    /// The number of the epoch that was told last.
    seen: Option<u64>,
}

impl Watch {
    pub(super) fn new(signal: &Arc<Signal>, nonce: u64) -> Self {
        let id = signal.subscribe();
        Self { signal: Arc::clone(signal), nonce, id, seen: None }
    }

    /// The current epoch, if it is not the one that was told last. The first answer is immediate:
    /// the epoch that is there. A snapshot taken afterwards is of this epoch or a later one.
    ///
    /// The newest waker counts. Before `Pending` it is cloned, with no lock held; a panic in that
    /// comes out here and changes nothing.
    pub fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<Epoch> {
        let number = self.signal.number();
        let news = if self.seen == Some(number) {
            self.signal.register(self.id, self.seen, cx.waker())
        } else {
            Some(number)
        };
        let Some(number) = news else { return Poll::Pending };
        self.seen = Some(number);
        Poll::Ready(Epoch { nonce: self.nonce, number })
    }

    /// As [`poll_changed`](Self::poll_changed). Cancel safe: nothing is told unless this is ready.
    pub async fn changed(&mut self) -> Epoch {
        poll_fn(|cx| self.poll_changed(cx)).await
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.signal.unsubscribe(self.id);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("nonce", &self.nonce).field("seen", &self.seen).finish()
    }
}
