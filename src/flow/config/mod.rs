//! Flows from text: YAML, JSON, or whatever serde reads.
//!
//! A [`FlowConfig`] is what the text says; [`Kinds`] are the filters that it can name;
//! [`FlowConfig::build`] checks the one against the other and makes a [`Flow`](super::Flow). What
//! is wrong is told with its place ([`ConfigPlace`]).
//!
//! # Format
//!
//! ```yaml
//! name: shop
//! filters:                  # definitions: what nodes and finalizers name
//!   - { name: auth, kind: header-auth, settings: { field: x-key, value: s3cret } }
//!   - { name: limit, kind: limit, settings: { fields: 50 } }
//!   - { name: stamp, kind: stamp }
//!   - { name: page, kind: page, settings: { status: 503 } }
//!   - { name: log, kind: access-log }
//! before:
//!   flow: [ auth ]          # a node that is nothing but a filter: its name alone
//! main:
//!   on_unhandled: end       # or continue; end if nothing is said
//!   flow:
//!     - filter: limit
//!       jump_if: { too-long: END }
//!     - call: upstream      # at most one: before it are requests, behind it responses
//!       failure_statuses: [ 500-599, 429 ]
//!       jump_if: { failureCode: sorry, timeout: sorry }
//!     - filter: stamp
//!     - END                 # the pipeline is stopped here: what is below is jumped to
//!     - filter: page
//!       as: sorry           # what jumps call the node; the filter's name if nothing is said
//! after:
//!   flow: [ { filter: stamp, as: stamp-all } ]
//! fall_through:             # or easegress: { before: false, main: true }
//!   to_main: { stopped: false, failed: false }
//!   to_after: { stopped: true, failed: true }
//!   past_main: { stopped: true, failed: true }
//! finalizers: [ log ]
//! limits:
//!   max_frame_bytes: 65536
//!   request_output: { low_bytes: 32768, high_bytes: 65536 }
//! ```
//!
//! Only `name` is required. A definition may be used by many nodes, each of which has its own
//! instances; one that nothing names is an error, since it is most likely a name that was mistyped
//! elsewhere. Names of nodes are unique in a flow. An `END` has neither name nor jumps.
//!
//! # Limits
//!
//! Text may come from anybody. Numbers of filters, nodes, jumps and finalizers, the length of
//! names, and the size and depth of settings are bounded by `MAX_CONFIG_…` and `MAX_SETTINGS_…` in
//! [`limits`](crate::limits): what is beyond them is read over without being kept, and
//! [`FlowConfig::build`] names the limit. How much text there is, and how deep it is nested, is the
//! reader's to bound.
//!
//! This module never reads a file, and never sees a message.

mod border_config;
mod bounded;
mod build;
mod call_config;
mod config_error;
mod config_error_kind;
mod easegress_config;
mod fall_through_config;
mod filter_config;
mod filter_node_config;
mod flow_config;
mod jump_config;
mod kinds;
mod limits_config;
mod marks_config;
mod no_settings;
mod node_config;
mod pipeline_config;
mod place;
mod place_part;
mod read;
mod settings;
mod status_range;
mod unhandled_config;

pub use border_config::BorderConfig;
pub use call_config::CallConfig;
pub use config_error::ConfigError;
pub use config_error_kind::ConfigErrorKind;
pub use easegress_config::EasegressConfig;
pub use fall_through_config::FallThroughConfig;
pub use filter_config::FilterConfig;
pub use filter_node_config::FilterNodeConfig;
pub use flow_config::FlowConfig;
pub use jump_config::JumpConfig;
pub use kinds::{KindError, KindUse, Kinds};
pub use limits_config::LimitsConfig;
pub use marks_config::MarksConfig;
pub use no_settings::NoSettings;
pub use node_config::NodeConfig;
pub use pipeline_config::PipelineConfig;
pub use place::ConfigPlace;
pub use place_part::PlacePart;
pub use read::read;
pub use settings::Settings;
pub use status_range::StatusRange;
pub use unhandled_config::UnhandledConfig;
