//! Random messages, sound and spoiled: however they are cut, the decoder reads what prost does.
//!
//! A message that is pushed whole goes another way than one that comes in pieces: both are played
//! against each other. `TIDEGATE_CASES=n` plays more.

use bytes::Bytes;
use prost::Message as _;
use tidegate::ext_proc::wire::WireLimits;

use crate::kit::Rng;
use crate::messages::oracle::{Outcome, check};
use crate::messages::read::Read;
use crate::messages::{
    ClientWindowUpdate, FlowControlInit, HttpTrailers, ProcessingRequest, ProtocolConfiguration,
    RequestPart, body, field, frame, headers, metadata, struct_of,
};
use crate::shuffle::shuffled;

const CASES: u64 = 600;

/// Around the one at which a length takes a byte more, and a field is not short any more.
const LENGTHS: [usize; 9] = [0, 1, 2, 9, 63, 127, 128, 129, 300];
/// Its length takes three bytes.
const LONG: usize = 1 << 14;

fn cases() -> impl Iterator<Item = (u64, Rng)> {
    let asked = std::env::var("TIDEGATE_CASES").ok();
    let cases = asked.map_or(CASES, |n| n.parse().expect("TIDEGATE_CASES is a number"));
    (0..cases).map(|seed| (seed, Rng::new(seed)))
}

fn one_in(n: usize, rng: &mut Rng) -> bool {
    rng.below(n) == 0
}

/// Names of which none is a pseudo field that comes twice, and values that are text.
fn section(rng: &mut Rng) -> crate::messages::HeaderMap {
    let mut fields = crate::messages::HeaderMap::default();
    for pseudo in [":method", ":path", ":odd"] {
        if one_in(2, rng) {
            fields.headers.push(field(pseudo, "x".repeat(rng.below(4))));
        }
    }
    for _ in 0..rng.below(4) {
        let long = "n".repeat(1 + LENGTHS[rng.below(9)]);
        let name = ["a", "X-Mixed", "set-cookie", &long][rng.below(4)];
        let value = vec![b' ' + 1 + rng.word() as u8 % 90; LENGTHS[rng.below(9)]];
        let mut header = field(name, &value);
        if one_in(4, rng) {
            header.value = String::from_utf8(value).expect("ASCII");
            header.raw_value = Bytes::new();
        }
        fields.headers.push(header);
    }
    fields
}

fn part(rng: &mut Rng) -> Option<RequestPart> {
    let end = one_in(2, rng);
    let mut head = headers(&[], end);
    head.headers = (!one_in(6, rng)).then(|| section(rng));
    let tail = HttpTrailers { trailers: head.headers.clone() };
    let len = if one_in(40, rng) { LONG } else { LENGTHS[rng.below(9)] };
    let bytes: Vec<u8> = (0..len).map(|_| rng.word() as u8).collect();
    let mut piece = body(bytes, end);
    piece.drain_complete = one_in(8, rng);
    Some(match rng.below(9) {
        0 => return None,
        1 => RequestPart::RequestHeaders(head),
        2 => RequestPart::ResponseHeaders(head),
        3 => RequestPart::RequestTrailers(tail),
        4 => RequestPart::ResponseTrailers(tail),
        5 | 6 => RequestPart::RequestBody(piece),
        _ => RequestPart::ResponseBody(piece),
    })
}

fn message(rng: &mut Rng) -> ProcessingRequest {
    let mut message = ProcessingRequest { request: part(rng), ..ProcessingRequest::default() };
    if one_in(2, rng) {
        let empty = one_in(2, rng);
        let some = metadata("envoy.lb", &[("canary", "true")]);
        message.metadata_context = Some(if empty { Default::default() } else { some });
    }
    message.observability_mode = one_in(4, rng);
    message.protocol_config = one_in(3, rng).then(|| ProtocolConfiguration {
        request_body_mode: [0, 1, 4, 127, 128, -1][rng.below(6)],
        response_body_mode: [0, 2, 5, 127, 300, i32::MIN][rng.below(6)],
        send_body_without_waiting_for_header_response: one_in(2, rng),
    });
    if one_in(6, rng) {
        message.attributes.insert("a".to_owned(), struct_of(&[("b", "c")]));
        message.attributes.insert(String::new(), struct_of(&[]));
    }
    if one_in(12, rng) {
        message.flow_control_init = Some(FlowControlInit::default());
        message.client_window_update = Some(ClientWindowUpdate::default());
    }
    message
}

