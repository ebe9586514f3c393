//! The messages that the other tests trust: what they write is what the tables say.

use prost::Message as _;

use crate::messages::{
    Frames, ProcessingRequest, body, field, message_frame, protocol_config, request_body,
    request_headers, response_trailers,
};

#[test]
fn a_body_is_field_one_of_field_four() {
    let message = request_body(&b"ab"[..], true).encode_to_vec();
    // 4: length-delimited, 1: length-delimited "ab", 2: varint 1; 8: length-delimited, empty.
    assert_eq!(message, [0x22, 6, 0x0a, 2, b'a', b'b', 0x10, 1, 0x42, 0]);
    assert_eq!(body(&b""[..], false).encode_to_vec(), [0; 0]);
}

#[test]
fn values_are_in_raw_value() {
    assert_eq!(field("a", "b").encode_to_vec(), [0x0a, 1, b'a', 0x1a, 1, b'b']);
}

#[test]
fn frames_cut_anywhere_give_the_same_messages() {
    let sent = [
        request_headers(&[(":path", "/"), ("a", "b")], false).first(protocol_config(4, 0)),
        request_body(vec![7; 300], false),
        response_trailers(&[("c", "d")]),
    ];
    let bytes = sent.iter().map(message_frame).collect::<Vec<_>>().concat();
    for cut in 0..bytes.len() {
        let mut frames = Frames::default();
        frames.push(&bytes[..cut]);
        let mut read: Vec<ProcessingRequest> = std::iter::from_fn(|| frames.next()).collect();
        frames.push(&bytes[cut..]);
        read.extend(std::iter::from_fn(|| frames.next::<ProcessingRequest>()));
        assert_eq!(read, sent, "cut at {cut}");
        assert_eq!(frames.rest_bytes(), 0);
    }
}
