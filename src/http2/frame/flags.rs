/// The flags of a frame. A bit has one meaning in one kind of frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http2) struct Flags(pub(in crate::http2) u8);

impl Flags {
    pub(in crate::http2) const NONE: Self = Self(0);
    /// Of DATA and HEADERS.
    pub(in crate::http2) const END_STREAM: Self = Self(0x1);
    /// Of SETTINGS and PING.
    pub(in crate::http2) const ACK: Self = Self(0x1);
    /// Of HEADERS and CONTINUATION.
    pub(in crate::http2) const END_HEADERS: Self = Self(0x4);
    /// Of DATA and HEADERS.
    pub(in crate::http2) const PADDED: Self = Self(0x8);
    /// Of HEADERS.
    pub(in crate::http2) const PRIORITY: Self = Self(0x20);

    pub(in crate::http2) const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    pub(in crate::http2) const fn and(self, flag: Self) -> Self {
        Self(self.0 | flag.0)
    }

    /// `flag`, if `is_set`.
    pub(in crate::http2) const fn when(is_set: bool, flag: Self) -> Self {
        if is_set { flag } else { Self::NONE }
    }
}
