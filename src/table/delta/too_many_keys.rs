use core::fmt;

use crate::limits;

/// A session subscribes to no more than [`limits::MAX_SUBSCRIBED_KEYS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooManyKeys;

impl fmt::Display for TooManyKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} keys in one session", limits::MAX_SUBSCRIBED_KEYS)
    }
}

impl core::error::Error for TooManyKeys {}
