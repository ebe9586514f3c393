//! Replies as prost reads them, and as they go out.

use std::io::IoSlice;

use bytes::{Buf, Bytes};
use http::StatusCode;
use tidegate::BodyBuf;
use tidegate::exchange::Direction;
use tidegate::ext_proc::automaton::{DuplexPen, Ledger, Owes, Received, StreamedPen};
use tidegate::ext_proc::mode::{DirectionMode, ProcessingMode};
use tidegate::ext_proc::wire::{HeaderMutation, Reply, ReplyFrame, encode};

use crate::kit::Rng;
use crate::messages::{
    self, BodyMutation, CommonResponse, Frames, HeaderValueOption, Mutation, ProcessingResponse,
    ResponsePart, StreamedBodyResponse, field,
};

const REQUEST: Direction = Direction::Request;
const RESPONSE: Direction = Direction::Response;

/// A body of two segments.
fn body() -> BodyBuf {
    [Bytes::from_static(b"hello, "), Bytes::from_static(b"world")].into_iter().collect()
}

fn whole() -> Bytes {
    Bytes::from_static(b"hello, world")
}

/// One of each verb.
fn mutation() -> HeaderMutation {
    let mut mutation = HeaderMutation::new();
    mutation.set("a", "1");
    mutation.append("a", &b"\xff"[..]);
    mutation.set("empty", "");
    mutation.remove("b");
    mutation.remove("c");
    mutation
}

/// The same, as Envoy 1.40.0 is told it: only `raw_value`, and `append` where it adds (P10, P11).
fn mutated() -> messages::HeaderMutation {
    let set = |name: &str, value: &[u8], append: bool| HeaderValueOption {
        header: Some(field(name, value)),
        append: append.then_some(true),
        append_action: if append { 0 } else { 2 },
        keep_empty_value: value.is_empty(),
    };
    messages::HeaderMutation {
        set_headers: vec![set("a", b"1", false), set("a", b"\xff", true), set("empty", b"", false)],
        remove_headers: vec!["b".to_owned(), "c".to_owned()],
    }
}

/// Everything in it, one segment behind the other, as a vectored write has it.
fn bytes_of(mut frame: ReplyFrame) -> Vec<u8> {
    let mut all = Vec::new();
    while frame.has_remaining() {
        let mut slices = [IoSlice::new(b""); 3];
        let n = frame.chunks_vectored(&mut slices);
        let written: Vec<u8> = slices[..n].iter().flat_map(|slice| slice.to_vec()).collect();
        assert!(!written.is_empty(), "{frame:?}");
        frame.advance(written.len());
        all.extend(written);
    }
    all
}

fn read(reply: Reply) -> ProcessingResponse {
    let bytes = bytes_of(encode(reply).expect("a short reply"));
    let [message]: [ProcessingResponse; 1] =
        Frames::all(&bytes).try_into().expect("one frame, whole");
    message
}

#[track_caller]
fn part(reply: Reply) -> ResponsePart {
    let message = read(reply);
    let expected =
        ProcessingResponse { response: message.response.clone(), ..ProcessingResponse::default() };
    assert_eq!(message, expected, "nothing but a part");
    message.response.expect("a part")
}

fn ledger(request: DirectionMode, response: DirectionMode) -> Ledger {
    Ledger::new(ProcessingMode::new(request, response))
}

fn receive(ledger: &mut Ledger, direction: Direction, received: &[Received]) {
    for each in received {
        ledger.receive(direction, *each).expect("it may come");
    }
}

const HEAD: Received = Received::Headers { end_of_stream: false };
const PIECE: Received = Received::Body { end_of_stream: false };
const LAST: Received = Received::Body { end_of_stream: true };

/// The answer to a head, without and with a mutation.
fn head(ledger: &mut Ledger, direction: Direction, mutation: HeaderMutation) -> Reply {
    let Owes::Headers(pen) = ledger.owes(direction) else { panic!("the head is owed") };
    pen.answer(mutation)
}

fn common(common: CommonResponse) -> messages::BodyResponse {
    messages::BodyResponse { response: Some(common) }
}

