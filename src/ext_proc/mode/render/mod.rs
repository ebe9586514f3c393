//! Configurations as text for Envoy.
//!
//! This module never decides whether they can be used.

mod yaml;

use std::time::Duration;

use super::{
    AllowedMode, FilterConfig, MetadataOptions, ModeField, MutationRules, ProcessingMode,
    RouteCacheAction, RouteConfig, RouteOverrides,
};
use yaml::Yaml;

const NAME: &str = "envoy.filters.http.ext_proc";
const FILTER_TYPE: &str =
    "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor";
const ROUTE_TYPE: &str =
    "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute";

/// An entry of `http_filters`.
pub(super) fn filter(config: &FilterConfig, cluster: &str) -> String {
    let mut yaml = Yaml::default();
    yaml.entry(|yaml| {
        yaml.plain("name", NAME);
        yaml.map("typed_config", |yaml| {
            yaml.quoted("\"@type\"", FILTER_TYPE);
            yaml.map("grpc_service", |yaml| {
                yaml.map("envoy_grpc", |yaml| yaml.quoted("cluster_name", cluster));
            });
            yaml.map("processing_mode", |yaml| mode(yaml, config.processing_mode));
            fields(yaml, config);
        });
    });
    yaml.into_text()
}

/// An entry of `typed_per_filter_config`.
pub(super) fn route(config: &RouteConfig) -> String {
    let mut yaml = Yaml::default();
    yaml.map(NAME, |yaml| {
        yaml.quoted("\"@type\"", ROUTE_TYPE);
        match config {
            RouteConfig::Disabled => yaml.plain("disabled", true),
            RouteConfig::Overrides(each) if *each == RouteOverrides::default() => {
                yaml.plain("overrides", "{}");
            }
            RouteConfig::Overrides(each) => yaml.map("overrides", |yaml| overrides(yaml, each)),
        }
    });
    yaml.into_text()
}

fn fields(yaml: &mut Yaml, config: &FilterConfig) {
    yaml.flag("failure_mode_allow", config.failure_mode_allow);
    duration(yaml, "message_timeout", config.message_timeout);
    duration(yaml, "max_message_timeout", config.max_message_timeout);
    yaml.flag("observability_mode", config.observability_mode);
    duration(yaml, "deferred_close_timeout", config.deferred_close_timeout);
    yaml.flag(
        "send_body_without_waiting_for_header_response",
        config.send_body_without_waiting_for_header_response,
    );
    yaml.flag("allow_mode_override", config.allow_mode_override);
    if !config.allowed_override_modes.is_empty() {
        yaml.map("allowed_override_modes", |yaml| {
            for each in &config.allowed_override_modes {
                allowed(yaml, *each);
            }
        });
    }
    yaml.flag("allow_content_length_header", config.allow_content_length_header);
    if let Some(status) = config.status_on_error {
        yaml.map("status_on_error", |yaml| yaml.plain("code", status.as_u16()));
    }
    if config.route_cache_action != RouteCacheAction::Default {
        yaml.plain("route_cache_action", config.route_cache_action.name());
    }
    yaml.flag("disable_immediate_response", config.disable_immediate_response);
    if config.mutation_rules != MutationRules::default() {
        yaml.map("mutation_rules", |yaml| mutation_rules(yaml, config.mutation_rules));
    }
    metadata_options(yaml, &config.metadata_options);
    yaml.texts("request_attributes", &config.request_attributes);
    yaml.texts("response_attributes", &config.response_attributes);
}

fn overrides(yaml: &mut Yaml, overrides: &RouteOverrides) {
    if let Some(each) = overrides.processing_mode {
        yaml.map("processing_mode", |yaml| mode(yaml, each));
    }
    if let Some(allow) = overrides.failure_mode_allow {
        yaml.plain("failure_mode_allow", allow);
    }
    if let Some(options) = &overrides.metadata_options {
        metadata_options(yaml, options);
    }
    if !overrides.grpc_initial_metadata.is_empty() {
        yaml.map("grpc_initial_metadata", |yaml| {
            for (key, value) in &overrides.grpc_initial_metadata {
                yaml.entry(|yaml| {
                    yaml.quoted("key", key);
                    yaml.quoted("value", value);
                });
            }
        });
    }
}

/// All six fields: what is left out means one thing for heads and another for trailers.
fn mode(yaml: &mut Yaml, mode: ProcessingMode) {
    let names = [
        mode.request.headers().name(),
        mode.response.headers().name(),
        mode.request.body().name(),
        mode.response.body().name(),
        mode.request.trailers().name(),
        mode.response.trailers().name(),
    ];
    for (field, name) in ModeField::ALL.into_iter().zip(names) {
        yaml.plain(field.name(), name);
    }
}

/// Numbers, as they were written.
fn allowed(yaml: &mut Yaml, allowed: AllowedMode) {
    yaml.entry(|yaml| {
        for (field, number) in ModeField::ALL.into_iter().zip(allowed.numbers()) {
            yaml.plain(field.name(), number);
        }
    });
}

fn mutation_rules(yaml: &mut Yaml, rules: MutationRules) {
    yaml.flag("allow_all_routing", rules.allow_all_routing);
    yaml.flag("allow_envoy", rules.allow_envoy);
    yaml.flag("disallow_system", rules.disallow_system);
    yaml.flag("disallow_all", rules.disallow_all);
    yaml.flag("disallow_is_error", rules.disallow_is_error);
}

fn metadata_options(yaml: &mut Yaml, options: &MetadataOptions) {
    if *options == MetadataOptions::default() {
        return;
    }
    yaml.map("metadata_options", |yaml| {
        namespaces(
            yaml,
            "forwarding_namespaces",
            &options.forwarding_untyped,
            &options.forwarding_typed,
        );
        namespaces(
            yaml,
            "receiving_namespaces",
            &options.receiving_untyped,
            &options.receiving_typed,
        );
    });
}

fn namespaces(yaml: &mut Yaml, key: &str, untyped: &[String], typed: &[String]) {
    if untyped.is_empty() && typed.is_empty() {
        return;
    }
    yaml.map(key, |yaml| {
        yaml.texts("untyped", untyped);
        yaml.texts("typed", typed);
    });
}

/// Seconds with what is behind the point, as protobuf writes a duration in JSON.
fn duration(yaml: &mut Yaml, key: &str, duration: Option<Duration>) {
    let Some(duration) = duration else { return };
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if nanos == 0 {
        yaml.plain(key, format_args!("{seconds}s"));
    } else {
        yaml.plain(key, format_args!("{seconds}.{nanos:09}s"));
    }
}
