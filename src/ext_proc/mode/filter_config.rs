use std::time::Duration;

use http::StatusCode;

use super::{
    AllowedMode, Caution, ConfigError, MetadataOptions, ModeOverride, MutationRules,
    OverrideMoment, OverrideRefusal, ProcessingMode, Promise, RouteCacheAction, RouteConfig, Terms,
    check, render,
};
use crate::exchange::Direction;

/// The configuration of Envoy's `ext_proc` filter, as far as it bears on what a server sees and may
/// answer. From one value come the terms on which filters run, the overrides that may be sent, and
/// the text for Envoy, so that they cannot differ.
///
/// Not modelled, since a server cannot tell: `http_service`, `stat_prefix`, `forward_rules`,
/// `filter_metadata`, `on_processing_response`, `processing_request_modifier`, `emit_client_span`,
/// and cluster metadata. `None` leaves a field out, which is Envoy's default.
///
/// # Examples
///
/// ```
/// use tidegate::ext_proc::mode::{DirectionMode, FilterConfig, ProcessingMode};
///
/// let mode = ProcessingMode::both(DirectionMode::full_duplex());
/// let mut config = FilterConfig::new(mode);
/// config.failure_mode_allow = true;
/// for caution in config.validate()? {
///     eprintln!("warning: {caution}");
/// }
/// assert!(config.to_yaml("ext_proc").contains("request_trailer_mode: SEND"));
/// # Ok::<(), tidegate::ext_proc::mode::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a field of the configuration")]
pub struct FilterConfig {
    /// What is shown.
    pub processing_mode: ProcessingMode,
    /// A failure of the processor lets the message pass by, where that is still possible.
    pub failure_mode_allow: bool,
    /// How long an answer may take; 200 ms if left out. Full duplex has no such timer (P21).
    pub message_timeout: Option<Duration>,
    /// What a processor may extend it to; it may not if left out.
    pub max_message_timeout: Option<Duration>,
    /// The processor gets copies, and its answers are ignored.
    pub observability_mode: bool,
    /// In observability mode, how long the stream stays open after the request; 5 s if left out.
    pub deferred_close_timeout: Option<Duration>,
    /// In `STREAMED`, body is sent before the head has been answered.
    pub send_body_without_waiting_for_header_response: bool,
    /// Answers may change the mode of their stream.
    pub allow_mode_override: bool,
    /// To what; to anything if empty.
    pub allowed_override_modes: Vec<AllowedMode>,
    /// The data plane knows an override in a message of its own: Envoy does since 1.40, one before
    /// answers the request 500, and no message names the version. Not a field of Envoy's
    /// configuration.
    pub stand_alone_override: bool,
    /// `content-length` is kept where a mode would take it away.
    pub allow_content_length_header: bool,
    /// What a failure of the processor is answered with; 500 if left out.
    pub status_on_error: Option<StatusCode>,
    /// What becomes of the route once a head has been changed.
    pub route_cache_action: RouteCacheAction,
    /// An answer in place of the upstream's is an error: see [`Caution::LocalRepliesFail`].
    pub disable_immediate_response: bool,
    /// Which fields may be changed.
    pub mutation_rules: MutationRules,
    /// Which metadata goes to and fro.
    pub metadata_options: MetadataOptions,
    /// Attributes that come with the first message of the request.
    pub request_attributes: Vec<String>,
    /// Attributes that come with the first message of the response.
    pub response_attributes: Vec<String>,
}

impl FilterConfig {
    /// `mode`, and Envoy's defaults.
    #[must_use]
    pub fn new(mode: ProcessingMode) -> Self {
        Self { processing_mode: mode, ..Self::default() }
    }

    /// Whether the configuration can be used, and what is to be known of it.
    ///
    /// This is never laxer than Envoy 1.40.0, and stricter where Envoy accepts what it then cannot
    /// do.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: the first thing that is wrong.
    pub fn validate(&self) -> Result<Vec<Caution>, ConfigError> {
        check::effective(self, self.processing_mode, self.failure_mode_allow)
    }

    /// The same of what is in force on a route. Envoy 1.40.0 checks nothing of this (P1).
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: the first thing that is wrong.
    pub fn validate_route(&self, route: &RouteConfig) -> Result<Vec<Caution>, ConfigError> {
        let RouteConfig::Overrides(overrides) = route else { return Ok(Vec::new()) };
        check::metadata(&overrides.grpc_initial_metadata)?;
        let allow = overrides.failure_mode_allow.unwrap_or(self.failure_mode_allow);
        check::effective(self, self.mode_on(route), allow)
    }

    /// The mode that is in force on a route: its own, if it has one, and nothing if the processor
    /// is disabled there.
    #[must_use]
    pub fn mode_on(&self, route: &RouteConfig) -> ProcessingMode {
        match route {
            RouteConfig::Disabled => ProcessingMode::OFF,
            RouteConfig::Overrides(overrides) => {
                overrides.processing_mode.unwrap_or(self.processing_mode)
            }
        }
    }

    /// On what terms filters run over `direction`.
    #[must_use]
    pub fn terms(&self, direction: Direction, promise: Promise) -> Terms {
        let mut terms = Terms::new(self.processing_mode.of(direction)).promise(promise);
        if self.observability_mode {
            terms = terms.observing();
        }
        if self.allow_content_length_header {
            terms = terms.keeping_length();
        }
        terms
    }

    /// Whether the data plane will act by `wanted`, which a server wants to send at `moment` of a
    /// stream where `current` is in force. Envoy ignores one that it does not like, and says
    /// nothing (P17); so it is refused here, and not sent.
    ///
    /// # Errors
    ///
    /// [`OverrideRefusal`]: why it would be ignored, or what it would break.
    pub fn check_override(
        &self,
        current: ProcessingMode,
        wanted: ModeOverride,
        moment: OverrideMoment,
    ) -> Result<(), OverrideRefusal> {
        check::mode_override(self, current, wanted.mode(), moment)
    }

    /// The entry of `http_filters` for Envoy, in YAML, from the first column on. `cluster` is the
    /// name of the cluster of the server. What was not [validated](Self::validate) is written all
    /// the same.
    #[must_use]
    pub fn to_yaml(&self, cluster: &str) -> String {
        render::filter(self, cluster)
    }
}
