use serde::{Deserialize, Serialize};

/// A pair of watermarks, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(expecting = "a map", deny_unknown_fields)]
pub struct MarksConfig {
    /// Below it the source goes on. Half of the high mark if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_bytes: Option<u64>,
    /// Above it the source is paused.
    pub high_bytes: u64,
}
