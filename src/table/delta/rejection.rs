use crate::sync::ConstArc as Arc;
use crate::table::Epoch;

/// An epoch that a consumer has rejected (G10).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// Which it is.
    pub epoch: Epoch,
    /// Why, in the consumer's words.
    pub reason: Arc<str>,
}
