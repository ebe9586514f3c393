use core::fmt;

use bytes::Bytes;

use super::capability::Capability;
use crate::error::{Error, ErrorKind, Origin};

/// An edit that was refused. The view is unchanged; what was to be added comes back.
pub struct EditError {
    kind: EditErrorKind,
    bytes: Bytes,
}

impl EditError {
    pub(crate) fn new(kind: EditErrorKind, bytes: Bytes) -> Self {
        Self { kind, bytes }
    }

    /// Why the edit was refused.
    #[must_use]
    pub fn kind(&self) -> EditErrorKind {
        self.kind
    }

    /// What was to be added.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

/// Why an edit was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditErrorKind {
    /// No room now (rule I7): what the filter has added and its station still has would pass its
    /// high mark, or something after it is over. Its `resume` callback will be called when the
    /// edit fits.
    Full,
    /// Larger than the filter's own high mark, which is given in bytes: will never fit at once.
    TooLarge {
        /// The filter's high mark, in bytes.
        high_bytes: u64,
    },
    /// The message has no body by definition: a response to HEAD, 204 or 304 (rule I12).
    NoBody,
    /// The filter did not declare this capability, or the edge did not grant it.
    Undeclared(Capability),
}

impl From<EditError> for Error {
    fn from(error: EditError) -> Self {
        let kind = match error.kind {
            EditErrorKind::Full => {
                ErrorKind::Limit { limit: "room for added body", limit_bytes: 0 }
            }
            EditErrorKind::TooLarge { high_bytes } => {
                ErrorKind::Limit { limit: "high mark", limit_bytes: high_bytes }
            }
            EditErrorKind::NoBody => ErrorKind::BodyForbidden,
            EditErrorKind::Undeclared(need) => ErrorKind::Undeclared { capability: need.name() },
        };
        Self::new(kind, Origin::Filter)
    }
}

impl fmt::Debug for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EditError")
            .field("kind", &self.kind)
            .field("returned_bytes", &self.bytes.len())
            .finish()
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            EditErrorKind::Full => f.write_str("no room for added body now"),
            EditErrorKind::TooLarge { high_bytes } => {
                write!(f, "the edit is larger than the filter's high mark of {high_bytes} bytes")
            }
            EditErrorKind::NoBody => f.write_str("the message has no body by definition"),
            EditErrorKind::Undeclared(need) => {
                write!(f, "`{need}` was not declared by the filter or not granted by the edge")
            }
        }
    }
}

impl std::error::Error for EditError {}
