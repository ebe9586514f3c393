/// Counters of one message. All bytes are payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes taken from the source.
    pub input_bytes: u64,
    /// Bytes given to the sink.
    pub output_bytes: u64,
    /// Bytes dropped by a declared end, a reply, a failure.
    pub discarded_bytes: u64,
    /// Trailer fields that could not be sent by the edge.
    pub unsent_trailers: u64,
    /// Informational heads (1xx) that filters dropped, or that were beyond the limit.
    pub dropped_informational: u64,
    /// The most bytes at rest in stations and output queue at any time. A chunk that passes all
    /// filters and is given out at once never rests.
    pub peak_held_bytes: u64,
    /// Bytes copied to pack small segments (rule I11).
    pub packed_bytes: u64,
    /// How often `wants_input` fell because something was over its high mark.
    pub pauses: u64,
    /// How often it rose again.
    pub resumes: u64,
    /// Filters that were left out of the rest of the message because their extension failed: see
    /// [`FailOpen`](crate::filter::FailOpen).
    pub failed_open: u64,
    /// Callbacks made, other than `close`.
    pub calls: u64,
}
