use tidegate::exchange::Direction;
use tidegate::ext_proc::mode::{
    Caution, DirectionMode, FilterConfig, ModeError, ProcessingMode, SendMode,
};

use super::Envoy::{Accepts, Rejects};
use super::Ours::{NoMode, Refuses, Takes};
use super::{BUFFERED, DUPLEX, NONE, NOT_OBSERVED, NOT_STREAMED, Row, modes, plain, with};

const REQUEST: ModeError = ModeError::TrailersSkipped { direction: Some(Direction::Request) };
const RESPONSE: ModeError = ModeError::TrailersSkipped { direction: Some(Direction::Response) };
const REQUEST_TEXT: &str = "If the ext_proc filter has the request_body_mode set to \
    FULL_DUPLEX_STREAMED, then the request_trailer_mode has to be set to SEND";
const RESPONSE_TEXT: &str = "If the ext_proc filter has the response_body_mode set to \
    FULL_DUPLEX_STREAMED, then the response_trailer_mode has to be set to SEND";

const OPEN_REQUEST: Caution = Caution::FailOpenEndsWithBody { direction: Direction::Request };
const OPEN_RESPONSE: Caution = Caution::FailOpenEndsWithBody { direction: Direction::Response };
const DUPLEX_OBSERVED: &str = "request_body_mode is FULL_DUPLEX_STREAMED with observability_mode";
const WHERE_DUPLEX: &str = "nothing leads back from FULL_DUPLEX_STREAMED";