fn body_mutation(mutation: Mutation) -> messages::BodyResponse {
    let body_mutation = Some(BodyMutation { mutation: Some(mutation) });
    common(CommonResponse { body_mutation, ..CommonResponse::default() })
}

#[test]
fn an_empty_answer_to_a_head_is_continue() {
    for (direction, expected) in [
        (REQUEST, ResponsePart::RequestHeaders as fn(_) -> _),
        (RESPONSE, ResponsePart::ResponseHeaders),
    ] {
        let mut ledger = ledger(DirectionMode::streamed(), DirectionMode::streamed());
        receive(&mut ledger, direction, &[HEAD]);
        let reply = part(head(&mut ledger, direction, HeaderMutation::new()));
        let response = Some(CommonResponse::default());
        assert_eq!(reply, expected(messages::HeadersResponse { response }));
    }
}

#[test]
fn p10_p11_a_mutation_writes_raw_values_and_append() {
    let mut ledger = ledger(DirectionMode::streamed(), DirectionMode::streamed());
    receive(&mut ledger, REQUEST, &[HEAD]);
    let Owes::Headers(pen) = ledger.owes(REQUEST) else { panic!("the head is owed") };
    let reply = part(pen.clear_route_cache().answer(mutation()));
    let response = Some(CommonResponse {
        header_mutation: Some(mutated()),
        clear_route_cache: true,
        ..CommonResponse::default()
    });
    assert_eq!(reply, ResponsePart::RequestHeaders(messages::HeadersResponse { response }));
}

/// P36: also where the body is empty.
#[test]
fn p36_continue_and_replace_always_has_a_body() {
    for body in [body(), BodyBuf::new()] {
        let expected = if body.is_empty() { Bytes::new() } else { whole() };
        let mut ledger = ledger(DirectionMode::buffered(), DirectionMode::buffered());
        receive(&mut ledger, RESPONSE, &[Received::Headers { end_of_stream: true }]);
        let Owes::Headers(pen) = ledger.owes(RESPONSE) else { panic!("the head is owed") };
        let pen = pen.ended().expect("the head is all");
        let reply = part(pen.replace(mutation(), body));
        let response = Some(CommonResponse {
            status: 1,
            header_mutation: Some(mutated()),
            body_mutation: Some(BodyMutation { mutation: Some(Mutation::Body(expected)) }),
            ..CommonResponse::default()
        });
        assert_eq!(reply, ResponsePart::ResponseHeaders(messages::HeadersResponse { response }));
    }
}

#[test]
fn streamed_answers_pass_clear_and_replace() {
    let mut ledger = ledger(DirectionMode::streamed(), DirectionMode::streamed());
    receive(&mut ledger, REQUEST, &[HEAD, PIECE, PIECE, LAST]);
    drop(head(&mut ledger, REQUEST, HeaderMutation::new()));
    let mut reply = |write: fn(StreamedPen<'_>) -> Reply| match ledger.owes(REQUEST) {
        Owes::Streamed(pen) => part(write(pen)),
        other => panic!("{other:?}"),
    };
    let expected = common(CommonResponse::default());
    assert_eq!(reply(|pen| pen.unchanged()), ResponsePart::RequestBody(expected));
    let expected = body_mutation(Mutation::ClearBody(true));
    assert_eq!(reply(|pen| pen.clear()), ResponsePart::RequestBody(expected));
    let expected = body_mutation(Mutation::Body(whole()));
    assert_eq!(reply(|pen| pen.replace(body())), ResponsePart::RequestBody(expected));
}

#[test]
fn a_buffered_answer_carries_the_head_too() {
    let mut ledger = ledger(DirectionMode::buffered(), DirectionMode::buffered());
    receive(&mut ledger, RESPONSE, &[HEAD, LAST]);
    drop(head(&mut ledger, RESPONSE, HeaderMutation::new()));
    let Owes::Buffered(pen) = ledger.owes(RESPONSE) else { panic!("the body is owed") };
    let reply = part(pen.replace(mutation(), body()));
    let expected = common(CommonResponse {
        header_mutation: Some(mutated()),
        body_mutation: Some(BodyMutation { mutation: Some(Mutation::Body(whole())) }),
        ..CommonResponse::default()
    });
    assert_eq!(reply, ResponsePart::ResponseBody(expected));
}

