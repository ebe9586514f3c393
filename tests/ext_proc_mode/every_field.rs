//! A configuration in which nothing is at its default.

use std::time::Duration;

use tidegate::ext_proc::mode::{
    AllowedMode, DirectionMode, FilterConfig, ProcessingMode, RouteCacheAction,
};

/// Every field that is modelled.
pub(crate) fn every_field() -> FilterConfig {
    let mut config = FilterConfig::new(ProcessingMode::both(DirectionMode::streamed()));
    config.failure_mode_allow = true;
    config.message_timeout = Some(Duration::from_millis(1_500));
    config.max_message_timeout = Some(Duration::from_secs(5));
    config.observability_mode = true;
    config.deferred_close_timeout = Some(Duration::from_nanos(1));
    config.send_body_without_waiting_for_header_response = true;
    config.allow_mode_override = true;
    config.allowed_override_modes = vec![
        AllowedMode::new(ProcessingMode::both(DirectionMode::full_duplex())),
        AllowedMode::from_numbers([0, 1, 2, 0, 2, 1]).expect("a mode"),
    ];
    config.stand_alone_override = true;
    config.allow_content_length_header = true;
    config.status_on_error = Some(http::StatusCode::SERVICE_UNAVAILABLE);
    config.route_cache_action = RouteCacheAction::Retain;
    config.disable_immediate_response = true;
    config.mutation_rules.allow_all_routing = true;
    config.mutation_rules.allow_envoy = true;
    config.mutation_rules.disallow_system = true;
    config.mutation_rules.disallow_all = true;
    config.mutation_rules.disallow_is_error = true;
    config.metadata_options.forwarding_untyped = vec!["a".to_owned()];
    config.metadata_options.forwarding_typed = vec!["b".to_owned()];
    config.metadata_options.receiving_untyped = vec!["c".to_owned(), "d".to_owned()];
    config.metadata_options.receiving_typed = vec!["e".to_owned()];
    config.request_attributes = vec!["request.headers['x-name']".to_owned()];
    config.response_attributes = vec!["response.code".to_owned()];
    config
}
