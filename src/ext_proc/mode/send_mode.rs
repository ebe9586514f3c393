use core::fmt;

/// Whether a head, or trailers, are shown to the external processor (`HeaderSendMode`, without its
/// `DEFAULT`, which means one thing for heads and the other for trailers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SendMode {
    /// They are sent, and wait for the answer.
    #[default]
    Send,
    /// They pass by.
    Skip,
}

impl SendMode {
    /// The name in the protocol and in Envoy's configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Send => "SEND",
            Self::Skip => "SKIP",
        }
    }

    /// The number in the protocol.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Send => 1,
            Self::Skip => 2,
        }
    }
}

impl fmt::Display for SendMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
