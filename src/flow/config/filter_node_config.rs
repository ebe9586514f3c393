use serde::Serialize;

use super::JumpConfig;
use super::jump_config::as_map;

/// A node that runs a filter, or the `END` of its pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilterNodeConfig {
    /// The name of the filter's definition; or `END`, which takes neither name nor jumps.
    pub filter: String,
    /// What jumps call the node (`as`). The filter's name if nothing is said: a filter that two
    /// nodes of one pipeline run needs one.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Where to go on for which result.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    pub jump_if: Vec<JumpConfig>,
}
