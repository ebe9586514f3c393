//! Which of Envoy's data callbacks a call of ours is.

use crate::trace::entry::Callback;
use crate::trace::{Entry, Trace};

/// The data callbacks of one filter in one direction, in order.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    /// Envoy's, but for those with an empty piece and no end: their numbers and lengths in bytes.
    calls: Vec<(usize, usize)>,
    next: usize,
    /// The number behind all that Envoy made.
    beyond: usize,
    /// How much of the piece of the last call has not come yet, in bytes.
    open_bytes: usize,
    last: usize,
}

impl Numbers {
    pub(crate) fn of(trace: &Trace, filter: &str, kind: Callback) -> Self {
        let mut calls = Vec::new();
        let mut beyond = 1;
        for entry in trace.steps.iter().flat_map(|record| &record.filters) {
            let Entry::Enter(enter) = entry else { continue };
            if enter.f != filter || enter.cb != kind {
                continue;
            }
            beyond = enter.n + 1;
            let bytes = enter.recv.as_ref().map_or(0, crate::trace::Text::len);
            if bytes > 0 || enter.end == Some(true) {
                calls.push((enter.n, bytes));
            }
        }
        Self { calls, next: 0, beyond, open_bytes: 0, last: 0 }
    }

    /// The number of a call that shows so many new bytes, and whether it goes on with the piece of
    /// the call before. `cut`: a release before this filter was cut to its room.
    pub(crate) fn next(&mut self, bytes: usize, cut: bool) -> (usize, bool) {
        if cut && bytes > 0 && bytes <= self.open_bytes {
            self.open_bytes -= bytes;
            return (self.last, true);
        }
        let (n, whole) = match self.calls.get(self.next) {
            Some(&call) => call,
            None => {
                self.beyond += 1;
                (self.beyond - 1, bytes)
            }
        };
        self.next += 1;
        self.open_bytes = whole.saturating_sub(bytes);
        self.last = n;
        (n, false)
    }
}
