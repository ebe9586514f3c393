//! What is measured.

/// One way to use an external processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// T12: every byte comes and goes back.
    Duplex,
    /// T13: every byte comes, and is let pass.
    Streamed,
    /// T14: the body comes in one message, and is let pass.
    Buffered,
    /// T14: the body comes in one message, and goes back in one.
    Replaced,
    /// T15: small requests, echoed in both directions.
    Small,
}

impl Scenario {
    pub(crate) const ALL: [Self; 5] =
        [Self::Duplex, Self::Streamed, Self::Buffered, Self::Replaced, Self::Small];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Duplex => "duplex_echo",
            Self::Streamed => "streamed_unchanged",
            Self::Buffered => "buffered_unchanged",
            Self::Replaced => "buffered_replaced",
            Self::Small => "echo_1_kib",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// The target in `performance.md`: its number, and how much of the other server's CPU.
    pub(crate) const fn target(self) -> (&'static str, f64) {
        match self {
            Self::Duplex => ("T12", 0.55),
            Self::Streamed => ("T13", 0.4),
            Self::Buffered => ("T14", 0.15),
            Self::Replaced => ("T14", 0.3),
            Self::Small => ("T15", 0.5),
        }
    }

    /// The `processing_mode` of Envoy's configuration.
    pub(crate) const fn mode(self) -> &'static str {
        match self {
            Self::Duplex => {
                "{ request_header_mode: SEND, response_header_mode: SKIP, \
                 request_body_mode: FULL_DUPLEX_STREAMED, request_trailer_mode: SEND }"
            }
            Self::Streamed => {
                "{ request_header_mode: SEND, response_header_mode: SKIP, \
                 request_body_mode: STREAMED, request_trailer_mode: SEND }"
            }
            Self::Buffered | Self::Replaced => {
                "{ request_header_mode: SEND, response_header_mode: SKIP, \
                 request_body_mode: BUFFERED, request_trailer_mode: SEND }"
            }
            Self::Small => {
                "{ request_header_mode: SEND, response_header_mode: SEND, \
                 request_body_mode: FULL_DUPLEX_STREAMED, request_trailer_mode: SEND, \
                 response_body_mode: FULL_DUPLEX_STREAMED, response_trailer_mode: SEND }"
            }
        }
    }
}
