use super::{Cause, Mode};

/// One key whose entry is another than before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change<K> {
    /// Whose entry it is.
    pub key: K,
    /// Why it was looked at. Of several causes: the edit.
    pub cause: Cause,
    /// How it serves now.
    pub mode: Mode,
}
