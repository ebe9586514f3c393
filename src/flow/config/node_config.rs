use core::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};

use super::{CallConfig, FilterNodeConfig, JumpConfig, StatusRange, bounded};

/// One node of a pipeline.
///
/// In text it is a map with either `filter` or `call`; a node that is nothing but a filter can be
/// its name alone. `END` stands where a filter's name would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NodeConfig {
    /// A filter by its name, or `END`.
    Filter(FilterNodeConfig),
    /// The call of the upstream: at most one, in the main pipeline.
    Call(CallConfig),
}

/// A node as it is written.
#[derive(DeriveDeserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, deserialize_with = "bounded::optional_name")]
    filter: Option<String>,
    #[serde(default, deserialize_with = "bounded::optional_name")]
    call: Option<String>,
    #[serde(default, rename = "as", deserialize_with = "bounded::optional_name")]
    alias: Option<String>,
    #[serde(default, deserialize_with = "bounded::statuses")]
    failure_statuses: Option<Vec<StatusRange>>,
    #[serde(default, deserialize_with = "bounded::jumps")]
    jump_if: Vec<JumpConfig>,
}

impl Written {
    fn node<E: Error>(self) -> Result<NodeConfig, E> {
        let Self { filter, call, alias, failure_statuses, jump_if } = self;
        match (filter, call) {
            (Some(filter), None) if failure_statuses.is_none() => {
                Ok(NodeConfig::Filter(FilterNodeConfig { filter, alias, jump_if }))
            }
            (None, Some(call)) if alias.is_none() => {
                Ok(NodeConfig::Call(CallConfig { call, failure_statuses, jump_if }))
            }
            (Some(_), None) => Err(E::custom("only a call has `failure_statuses`")),
            (None, Some(_)) => Err(E::custom("the name of a call is in `call`: it has no `as`")),
            (Some(_), Some(_)) => Err(E::custom("a node has `filter` or `call`, not both")),
            (None, None) => Err(E::custom("a node has `filter` or `call`")),
        }
    }
}

impl<'de> Deserialize<'de> for NodeConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfNode)
    }
}

struct OfNode;

impl<'de> Visitor<'de> for OfNode {
    type Value = NodeConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node: a map with `filter` or `call`, or the name of a filter")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<NodeConfig, E> {
        let filter = bounded::name(StrDeserializer::new(name))?;
        Ok(NodeConfig::Filter(FilterNodeConfig { filter, alias: None, jump_if: Vec::new() }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NodeConfig, A::Error> {
        Written::deserialize(MapAccessDeserializer::new(map))?.node()
    }
}
