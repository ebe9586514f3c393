use serde::{Deserialize, Serialize};

use super::{NodeConfig, UnhandledConfig, bounded};
use crate::limits;

/// A pipeline: before, main or after.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(expecting = "a pipeline: a map", deny_unknown_fields, default)]
pub struct PipelineConfig {
    /// Its nodes, in order. Only the main pipeline may have a call, and only it may have no `flow`:
    /// see [`FlowConfig::main`](super::FlowConfig::main).
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "bounded::optional_list::<_, _, { limits::MAX_CONFIG_NODES }>"
    )]
    pub flow: Option<Vec<NodeConfig>>,
    /// What a result does that no jump of its node handles.
    #[serde(skip_serializing_if = "is_default")]
    pub on_unhandled: UnhandledConfig,
}

fn is_default(unhandled: &UnhandledConfig) -> bool {
    *unhandled == UnhandledConfig::default()
}
