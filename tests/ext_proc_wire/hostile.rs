//! What a client must not send: each gets an error that says what is wrong, and a status.

use bytes::Bytes;
use prost::Message as _;
use tidegate::ext_proc::wire::{
    Decoder, Event, GrpcCode, Malformed, WireError, WireLimit, WireLimits,
};
use tidegate::limits;

use crate::messages::oracle::check;
use crate::messages::{
    ProcessingRequest, field, frame, message_frame, request_body, request_headers, struct_of,
};

/// The error of one message of these bytes; the same wherever it is cut.
#[track_caller]
fn error(message: &[u8]) -> WireError {
    error_of(&frame(message), WireLimits::new())
}

#[track_caller]
fn error_of(stream: &[u8], limits: WireLimits) -> WireError {
    check(stream, limits, |_| 1).error.expect("it is refused")
}

#[track_caller]
fn malformed(message: &[u8]) -> (&'static str, Malformed) {
    match error(message) {
        WireError::Malformed { message, fault } => (message, fault),
        other => panic!("{other}"),
    }
}

#[test]
fn a_compressed_message_is_unimplemented() {
    let error = error_of(b"\x01\0\0\0\x01x", WireLimits::new());
    assert_eq!(error, WireError::Compressed);
    assert_eq!(error.status().code, GrpcCode::Unimplemented);
    let error = error_of(b"\x02", WireLimits::new());
    assert_eq!(error, WireError::Flag { flag: 2 });
    assert_eq!(error.status().code, GrpcCode::Internal);
}

#[test]
fn a_body_that_comes_twice_is_malformed() {
    let twice = b"\x22\x06\x0a\x01a\x0a\x01b";
    assert_eq!(malformed(twice), ("HttpBody", Malformed::Repeated { field: 1 }));
    assert_eq!(malformed(b"\x22\x04\x0a\0\x0a\0"), ("HttpBody", Malformed::Repeated { field: 1 }));
}

#[test]
fn a_second_part_is_malformed_of_the_same_or_of_another_kind() {
    let root = "ProcessingRequest";
    assert_eq!(malformed(b"\x22\0\x22\0"), (root, Malformed::Repeated { field: 4 }));
    assert_eq!(malformed(b"\x22\0\x12\0"), (root, Malformed::Repeated { field: 2 }));
    assert_eq!(malformed(b"\x3a\0\x2a\0"), (root, Malformed::Repeated { field: 5 }));
}

#[test]
fn every_singular_field_that_comes_twice_is_malformed() {
    let repeated = |field| Malformed::Repeated { field };
    assert_eq!(malformed(b"\x42\0\x42\0").1, repeated(8));
    assert_eq!(malformed(b"\x50\x01\x50\x01").1, repeated(10));
    assert_eq!(malformed(b"\x5a\0\x5a\0").1, repeated(11));
    assert_eq!(malformed(b"\x5a\x04\x08\x01\x08\x01"), ("ProtocolConfiguration", repeated(1)));
    assert_eq!(malformed(b"\x12\x04\x18\x01\x18\x01"), ("HttpHeaders", repeated(3)));
    assert_eq!(malformed(b"\x12\x04\x0a\0\x0a\0"), ("HttpHeaders", repeated(1)));
    assert_eq!(malformed(b"\x32\x04\x0a\0\x0a\0"), ("HttpTrailers", repeated(1)));
    let header = b"\x12\x0a\x0a\x08\x0a\x06\x0a\x01a\x0a\x01b";
    assert_eq!(malformed(header), ("HeaderValue", repeated(1)));
}

#[test]
fn groups_are_malformed() {
    assert_eq!(malformed(b"\x23\x24").1, Malformed::Group { field: 4 });
    assert_eq!(malformed(b"\x22\x02\x7b\x7c").1, Malformed::Group { field: 15 });
    assert_eq!(malformed(b"\x24").1, Malformed::Group { field: 4 });
}

