use serde::{Deserialize, Serialize};

use super::{Settings, bounded};

/// A filter as it is defined: nodes name it, any number of times.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(expecting = "a filter: a map", deny_unknown_fields)]
pub struct FilterConfig {
    /// What nodes call it. Unique, not empty, not `END`.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
    /// The kind in [`Kinds`](super::Kinds) that makes it.
    #[serde(deserialize_with = "bounded::name")]
    pub kind: String,
    /// What the kind reads. None are an empty map.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
}
