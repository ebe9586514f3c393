//! The one place that says whether a configuration can be used: the filter's, a route's, and the
//! one that an override makes.
//!
//! This module never writes anything.

mod attribute;
mod status;

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::{
    BodyMode, Caution, ConfigError, FilterConfig, OverrideMoment, OverrideRefusal, ProcessingMode,
    RouteCacheAction, SendMode,
};
use crate::exchange::Direction;
use crate::limits;

const DIRECTIONS: [Direction; 2] = [Direction::Request, Direction::Response];

/// `config`, with `mode` and `failure_mode_allow` in force.
pub(super) fn effective(
    config: &FilterConfig,
    mode: ProcessingMode,
    failure_mode_allow: bool,
) -> Result<Vec<Caution>, ConfigError> {
    timeouts(config)?;
    observed(config, mode)?;
    if let Some(status) = config.status_on_error
        && !status::is_defined_error(status)
    {
        return Err(ConfigError::StatusOnError { status });
    }
    attribute::check("request_attributes", &config.request_attributes)?;
    attribute::check("response_attributes", &config.response_attributes)?;
    for (entry, allowed) in config.allowed_override_modes.iter().enumerate() {
        if let Some(field) = allowed.never_matches() {
            return Err(ConfigError::NeverMatches { entry, field });
        }
    }
    let mut cautions = Vec::new();
    of_modes(config, mode, failure_mode_allow, &mut cautions);
    of_timeouts(config, mode, &mut cautions);
    of_overrides(config, mode, &mut cautions);
    of_answers(config, &mut cautions);
    Ok(cautions)
}

/// Whether a data plane that is configured by `config` acts by an override that makes `wanted` of
/// `current` (section 2.4 of what is known of Envoy 1.40.0).
pub(super) fn mode_override(
    config: &FilterConfig,
    current: ProcessingMode,
    wanted: ProcessingMode,
    moment: OverrideMoment,
) -> Result<(), OverrideRefusal> {
    if !config.allow_mode_override {
        return Err(OverrideRefusal::NotAllowed);
    }
    if config.observability_mode {
        return Err(OverrideRefusal::Observed);
    }
    if config.send_body_without_waiting_for_header_response {
        return Err(OverrideRefusal::SentWithoutWaiting);
    }
    // Envoy asks its configuration. A route may have switched full duplex on besides; its body is
    // under way already.
    let duplex = duplex(config.processing_mode).or_else(|| duplex(current));
    if let Some(direction) = duplex {
        return Err(OverrideRefusal::Duplex { direction });
    }
    in_time(config, current, wanted, moment)?;
    let allowed = &config.allowed_override_modes;
    if !allowed.is_empty() && !allowed.iter().any(|entry| entry.allows(wanted)) {
        return Err(OverrideRefusal::NotListed);
    }
    let checked = effective(config, wanted, config.failure_mode_allow);
    checked.map(drop).map_err(OverrideRefusal::Invalid)
}

/// What a stream to a processor opens with.
pub(super) fn metadata(fields: &[(String, String)]) -> Result<(), ConfigError> {
    let bad = fields.iter().find(|(name, value)| {
        HeaderName::from_lowercase(name.as_bytes()).is_err()
            || HeaderValue::from_str(value).is_err()
    });
    bad.map_or(Ok(()), |(name, _)| Err(ConfigError::Metadata { name: name.clone() }))
}

fn in_time(
    config: &FilterConfig,
    current: ProcessingMode,
    wanted: ProcessingMode,
    moment: OverrideMoment,
) -> Result<(), OverrideRefusal> {
    let direction = match moment {
        OverrideMoment::WithHeadersAnswer(direction) => direction,
        OverrideMoment::StandAlone => Direction::Request,
        OverrideMoment::Later => return Err(OverrideRefusal::TooLate),
    };
    if current.of(direction).headers() == SendMode::Skip {
        return Err(OverrideRefusal::HeadersSkipped { direction });
    }
    if direction == Direction::Response && wanted.request != current.request {
        return Err(OverrideRefusal::RequestUnderWay);
    }
    if moment != OverrideMoment::StandAlone {
        return Ok(());
    }
    if !config.stand_alone_override {
        return Err(OverrideRefusal::StandAloneUnknown);
    }
    if wanted.request.body() != BodyMode::FullDuplexStreamed {
        return Err(OverrideRefusal::StandAloneNotDuplex);
    }
    Ok(())
}

fn timeouts(config: &FilterConfig) -> Result<(), ConfigError> {
    let fields = [
        ("message_timeout", config.message_timeout),
        ("max_message_timeout", config.max_message_timeout),
    ];
    for (field, timeout) in fields {
        if let Some(timeout) = timeout
            && timeout > Duration::from_millis(limits::MAX_MESSAGE_TIMEOUT_MILLIS)
        {
            return Err(ConfigError::TooLong { field, timeout });
        }
    }
    match config.message_timeout {
        Some(timeout) if timeout < Duration::from_millis(1) => {
            Err(ConfigError::FiresAtOnce { timeout })
        }
        _ => Ok(()),
    }
}

