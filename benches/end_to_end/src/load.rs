//! What is sent through.

/// One kind of exchange, and how many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// Large request bodies, one behind the other.
    Upload,
    /// Large response bodies, one behind the other.
    Download,
    /// Small bodies there and back, [`AT_ONCE`] at once.
    Small,
}

/// The length of a large body.
pub(crate) const LARGE_BYTES: u64 = 64 << 20;

/// The length of a small body.
pub(crate) const SMALL_BYTES: u64 = 1024;

/// How many small exchanges are under way at once.
pub(crate) const AT_ONCE: usize = 32;

impl Load {
    pub(crate) const ALL: [Self; 3] = [Self::Upload, Self::Download, Self::Small];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Upload => "up",
            Self::Download => "down",
            Self::Small => "small",
        }
    }

    /// The lengths of the request body and the response body.
    pub(crate) const fn lengths(self) -> (u64, u64) {
        match self {
            Self::Upload => (LARGE_BYTES, SMALL_BYTES),
            Self::Download => (SMALL_BYTES, LARGE_BYTES),
            Self::Small => (SMALL_BYTES, SMALL_BYTES),
        }
    }
}
