//! `ProcessingRequest`: from the data plane to the external processor.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::core::{HeaderMap, Metadata};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ProcessingRequest {
    #[prost(oneof = "RequestPart", tags = "2, 3, 4, 5, 6, 7")]
    pub(crate) request: Option<RequestPart>,
    #[prost(message, optional, tag = "8")]
    pub(crate) metadata_context: Option<Metadata>,
    #[prost(btree_map = "string, message", tag = "9")]
    pub(crate) attributes: BTreeMap<String, prost_types::Struct>,
    #[prost(bool, tag = "10")]
    pub(crate) observability_mode: bool,
    #[prost(message, optional, tag = "11")]
    pub(crate) protocol_config: Option<ProtocolConfiguration>,
    #[prost(message, optional, tag = "12")]
    pub(crate) flow_control_init: Option<FlowControlInit>,
    #[prost(message, optional, tag = "13")]
    pub(crate) client_window_update: Option<ClientWindowUpdate>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum RequestPart {
    #[prost(message, tag = "2")]
    RequestHeaders(HttpHeaders),
    #[prost(message, tag = "3")]
    ResponseHeaders(HttpHeaders),
    #[prost(message, tag = "4")]
    RequestBody(HttpBody),
    #[prost(message, tag = "5")]
    ResponseBody(HttpBody),
    #[prost(message, tag = "6")]
    RequestTrailers(HttpTrailers),
    #[prost(message, tag = "7")]
    ResponseTrailers(HttpTrailers),
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct ProtocolConfiguration {
    /// Numbers of `BodySendMode`.
    #[prost(int32, tag = "1")]
    pub(crate) request_body_mode: i32,
    #[prost(int32, tag = "2")]
    pub(crate) response_body_mode: i32,
    #[prost(bool, tag = "3")]
    pub(crate) send_body_without_waiting_for_header_response: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct FlowControlInit {
    #[prost(int64, tag = "1")]
    pub(crate) initial_window_downstream_to_sidestream: i64,
    #[prost(int64, tag = "2")]
    pub(crate) initial_window_sidestream_to_upstream: i64,
    #[prost(int64, tag = "3")]
    pub(crate) initial_window_upstream_to_sidestream: i64,
    #[prost(int64, tag = "4")]
    pub(crate) initial_window_sidestream_to_downstream: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct ClientWindowUpdate {
    #[prost(int64, tag = "1")]
    pub(crate) window_increment_sidestream_to_upstream: i64,
    #[prost(int64, tag = "2")]
    pub(crate) window_increment_sidestream_to_downstream: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HttpHeaders {
    #[prost(message, optional, tag = "1")]
    pub(crate) headers: Option<HeaderMap>,
    /// Deprecated, and never used.
    #[prost(btree_map = "string, message", tag = "2")]
    pub(crate) attributes: BTreeMap<String, prost_types::Struct>,
    #[prost(bool, tag = "3")]
    pub(crate) end_of_stream: bool,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct HttpBody {
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
pub(crate) struct HttpTrailers {
    #[prost(message, optional, tag = "1")]
    pub(crate) trailers: Option<HeaderMap>,
}
