use core::fmt;

use super::flow_error_kind::FlowErrorKind;
use super::place::Place;

/// A flow that cannot be, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowError(Box<Wrong>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wrong {
    place: Place,
    kind: FlowErrorKind,
}

impl FlowError {
    pub(super) fn new(place: Place, kind: FlowErrorKind) -> Self {
        Self(Box::new(Wrong { place, kind }))
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &FlowErrorKind {
        &self.0.kind
    }

    /// Where.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.place, self.0.kind)
    }
}

impl std::error::Error for FlowError {}
