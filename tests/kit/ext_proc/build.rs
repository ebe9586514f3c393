//! Requests as Envoy makes them: values in `raw_value`, an empty `metadata_context` in each.

use bytes::Bytes;

use super::core::{HeaderMap, HeaderValue, HeaderValueOption, Metadata};
use super::request::{
    HttpBody, HttpHeaders, HttpTrailers, ProcessingRequest, ProtocolConfiguration, RequestPart,
};

/// One field, its value in `raw_value`.
pub(crate) fn field(name: &str, value: impl AsRef<[u8]>) -> HeaderValue {
    HeaderValue {
        key: name.to_owned(),
        value: String::new(),
        raw_value: Bytes::copy_from_slice(value.as_ref()),
    }
}

/// Fields with their values in `raw_value`.
pub(crate) fn section(pairs: &[(&str, &str)]) -> HeaderMap {
    HeaderMap { headers: pairs.iter().map(|(name, value)| field(name, value)).collect() }
}

pub(crate) fn headers(pairs: &[(&str, &str)], end_of_stream: bool) -> HttpHeaders {
    HttpHeaders { headers: Some(section(pairs)), end_of_stream, ..HttpHeaders::default() }
}

pub(crate) fn body(body: impl Into<Bytes>, end_of_stream: bool) -> HttpBody {
    HttpBody { body: body.into(), end_of_stream, ..HttpBody::default() }
}

pub(crate) fn trailers(pairs: &[(&str, &str)]) -> HttpTrailers {
    HttpTrailers { trailers: Some(section(pairs)) }
}

impl ProcessingRequest {
    /// With the empty metadata that Envoy always sends.
    pub(crate) fn of(part: RequestPart) -> Self {
        Self { request: Some(part), metadata_context: Some(Metadata::default()), ..Self::default() }
    }

    /// As the first message of its stream.
    pub(crate) fn first(mut self, config: ProtocolConfiguration) -> Self {
        self.protocol_config = Some(config);
        self
    }
}

pub(crate) fn request_headers(pairs: &[(&str, &str)], end_of_stream: bool) -> ProcessingRequest {
    ProcessingRequest::of(RequestPart::RequestHeaders(headers(pairs, end_of_stream)))
}

pub(crate) fn response_headers(pairs: &[(&str, &str)], end_of_stream: bool) -> ProcessingRequest {
    ProcessingRequest::of(RequestPart::ResponseHeaders(headers(pairs, end_of_stream)))
}

pub(crate) fn request_body(bytes: impl Into<Bytes>, end_of_stream: bool) -> ProcessingRequest {
    ProcessingRequest::of(RequestPart::RequestBody(body(bytes, end_of_stream)))
}

pub(crate) fn response_body(bytes: impl Into<Bytes>, end_of_stream: bool) -> ProcessingRequest {
    ProcessingRequest::of(RequestPart::ResponseBody(body(bytes, end_of_stream)))
}

pub(crate) fn request_trailers(pairs: &[(&str, &str)]) -> ProcessingRequest {
    ProcessingRequest::of(RequestPart::RequestTrailers(trailers(pairs)))
}

pub(crate) fn response_trailers(pairs: &[(&str, &str)]) -> ProcessingRequest {
    ProcessingRequest::of(RequestPart::ResponseTrailers(trailers(pairs)))
}

/// What the first message of a stream announces: numbers of `BodySendMode`.
pub(crate) fn protocol_config(request_body: i32, response_body: i32) -> ProtocolConfiguration {
    ProtocolConfiguration {
        request_body_mode: request_body,
        response_body_mode: response_body,
        send_body_without_waiting_for_header_response: false,
    }
}

/// Strings by name, as attributes and metadata have them.
pub(crate) fn struct_of(pairs: &[(&str, &str)]) -> prost_types::Struct {
    let value = |text: &str| prost_types::Value {
        kind: Some(prost_types::value::Kind::StringValue(text.to_owned())),
    };
    let fields = pairs.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect();
    prost_types::Struct { fields }
}

/// One namespace of untyped metadata.
pub(crate) fn metadata(namespace: &str, pairs: &[(&str, &str)]) -> Metadata {
    let mut metadata = Metadata::default();
    metadata.filter_metadata.insert(namespace.to_owned(), struct_of(pairs));
    metadata
}

/// One field to set, in place of what is there, as a careful server writes it.
pub(crate) fn set_field(name: &str, value: impl AsRef<[u8]>) -> HeaderValueOption {
    HeaderValueOption { header: Some(field(name, value)), ..HeaderValueOption::default() }
}
