//! `ProcessingResponse`: from the external processor to the data plane.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::core::{HeaderMap, HeaderMutation, ProcessingMode};
use super::request::HttpHeaders;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ProcessingResponse {
    #[prost(oneof = "ResponsePart", tags = "1, 2, 3, 4, 5, 6, 7, 11")]
    pub(crate) response: Option<ResponsePart>,
    #[prost(message, optional, tag = "8")]
    pub(crate) dynamic_metadata: Option<prost_types::Struct>,
    #[prost(message, optional, tag = "9")]
    pub(crate) mode_override: Option<ProcessingMode>,
    #[prost(message, optional, tag = "10")]
    pub(crate) override_message_timeout: Option<prost_types::Duration>,
    /// Deprecated.
    #[prost(bool, tag = "12")]
    pub(crate) request_drain: bool,
    #[prost(btree_map = "string, message", tag = "13")]
    pub(crate) typed_dynamic_metadata: BTreeMap<String, prost_types::Any>,
    #[prost(message, optional, tag = "14")]
    pub(crate) server_window_update: Option<ServerWindowUpdate>,
    #[prost(bool, tag = "15")]
    pub(crate) request_drain_requests: bool,
    #[prost(bool, tag = "16")]
    pub(crate) request_drain_responses: bool,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum ResponsePart {
    #[prost(message, tag = "1")]
    RequestHeaders(HeadersResponse),
    #[prost(message, tag = "2")]
    ResponseHeaders(HeadersResponse),
    #[prost(message, tag = "3")]
    RequestBody(BodyResponse),
    #[prost(message, tag = "4")]
    ResponseBody(BodyResponse),
    #[prost(message, tag = "5")]
    RequestTrailers(TrailersResponse),
    #[prost(message, tag = "6")]
    ResponseTrailers(TrailersResponse),
    #[prost(message, tag = "7")]
    ImmediateResponse(ImmediateResponse),
    #[prost(message, tag = "11")]
    StreamedImmediateResponse(StreamedImmediateResponse),
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct ServerWindowUpdate {
    #[prost(int64, tag = "1")]
    pub(crate) window_increment_downstream_to_sidestream: i64,
    #[prost(int64, tag = "2")]
    pub(crate) window_increment_upstream_to_sidestream: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HeadersResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) response: Option<CommonResponse>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BodyResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) response: Option<CommonResponse>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct TrailersResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) header_mutation: Option<HeaderMutation>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CommonResponse {
    /// 0 `CONTINUE`, 1 `CONTINUE_AND_REPLACE`.
    #[prost(int32, tag = "1")]
    pub(crate) status: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) header_mutation: Option<HeaderMutation>,
    #[prost(message, optional, tag = "3")]
    pub(crate) body_mutation: Option<BodyMutation>,
    /// Not implemented by Envoy.
    #[prost(message, optional, tag = "4")]
    pub(crate) trailers: Option<HeaderMap>,
    #[prost(bool, tag = "5")]
    pub(crate) clear_route_cache: bool,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct BodyMutation {
    #[prost(oneof = "Mutation", tags = "1, 2, 3")]
    pub(crate) mutation: Option<Mutation>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub(crate) enum Mutation {
    #[prost(bytes = "bytes", tag = "1")]
    Body(Bytes),
    #[prost(bool, tag = "2")]
    ClearBody(bool),
    #[prost(message, tag = "3")]
    StreamedResponse(StreamedBodyResponse),
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct StreamedBodyResponse {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) body: Bytes,
    #[prost(bool, tag = "2")]
    pub(crate) end_of_stream: bool,
    #[prost(bool, tag = "3")]
    pub(crate) end_of_stream_without_message: bool,
    #[prost(bool, tag = "4")]
    pub(crate) grpc_message_compressed: bool,
    #[prost(bool, tag = "5")]
    pub(crate) drain_complete: bool,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ImmediateResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) status: Option<HttpStatus>,
    #[prost(message, optional, tag = "2")]
    pub(crate) headers: Option<HeaderMutation>,
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) body: Bytes,
    #[prost(message, optional, tag = "4")]
    pub(crate) grpc_status: Option<GrpcStatus>,
    #[prost(string, tag = "5")]
    pub(crate) details: String,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct HttpStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct GrpcStatus {
    #[prost(uint32, tag = "1")]
    pub(crate) status: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamedImmediateResponse {
    #[prost(oneof = "StreamedImmediatePart", tags = "1, 2, 3")]
    pub(crate) response: Option<StreamedImmediatePart>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
#[allow(clippy::enum_variant_names, reason = "the names are the protocol's")]
pub(crate) enum StreamedImmediatePart {
    #[prost(message, tag = "1")]
    HeadersResponse(HttpHeaders),
    #[prost(message, tag = "2")]
    BodyResponse(StreamedBodyResponse),
    #[prost(message, tag = "3")]
    TrailersResponse(HeaderMap),
}
