use core::fmt;

use super::resumed::Resumed;
use super::shared::Shared;
use crate::sync::Arc;

/// Asks one filter of one message to be called again, from any thread, any number of times.
///
/// Harmless after the end: a handle that outlives its message, or the output of its filter,
/// answers [`Resumed::Gone`] and does nothing.
///
/// It may be used at once, also before the callback that asked for it has returned its verdict.
///
/// Dropping the last handle of a filter that holds and can get no other call fails the message as
/// stalled (rule I8), so a lost handle is an error, not a hang. That wakes the task, too; a waker
/// that panics then does not panic out of the drop.
pub struct ResumeHandle {
    shared: Arc<Shared>,
    station: u8,
}

impl ResumeHandle {
    pub(super) fn new(shared: Arc<Shared>, station: u8) -> Self {
        shared.add_handle(station);
        Self { shared, station }
    }

    /// Queues the `resume` callback of the filter this handle came from, and wakes the task that
    /// drives the message unless a wake is already due.
    ///
    /// Runs the waker on the calling thread, with no lock held. A waker that panics does so here,
    /// after the resume was queued.
    pub fn resume(&self) -> Resumed {
        self.shared.resume(self.station)
    }
}

impl Clone for ResumeHandle {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared), self.station)
    }
}

impl Drop for ResumeHandle {
    fn drop(&mut self) {
        self.shared.remove_handle(self.station);
    }
}

impl fmt::Debug for ResumeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeHandle").field("station", &self.station).finish_non_exhaustive()
    }
}
