/// What a server allows its peers.
#[derive(Debug, Clone, Copy)]
pub(in crate::http2) struct ProtocolSettings {
    /// How many streams there may be at once.
    pub(in crate::http2) max_streams: u32,
    /// How much may come on a stream before it is read, in bytes: 1 to 2^31 - 1.
    pub(in crate::http2) window_bytes: u32,
    /// The longest frame that may come, in bytes: 2^14 to 2^24 - 1.
    pub(in crate::http2) max_frame_bytes: u32,
}
