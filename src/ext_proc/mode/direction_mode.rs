use super::{BodyMode, SendMode};

/// What an external processor is given of one direction. There is no way to make one in which
/// `FULL_DUPLEX_STREAMED` goes without trailers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DirectionMode {
    headers: SendMode,
    body: BodyMode,
    trailers: SendMode,
}

impl DirectionMode {
    /// The head, the trailers, and of the body what `body` says.
    #[must_use]
    pub const fn new(body: BodyMode) -> Self {
        Self { headers: SendMode::Send, body, trailers: SendMode::Send }
    }

    /// Whether the head is sent.
    #[must_use]
    pub const fn headers(self) -> SendMode {
        self.headers
    }

    /// How the body is sent.
    #[must_use]
    pub const fn body(self) -> BodyMode {
        self.body
    }

    /// Whether trailers are sent.
    #[must_use]
    pub const fn trailers(self) -> SendMode {
        self.trailers
    }
}

impl Default for DirectionMode {
    /// [`BodyMode::None`].
    fn default() -> Self {
        Self::new(BodyMode::None)
    }
}
