use core::fmt;
use core::time::Duration;

use http::request;

use crate::ext_proc::mode::{FilterConfig, ProcessingMode, Promise};
use crate::limits;
use crate::sync::ConstArc as Arc;

/// Chooses another mode for one exchange, by its request head: what it answers is asked for with
/// `mode_override`. `None` leaves the mode as it is.
///
/// It is called by the task that polls the session, once an exchange, before any filter.
pub type ChooseMode =
    dyn Fn(&request::Parts, ProcessingMode) -> Option<ProcessingMode> + Send + Sync;

/// What an embedder states of its sessions. All bytes are payload.
#[derive(Clone)]
pub struct SessionSettings {
    pub(super) mode: ProcessingMode,
    /// Of the data plane, if it is stated whole.
    pub(super) config: Option<Arc<FilterConfig>>,
    pub(super) request_promise: Promise,
    pub(super) response_promise: Promise,
    pub(super) keeps_length: bool,
    pub(super) routing: bool,
    pub(super) reroutes: bool,
    pub(super) choose_mode: Option<Arc<ChooseMode>>,
    pub(super) more_time: Option<Duration>,
    pub(super) queue_high_bytes: u64,
    pub(super) max_reply_bytes: u64,
    pub(super) max_whole_bytes: u64,
    pub(super) piece_bytes: usize,
}

impl SessionSettings {
    /// Those of a data plane that is configured with `mode`.
    #[must_use]
    pub fn new(mode: ProcessingMode) -> Self {
        Self {
            mode,
            config: None,
            request_promise: Promise::Nothing,
            response_promise: Promise::Nothing,
            keeps_length: false,
            routing: false,
            reroutes: false,
            choose_mode: None,
            more_time: None,
            queue_high_bytes: limits::SESSION_QUEUE_BYTES,
            max_reply_bytes: limits::MAX_IMMEDIATE_BODY_BYTES,
            max_whole_bytes: limits::MAX_WHOLE_BODY_BYTES,
            piece_bytes: limits::DUPLEX_PIECE_BYTES,
        }
    }

    /// Those of a data plane with this configuration: its mode, and what it lets a server do. A
    /// mode that is [chosen](Self::choose_mode) and that this configuration does not take is not
    /// asked for.
    #[must_use]
    pub fn of(config: &FilterConfig) -> Self {
        Self {
            config: Some(Arc::new(config.clone())),
            keeps_length: config.allow_content_length_header,
            routing: config.mutation_rules.allow_all_routing,
            ..Self::new(config.processing_mode)
        }
    }

    /// The mode that the data plane is configured with.
    #[must_use]
    pub fn mode(&self) -> ProcessingMode {
        self.mode
    }

    /// What is known of the messages of each direction.
    #[must_use]
    pub fn promise(mut self, request: Promise, response: Promise) -> Self {
        self.request_promise = request;
        self.response_promise = response;
        self
    }

    /// States that the data plane keeps the declared length (`allow_content_length_header`).
    #[must_use]
    pub fn keep_length(mut self) -> Self {
        self.keeps_length = true;
        self
    }

    /// States that the data plane takes changes of `:scheme`, `:authority` and `host`
    /// (`mutation_rules.allow_all_routing`). Without, such a change is counted as not sent.
    #[must_use]
    pub fn routing_edits(mut self) -> Self {
        self.routing = true;
        self
    }

    /// Has the route of a request chosen anew when its head was changed (`clear_route_cache`).
    /// Authorisation that was decided by the old route does not come again: that is why it is off
    /// unless it is asked for.
    #[must_use]
    pub fn reroute(mut self) -> Self {
        self.reroutes = true;
        self
    }

    /// Sets who chooses the mode of each exchange. The data plane has to allow it
    /// (`allow_mode_override`): it ignores what it does not allow, without a word (P17). Where its
    /// configuration [is stated](Self::of), such a mode is not asked for; and neither is one that
    /// the announced mode leads to in no configuration. It goes with the answer to the request's
    /// head. A filter that holds that head for a body in full duplex would wait for ever: there it
    /// goes in a message of its own, if the configuration says that it
    /// [can](FilterConfig::stand_alone_override), and else the exchange fails.
    ///
    /// What became of it the session [says](super::Session::chosen_mode). One that is asked for and
    /// ignored all the same fails the exchange at the first message that does not fit. One that was
    /// to show a body has no such message: the body passes by, its filters are told that the
    /// message was cancelled, and the mode was never
    /// [confirmed](super::ChosenMode::Unconfirmed). An exchange that begins with its response, as
    /// another filter of the data plane replied, stays in the announced mode: if the plan does not
    /// fit it, the exchange fails.
    #[must_use]
    pub fn choose_mode(
        mut self,
        choose: impl Fn(&request::Parts, ProcessingMode) -> Option<ProcessingMode>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.choose_mode = Some(Arc::new(choose));
        self
    }

    /// Sets how long the data plane is asked to wait for an answer that a filter holds back
    /// (`override_message_timeout`): once for each message that waits. It has to be 1 ms or more,
    /// and at most the data plane's `max_message_timeout`; what is not is ignored there.
    #[must_use]
    pub fn more_time(mut self, time: Duration) -> Self {
        self.more_time = Some(time);
        self
    }

    /// Sets how much may have come that the filters have not taken, in bytes, before the stream is
    /// not read any more. Each piece and each end of a body message counts for its slot, too: they
    /// may have no bytes. Both directions come on one stream: what waits here for one direction
    /// lets the other go on.
    #[must_use]
    pub fn queue_high_bytes(mut self, bytes: u64) -> Self {
        self.queue_high_bytes = bytes;
        self
    }

    /// Sets the longest body of a local reply, in bytes: it goes in one message.
    #[must_use]
    pub fn max_reply_bytes(mut self, bytes: u64) -> Self {
        self.max_reply_bytes = bytes;
        self
    }

    /// Sets the longest body that is kept whole, in bytes: what filters that edit make of a
    /// buffered body, and what they give a message that came without one. A longer one is answered
    /// 413 (request) or 500 (response). So long can the first message of a stream be, too, if it is
    /// a body: what the stream announces stands behind it.
    #[must_use]
    pub fn max_whole_bytes(mut self, bytes: u64) -> Self {
        self.max_whole_bytes = bytes;
        self
    }

    /// Sets the largest piece that is sent at once in full duplex, in bytes; at least 1. Some data
    /// planes take no more than 64 KiB in a message (P15).
    #[must_use]
    pub fn piece_bytes(mut self, bytes: usize) -> Self {
        self.piece_bytes = bytes.max(1);
        self
    }
}

impl fmt::Debug for SessionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSettings")
            .field("mode", &self.mode)
            .field("request_promise", &self.request_promise)
            .field("response_promise", &self.response_promise)
            .field("queue_high_bytes", &self.queue_high_bytes)
            .field("max_reply_bytes", &self.max_reply_bytes)
            .field("max_whole_bytes", &self.max_whole_bytes)
            .field("piece_bytes", &self.piece_bytes)
            .finish_non_exhaustive()
    }
}
