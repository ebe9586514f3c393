//! Attributes and metadata: encoded until somebody asks.

use std::error::Error as _;

use prost::Message as _;
use tidegate::ext_proc::wire::{Decoder, Envelope, Event, Malformed, StructError, WireLimits};
use tidegate::limits::MAX_STRUCT_DEPTH;

use crate::messages::{
    ProcessingRequest, frame, message_frame, metadata, request_headers, struct_of,
};

fn envelope(stream: bytes::Bytes) -> Envelope {
    let mut decoder = Decoder::new(WireLimits::new());
    decoder.push(stream);
    match decoder.next().expect("a good message").expect("a whole one") {
        Event::Headers { envelope, .. } | Event::Other { envelope } => {
            *envelope.unwrap_or_default()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn attributes_are_read_by_name() {
    let mut message = request_headers(&[], true);
    let ours = struct_of(&[("source.address", "127.0.0.1:1")]);
    message.attributes.insert("envoy.filters.http.ext_proc".to_owned(), ours.clone());
    message.attributes.insert("other".to_owned(), struct_of(&[]));
    let envelope = envelope(message_frame(&message));
    let attributes = envelope.attributes;
    assert!(!attributes.is_empty());
    assert_eq!(attributes.get("envoy.filters.http.ext_proc"), Ok(Some(ours)));
    assert_eq!(attributes.get("nobody"), Ok(None));
    assert_eq!(attributes.decode().map(|all| all.len()), Ok(2));
    // Without a key and a length for each.
    let alone = ProcessingRequest { attributes: message.attributes, ..Default::default() };
    let entry = alone.encoded_len() - 2 * 2;
    let shown = format!("{attributes:?}");
    assert_eq!(shown, format!("Attributes {{ entries: 2, bytes: {entry} }}"));
}

#[test]
fn metadata_is_read_by_namespace() {
    let mut message = request_headers(&[], true);
    let mut forwarded = metadata("envoy.lb", &[("canary", "yes")]);
    let any = prost_types::Any { type_url: "t".to_owned(), value: vec![1, 2] };
    forwarded.typed_filter_metadata.insert("typed".to_owned(), any.clone());
    message.metadata_context = Some(forwarded);
    let bytes = message.metadata_context.as_ref().map_or(0, |metadata| metadata.encoded_len());
    let metadata = envelope(message_frame(&message)).metadata;
    assert_eq!(format!("{metadata:?}"), format!("Metadata {{ bytes: {bytes} }}"));
    assert_eq!(metadata.get("envoy.lb"), Ok(Some(struct_of(&[("canary", "yes")]))));
    assert_eq!(metadata.get("typed"), Ok(None), "that is the other map");
    assert_eq!(metadata.get_typed("typed"), Ok(Some(any)));
    assert_eq!(metadata.decode().map(|all| all.len()), Ok(1));
    assert_eq!(metadata.decode_typed().map(|all| all.len()), Ok(1));
}

#[test]
fn no_metadata_is_empty_and_so_is_that_of_every_message_of_envoy() {
    let sent = message_frame(&request_headers(&[], true));
    let Envelope { metadata, attributes, .. } = envelope(sent);
    assert!(metadata.is_empty() && attributes.is_empty());
    assert_eq!(metadata.get("a"), Ok(None));
}

/// It concerns who asks, not the stream.
#[test]
fn metadata_that_is_none_is_an_error_when_it_is_asked_for() {
    let with = |entry: &[u8]| {
        let map = [&[0x0a, entry.len() as u8], entry].concat();
        envelope(frame(&[&[0x42, map.len() as u8], &map[..]].concat())).metadata.get("a")
    };
    let malformed = |fault| Err(StructError::Malformed(fault));
    assert_eq!(with(b"\x0a\x01a\x12\0"), Ok(Some(struct_of(&[]))));
    assert_eq!(with(b"\x0a\x05a"), malformed(Malformed::Length { field: 1 }));
    assert_eq!(with(b"\x08\x01"), malformed(Malformed::WireType { field: 1, wire_type: 0 }));
    assert_eq!(with(b"\x0a\x01a\x0a\x01a"), malformed(Malformed::Repeated { field: 1 }));
    assert_eq!(with(b"\x0a\x01\xff"), malformed(Malformed::Utf8 { field: 1 }));
    // A value of a struct with text that is none.
    let value = with(b"\x0a\x01a\x12\x09\x0a\x07\x0a\x01b\x12\x02\x1a\x00");
    assert!(value.is_ok(), "{value:?}");
    let value = with(b"\x0a\x01a\x12\x0a\x0a\x08\x0a\x01b\x12\x03\x1a\x01\xff");
    let Err(error) = value else { panic!("{value:?}") };
    assert!(matches!(error, StructError::Value(_)), "{error:?}");
    assert!(error.to_string().starts_with("a value of attributes or metadata: "), "{error}");
    assert!(error.source().is_some_and(|cause| error.to_string().ends_with(&cause.to_string())));
    let error = with(b"\x0a\x05a").expect_err("a name that is cut");
    let expected = "malformed attributes or metadata: field 1 is longer than its message";
    assert_eq!((error.to_string().as_str(), error.source().is_none()), (expected, true));
}

#[test]
fn structs_are_nested_no_deeper_than_the_limit_says() {
    use prost_types::{ListValue, Struct, Value, value::Kind};
    let deep = |levels: usize, lists: bool| {
        let mut value = Value { kind: None };
        for _ in 0..levels {
            let kind = if lists {
                Kind::ListValue(ListValue { values: vec![value] })
            } else {
                Kind::StructValue(Struct { fields: [("a".to_owned(), value)].into() })
            };
            value = Value { kind: Some(kind) };
        }
        let mut message = ProcessingRequest::default();
        let outer = Struct { fields: [("a".to_owned(), value)].into() };
        message.attributes.insert("x".to_owned(), outer);
        envelope(frame(&message.encode_to_vec())).attributes.get("x")
    };
    for lists in [false, true] {
        assert!(deep(MAX_STRUCT_DEPTH, lists).is_ok(), "lists: {lists}");
        assert_eq!(deep(MAX_STRUCT_DEPTH + 1, lists), Err(StructError::TooDeep));
        assert_eq!(deep(1000, lists), Err(StructError::TooDeep));
    }
}
