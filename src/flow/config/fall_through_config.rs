use serde::{Deserialize, Serialize};

use super::BorderConfig;

/// Whether a pipeline runs behind one that did not run off its end: the switches of
/// [`Stages`](crate::flow::Stages), with its defaults for what is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(expecting = "a map", deny_unknown_fields, default)]
pub struct FallThroughConfig {
    /// Whether main runs, by how before ended.
    #[serde(skip_serializing_if = "BorderConfig::is_unsaid")]
    pub to_main: BorderConfig,
    /// Whether after runs, by how main ended.
    #[serde(skip_serializing_if = "BorderConfig::is_unsaid")]
    pub to_after: BorderConfig,
    /// Whether after runs where main was skipped, by how before ended.
    #[serde(skip_serializing_if = "BorderConfig::is_unsaid")]
    pub past_main: BorderConfig,
}
