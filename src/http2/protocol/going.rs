/// How far a connection is on its way to its end (RFC 9113, section 6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Going {
    /// Not at all.
    No,
    /// The peer is being told, and may have opened streams in the meantime: they are served. It has
    /// heard of it when it answers the PING that went behind.
    Told,
    /// The peer has told us, and is served until it has no stream.
    PeerLeft,
    /// Streams above `last` are not served.
    Leaving { last: u32 },
}
