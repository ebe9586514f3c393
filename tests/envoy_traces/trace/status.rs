//! What a callback returns.

use serde::Deserialize;

/// A status in Envoy's words; which of them a callback can return depends on its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub(crate) enum Status {
    Continue,
    /// Headers and trailers.
    StopIteration,
    /// Headers.
    ContinueAndDontEndStream,
    /// Headers.
    StopAllIterationAndBuffer,
    /// Headers.
    StopAllIterationAndWatermark,
    /// Data.
    StopIterationAndBuffer,
    /// Data.
    StopIterationAndWatermark,
    /// Data.
    StopIterationNoBuffer,
    /// Local replies.
    ContinueAndResetStream,
    /// An event returns nothing.
    #[serde(rename = "-")]
    Nothing,
}
