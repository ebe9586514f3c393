use serde::{Deserialize, Serialize};

use super::MarksConfig;

/// What bounds the memory of an exchange, besides the marks of its filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(expecting = "a map", deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The largest piece of body that enters a chain at once, in bytes.
    /// [`limits::MAX_FRAME_BYTES`](crate::limits::MAX_FRAME_BYTES) if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_frame_bytes: Option<usize>,
    /// The watermarks of the output queue of requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_output: Option<MarksConfig>,
    /// The watermarks of the output queue of responses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_output: Option<MarksConfig>,
}
