use serde::{Deserialize, Deserializer, Serialize};

use super::{ConfigError, EasegressConfig, FallThroughConfig, FilterConfig, LimitsConfig};
use super::{PipelineConfig, bounded, read};
use crate::limits;

/// A flow as text says it: see the [module](super) for an example.
///
/// It is read by any serde format: [`read`](Self::read) names the place of what has the wrong
/// shape. [`build`](Self::build) checks all the rest and makes a [`Flow`](crate::flow::Flow).
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(expecting = "a flow: a map", deny_unknown_fields)]
pub struct FlowConfig {
    /// What errors and traces call the flow.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
    /// The filters that nodes and finalizers name. Each has to be named by one at least.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "bounded::list::<_, _, { limits::MAX_CONFIG_FILTERS }>"
    )]
    pub filters: Vec<FilterConfig>,
    /// Request nodes that run before the main pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<PipelineConfig>,
    /// Request nodes, the call, response nodes.
    ///
    /// Without a `flow` its nodes are all filters that nothing else names, in the order of their
    /// definitions, and the call before the first of them that is for responses only.
    #[serde(default)]
    pub main: PipelineConfig,
    /// Response nodes that run after the main pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PipelineConfig>,
    /// When the next pipeline runs behind one that was stopped or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fall_through: Option<FallThroughConfig>,
    /// The same as Easegress has it, instead of `fall_through`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub easegress: Option<EasegressConfig>,
    /// The names of filters of a finalizer's kind. They run when an exchange is over, whatever
    /// happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "bounded::names")]
    pub finalizers: Vec<String>,
    /// What bounds the memory of an exchange.
    #[serde(default)]
    pub limits: LimitsConfig,
}

impl FlowConfig {
    /// Reads a configuration, and says where it has the wrong shape.
    ///
    /// # Errors
    ///
    /// As [`read`](fn@read).
    ///
    /// # Examples
    ///
    /// ```
    /// use tidegate::flow::config::FlowConfig;
    ///
    /// let text = r#"{ "name": "shop", "main": { "flow": [{ "filter": "gzip", "is": "gz" }] } }"#;
    /// let mut json = serde_json::Deserializer::from_str(text);
    /// let error = FlowConfig::read(&mut json).unwrap_err();
    /// assert_eq!(error.place().to_string(), "main.flow[0].is");
    /// ```
    pub fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, ConfigError> {
        read(from)
    }
}
