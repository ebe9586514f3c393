//! External processing, the codec alone: a message with 16 KiB of body, from memory to memory
//! (T16).

use std::hint::black_box;
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes};
use tidegate::BodyBuf;
use tidegate::exchange::Direction;
use tidegate::ext_proc::automaton::{Ledger, Owes, Received};
use tidegate::ext_proc::mode::{DirectionMode, ProcessingMode};
use tidegate::ext_proc::wire::{Decoder, Event, HeaderMutation, Reply, WireLimits, encode};

use crate::chain::{CHUNK_BYTES, Source};

use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_decode", "floor_decode", "message", 3200, floor_decode),
    row("floor_encode_empty", "floor_encode_empty", "message", 3200, || floor_encode(false)),
    row("floor_encode_body", "floor_encode_body", "message", 3200, || floor_encode(true)),
    row("decode_whole", "floor_decode", "message", 3200, || decode(MESSAGE_BYTES)),
    row("decode_cut", "floor_decode", "message", 3200, || decode(CHUNK_BYTES)),
    row("encode_streamed", "floor_encode_empty", "message", 3200, || {
        written(DirectionMode::streamed())
    }),
    row("encode_duplex", "floor_encode_body", "message", 3200, || {
        written(DirectionMode::full_duplex())
    }),
];

/// What stands before the body in its frame: the prefix, and two tags with lengths.
const BODY_AT: usize = 5 + 4 + 4;
/// The whole frame; behind the body stands an empty `metadata_context`.
const MESSAGE_BYTES: usize = BODY_AT + CHUNK_BYTES + 2;
/// Messages in a row.
const MESSAGES: u64 = 64;

/// Adds a field of protobuf that has a length.
pub(super) fn field(number: u8, value: &[u8], into: &mut Vec<u8>) {
    into.put_u8(number << 3 | 2);
    let mut length = value.len();
    while length >= 0x80 {
        into.put_u8(length as u8 | 0x80);
        length >>= 7;
    }
    into.put_u8(length as u8);
    into.put_slice(value);
}

/// A message as Envoy sends it: one part, an empty `metadata_context`, and what only the first one
/// has; in its frame.
pub(super) fn frame(part: u8, value: &[u8], more: &[u8]) -> Bytes {
    let mut message = Vec::new();
    field(part, value, &mut message);
    field(8, b"", &mut message);
    message.extend_from_slice(more);
    let mut frame = vec![0];
    frame.put_u32(message.len() as u32);
    frame.extend(message);
    let frame = Bytes::from(frame);
    // Shared already: the first clone of a fresh one costs an allocation inside `bytes`.
    drop(frame.clone());
    frame
}

/// A message with 16 KiB of the request's body.
pub(crate) fn body_frame() -> Bytes {
    let mut body = Vec::new();
    field(1, &Source::Static.next(), &mut body);
    let frame = frame(4, &body, b"");
    assert_eq!(frame.len(), MESSAGE_BYTES);
    frame
}

/// Many such messages, in reads of so many bytes.
fn reads(read_bytes: usize) -> Vec<Bytes> {
    let mut all = Bytes::from(body_frame().repeat(MESSAGES as usize));
    drop(all.clone());
    let mut reads = Vec::new();
    while !all.is_empty() {
        reads.push(all.split_to(read_bytes.min(all.len())));
    }
    reads
}

/// The body of a message whose shape is known.
pub(super) fn skim(read: &Bytes, body_at: usize, body_bytes: usize) -> Bytes {
    let length = u32::from_be_bytes([read[1], read[2], read[3], read[4]]) as usize;
    assert!(read[0] == 0 && read.len() == 5 + length);
    read.slice(body_at..body_at + body_bytes)
}

/// A short answer by hand, with a body behind it; as many bytes as are written.
pub(super) fn answer(body: Option<Bytes>) -> usize {
    let mut head = black_box([0; 64]);
    let body = body.unwrap_or_default();
    head[1..5].copy_from_slice(&(body.len() as u32 + 9).to_be_bytes());
    head[5..14].copy_from_slice(black_box(b"\x1a\x07\x0a\x05\x1a\x03\x0a\x01\x10"));
    let slices = black_box([IoSlice::new(&head[..14]), IoSlice::new(&body)]);
    slices.iter().map(|slice| slice.len()).sum()
}

pub(super) fn floor_echo(echoes: bool) -> Run {
    let read = body_frame();
    Box::new(move |messages| {
        for _ in 0..messages {
            let body = skim(&black_box(read.clone()), BODY_AT, CHUNK_BYTES);
            assert_eq!(body.len(), CHUNK_BYTES);
            black_box(answer(echoes.then_some(body)));
        }
    })
}

fn floor_decode() -> Run {
    let read = body_frame();
    Box::new(move |messages| {
        for _ in 0..messages {
            let body = skim(&black_box(read.clone()), BODY_AT, CHUNK_BYTES);
            assert_eq!(black_box(body).len(), CHUNK_BYTES);
        }
    })
}

fn decode(read_bytes: usize) -> Run {
    let (reads, mut decoder) = (reads(read_bytes), Decoder::new(WireLimits::new()));
    Box::new(move |messages| {
        let mut body_bytes = 0;
        for _ in 0..messages / MESSAGES {
            for read in &reads {
                decoder.push(black_box(read.clone()));
                while let Some(event) = decoder.next().expect("a good message") {
                    if let Event::BodyPiece { bytes, .. } = &event {
                        body_bytes += bytes.len() as u64;
                    }
                    black_box(event);
                }
            }
        }
        assert_eq!(body_bytes, messages * CHUNK_BYTES as u64);
    })
}

fn floor_encode(has_body: bool) -> Run {
    Box::new(move |messages| {
        for _ in 0..messages {
            black_box(answer(has_body.then(|| black_box(Source::Static.next()))));
        }
    })
}

/// What is owed for each message, encoded, and written vectored.
fn written(mode: DirectionMode) -> Run {
    let echoes = mode == DirectionMode::full_duplex();
    let mut ledger = Ledger::new(ProcessingMode::new(mode, DirectionMode::heads_only()));
    let head = Received::Headers { end_of_stream: false };
    ledger.receive(Direction::Request, head).expect("the first");
    let Owes::Headers(pen) = ledger.owes(Direction::Request) else { panic!("the head is owed") };
    drop(pen.answer(HeaderMutation::new()));
    Box::new(move |messages| {
        let mut wire_bytes = 0;
        for _ in 0..messages {
            let received = Received::Body { end_of_stream: false };
            ledger.receive(Direction::Request, received).expect("it may come");
            let reply = match ledger.owes(Direction::Request) {
                Owes::Streamed(pen) => pen.unchanged(),
                Owes::Duplex(pen) => {
                    let mut body = BodyBuf::new();
                    body.push(black_box(Source::Static.next()));
                    pen.send(body).expect("a body to send")
                }
                other => panic!("{other:?}"),
            };
            wire_bytes += vectored(reply) as u64;
        }
        assert_eq!(wire_bytes > messages * CHUNK_BYTES as u64, echoes);
    })
}

/// Encodes and writes a reply; how many bytes that was.
pub(super) fn vectored(reply: Reply) -> usize {
    let mut frame = encode(reply).expect("it fits");
    let mut wire_bytes = 0;
    while frame.has_remaining() {
        let mut slices = [IoSlice::new(b""); 8];
        let count = frame.chunks_vectored(&mut slices);
        let bytes = black_box(&slices)[..count].iter().map(|slice| slice.len()).sum();
        frame.advance(bytes);
        wire_bytes += bytes;
    }
    wire_bytes
}
