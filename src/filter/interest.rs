use core::ops::BitOr;

/// Which kinds of frame a filter wants to be asked about. What it does not want passes it by
/// without a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    /// Nothing: the filter is started and closed, and not called in between.
    pub const NONE: Self = Self(0);
    /// The head.
    pub const HEAD: Self = Self(1);
    /// Body bytes, and the end however it comes.
    pub const DATA: Self = Self(2);
    /// The trailers.
    pub const TRAILERS: Self = Self(4);
    /// Everything.
    pub const ALL: Self = Self(7);

    /// Whether all of `other` is in `self`.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// `self` without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Default for Interest {
    fn default() -> Self {
        Self::ALL
    }
}
