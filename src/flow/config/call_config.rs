use serde::Serialize;

use super::jump_config::as_map;
use super::{JumpConfig, StatusRange};

/// The node at which the request goes to the upstream and its response begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallConfig {
    /// What jumps and traces call the node.
    pub call: String,
    /// The statuses of a response that are the result `failureCode`. 500 to 599 if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_statuses: Option<Vec<StatusRange>>,
    /// Where to go on for which result.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    pub jump_if: Vec<JumpConfig>,
}
