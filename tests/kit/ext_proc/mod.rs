//! The messages of external processing (Envoy 1.40.0) as somebody else has them: prost's derive
//! reads and writes them, so that a test that reads what the crate wrote has another opinion.
//!
//! Include it with `#[path = "../kit/ext_proc/mod.rs"] mod messages;`: it needs nothing else
//! of the kit.
// Every test binary has its own copy and uses a part of it.
#![allow(dead_code, unused_imports)]

pub(crate) mod build;
pub(crate) mod core;
pub(crate) mod frame;
pub(crate) mod oracle;
pub(crate) mod read;
pub(crate) mod request;
pub(crate) mod response;

pub(crate) use self::build::{
    body, field, headers, metadata, protocol_config, request_body, request_headers,
    request_trailers, response_body, response_headers, response_trailers, section, set_field,
    struct_of, trailers,
};
pub(crate) use self::core::{
    HeaderMap, HeaderMutation, HeaderValue, HeaderValueOption, Metadata, ProcessingMode,
};
pub(crate) use self::frame::{Frames, frame, message_frame};
pub(crate) use self::request::{
    ClientWindowUpdate, FlowControlInit, HttpBody, HttpHeaders, HttpTrailers, ProcessingRequest,
    ProtocolConfiguration, RequestPart,
};
pub(crate) use self::response::{
    BodyMutation, BodyResponse, CommonResponse, GrpcStatus, HeadersResponse, HttpStatus,
    ImmediateResponse, Mutation, ProcessingResponse, ResponsePart, ServerWindowUpdate,
    StreamedBodyResponse, StreamedImmediatePart, StreamedImmediateResponse, TrailersResponse,
};
