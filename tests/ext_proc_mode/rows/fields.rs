use std::time::Duration;

use tidegate::ext_proc::mode::{AllowedMode, Caution, FilterConfig};

use super::Envoy::{Accepts, Rejects, RejectsAfterDump, Warns};
use super::Ours::{CannotBeSaid, NotModelled, Refuses, Takes};
use super::{NONE, Row, plain, with, without_trailers};

const ONE_SERVICE: &str = "One and only one of grpc_service or http_service must be configured";
const HEADS_ONLY: &str = "If the ext_proc filter is configured with http_service instead of gRPC \
    service, then the processing modes of this filter can not be configured to send body or \
    trailer.";
const UNSTABLE: &str = "field 'envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor.\
    http_service' is marked as work-in-progress. API features marked as work-in-progress are not \
    considered stable, are not covered by the threat model, are not supported by the security \
    team, and are subject to breaking changes. Do not use this feature without understanding each \
    of the previous points.";
/// Without the position, which is one in the text that was read.
const UNKNOWN_FIELD: &str = "Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason \
    INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap @ \
    static_resources.listeners[0].filter_chains[0].filters[0].typed_config.<any>.http_filters[0].\
    typed_config.<any>.processing_mode: message envoy.extensions.filters.http.ext_proc.v3.\
    ProcessingMode, near N:N (offset N): no such field: 'request_body_mod') has unknown fields";

/// Fields around the mode.
pub(super) static ROWS: [Row; 15] = [
    Row::new("no grpc_service and no http_service", "{}", Rejects(ONE_SERVICE), CannotBeSaid)
        .without_grpc_service(),
    Row::new(
        "grpc_service and http_service both",
        "http_service: {http_service: {http_uri: {uri: http://127.0.0.1:9/, cluster: \
ext_proc, timeout: 1s}}}",
        Rejects(ONE_SERVICE),
        NotModelled,
    ),
    Row::new(
        "http_service alone, headers only",
        "http_service: {http_service: {http_uri: {uri: http://127.0.0.1:9/, cluster: \
ext_proc, timeout: 1s}}}",
        Warns(UNSTABLE),
        NotModelled,
    )
    .without_grpc_service(),
    Row::new(
        "http_service with request_body_mode STREAMED",
        "http_service: {http_service: {http_uri: {uri: http://127.0.0.1:9/, cluster: \
ext_proc, timeout: 1s}}}\nprocessing_mode: {request_body_mode: STREAMED}",
        Rejects(HEADS_ONLY),
        NotModelled,
    )
    .without_grpc_service(),
    Row::new(
        "http_service with request_trailer_mode SEND",
        "http_service: {http_service: {http_uri: {uri: http://127.0.0.1:9/, cluster: \
ext_proc, timeout: 1s}}}\nprocessing_mode: {request_trailer_mode: SEND}",
        Rejects(HEADS_ONLY),
        NotModelled,
    )
    .without_grpc_service(),
    Row::new(
        "message_timeout: 3601s",
        "message_timeout: 3601s",
        RejectsAfterDump(
            "Proto constraint validation failed \
(ExternalProcessorValidationError.MessageTimeout: value must be inside range \
[0s, 1h0m0s])",
        ),
        Refuses(
            || with(heads(), |c| c.message_timeout = Some(Duration::from_secs(3601))),
            "message_timeout is 3601s",
        ),
    ),
    Row::new(
        "message_timeout: 0s",
        "message_timeout: 0s",
        Accepts,
        Refuses(|| with(heads(), |c| c.message_timeout = Some(Duration::ZERO)), "it fires at once"),
    )
    .because("Envoy accepts it and answers each request 504"),
    Row::new(
        "max_message_timeout: 3601s",
        "max_message_timeout: 3601s",
        RejectsAfterDump(
            "Proto constraint validation failed \
(ExternalProcessorValidationError.MaxMessageTimeout: value must be inside \
range [0s, 1h0m0s])",
        ),
        Refuses(
            || with(heads(), |c| c.max_message_timeout = Some(Duration::from_secs(3601))),
            "max_message_timeout is 3601s",
        ),
    ),
    Row::new(
        "max_message_timeout (1s) below message_timeout (5s)",
        "max_message_timeout: 1s\nmessage_timeout: 5s",
        Accepts,
        Takes(
            || {
                with(heads(), |c| {
                    c.max_message_timeout = Some(Duration::from_secs(1));
                    c.message_timeout = Some(Duration::from_secs(5));
                })
            },
            &[Caution::OnlyShortened],
        ),
    ),
    Row::new(
        "disable_clear_route_cache with route_cache_action: CLEAR",
        "disable_clear_route_cache: true\nroute_cache_action: CLEAR",
        Rejects(
            "disable_clear_route_cache and route_cache_action can not be set to \
none-default at the same time.",
        ),
        CannotBeSaid,
    ),
    Row::new(
        "deferred_close_timeout without observability_mode",
        "deferred_close_timeout: 1s",
        Accepts,
        Takes(
            || with(heads(), |c| c.deferred_close_timeout = Some(Duration::from_secs(1))),
            &[Caution::NoEffect {
                field: "deferred_close_timeout",
                because: "observability_mode is not set",
            }],
        ),
    ),
    Row::new(
        "allowed_override_modes without allow_mode_override",
        "allowed_override_modes: [{request_header_mode: SEND, response_header_mode: \
SEND, request_body_mode: BUFFERED, request_trailer_mode: SKIP, \
response_trailer_mode: SKIP}]",
        Accepts,
        Takes(
            || with(heads(), |c| c.allowed_override_modes = vec![buffered_request()]),
            &[Caution::NoEffect {
                field: "allowed_override_modes",
                because: "allow_mode_override is not set",
            }],
        ),
    ),
    Row::new(
        "status_on_error: 99",
        "status_on_error: {code: 99}",
        RejectsAfterDump(
            "Proto constraint validation failed \
(ExternalProcessorValidationError.StatusOnError: embedded message failed \
validation | caused by HttpStatusValidationError.Code: value must be one of \
the defined enum values)",
        ),
        CannotBeSaid,
    ),
    Row::new("processing_mode omitted", "{}", Accepts, Takes(|| plain(heads()), &[])),
    Row::new(
        "unknown field (request_body_mod)",
        "processing_mode: {request_body_mod: STREAMED}",
        Rejects(UNKNOWN_FIELD),
        CannotBeSaid,
    ),
];

/// What an empty `processing_mode` means.
fn heads() -> FilterConfig {
    without_trailers(NONE)
}

fn buffered_request() -> AllowedMode {
    AllowedMode::from_numbers([1, 1, 2, 0, 2, 2]).expect("a mode")
}
