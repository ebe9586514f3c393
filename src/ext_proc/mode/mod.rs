//! What an external processor is given of a message: values that cannot be wrong.
//!
//! [`FilterConfig`] is the configuration of Envoy's filter; [`ProcessingMode`] its mode, with a
//! [`DirectionMode`] for requests and one for responses. What filters can do in one say [`Terms`].
//! [`RouteConfig`] and [`ModeOverride`] are other modes for a route and for one stream.
//!
//! This module never sees a message.

mod allowed_mode;
mod announced;
mod body_mode;
mod caution;
mod check;
mod config_error;
mod direction_mode;
mod disagreement;
mod filter_config;
mod metadata_options;
mod mode_error;
mod mode_field;
mod mode_override;
mod mode_unmet;
mod mutation_rules;
mod need;
mod override_moment;
mod override_refusal;
mod processing_mode;
mod promise;
mod render;
mod route_cache_action;
mod route_config;
mod route_overrides;
mod send_mode;
mod terms;

pub use allowed_mode::AllowedMode;
pub use announced::Announced;
pub use body_mode::BodyMode;
pub use caution::Caution;
pub use config_error::ConfigError;
pub use direction_mode::DirectionMode;
pub use disagreement::Disagreement;
pub use filter_config::FilterConfig;
pub use metadata_options::MetadataOptions;
pub use mode_error::ModeError;
pub use mode_field::ModeField;
pub use mode_override::ModeOverride;
pub use mode_unmet::ModeUnmet;
pub use mutation_rules::MutationRules;
pub use need::Need;
pub use override_moment::OverrideMoment;
pub use override_refusal::OverrideRefusal;
pub use processing_mode::ProcessingMode;
pub use promise::Promise;
pub use route_cache_action::RouteCacheAction;
pub use route_config::RouteConfig;
pub use route_overrides::RouteOverrides;
pub use send_mode::SendMode;
pub use terms::Terms;
