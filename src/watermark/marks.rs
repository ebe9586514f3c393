use super::{Edge, MarksError, Side};
use crate::limits;

/// Two marks in bytes, `low <= high`.
///
/// The marks are the last counts that are *not* over: `high` bytes exactly are no overflow, one
/// more is (as in Envoy). A high mark of 0 is over with the first byte; a high mark of `u64::MAX`
/// is never reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Marks {
    /// Invariant: at most `high_bytes`.
    low_bytes: u64,
    high_bytes: u64,
}

impl Marks {
    /// The marks of a station that declared none: [`limits::DEFAULT_LOW_BYTES`] and
    /// [`limits::DEFAULT_HIGH_BYTES`].
    pub const DEFAULT: Self =
        Self { low_bytes: limits::DEFAULT_LOW_BYTES, high_bytes: limits::DEFAULT_HIGH_BYTES };

    /// Both marks, in bytes. Equal marks are allowed: an edge then follows each crossing.
    ///
    /// # Errors
    ///
    /// [`MarksError`] if `low_bytes` is above `high_bytes`.
    #[inline]
    pub const fn new(low_bytes: u64, high_bytes: u64) -> Result<Self, MarksError> {
        if low_bytes > high_bytes {
            return Err(MarksError { low_bytes, high_bytes });
        }
        Ok(Self { low_bytes, high_bytes })
    }

    /// The high mark in bytes, and half of it (rounded down) as the low mark, as in Envoy.
    #[inline]
    #[must_use]
    pub const fn from_high(high_bytes: u64) -> Self {
        Self { low_bytes: high_bytes / 2, high_bytes }
    }

    /// The low mark, in bytes: at or below it, the source is resumed.
    #[inline]
    #[must_use]
    pub const fn low(self) -> u64 {
        self.low_bytes
    }

    /// The high mark, in bytes: above it, the source is paused.
    #[inline]
    #[must_use]
    pub const fn high(self) -> u64 {
        self.high_bytes
    }

    /// Which edge a count of `len_bytes` makes, coming from `side`. The caller goes to
    /// [`Edge::side`] on it.
    #[inline]
    #[must_use = "an edge is told once: the source must be paused or resumed on it"]
    pub const fn edge(self, side: Side, len_bytes: u64) -> Option<Edge> {
        match side {
            Side::Below if len_bytes > self.high_bytes => Some(Edge::High),
            Side::Above if len_bytes <= self.low_bytes => Some(Edge::Low),
            Side::Below | Side::Above => None,
        }
    }
}

impl Default for Marks {
    fn default() -> Self {
        Self::DEFAULT
    }
}
