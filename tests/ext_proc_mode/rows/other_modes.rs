use tidegate::exchange::Direction;
use tidegate::ext_proc::mode::{Caution, ModeError, ModeField};

use super::Envoy::{Accepts, Rejects, RejectsAfterDump};
use super::Ours::{CannotBeSaid, NoMode, Refuses, Takes};
use super::{
    BUFFERED, NONE, NOT_OBSERVED, NOT_STREAMED, PARTIAL, Row, STREAMED, modes, plain, with,
    without_trailers,
};

const REQUEST_END: Caution = Caution::EndUnseen { direction: Direction::Request };
const RESPONSE_END: Caution = Caution::EndUnseen { direction: Direction::Response };
const GRPC: ModeError = ModeError::Grpc { field: ModeField::RequestBody };
const NOT_DONE: &str = "Envoy accepts it and does not implement it (P37)";

/// The other modes, and what is none.
pub(super) static ROWS: [Row; 20] = [
    Row::new(
        "both NONE, trailer modes (unset)",
        "processing_mode: {request_body_mode: NONE, response_body_mode: NONE}",
        Accepts,
        Takes(|| plain(without_trailers(NONE)), &[]),
    ),
    Row::new(
        "both NONE, trailer modes SEND",
        "processing_mode: {request_body_mode: NONE, response_body_mode: NONE, \
request_trailer_mode: SEND, response_trailer_mode: SEND}",
        Accepts,
        Takes(|| plain(modes(NONE, NONE)), &[]),
    ),
    Row::new(
        "both STREAMED, trailer modes (unset)",
        "processing_mode: {request_body_mode: STREAMED, response_body_mode: STREAMED}",
        Accepts,
        Takes(|| plain(without_trailers(STREAMED)), &[REQUEST_END, RESPONSE_END]),
    ),
    Row::new(
        "both STREAMED, trailer modes SEND",
        "processing_mode: {request_body_mode: STREAMED, response_body_mode: STREAMED, \
request_trailer_mode: SEND, response_trailer_mode: SEND}",
        Accepts,
        Takes(|| plain(modes(STREAMED, STREAMED)), &[]),
    ),
    Row::new(
        "both BUFFERED, trailer modes (unset)",
        "processing_mode: {request_body_mode: BUFFERED, response_body_mode: BUFFERED}",
        Accepts,
        Takes(|| plain(without_trailers(BUFFERED)), &[]),
    ),
    Row::new(
        "both BUFFERED, trailer modes SEND",
        "processing_mode: {request_body_mode: BUFFERED, response_body_mode: BUFFERED, \
request_trailer_mode: SEND, response_trailer_mode: SEND}",
        Accepts,
        Takes(|| plain(modes(BUFFERED, BUFFERED)), &[]),
    ),
    Row::new(
        "both BUFFERED_PARTIAL, trailer modes (unset)",
        "processing_mode: {request_body_mode: BUFFERED_PARTIAL, response_body_mode: \
BUFFERED_PARTIAL}",
        Accepts,
        Takes(|| plain(without_trailers(PARTIAL)), &[]),
    ),
    Row::new(
        "both BUFFERED_PARTIAL, trailer modes SEND",
        "processing_mode: {request_body_mode: BUFFERED_PARTIAL, response_body_mode: \
BUFFERED_PARTIAL, request_trailer_mode: SEND, response_trailer_mode: SEND}",
        Accepts,
        Takes(|| plain(modes(PARTIAL, PARTIAL)), &[]),
    ),
    Row::new(
        "both STREAMED, send_body_without_waiting_for_header_response: true",
        "processing_mode: {request_body_mode: STREAMED, response_body_mode: \
STREAMED}\nsend_body_without_waiting_for_header_response: true",
        Accepts,
        Takes(
            || {
                with(without_trailers(STREAMED), |c| {
                    c.send_body_without_waiting_for_header_response = true
                })
            },
            &[REQUEST_END, RESPONSE_END],
        ),
    ),
    Row::new(
        "both BUFFERED, send_body_without_waiting_for_header_response: true",
        "processing_mode: {request_body_mode: BUFFERED, response_body_mode: \
BUFFERED}\nsend_body_without_waiting_for_header_response: true",
        Accepts,
        Takes(
            || {
                with(without_trailers(BUFFERED), |c| {
                    c.send_body_without_waiting_for_header_response = true
                })
            },
            &[NOT_STREAMED],
        ),
    ),
    Row::new(
        "both BUFFERED, observability_mode: true",
        "processing_mode: {request_body_mode: BUFFERED, response_body_mode: \
BUFFERED}\nobservability_mode: true",
        Accepts,
        Refuses(
            || with(without_trailers(BUFFERED), |c| c.observability_mode = true),
            "request_body_mode is BUFFERED with observability_mode",
        ),
    )
    .because(NOT_OBSERVED),
    Row::new(
        "both BUFFERED_PARTIAL, observability_mode: true",
        "processing_mode: {request_body_mode: BUFFERED_PARTIAL, response_body_mode: \
BUFFERED_PARTIAL}\nobservability_mode: true",
        Accepts,
        Refuses(
            || with(without_trailers(PARTIAL), |c| c.observability_mode = true),
            "request_body_mode is BUFFERED_PARTIAL with observability_mode",
        ),
    )
    .because(NOT_OBSERVED),
    Row::new(
        "both STREAMED, observability_mode: true",
        "processing_mode: {request_body_mode: STREAMED, response_body_mode: \
STREAMED}\nobservability_mode: true",
        Accepts,
        Takes(
            || with(without_trailers(STREAMED), |c| c.observability_mode = true),
            &[REQUEST_END, RESPONSE_END, Caution::ObserverFailsRequests],
        ),
    ),
    Row::new(
        "both NONE, observability_mode: true",
        "processing_mode: {request_body_mode: NONE, response_body_mode: \
NONE}\nobservability_mode: true",
        Accepts,
        Takes(
            || with(without_trailers(NONE), |c| c.observability_mode = true),
            &[Caution::ObserverFailsRequests],
        ),
    ),
    Row::new(
        "observability_mode: true, failure_mode_allow: true (STREAMED)",
        "processing_mode: {request_body_mode: STREAMED, response_body_mode: \
STREAMED}\nobservability_mode: true\nfailure_mode_allow: true",
        Accepts,
        Takes(
            || {
                with(without_trailers(STREAMED), |c| {
                    c.observability_mode = true;
                    c.failure_mode_allow = true;
                })
            },
            &[REQUEST_END, RESPONSE_END],
        ),
    ),
    Row::new(
        "both GRPC, trailer modes (unset)",
        "processing_mode: {request_body_mode: GRPC, response_body_mode: GRPC}",
        Accepts,
        NoMode([1, 1, 5, 5, 0, 0], GRPC),
    )
    .because(NOT_DONE),
    Row::new(
        "both GRPC, trailer modes SEND",
        "processing_mode: {request_body_mode: GRPC, response_body_mode: GRPC, \
request_trailer_mode: SEND, response_trailer_mode: SEND}",
        Accepts,
        NoMode([1, 1, 5, 5, 1, 1], GRPC),
    )
    .because(NOT_DONE),
    Row::new(
        "unknown body mode name (request_body_mode: DUPLEX)",
        "processing_mode: {request_body_mode: DUPLEX}",
        Rejects(
            "Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason \
INVALID_ARGUMENT: unknown enum value: 'DUPLEX') has unknown fields",
        ),
        CannotBeSaid,
    ),
    Row::new(
        "undefined body mode number (request_body_mode: 9)",
        "processing_mode: {request_body_mode: 9}",
        RejectsAfterDump(
            "Proto constraint validation failed \
(ExternalProcessorValidationError.ProcessingMode: embedded message failed \
validation | caused by ProcessingModeValidationError.RequestBodyMode: value \
must be one of the defined enum values)",
        ),
        NoMode(
            [1, 1, 9, 0, 0, 0],
            ModeError::Undefined { field: ModeField::RequestBody, number: 9 },
        ),
    ),
    Row::new(
        "undefined header mode number (request_header_mode: 7)",
        "processing_mode: {request_header_mode: 7}",
        RejectsAfterDump(
            "Proto constraint validation failed \
(ExternalProcessorValidationError.ProcessingMode: embedded message failed \
validation | caused by ProcessingModeValidationError.RequestHeaderMode: value \
must be one of the defined enum values)",
        ),
        NoMode(
            [7, 1, 0, 0, 0, 0],
            ModeError::Undefined { field: ModeField::RequestHeaders, number: 7 },
        ),
    ),
];
