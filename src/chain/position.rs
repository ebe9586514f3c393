//! Where the head and the tail of a message stand.
//!
//! Each exists once, so "is the head here?" and "has the input ended?" are one comparison, and
//! neither can be in two places.

use crate::limits;

/// The number of station `k`, or of so many stations, as the desk and the callbacks know it.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a chain has at most 64 stations")]
pub(super) fn number(k: usize) -> u8 {
    debug_assert!(k <= limits::MAX_FILTERS, "{k} is no station");
    k as u8
}

/// Where the head stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadAt {
    /// It has not come.
    Awaited,
    /// At the entrance.
    Entrance,
    /// At a station, which owns it until its verdict lets it go.
    Station { k: u8, released: bool },
    /// Beyond the last filter.
    Output,
    /// The sink has it.
    Taken,
}

impl HeadAt {
    /// At station `k`.
    pub(super) fn at(k: usize, released: bool) -> Self {
        Self::Station { k: number(k), released }
    }

    /// Whether the filter of station `k` owns it.
    pub(super) fn is_held_at(self, k: usize) -> bool {
        self == Self::at(k, false)
    }
}

/// Where the tail stands: the end, with or without trailers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TailAt {
    /// It has not come.
    Awaited,
    /// At the entrance, behind the bytes there.
    Entrance,
    /// At a station, behind its bytes.
    Station { k: u8, state: TailState },
    /// Beyond the last filter, behind the bytes in the output queue.
    Output,
    /// The sink has it.
    Taken,
}

/// What a station has done about the tail that stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TailState {
    /// The filter has not been asked about it, or will not be.
    Unseen,
    /// The filter was shown it and keeps it.
    Shown,
    /// It goes on as soon as the released bytes before it have gone.
    Released,
}

impl TailAt {
    /// At station `k`.
    pub(super) fn at(k: usize, state: TailState) -> Self {
        Self::Station { k: number(k), state }
    }

    /// The state of the tail, if it stands at station `k`.
    pub(super) fn state_at(self, k: usize) -> Option<TailState> {
        match self {
            Self::Station { k: at, state } if usize::from(at) == k => Some(state),
            _ => None,
        }
    }
}
