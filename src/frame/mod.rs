//! What travels behind a head, and how a message ends.
//!
//! This module never decides when a message ends.

mod brief_outcome;
mod outcome;

use bytes::Bytes;
use http::HeaderMap;

pub(crate) use brief_outcome::BriefOutcome;
pub use outcome::Outcome;

/// One frame of a message behind its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A piece of body, never empty when the engine gives it out.
    Data(Bytes),
    /// The trailers. Nothing follows.
    Trailers(HeaderMap),
}
