use core::fmt;

/// How much of a body an external processor is given, and how it answers (`BodySendMode`).
///
/// `GRPC`, number 5, is left out: Envoy 1.40.0 accepts it and does not implement it, and the
/// protocol names no version by which a server could know. A client that announces it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BodyMode {
    /// The body passes by, and is not shown.
    #[default]
    None,
    /// Each piece is answered by one answer, in order.
    Streamed,
    /// The whole body comes in one message, and is answered by one.
    Buffered,
    /// As `Buffered` up to the data plane's limit; what is beyond it passes by.
    BufferedPartial,
    /// Pieces come, and others go, independent of each other.
    FullDuplexStreamed,
}

impl BodyMode {
    /// Every mode, in the order of the numbers of the protocol.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Streamed,
        Self::Buffered,
        Self::BufferedPartial,
        Self::FullDuplexStreamed,
    ];

    /// The name in the protocol and in Envoy's configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Streamed => "STREAMED",
            Self::Buffered => "BUFFERED",
            Self::BufferedPartial => "BUFFERED_PARTIAL",
            Self::FullDuplexStreamed => "FULL_DUPLEX_STREAMED",
        }
    }

    /// The number in the protocol.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The mode with this number; `None` for `GRPC` and for what the protocol does not define.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.number() == number)
    }
}

impl fmt::Display for BodyMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