/// As Envoy writes it, or as somebody with other habits.
fn encoded(message: &ProcessingRequest, rng: &mut Rng) -> Vec<u8> {
    let plain = message.encode_to_vec();
    if one_in(3, rng) { shuffled(&plain, rng) } else { plain }
}

/// A byte near one of the ends, where what is not payload stands; or any.
fn place(bytes: &[u8], rng: &mut Rng) -> usize {
    let near = rng.below(bytes.len().min(16));
    match rng.below(3) {
        0 => near,
        1 => bytes.len() - 1 - near,
        _ => rng.below(bytes.len()),
    }
}

/// One mistake, after which it may still be a message.
fn spoil(bytes: &mut Vec<u8>, rng: &mut Rng) {
    if bytes.is_empty() {
        bytes.push(rng.word() as u8);
        return;
    }
    let at = place(bytes, rng);
    let key = [0x0a, 0x10, 0x12, 0x18, 0x1a, 0x22, 0x2a, 0x42, 0x4a, 0x50, 0x5a][rng.below(11)];
    match rng.below(8) {
        0 => bytes[at] ^= 1 << rng.below(8),
        1 => bytes[at] = rng.word() as u8,
        2 => bytes[at] = key,
        3 => bytes[at] = bytes[at].wrapping_add([1, 0xff][rng.below(2)]),
        4 => bytes.insert(at, [key, 0, 1, 0x80, 0xff][rng.below(5)]),
        5 => drop(bytes.remove(at)),
        6 => bytes.truncate(at),
        // The same again, as a whole field often is.
        _ => {
            let end = (at + 1 + rng.below(12)).min(bytes.len());
            let again = bytes[at..end].to_vec();
            bytes.splice(end..end, again);
        }
    }
}

/// Some of them so small that sound messages pass them.
fn limits(rng: &mut Rng) -> WireLimits {
    let mut limits = WireLimits::new();
    match rng.below(8) {
        0 => limits.section_bytes = rng.below(300) as u32,
        1 => limits.section_fields = rng.below(5),
        2 => limits.envelope_bytes = rng.below(100) as u32,
        _ => {}
    }
    limits
}

/// Whole, byte by byte, in short pieces, and in long ones: all four come to the same, which
/// `check` compares with prost.
fn check_cuts(stream: &[u8], limits: WireLimits, rng: &mut Rng) -> Outcome {
    let whole = check(stream, limits, |_| 1);
    for most in [1 + rng.below(20), 1 + stream.len()] {
        assert_eq!(check(stream, limits, |_| 1 + rng.below(most)), whole);
    }
    whole
}

#[test]
fn random_messages_are_read_as_they_were_written_however_they_are_cut() {
    for (seed, mut rng) in cases() {
        let messages: Vec<ProcessingRequest> =
            (0..1 + rng.below(3)).map(|_| message(&mut rng)).collect();
        let frames: Vec<Bytes> =
            messages.iter().map(|each| frame(&encoded(each, &mut rng))).collect();
        let outcome = check_cuts(&frames.concat(), WireLimits::new(), &mut rng);
        assert_eq!((outcome.error, outcome.finish), (None, Ok(())), "seed {seed}");
        let expected: Vec<Read> = messages.iter().map(Read::of_message).collect();
        assert_eq!(outcome.read, expected, "seed {seed}");
    }
}

#[test]
fn spoiled_messages_are_read_or_refused_as_prost_does_however_they_are_cut() {
    let (mut refused, mut read) = (0, 0);
    for (_, mut rng) in cases() {
        let mut stream = Vec::new();
        for _ in 0..1 + rng.below(3) {
            let mut message = encoded(&message(&mut rng), &mut rng);
            for _ in 0..rng.below(3) {
                spoil(&mut message, &mut rng);
            }
            stream.extend(frame(&message));
        }
        // Now and then the frames are spoiled as well.
        if one_in(10, &mut rng) {
            spoil(&mut stream, &mut rng);
        }
        let outcome = check_cuts(&stream, limits(&mut rng), &mut rng);
        match outcome.error {
            Some(_) => refused += 1,
            None => read += 1,
        }
    }
    assert!(refused > read / 4 && read > refused / 4, "of both: {refused} refused, {read} read");
}
