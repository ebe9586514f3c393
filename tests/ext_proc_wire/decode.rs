//! Messages as a client writes them, cut and shuffled.

use bytes::Bytes;
use prost::Message as _;
use tidegate::exchange::Direction;
use tidegate::ext_proc::wire::{Decoder, Event, WireError, WireLimits};

use crate::kit::Rng;
use crate::messages::oracle::{check, decode};
use crate::messages::read::{Part, Read};
use crate::messages::{
    ClientWindowUpdate, FlowControlInit, ProcessingRequest, frame, message_frame, metadata,
    protocol_config, request_body, request_headers, request_trailers, response_body,
    response_headers, response_trailers, struct_of,
};
use crate::shuffle::shuffled;

/// One of everything.
fn everything() -> Vec<ProcessingRequest> {
    let mut first = request_headers(
        &[(":method", "POST"), (":path", "/a?b"), ("x-a", "1"), ("X-A", "2"), ("empty", "")],
        false,
    )
    .first(protocol_config(4, 1));
    first.attributes.insert("envoy.filters.http.ext_proc".to_owned(), struct_of(&[("a", "b")]));
    first.metadata_context = Some(metadata("envoy.lb", &[("canary", "true"), ("é", "ü")]));
    let mut watched = response_body(vec![9; 700], false);
    watched.observability_mode = true;
    let windows = ProcessingRequest {
        flow_control_init: Some(FlowControlInit {
            initial_window_downstream_to_sidestream: -1,
            ..FlowControlInit::default()
        }),
        client_window_update: Some(ClientWindowUpdate::default()),
        ..ProcessingRequest::default()
    };
    vec![
        first,
        request_body(&b""[..], false),
        request_body((0..=255).collect::<Vec<u8>>(), false),
        request_body(&b""[..], true),
        request_trailers(&[("grpc-status", "0"), ("grpc-status", "1")]),
        windows,
        response_headers(&[(":status", "200")], true),
        watched,
        response_body(&b"x"[..], true),
        response_trailers(&[]),
        ProcessingRequest::default(),
    ]
}

fn stream(messages: &[ProcessingRequest]) -> Vec<u8> {
    messages.iter().map(message_frame).collect::<Vec<_>>().concat()
}

#[test]
fn every_message_is_read_as_prost_reads_it() {
    let messages = everything();
    let outcome = check(&stream(&messages), WireLimits::new(), |_| 1);
    assert_eq!(outcome.error, None);
    let expected: Vec<Read> = messages.iter().map(Read::of_message).collect();
    assert_eq!(outcome.read, expected);
    assert!(outcome.read[0].more.as_ref().is_ok_and(|(attributes, _)| attributes.len() == 1));
}

#[test]
fn a_stream_cut_in_two_at_any_byte_is_read_the_same() {
    let bytes = stream(&everything());
    let whole = decode(&bytes, WireLimits::new(), |left| left);
    for at in 1..bytes.len() {
        let mut first = Some(at);
        let cut = decode(&bytes, WireLimits::new(), |left| first.take().unwrap_or(left));
        assert_eq!(cut, whole, "cut at {at}");
    }
}

#[test]
fn a_stream_that_ends_inside_a_message_says_so_at_any_byte() {
    let message = message_frame(&request_headers(&[("a", "b")], true));
    for end in 1..message.len() {
        let outcome = check(&message[..end], WireLimits::new(), |_| 2);
        assert_eq!((outcome.error, outcome.finish), (None, Err(WireError::Ended)), "at {end}");
    }
    assert_eq!(check(&message, WireLimits::new(), |_| 2).finish, Ok(()));
}

#[test]
fn fields_in_any_order_and_unknown_ones_between_change_nothing() {
    let messages = everything();
    let expected: Vec<Read> = messages.iter().map(Read::of_message).collect();
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let frames: Vec<Bytes> =
            messages.iter().map(|each| frame(&shuffled(&each.encode_to_vec(), &mut rng))).collect();
        let most = 1 + rng.below(40);
        let outcome = check(&frames.concat(), WireLimits::new(), |_| 1 + rng.below(most));
        assert_eq!(outcome.error, None, "seed {seed}");
        assert_eq!(outcome.read, expected, "seed {seed}");
    }
}

/// Envoy puts `end_of_stream` behind the bytes, and a gRPC frame ends where it likes.
#[test]
fn a_body_is_handed_on_before_its_message_is_whole() {
    let whole = message_frame(&request_body(vec![7; 100_000], true));
    let mut decoder = Decoder::new(WireLimits::new());
    let mut handed_on = 0;
    for at in (0..whole.len() - 4).step_by(16 * 1024) {
        let end = (at + 16 * 1024).min(whole.len() - 4);
        decoder.push(whole.slice(at..end));
        while let Some(event) = decoder.next().expect("a good message") {
            let Event::BodyPiece { direction: Direction::Request, bytes } = event else {
                panic!("{event:?} before the end");
            };
            handed_on += bytes.len();
        }
        assert!(handed_on + 32 > end, "all but what stands before it: {handed_on} of {end}");
    }
    assert_eq!(handed_on, 100_000);
    decoder.push(whole.slice(whole.len() - 4..));
    assert!(matches!(decoder.next(), Ok(Some(Event::BodyEnd { end_of_stream: true, .. }))));
}