#[test]
fn other_wire_types_are_malformed() {
    for (message, field, wire_type) in [
        (&b"\x20\x01"[..], 4, 0),
        (b"\x25\0\0\0\0", 4, 5),
        (b"\x22\x09\x09\0\0\0\0\0\0\0\0", 1, 1),
        (b"\x22\x02\x12\0", 2, 2),
        (b"\x22\x02\x1a\0", 3, 2),
        (b"\x22\x02\x2a\0", 5, 2),
        (b"\x52\0", 10, 2),
        (b"\x60\0", 12, 0),
        (b"\x26", 4, 6),
        (b"\x27", 4, 7),
        (b"\x78\x01\x7f", 15, 7),
    ] {
        let fault = Malformed::WireType { field, wire_type };
        assert_eq!(malformed(message).1, fault, "{}", message.escape_ascii());
    }
}

#[test]
fn numbers_of_more_than_64_bits_are_malformed() {
    let ten = |last: u8| [&[0x78][..], &[0xff; 9], &[last]].concat();
    assert!(check(&frame(&ten(1)), WireLimits::new(), |_| 1).error.is_none());
    assert_eq!(malformed(&ten(2)).1, Malformed::Varint);
    assert_eq!(malformed(&ten(0x81)).1, Malformed::Varint);
    // As a key, as a length.
    assert_eq!(malformed(&[0xff; 11]).1, Malformed::Varint);
    assert_eq!(malformed(&[&[0x22][..], &[0xff; 11]].concat()).1, Malformed::Varint);
}

#[test]
fn field_number_0_and_those_of_more_than_29_bits_are_malformed() {
    assert_eq!(malformed(b"\x02\0").1, Malformed::FieldNumber);
    assert_eq!(malformed(b"\x80\x80\x80\x80\x10\0").1, Malformed::FieldNumber);
    // The largest one is unknown, no more.
    assert!(check(&frame(b"\xf8\xff\xff\xff\x0f\0"), WireLimits::new(), |_| 1).error.is_none());
}

#[test]
fn a_field_that_is_longer_than_its_message_is_malformed() {
    assert_eq!(malformed(b"\x22\x01").1, Malformed::Length { field: 4 });
    // Its message is the part: what follows the part is not its own.
    assert_eq!(malformed(b"\x22\x02\x0a\x02ab"), ("HttpBody", Malformed::Length { field: 1 }));
    assert_eq!(
        malformed(b"\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").1.to_string(),
        "field 4 is longer than its message"
    );
    assert_eq!(malformed(b"\x79\0\0\0\0").1, Malformed::Length { field: 15 });
    assert_eq!(malformed(b"\x7d\0\0").1, Malformed::Length { field: 15 });
}

#[test]
fn a_message_that_ends_inside_a_number_is_malformed() {
    assert_eq!(malformed(b"\x80").1, Malformed::Cut);
    assert_eq!(malformed(b"\x22").1, Malformed::Cut);
    assert_eq!(malformed(b"\x22\x01\x10\x01").1, Malformed::Cut);
    assert_eq!(malformed(b"\x50\x80").1, Malformed::Cut);
}

/// The bytes before the fault were handed on: the error comes behind them, and stays.
#[test]
fn what_came_before_an_error_is_answered_and_nothing_after_it() {
    let mut decoder = Decoder::new(WireLimits::new());
    let stream = [&message_frame(&request_body(&b"ab"[..], false))[..], &frame(b"\x02\0")].concat();
    decoder.push(stream.into());
    assert!(matches!(decoder.next(), Ok(Some(Event::BodyPiece { .. }))));
    assert!(matches!(decoder.next(), Ok(Some(Event::BodyEnd { .. }))));
    let error = decoder.next().expect_err("field 0");
    decoder.push(message_frame(&request_body(&b"ab"[..], false)));
    assert_eq!(decoder.next().expect_err("no way on"), error);
    assert_eq!(decoder.finish(), Err(error));
}

