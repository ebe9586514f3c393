//! `envoy.config.core.v3`, and the mode of the filter.

use std::collections::BTreeMap;

use bytes::Bytes;

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct HeaderMap {
    #[prost(message, repeated, tag = "1")]
    pub(crate) headers: Vec<HeaderValue>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct HeaderValue {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) raw_value: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct HeaderValueOption {
    #[prost(message, optional, tag = "1")]
    pub(crate) header: Option<HeaderValue>,
    /// `google.protobuf.BoolValue`.
    #[prost(message, optional, tag = "2")]
    pub(crate) append: Option<bool>,
    /// 0 `APPEND_IF_EXISTS_OR_ADD`, 1 `ADD_IF_ABSENT`, 2 `OVERWRITE_IF_EXISTS_OR_ADD`,
    /// 3 `OVERWRITE_IF_EXISTS`.
    #[prost(int32, tag = "3")]
    pub(crate) append_action: i32,
    #[prost(bool, tag = "4")]
    pub(crate) keep_empty_value: bool,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct HeaderMutation {
    #[prost(message, repeated, tag = "1")]
    pub(crate) set_headers: Vec<HeaderValueOption>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) remove_headers: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Metadata {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(crate) filter_metadata: BTreeMap<String, prost_types::Struct>,
    #[prost(btree_map = "string, message", tag = "2")]
    pub(crate) typed_filter_metadata: BTreeMap<String, prost_types::Any>,
}

/// Numbers of `HeaderSendMode` (0 DEFAULT, 1 SEND, 2 SKIP) and `BodySendMode` (0 NONE, 1 STREAMED,
/// 2 BUFFERED, 3 BUFFERED_PARTIAL, 4 FULL_DUPLEX_STREAMED, 5 GRPC).
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct ProcessingMode {
    #[prost(int32, tag = "1")]
    pub(crate) request_header_mode: i32,
    #[prost(int32, tag = "2")]
    pub(crate) response_header_mode: i32,
    #[prost(int32, tag = "3")]
    pub(crate) request_body_mode: i32,
    #[prost(int32, tag = "4")]
    pub(crate) response_body_mode: i32,
    #[prost(int32, tag = "5")]
    pub(crate) request_trailer_mode: i32,
    #[prost(int32, tag = "6")]
    pub(crate) response_trailer_mode: i32,
}
