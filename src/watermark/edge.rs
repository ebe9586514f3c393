use super::Side;

/// A crossing of a mark, told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "an edge is told once: the source must be paused or resumed on it"]
pub enum Edge {
    /// The count went above the high mark: pause.
    High,
    /// The count came down to the low mark or below: resume.
    Low,
}

impl Edge {
    /// The side on which this edge leaves the count.
    #[inline]
    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Self::High => Side::Above,
            Self::Low => Side::Below,
        }
    }
}