/// Full duplex, alone and with each other field.
pub(super) static ROWS: [Row; 26] = [
    Row::new(
        "request_body_mode: FULL_DUPLEX_STREAMED, request_trailer_mode: (unset)",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED}",
        Rejects(REQUEST_TEXT),
        NoMode([1, 1, 4, 0, 0, 0], REQUEST),
    ),
    Row::new(
        "request_body_mode: FULL_DUPLEX_STREAMED, request_trailer_mode: DEFAULT",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: DEFAULT}",
        Rejects(REQUEST_TEXT),
        NoMode([1, 1, 4, 0, 0, 0], REQUEST),
    ),
    Row::new(
        "request_body_mode: FULL_DUPLEX_STREAMED, request_trailer_mode: SKIP",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SKIP}",
        Rejects(REQUEST_TEXT),
        NoMode([1, 1, 4, 0, 2, 0], REQUEST),
    ),
    Row::new(
        "request_body_mode: FULL_DUPLEX_STREAMED, request_trailer_mode: SEND",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND}",
        Accepts,
        Takes(|| plain(modes(DUPLEX, NONE)), &[]),
    ),
    Row::new(
        "request_body_mode: FULL_DUPLEX_STREAMED, request_trailer_mode: SEND, \
response_trailer_mode: SKIP, response_body_mode: NONE",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_trailer_mode: SKIP, response_body_mode: \
NONE}",
        Accepts,
        Takes(|| plain(other_trailers_skipped(Direction::Response)), &[]),
    ),
    Row::new(
        "request_body_mode: FULL_DUPLEX_STREAMED, only the other side's trailer mode \
SEND",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND}",
        Rejects(REQUEST_TEXT),
        NoMode([1, 1, 4, 0, 0, 1], REQUEST),
    ),
    Row::new(
        "response_body_mode: FULL_DUPLEX_STREAMED, response_trailer_mode: (unset)",
        "processing_mode: {response_body_mode: FULL_DUPLEX_STREAMED}",
        Rejects(RESPONSE_TEXT),
        NoMode([1, 1, 0, 4, 0, 0], RESPONSE),
    ),
    Row::new(
        "response_body_mode: FULL_DUPLEX_STREAMED, response_trailer_mode: DEFAULT",
        "processing_mode: {response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: DEFAULT}",
        Rejects(RESPONSE_TEXT),
        NoMode([1, 1, 0, 4, 0, 0], RESPONSE),
    ),
    Row::new(
        "response_body_mode: FULL_DUPLEX_STREAMED, response_trailer_mode: SKIP",
        "processing_mode: {response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SKIP}",
        Rejects(RESPONSE_TEXT),
        NoMode([1, 1, 0, 4, 0, 2], RESPONSE),
    ),
    Row::new(
        "response_body_mode: FULL_DUPLEX_STREAMED, response_trailer_mode: SEND",
        "processing_mode: {response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND}",
        Accepts,
        Takes(|| plain(modes(NONE, DUPLEX)), &[]),
    ),
    Row::new(
        "response_body_mode: FULL_DUPLEX_STREAMED, response_trailer_mode: SEND, \
request_trailer_mode: SKIP, request_body_mode: NONE",
        "processing_mode: {response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND, request_trailer_mode: SKIP, request_body_mode: \
NONE}",
        Accepts,
        Takes(|| plain(other_trailers_skipped(Direction::Request)), &[]),
    ),
    Row::new(
        "response_body_mode: FULL_DUPLEX_STREAMED, only the other side's trailer mode \
SEND",
        "processing_mode: {response_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND}",
        Rejects(RESPONSE_TEXT),
        NoMode([1, 1, 0, 4, 1, 0], RESPONSE),
    ),
    Row::new(
        "both FULL_DUPLEX_STREAMED, neither trailer mode SEND",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, response_body_mode: \
FULL_DUPLEX_STREAMED}",
        Rejects(REQUEST_TEXT),
        NoMode([1, 1, 4, 4, 0, 0], REQUEST),
    ),
    Row::new(
        "both FULL_DUPLEX_STREAMED, both trailer modes SEND",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND}",
        Accepts,
        Takes(|| plain(modes(DUPLEX, DUPLEX)), &[]),
    ),
    Row::new(
        "both FULL_DUPLEX_STREAMED + trailers SEND, both header modes SKIP",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND, request_header_mode: SKIP, response_header_mode: \
SKIP}",
        Accepts,
        Takes(|| plain(heads_skipped()), &[]),
    ),
    Row::new(
        "both FULL_DUPLEX_STREAMED + trailers SEND, both header modes DEFAULT",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND, request_header_mode: DEFAULT, \
response_header_mode: DEFAULT}",
        Accepts,
        Takes(|| plain(heads_by_default()), &[]),
    ),
    Row::new(
        "both FULL_DUPLEX_STREAMED + trailers SEND, failure_mode_allow: true",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND}\nfailure_mode_allow: true",
        Accepts,
        Takes(
            || with(modes(DUPLEX, DUPLEX), |c| c.failure_mode_allow = true),
            &[OPEN_REQUEST, OPEN_RESPONSE],
        ),
    ),
    Row::new(
        "request FULL_DUPLEX_STREAMED + trailers SEND, response NONE, \
failure_mode_allow: true",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: NONE}\nfailure_mode_allow: true",
        Accepts,
        Takes(|| with(modes(DUPLEX, NONE), |c| c.failure_mode_allow = true), &[OPEN_REQUEST]),
    ),
    Row::new(
        "request NONE, response FULL_DUPLEX_STREAMED + trailers SEND, \
failure_mode_allow: true",
        "processing_mode: {response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND, request_body_mode: NONE}\nfailure_mode_allow: true",
        Accepts,
        Takes(|| with(modes(NONE, DUPLEX), |c| c.failure_mode_allow = true), &[OPEN_RESPONSE]),
    ),
    Row::new(
        "both FULL_DUPLEX_STREAMED + trailers SEND, observability_mode: true",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND}\nobservability_mode: true",
        Accepts,
        Refuses(|| with(modes(DUPLEX, DUPLEX), |c| c.observability_mode = true), DUPLEX_OBSERVED),
    )
    .because(NOT_OBSERVED),
    Row::new(
        "request FULL_DUPLEX_STREAMED + trailers SEND, observability_mode: true",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND}\nobservability_mode: true",
        Accepts,
        Refuses(|| with(modes(DUPLEX, NONE), |c| c.observability_mode = true), DUPLEX_OBSERVED),
    )
    .because(NOT_OBSERVED),
    Row::new(
        "both FULL_DUPLEX_STREAMED + trailers SEND, \
send_body_without_waiting_for_header_response: true",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND}\nsend_body_without_waiting_for_header_response: \
true",
        Accepts,
        Takes(
            || {
                with(modes(DUPLEX, DUPLEX), |c| {
                    c.send_body_without_waiting_for_header_response = true
                })
            },
            &[NOT_STREAMED],
        ),
    ),
    Row::new(
        "both FULL_DUPLEX_STREAMED + trailers SEND, allow_mode_override: true",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND}\nallow_mode_override: true",
        Accepts,
        Takes(
            || with(modes(DUPLEX, DUPLEX), |c| c.allow_mode_override = true),
            &[Caution::NoEffect { field: "allow_mode_override", because: WHERE_DUPLEX }],
        ),
    ),
    Row::new(
        "both FULL_DUPLEX_STREAMED + trailers SEND, allow_content_length_header: true",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: FULL_DUPLEX_STREAMED, \
response_trailer_mode: SEND}\nallow_content_length_header: true",
        Accepts,
        Takes(
            || with(modes(DUPLEX, DUPLEX), |c| c.allow_content_length_header = true),
            &[
                Caution::LengthKept { direction: Direction::Request, mode: DUPLEX },
                Caution::LengthKept { direction: Direction::Response, mode: DUPLEX },
            ],
        ),
    ),
    Row::new(
        "request BUFFERED, response FULL_DUPLEX_STREAMED + trailer SEND",
        "processing_mode: {request_body_mode: BUFFERED, response_body_mode: \
FULL_DUPLEX_STREAMED, response_trailer_mode: SEND}",
        Accepts,
        Takes(|| plain(modes(BUFFERED, DUPLEX)), &[]),
    ),
    Row::new(
        "request FULL_DUPLEX_STREAMED + trailer SEND, response STREAMED",
        "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, \
request_trailer_mode: SEND, response_body_mode: STREAMED}",
        Accepts,
        Takes(
            || plain(duplex_and_streamed()),
            &[Caution::EndUnseen { direction: Direction::Response }],
        ),
    ),
];

fn other_trailers_skipped(other: Direction) -> FilterConfig {
    let mode = ProcessingMode::both(DirectionMode::full_duplex());
    let skipped = DirectionMode::heads_only().with_trailers(SendMode::Skip);
    FilterConfig::new(mode.with(other, skipped.expect("not full duplex")))
}

fn heads_skipped() -> FilterConfig {
    let mode = DirectionMode::full_duplex().with_headers(SendMode::Skip);
    FilterConfig::new(ProcessingMode::both(mode))
}

fn heads_by_default() -> FilterConfig {
    let mode = ProcessingMode::from_numbers([0, 0, 4, 4, 1, 1]);
    FilterConfig::new(mode.expect("trailers are sent"))
}

fn duplex_and_streamed() -> FilterConfig {
    let mode = ProcessingMode::from_numbers([1, 1, 4, 1, 1, 0]);
    FilterConfig::new(mode.expect("the request's trailers are sent"))
}
