/// What a filter answers to an informational head (1xx). It cannot be held: see
/// [`Filter::informational`](crate::Filter::informational).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Interim {
    /// It goes on, as it is now.
    Pass,
    /// It goes no further. That is counted, and no error.
    Drop,
}