#[test]
fn names_and_values_that_no_field_has_are_refused_by_name() {
    let head = |name: &str, value: &str| {
        let mut head = request_headers(&[("good", "x")], false);
        if let Some(crate::messages::RequestPart::RequestHeaders(part)) = &mut head.request {
            part.headers.as_mut().expect("fields").headers.push(field(name, value));
        }
        error(&head.encode_to_vec())
    };
    let name = |name: &str| WireError::FieldName { name: name.to_owned() };
    let value = |name: &str| WireError::FieldValue { name: name.to_owned() };
    assert_eq!(head("", "x"), name(""));
    assert_eq!(head("a b", "x"), name("a b"));
    assert_eq!(head("a\n", "x"), name("a\\n"));
    assert_eq!(head(":", "x"), name(":"));
    assert_eq!(head(":Path", "x"), name(":Path"));
    assert_eq!(head("a", "x\r\ny: z"), value("a"));
    assert_eq!(head("a", "x\0"), value("a"));
    assert_eq!(head(":path", "/\n"), value(":path"));
    assert_eq!(head(":path", "/\n\n"), value(":path"), "two wrongs");
    assert_eq!(head(&"n ".repeat(100), "x"), name(&"n ".repeat(32)), "no more is quoted");
    assert_eq!(head("a", "secret\n").status().code, GrpcCode::InvalidArgument);
    assert!(!head("a", "secret\n").to_string().contains("secret"));
}

/// RFC 9113, section 8.3.
#[test]
fn a_pseudo_field_that_comes_twice_is_refused() {
    let head = request_headers(&[(":path", "/a"), (":path", "/b")], false);
    let error = error(&head.encode_to_vec());
    assert_eq!(error, WireError::RepeatedPseudo { name: "path".to_owned() });
}

#[test]
fn a_pseudo_field_that_comes_twice_among_many_is_refused() {
    let names: Vec<String> = (0..40).map(|n| format!(":p{n}")).collect();
    let with = |again: Option<usize>| {
        let all = names.iter().chain(again.map(|n| &names[n]));
        let pairs: Vec<(&str, &str)> = all.map(|name| (&name[..], "x")).collect();
        request_headers(&pairs, false).encode_to_vec()
    };
    for again in [0, 7, 8, 9, 39] {
        let expected = WireError::RepeatedPseudo { name: format!("p{again}") };
        assert_eq!(error(&with(Some(again))), expected);
    }
    let mut decoder = Decoder::new(WireLimits::new());
    decoder.push(frame(&with(None)));
    assert!(matches!(decoder.next(), Ok(Some(Event::Headers { .. }))));
}

#[test]
fn names_that_are_no_text_are_malformed() {
    let not_text = b"\x12\x09\x0a\x07\x0a\x05\x0a\x01\xff\x1a\0";
    assert_eq!(malformed(not_text), ("HeaderValue", Malformed::Utf8 { field: 1 }));
    // A value need not be text: it is bytes on the wire of HTTP.
    let bytes = b"\x12\x0a\x0a\x08\x0a\x06\x0a\x01a\x1a\x01\xff";
    assert_eq!(check(&frame(bytes), WireLimits::new(), |_| 1).error, None);
}

#[test]
fn a_head_has_so_many_bytes_and_fields_at_most() {
    let mut few = WireLimits::new();
    few.section_fields = 2;
    let head = |fields: &[(&str, &str)]| message_frame(&request_headers(fields, false));
    assert!(check(&head(&[(":a", "1"), ("b", "2")]), few, |_| 1).error.is_none());
    let error = error_of(&head(&[(":a", "1"), ("b", "2"), ("b", "3")]), few);
    assert_eq!(error, WireError::Limit { limit: WireLimit::SectionFields, most: 2 });
    assert_eq!(error.status().code, GrpcCode::ResourceExhausted);
    assert_eq!(error.to_string(), "the limit `section_fields` of this server, 2, was passed");

    let mut short = WireLimits::new();
    // Key and length, name, value.
    short.section_bytes = 2 + 3 + 3;
    assert!(check(&head(&[("a", "1")]), short, |_| 1).error.is_none());
    let error = error_of(&head(&[("a", "12")]), short);
    assert_eq!(error, WireError::Limit { limit: WireLimit::SectionBytes, most: 8 });
}

