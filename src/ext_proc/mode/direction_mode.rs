use super::{BodyMode, ModeError, Promise, SendMode, Terms};
use crate::filter::Capabilities;

/// What an external processor is given of one direction. There is no way to make one in which
/// `FULL_DUPLEX_STREAMED` goes without trailers.
///
/// # Examples
///
/// ```
/// use tidegate::ext_proc::mode::{BodyMode, DirectionMode, SendMode};
///
/// let duplex = DirectionMode::new(BodyMode::FullDuplexStreamed);
/// assert_eq!(duplex.trailers(), SendMode::Send);
/// assert!(duplex.with_trailers(SendMode::Skip).is_err());
///
/// let streamed = DirectionMode::streamed().with_trailers(SendMode::Skip)?;
/// assert_eq!(streamed.trailers(), SendMode::Skip);
/// # Ok::<(), tidegate::ext_proc::mode::ModeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DirectionMode {
    headers: SendMode,
    body: BodyMode,
    /// Invariant: `Send` where `body` is `FullDuplexStreamed`.
    trailers: SendMode,
}

impl DirectionMode {
    /// Nothing of the message is shown.
    pub const OFF: Self =
        Self { headers: SendMode::Skip, body: BodyMode::None, trailers: SendMode::Skip };

    /// The head, the trailers, and of the body what `body` says.
    #[must_use]
    pub const fn new(body: BodyMode) -> Self {
        Self { headers: SendMode::Send, body, trailers: SendMode::Send }
    }

    /// The head and the trailers; the body passes by (`NONE`).
    #[must_use]
    pub const fn heads_only() -> Self {
        Self::new(BodyMode::None)
    }

    /// The head, the trailers, and the body in pieces, each answered by one answer (`STREAMED`).
    #[must_use]
    pub const fn streamed() -> Self {
        Self::new(BodyMode::Streamed)
    }

    /// The head, the trailers, and the whole body at once (`BUFFERED`).
    #[must_use]
    pub const fn buffered() -> Self {
        Self::new(BodyMode::Buffered)
    }

    /// The head, the trailers, and the body up to the data plane's limit (`BUFFERED_PARTIAL`).
    #[must_use]
    pub const fn buffered_partial() -> Self {
        Self::new(BodyMode::BufferedPartial)
    }

    /// The head, the trailers, and the body in pieces that are answered by others
    /// (`FULL_DUPLEX_STREAMED`). The trailers go with it: see [`ModeError::TrailersSkipped`].
    #[must_use]
    pub const fn full_duplex() -> Self {
        Self::new(BodyMode::FullDuplexStreamed)
    }

    /// The same, with the head shown or not.
    #[must_use]
    pub const fn with_headers(self, headers: SendMode) -> Self {
        Self { headers, ..self }
    }

    /// The same, with the trailers shown or not.
    ///
    /// # Errors
    ///
    /// [`ModeError::TrailersSkipped`] if the body mode is `FULL_DUPLEX_STREAMED` and `trailers` is
    /// not [`SendMode::Send`].
    pub const fn with_trailers(self, trailers: SendMode) -> Result<Self, ModeError> {
        match (self.body, trailers) {
            (BodyMode::FullDuplexStreamed, SendMode::Skip) => {
                Err(ModeError::TrailersSkipped { direction: None })
            }
            _ => Ok(Self { trailers, ..self }),
        }
    }

    /// The same with another body mode: the trailer mode stays, but `FULL_DUPLEX_STREAMED` brings
    /// `SEND` with it.
    #[must_use]
    pub const fn with_body(self, body: BodyMode) -> Self {
        let trailers = match body {
            BodyMode::FullDuplexStreamed => SendMode::Send,
            _ => self.trailers,
        };
        Self { body, trailers, ..self }
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

    /// What filters can do at most in this mode; see [`Terms`], which has the table, and which says
    /// it for observers and for the filters of one plan.
    #[must_use]
    pub fn capabilities(self, promise: Promise) -> Capabilities {
        Terms::new(self).promise(promise).capabilities()
    }
}

impl Default for DirectionMode {
    /// [`BodyMode::None`].
    fn default() -> Self {
        Self::heads_only()
    }
}
