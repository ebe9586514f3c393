use core::fmt;
use core::time::Duration;

use crate::body::Timeouts;
use crate::ext_proc::wire::WireLimits;
use crate::limits::DEFAULT_STALL_SECONDS;
use crate::sync::Arc;

use super::StreamReport;

/// How long a stream may take, and who is told of its end.
#[derive(Clone)]
pub struct StreamSettings {
    pub(super) limits: WireLimits,
    pub(super) timeouts: Timeouts,
    pub(super) stall: Option<Duration>,
    pub(super) observer: Option<Observer>,
}

/// Who is told how a stream ended.
pub(super) type Observer = Arc<dyn Fn(&StreamReport) + Send + Sync>;

impl StreamSettings {
    /// A stall timeout of [`DEFAULT_STALL_SECONDS`], no other timeout, nobody who is told.
    #[must_use]
    pub fn new() -> Self {
        Self {
            limits: WireLimits::new(),
            timeouts: Timeouts::new(),
            stall: Some(Duration::from_secs(DEFAULT_STALL_SECONDS)),
            observer: None,
        }
    }

    /// Sets what is taken of one message.
    #[must_use]
    pub fn limits(mut self, limits: WireLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long a stream may take: *idle* is a wait for the client, *hold* one for a filter of
    /// either direction, in which no byte of either direction moved; *total* is the whole stream.
    ///
    /// A processor that sees only heads waits for the response as long as the upstream takes for
    /// it: an idle timeout has to allow for that.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets how long a stream may stand still with nobody in there to notice.
    ///
    /// Both directions of a request share one stream. So a client that stops reading for one of
    /// them stops both, and may wait for an answer that lies behind what it does not read; and
    /// filters of one direction that hold so much that the stream is not read stop the other, on
    /// which they may depend. A watchdog ends such a stream between once and 1.25 times this
    /// timeout after something last moved, and frees what it holds. The first is reset, as hyper
    /// does not poll it; the second ends with `ABORTED`.
    ///
    /// A client that takes one reply in this time (in full duplex at most
    /// [`DUPLEX_PIECE_BYTES`](crate::limits::DUPLEX_PIECE_BYTES) of body) is slow, and not stalled.
    ///
    /// `None`: never. The watchdog is a task of the tokio runtime that polls the stream; outside of
    /// one nobody watches.
    #[must_use]
    pub fn stall(mut self, after: Option<Duration>) -> Self {
        self.stall = after;
        self
    }

    /// Sets who is told how each stream ended. Called once for each, by whoever polls or drops the
    /// stream, or by the watchdog; a panic in it goes no further.
    #[must_use]
    pub fn on_end(mut self, observer: impl Fn(&StreamReport) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for StreamSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSettings")
            .field("limits", &self.limits)
            .field("timeouts", &self.timeouts)
            .field("stall", &self.stall)
            .field("is_observed", &self.observer.is_some())
            .finish()
    }
}
