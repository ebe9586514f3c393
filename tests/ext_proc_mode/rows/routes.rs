use tidegate::exchange::Direction;
use tidegate::ext_proc::mode::{
    Caution, DirectionMode, FilterConfig, ModeError, ProcessingMode, RouteConfig, RouteOverrides,
};

use super::Envoy::{Accepts, RejectsAfterDump};
use super::Ours::{CannotBeSaid, NoMode, Takes};
use super::Row;

const LOSES: &str = "Envoy accepts it and loses bodies that end in trailers (P1)";

/// What routes say.
pub(super) static ROWS: [Row; 7] = [
    Row::new(
        "per-route override: request FULL_DUPLEX_STREAMED without trailer SEND",
        "{}",
        Accepts,
        NoMode(
            [1, 1, 4, 0, 0, 0],
            ModeError::TrailersSkipped { direction: Some(Direction::Request) },
        ),
    )
    .route("overrides: {processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED}}")
    .because(LOSES),
    Row::new(
        "per-route override: response FULL_DUPLEX_STREAMED without trailer SEND",
        "{}",
        Accepts,
        NoMode(
            [1, 1, 0, 4, 0, 0],
            ModeError::TrailersSkipped { direction: Some(Direction::Response) },
        ),
    )
    .route("overrides: {processing_mode: {response_body_mode: FULL_DUPLEX_STREAMED}}")
    .because(LOSES),
    Row::new(
        "per-route override: both FULL_DUPLEX_STREAMED with trailers SEND",
        "{}",
        Accepts,
        Takes(|| on_route(None), &[]),
    )
    .route(
        "overrides: {processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND}}",
    ),
    Row::new(
        "per-route override: both FULL_DUPLEX_STREAMED + SEND and failure_mode_allow \
true",
        "{}",
        Accepts,
        Takes(
            || on_route(Some(true)),
            &[
                Caution::FailOpenEndsWithBody { direction: Direction::Request },
                Caution::FailOpenEndsWithBody { direction: Direction::Response },
            ],
        ),
    )
    .route(
        "overrides: {processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND}, failure_mode_allow: true}",
    ),
    Row::new(
        "per-route: disabled: true",
        "{}",
        Accepts,
        Takes(|| (FilterConfig::new(ProcessingMode::default()), Some(RouteConfig::Disabled)), &[]),
    )
    .route("disabled: true"),
    Row::new(
        "per-route: disabled: false",
        "{}",
        RejectsAfterDump(
            "Proto constraint validation failed (ExtProcPerRouteValidationError.Disabled: \
value must equal true)",
        ),
        CannotBeSaid,
    )
    .route("disabled: false"),
    Row::new(
        "per-route: empty (neither disabled nor overrides)",
        "{}",
        RejectsAfterDump(
            "Proto constraint validation failed (field: \"override\", reason: is required)",
        ),
        CannotBeSaid,
    )
    .route(""),
];

fn on_route(failure_mode_allow: Option<bool>) -> (FilterConfig, Option<RouteConfig>) {
    let mut overrides = RouteOverrides::default();
    overrides.processing_mode = Some(ProcessingMode::both(DirectionMode::full_duplex()));
    overrides.failure_mode_allow = failure_mode_allow;
    (FilterConfig::default(), Some(RouteConfig::Overrides(overrides)))
}