#[test]
fn duplex_answers_are_streamed_responses() {
    let mut ledger = ledger(DirectionMode::full_duplex(), DirectionMode::full_duplex());
    receive(&mut ledger, RESPONSE, &[HEAD, PIECE, LAST]);
    drop(head(&mut ledger, RESPONSE, HeaderMutation::new()));
    let mut reply = |write: fn(DuplexPen<'_>) -> Reply| match ledger.owes(RESPONSE) {
        Owes::Duplex(pen) => part(write(pen)),
        other => panic!("{other:?}"),
    };
    let streamed = |body: Bytes, end_of_stream| {
        let streamed = StreamedBodyResponse { body, end_of_stream, ..Default::default() };
        ResponsePart::ResponseBody(body_mutation(Mutation::StreamedResponse(streamed)))
    };
    assert_eq!(reply(|pen| pen.send(body()).expect("bytes")), streamed(whole(), false));
    assert_eq!(reply(|pen| pen.finish(BodyBuf::new())), streamed(Bytes::new(), true));
}

#[test]
fn trailers_are_answered_with_and_without_a_mutation() {
    for mutation in [mutation(), HeaderMutation::new()] {
        let header_mutation = (!mutation.is_empty()).then(mutated);
        let mut ledger = ledger(DirectionMode::full_duplex(), DirectionMode::heads_only());
        receive(&mut ledger, REQUEST, &[HEAD, Received::Trailers]);
        drop(head(&mut ledger, REQUEST, HeaderMutation::new()));
        let Owes::DuplexTrailers(pen) = ledger.owes(REQUEST) else { panic!("trailers are owed") };
        let reply = part(pen.trailers(mutation));
        let expected = messages::TrailersResponse { header_mutation };
        assert_eq!(reply, ResponsePart::RequestTrailers(expected));
    }
}

#[test]
fn an_immediate_response_has_all_its_fields() {
    let answer = |body, grpc_status, details: &'static str| {
        let mut ledger = ledger(DirectionMode::streamed(), DirectionMode::streamed());
        let pen = ledger.immediate().expect("nothing went out");
        part(pen.answer(StatusCode::FORBIDDEN, mutation(), body, grpc_status, details.into()))
    };
    let status = Some(messages::HttpStatus { code: 403 });
    let expected = messages::ImmediateResponse {
        status,
        headers: Some(mutated()),
        body: whole(),
        grpc_status: Some(messages::GrpcStatus { status: 7 }),
        details: "who are you".to_owned(),
    };
    let reply = answer(body(), Some(7), "who are you");
    assert_eq!(reply, ResponsePart::ImmediateResponse(expected.clone()));
    // OK is a status as well.
    let grpc_status = Some(messages::GrpcStatus { status: 0 });
    let expected = messages::ImmediateResponse { grpc_status, ..expected };
    let reply = answer(body(), Some(0), "who are you");
    assert_eq!(reply, ResponsePart::ImmediateResponse(expected.clone()));
    let expected = messages::ImmediateResponse { grpc_status: None, ..expected };
    let expected = messages::ImmediateResponse { body: Bytes::new(), ..expected };
    let expected = messages::ImmediateResponse { details: String::new(), ..expected };
    assert_eq!(answer(BodyBuf::new(), None, ""), ResponsePart::ImmediateResponse(expected));
}

#[test]
fn an_override_fills_all_six_fields_with_or_without_a_part() {
    let mode = ProcessingMode::new(DirectionMode::buffered(), DirectionMode::full_duplex());
    let expected = messages::ProcessingMode {
        request_header_mode: 1,
        response_header_mode: 1,
        request_body_mode: 2,
        response_body_mode: 4,
        request_trailer_mode: 1,
        response_trailer_mode: 1,
    };
    for alone in [false, true] {
        let mut ledger = ledger(DirectionMode::heads_only(), DirectionMode::heads_only());
        receive(&mut ledger, REQUEST, &[HEAD]);
        let pen = ledger.mode_override(REQUEST, mode).expect("it is legal");
        let reply = read(if alone { pen.alone() } else { pen.answer(mutation()) });
        assert_eq!(reply.mode_override, Some(expected));
        assert_eq!(reply.response.is_none(), alone);
    }
}