fn observed(config: &FilterConfig, mode: ProcessingMode) -> Result<(), ConfigError> {
    for direction in DIRECTIONS {
        let body = mode.of(direction).body();
        let is_shown = matches!(body, BodyMode::None | BodyMode::Streamed);
        if config.observability_mode && !is_shown {
            return Err(ConfigError::NotObserved { direction, mode: body });
        }
    }
    Ok(())
}

fn of_modes(
    config: &FilterConfig,
    mode: ProcessingMode,
    failure_mode_allow: bool,
    cautions: &mut Vec<Caution>,
) {
    for direction in DIRECTIONS {
        let of = mode.of(direction);
        let body = of.body();
        match body {
            BodyMode::FullDuplexStreamed if failure_mode_allow => {
                cautions.push(Caution::FailOpenEndsWithBody { direction });
            }
            BodyMode::Streamed if of.trailers() == SendMode::Skip => {
                cautions.push(Caution::EndUnseen { direction });
            }
            _ => {}
        }
        let answers = !config.observability_mode;
        let keeps_length = !matches!(body, BodyMode::None | BodyMode::Buffered);
        if config.allow_content_length_header && keeps_length && answers {
            cautions.push(Caution::LengthKept { direction, mode: body });
        }
    }
    if config.observability_mode && !failure_mode_allow {
        cautions.push(Caution::ObserverFailsRequests);
    }
    if mode == ProcessingMode::OFF {
        cautions.push(Caution::NothingShown);
    }
    let streamed = DIRECTIONS.into_iter().any(|each| mode.of(each).body() == BodyMode::Streamed);
    if config.send_body_without_waiting_for_header_response && !streamed {
        let because = "only a STREAMED body can be sent before the head has been answered";
        cautions.push(no_effect("send_body_without_waiting_for_header_response", because));
    }
}

fn of_timeouts(config: &FilterConfig, mode: ProcessingMode, cautions: &mut Vec<Caution>) {
    let because = if config.observability_mode {
        Some("answers are not waited for with observability_mode")
    } else if !DIRECTIONS.into_iter().any(|each| is_timed(mode, each)) {
        Some("no message timer runs with FULL_DUPLEX_STREAMED, or where nothing is sent")
    } else {
        None
    };
    let fields = [
        ("message_timeout", config.message_timeout),
        ("max_message_timeout", config.max_message_timeout),
    ];
    for (field, timeout) in fields {
        if let (Some(because), Some(_)) = (because, timeout) {
            cautions.push(no_effect(field, because));
        }
    }
    let default = Duration::from_millis(limits::DEFAULT_MESSAGE_TIMEOUT_MILLIS);
    let timeout = config.message_timeout.unwrap_or(default);
    if because.is_none() && config.max_message_timeout.is_some_and(|max| max < timeout) {
        cautions.push(Caution::OnlyShortened);
    }
    if config.deferred_close_timeout.is_some() && !config.observability_mode {
        cautions.push(no_effect("deferred_close_timeout", "observability_mode is not set"));
    }
}

/// Whether a timer runs over the messages of `direction`.
fn is_timed(mode: ProcessingMode, direction: Direction) -> bool {
    let of = mode.of(direction);
    let shows = of.headers() == SendMode::Send || of.trailers() == SendMode::Send;
    match of.body() {
        BodyMode::FullDuplexStreamed => false,
        BodyMode::None => shows,
        BodyMode::Streamed | BodyMode::Buffered | BodyMode::BufferedPartial => true,
    }
}

fn of_overrides(config: &FilterConfig, mode: ProcessingMode, cautions: &mut Vec<Caution>) {
    let because = if config.observability_mode {
        Some("answers are ignored with observability_mode")
    } else if config.send_body_without_waiting_for_header_response {
        Some("Envoy ignores overrides with send_body_without_waiting_for_header_response")
    } else if duplex(config.processing_mode).or_else(|| duplex(mode)).is_some() {
        Some("nothing leads back from FULL_DUPLEX_STREAMED")
    } else {
        None
    };
    match because {
        Some(because) if config.allow_mode_override => {
            cautions.push(no_effect("allow_mode_override", because));
        }
        None if config.allow_mode_override => {}
        _ => {
            let because = "allow_mode_override is not set";
            if !config.allowed_override_modes.is_empty() {
                cautions.push(no_effect("allowed_override_modes", because));
            }
            if config.stand_alone_override {
                cautions.push(no_effect("stand_alone_override", because));
            }
        }
    }
}

fn of_answers(config: &FilterConfig, cautions: &mut Vec<Caution>) {
    if config.observability_mode {
        return;
    }
    if config.disable_immediate_response {
        cautions.push(Caution::LocalRepliesFail);
    }
    if config.route_cache_action == RouteCacheAction::Clear {
        cautions.push(Caution::Reroutes);
    }
}

fn duplex(mode: ProcessingMode) -> Option<Direction> {
    DIRECTIONS.into_iter().find(|&each| mode.of(each).body() == BodyMode::FullDuplexStreamed)
}

fn no_effect(field: &'static str, because: &'static str) -> Caution {
    Caution::NoEffect { field, because }
}
