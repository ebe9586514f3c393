use super::Mark;
use crate::table::Entry;

/// What is under a key: never only what is new of it.
#[derive(Debug)]
pub enum Value<P> {
    /// There is no entry.
    Absent,
    /// There is one.
    Present {
        /// The number of the epoch that it came in with.
        entered: u64,
        /// What it is.
        entry: Entry<P>,
    },
}

impl<P> Value<P> {
    /// Which value it is.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        match self {
            Self::Absent => Mark::Absent,
            Self::Present { entered, .. } => Mark::Entered(*entered),
        }
    }
}

// By hand: plans are shared, not cloned.
impl<P> Clone for Value<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Present { entered, entry } => {
                Self::Present { entered: *entered, entry: entry.clone() }
            }
        }
    }
}
