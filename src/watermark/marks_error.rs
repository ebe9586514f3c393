use std::{error, fmt};

/// Marks that were refused because the low one is above the high one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MarksError {
    /// The low mark asked for, in bytes.
    pub low_bytes: u64,
    /// The high mark asked for, in bytes.
    pub high_bytes: u64,
}

impl fmt::Display for MarksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the low watermark of {} bytes is above the high watermark of {} bytes",
            self.low_bytes, self.high_bytes
        )
    }
}

impl error::Error for MarksError {}
