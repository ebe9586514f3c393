//! The limits on a configuration itself.
//!
//! What text says beyond them was not kept, so nothing else is asked of such a configuration.

use super::{ConfigError, ConfigErrorKind, ConfigPlace};
use crate::flow::config::{FlowConfig, JumpConfig, NodeConfig};
use crate::limits;

/// Checks all of them.
pub(super) fn check(config: &FlowConfig) -> Result<(), ConfigError> {
    let at = |key: &str| ConfigPlace::default().key(key);
    name(&config.name, || at("name"))?;
    let filters = &config.filters;
    count(filters, "MAX_CONFIG_FILTERS", limits::MAX_CONFIG_FILTERS, || at("filters"))?;
    for (i, filter) in filters.iter().enumerate() {
        name(&filter.name, || at("filters").index(i).key("name"))?;
        name(&filter.kind, || at("filters").index(i).key("kind"))?;
    }
    let pipelines = [
        ("before", config.before.as_ref()),
        ("main", Some(&config.main)),
        ("after", config.after.as_ref()),
    ];
    for (key, pipeline) in pipelines {
        let nodes = pipeline.and_then(|pipeline| pipeline.flow.as_deref()).unwrap_or_default();
        let at = || at(key).key("flow");
        count(nodes, "MAX_CONFIG_NODES", limits::MAX_CONFIG_NODES, at)?;
        for (i, each) in nodes.iter().enumerate() {
            node(each, || at().index(i))?;
        }
    }
    let finalizers = &config.finalizers;
    count(finalizers, "MAX_CONFIG_FILTERS", limits::MAX_CONFIG_FILTERS, || at("finalizers"))?;
    for (i, finalizer) in finalizers.iter().enumerate() {
        name(finalizer, || at("finalizers").index(i))?;
    }
    Ok(())
}

fn node(node: &NodeConfig, at: impl Fn() -> ConfigPlace) -> Result<(), ConfigError> {
    let jumps = match node {
        NodeConfig::Filter(node) => {
            name(&node.filter, || at().key("filter"))?;
            name(node.alias.as_deref().unwrap_or_default(), || at().key("as"))?;
            &node.jump_if
        }
        NodeConfig::Call(call) => {
            name(&call.call, || at().key("call"))?;
            let statuses = call.failure_statuses.as_deref().unwrap_or_default();
            let at = || at().key("failure_statuses");
            count(statuses, "MAX_CONFIG_STATUSES", limits::MAX_CONFIG_STATUSES, at)?;
            &call.jump_if
        }
    };
    let at = || at().key("jump_if");
    count(jumps, "MAX_CONFIG_JUMPS", limits::MAX_CONFIG_JUMPS, at)?;
    for JumpConfig { result, target } in jumps {
        name(result, at)?;
        name(target, || at().key(result))?;
    }
    Ok(())
}

fn name(name: &str, at: impl FnOnce() -> ConfigPlace) -> Result<(), ConfigError> {
    let most = limits::MAX_CONFIG_NAME_BYTES;
    limit(name.len(), "MAX_CONFIG_NAME_BYTES", most, at)
}

fn count<T>(
    items: &[T],
    limit_name: &'static str,
    most: usize,
    at: impl FnOnce() -> ConfigPlace,
) -> Result<(), ConfigError> {
    limit(items.len(), limit_name, most, at)
}

fn limit(
    there_are: usize,
    limit: &'static str,
    most: usize,
    at: impl FnOnce() -> ConfigPlace,
) -> Result<(), ConfigError> {
    if there_are <= most {
        return Ok(());
    }
    Err(ConfigError::new(at(), ConfigErrorKind::Limit { limit, most }))
}
