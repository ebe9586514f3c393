/// What a server did until it went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Served {
    /// Connections that were accepted.
    pub connections: u64,
    /// Connections that ended in an error of HTTP/2 or of the socket. Many clients just go.
    pub failed: u64,
    /// Connections that were cut off because their streams had not ended in time.
    pub cut: u64,
    /// How often nothing could be accepted, for lack of file descriptors for example.
    pub not_accepted: u64,
}