/// The frame of an answer in FULL_DUPLEX_STREAMED.
fn streamed(body: BodyBuf) -> ReplyFrame {
    let mut ledger = ledger(DirectionMode::full_duplex(), DirectionMode::full_duplex());
    receive(&mut ledger, REQUEST, &[HEAD, LAST]);
    drop(head(&mut ledger, REQUEST, HeaderMutation::new()));
    let Owes::Duplex(pen) = ledger.owes(REQUEST) else { panic!("the body is owed") };
    encode(pen.finish(body)).expect("a short reply")
}

#[test]
fn a_frame_gives_the_same_bytes_in_every_way() {
    let mut rng = Rng::new(1);
    for len in [0, 1, 127, 128, 16_383, 16_384, 70_000, 3 << 20] {
        let mut body = BodyBuf::new();
        while body.len() < len {
            let piece = (1 + rng.below(20_000)).min(len - body.len());
            body.push(vec![body.len() as u8; piece].into());
        }
        let vectored = bytes_of(streamed(body.clone()));
        let mut frame = streamed(body.clone());
        assert_eq!(frame.remaining(), vectored.len());
        let mut popped = Vec::new();
        while let Some(piece) = frame.pop_front() {
            assert!(!piece.is_empty());
            popped.extend(piece);
            assert_eq!(frame.remaining(), vectored.len() - popped.len());
        }
        assert!(popped == vectored, "pieces of {len}");
        let mut frame = streamed(body.clone());
        let mut copied = Vec::new();
        while frame.has_remaining() {
            let n = (1 + rng.below(30_000)).min(frame.remaining());
            copied.extend(frame.copy_to_bytes(n));
        }
        assert!(copied == vectored, "copies of {len}");
        let mut frame = streamed(body);
        let mut chunks = Vec::new();
        while frame.has_remaining() {
            let n = (1 + rng.below(9)).min(frame.chunk().len());
            chunks.extend_from_slice(&frame.chunk()[..n]);
            frame.advance(n);
        }
        assert!(chunks == vectored, "chunks of {len}");
        let [message]: [ProcessingResponse; 1] = Frames::all(&vectored).try_into().expect("one");
        assert!(message.response.is_some());
    }
}

#[test]
fn the_segments_of_a_body_are_those_that_were_given() {
    let body = Bytes::from(vec![7; 4096]);
    let mut frame = streamed(body.clone().into());
    drop(frame.pop_front().expect("what stands before it"));
    assert_eq!(frame.pop_front().expect("the body").as_ptr(), body.as_ptr());
}

#[test]
fn random_mutations_are_read_as_they_were_made() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let (mut mutation, mut expected) = <(HeaderMutation, messages::HeaderMutation)>::default();
        for n in 0..rng.below(40) {
            let (name, value) = (format!("n{n}"), vec![b'v'; rng.below(300)]);
            let append = match rng.below(3) {
                0 => {
                    mutation.remove(name.clone());
                    expected.remove_headers.push(name);
                    continue;
                }
                1 => false,
                _ => true,
            };
            if append {
                mutation.append(name.clone(), value.clone());
            } else {
                mutation.set(name.clone(), value.clone());
            }
            expected.set_headers.push(HeaderValueOption {
                header: Some(field(&name, &value)),
                append: append.then_some(true),
                append_action: if append { 0 } else { 2 },
                keep_empty_value: value.is_empty(),
            });
        }
        let mut ledger = ledger(DirectionMode::streamed(), DirectionMode::streamed());
        receive(&mut ledger, REQUEST, &[HEAD]);
        let reply = read(head(&mut ledger, REQUEST, mutation));
        let Some(ResponsePart::RequestHeaders(part)) = reply.response else { panic!("a head") };
        let read = part.response.expect("a response").header_mutation.unwrap_or_default();
        assert_eq!(read, expected, "seed {seed}");
    }
}