/// P14, scenario 23: gRPC's 4 MiB are not ours.
#[test]
fn p14_a_message_of_seventeen_mebibytes_is_read_in_pieces_and_not_kept() {
    const LEN: usize = 17 << 20;
    let mut bytes = message_frame(&request_body(vec![1; LEN], true));
    let mut decoder = Decoder::new(WireLimits::new());
    let mut read = 0;
    while !bytes.is_empty() {
        decoder.push(bytes.split_to(bytes.len().min(16_384)));
        while let Some(event) = decoder.next().expect("a good message") {
            match event {
                Event::BodyPiece { bytes, .. } => read += bytes.len(),
                Event::BodyEnd { body_bytes, .. } => assert_eq!(body_bytes, LEN as u64),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(read, LEN);
}

#[test]
fn what_was_pushed_at_once_is_read_in_order() {
    let mut decoder = Decoder::new(WireLimits::new());
    for byte in stream(&[request_body(&b"ab"[..], false), request_body(&b"cd"[..], true)]) {
        decoder.push(Bytes::copy_from_slice(&[byte]));
    }
    assert_eq!(decoder.finish(), Err(WireError::Ended), "nothing was read");
    let mut body = Vec::new();
    while let Some(event) = decoder.next().expect("good messages") {
        if let Event::BodyPiece { bytes, .. } = event {
            body.extend(bytes);
        }
    }
    assert_eq!(body, b"abcd");
    assert_eq!(decoder.finish(), Ok(()));
}

#[test]
fn values_are_taken_from_raw_value_first() {
    let mut message = request_headers(&[("a", "raw"), ("b", "")], false);
    if let Some(crate::messages::RequestPart::RequestHeaders(part)) = &mut message.request {
        for field in &mut part.headers.as_mut().expect("fields").headers {
            field.value = "text".to_owned();
        }
    }
    let outcome = check(&message_frame(&message), WireLimits::new(), |_| 3);
    let Part::Headers { fields, .. } = &outcome.read[0].part else { panic!("a head") };
    assert_eq!(fields.others["a"], "raw");
    assert_eq!(fields.others["b"], "text");
}

#[test]
fn a_decoder_shows_where_it_is_and_no_bytes() {
    let mut decoder = Decoder::new(WireLimits::new());
    let shown = |decoder: &Decoder, state: &str, unread: usize| {
        let expected = format!("Decoder {{ state: {state:?}, unread_bytes: {unread}, .. }}");
        assert_eq!(format!("{decoder:?}"), expected);
    };
    shown(&decoder, "between two messages", 0);
    let mut message = message_frame(&request_body(&b"secret"[..], true));
    decoder.push(message.split_to(2));
    shown(&decoder, "between two messages", 2);
    assert!(matches!(decoder.next(), Ok(None)));
    shown(&decoder, "in a prefix", 0);
    decoder.push(message.split_to(8));
    assert!(matches!(decoder.next(), Ok(Some(Event::BodyPiece { .. }))));
    shown(&decoder, "in a message", 0);
    decoder.push(message);
    while decoder.next().expect("a good message").is_some() {}
    shown(&decoder, "between two messages", 0);
    let message = message_frame(&request_body(&b"secret"[..], true));
    decoder.push([&message[..], b"\0\0\0"].concat().into());
    decoder.push(Bytes::from_static(b"\0\0"));
    assert!(matches!(decoder.next(), Ok(Some(Event::BodyPiece { .. }))));
    shown(&decoder, "in a message", 3 + 2);
    while decoder.next().expect("a good message").is_some() {}
    shown(&decoder, "between two messages", 0);
    decoder.push(Bytes::from_static(b"\x01secret"));
    assert_eq!(decoder.next().expect_err("compressed"), WireError::Compressed);
    shown(&decoder, "failed", 0);
}

#[test]
fn a_pseudo_field_is_found_by_its_name_without_the_colon() {
    let fields = [(":method", "GET"), ("path", "/other"), (":path", "/a"), (":odd", "x")];
    let mut decoder = Decoder::new(WireLimits::new());
    decoder.push(message_frame(&request_headers(&fields, true)));
    let Ok(Some(Event::Headers { section, .. })) = decoder.next() else { panic!("a head") };
    assert_eq!(section.pseudo("path").map(|value| &value[..]), Some(&b"/a"[..]));
    assert_eq!(section.pseudo("odd").map(|value| &value[..]), Some(&b"x"[..]));
    assert_eq!(section.pseudo("scheme"), None);
}
