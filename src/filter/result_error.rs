use core::fmt;

/// A result that could not be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResultError {
    /// The head has gone: what runs next has been decided by what was said before.
    HeadGone,
    /// The filter did not declare it.
    Undeclared,
}

impl fmt::Display for ResultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeadGone => "a result after the head has gone",
            Self::Undeclared => "a result that the filter did not declare",
        })
    }
}

impl std::error::Error for ResultError {}
