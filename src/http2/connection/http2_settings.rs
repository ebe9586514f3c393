use core::time::Duration;

use crate::http2::protocol::ProtocolSettings;

/// What a connection allows its peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Http2Settings {
    /// How many streams there may be at once.
    pub(crate) max_streams: u32,
    /// How much may come on a stream before it is read, in bytes: 1 to 2^31 - 1.
    pub(crate) window_bytes: u32,
    /// The longest frame that may come, in bytes: 2^14 to 2^24 - 1.
    pub(crate) max_frame_bytes: u32,
    /// How often a peer with streams that says nothing is asked whether it is there.
    pub(crate) keep_alive: Option<Duration>,
}

impl Http2Settings {
    pub(super) const fn protocol(&self) -> ProtocolSettings {
        ProtocolSettings {
            max_streams: self.max_streams,
            window_bytes: self.window_bytes,
            max_frame_bytes: self.max_frame_bytes,
        }
    }
}