#[test]
fn a_head_cannot_have_more_fields_than_a_map_holds() {
    let mut many = WireLimits::new();
    (many.section_fields, many.section_bytes) = (usize::MAX, u32::MAX);
    let names: Vec<String> = (0..=limits::MAX_SECTION_FIELDS).map(|n| format!("x{n}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let most = limits::MAX_SECTION_FIELDS;
    let head = |n: usize| message_frame(&request_headers(&fields[..n], false));
    let mut decoder = Decoder::new(many);
    decoder.push(head(most));
    assert!(matches!(decoder.next(), Ok(Some(Event::Headers { .. }))));
    decoder.push(head(most + 1));
    let error = decoder.next().expect_err("one too many");
    assert_eq!(error, WireError::Limit { limit: WireLimit::SectionFields, most: most as u64 });
}

#[test]
fn attributes_and_metadata_have_one_limit_together() {
    let mut message = ProcessingRequest::default();
    for n in 0..100 {
        message.attributes.insert(format!("{n:02}"), struct_of(&[]));
    }
    let bytes = message_frame(&message);
    let mut limits = WireLimits::new();
    limits.envelope_bytes = 100 * (32 + 4);
    let entry = (bytes.len() - 5) / 100 - 2;
    assert_eq!(entry, 4, "what the figures above are made of");
    assert!(check(&bytes, limits, |_| 7).error.is_none());
    limits.envelope_bytes -= 1;
    let most = limits.envelope_bytes.into();
    assert_eq!(
        error_of(&bytes, limits),
        WireError::Limit { limit: WireLimit::EnvelopeBytes, most }
    );
}

/// Entries of two bytes would cost sixteen times as much in memory.
#[test]
fn empty_attributes_are_not_free() {
    let entries = b"\x4a\0".repeat(100_000);
    let mut decoder = Decoder::new(WireLimits::new());
    decoder.push(frame(&entries));
    let error = decoder.next().expect_err("too many");
    let most = limits::DEFAULT_ENVELOPE_BYTES.into();
    assert_eq!(error, WireError::Limit { limit: WireLimit::EnvelopeBytes, most });
}

#[test]
fn a_length_alone_costs_no_memory() {
    let mut limits = WireLimits::new();
    limits.section_bytes = u32::MAX;
    let before = crate::counting::live_bytes();
    let mut decoder = Decoder::new(limits);
    // Four gibibytes are announced, of a head.
    decoder.push(Bytes::from_static(
        b"\0\xff\xff\xff\xff\x12\xf0\xff\xff\xff\x0f\x0a\xe0\xff\xff\xff\x0fx",
    ));
    assert!(matches!(decoder.next(), Ok(None)));
    assert!(crate::counting::live_bytes() - before < 4096);
}

/// Unknown fields are skipped as they come, however long.
#[test]
fn a_long_unknown_field_is_not_kept() {
    const LEN: usize = 8 << 20;
    let mut key = Vec::new();
    prost::encoding::encode_varint(77 << 3 | 2, &mut key);
    prost::encoding::encode_varint(LEN as u64, &mut key);
    let part = [&b"\x0a\x01a"[..], &key].concat();
    let mut head = vec![0x22];
    prost::encoding::encode_varint((part.len() + LEN) as u64, &mut head);
    let message_len = u32::try_from(head.len() + part.len() + LEN).expect("8 MiB and a little");
    let start = [&[0][..], &message_len.to_be_bytes(), &head, &part].concat();

    let chunk = Bytes::from(vec![0xff; 16 * 1024]);
    let mut decoder = Decoder::new(WireLimits::new());
    decoder.push(start.into());
    assert!(matches!(decoder.next(), Ok(Some(Event::BodyPiece { .. }))));
    let before = crate::counting::live_bytes();
    for _ in 1..LEN / chunk.len() {
        decoder.push(chunk.clone());
        assert!(matches!(decoder.next(), Ok(None)));
        assert!(crate::counting::live_bytes() - before < 1024);
    }
    decoder.push(chunk);
    assert!(matches!(decoder.next(), Ok(Some(Event::BodyEnd { body_bytes: 1, .. }))));
}
