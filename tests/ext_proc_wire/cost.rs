//! T16: what the codec allocates and copies for a body, driven from memory. Nothing.

use bytes::{Buf, Bytes};
use tidegate::BodyBuf;
use tidegate::exchange::Direction;
use tidegate::ext_proc::automaton::{Ledger, Owes, Received};
use tidegate::ext_proc::mode::{DirectionMode, ProcessingMode};
use tidegate::ext_proc::wire::{Decoder, Event, HeaderMutation, WireLimits, encode};

use crate::counting::allocations;
use crate::messages::{message_frame, request_body};

const MESSAGES: usize = 1000;

/// The bytes of many messages with bodies of `len`, as Envoy writes them, in reads of `piece`.
fn reads(len: usize, piece: usize) -> Vec<Bytes> {
    let frame = message_frame(&request_body(vec![7; len], false));
    let mut all = Bytes::from(vec![frame; MESSAGES].concat());
    // Shared already: the first split of a fresh one costs an allocation inside `bytes`.
    drop(all.clone());
    let mut reads = Vec::new();
    while !all.is_empty() {
        reads.push(all.split_to(piece.min(all.len())));
    }
    reads
}

/// The ledger of a stream whose request is under way in `mode`.
fn under_way(mode: DirectionMode) -> Ledger {
    let mut ledger = Ledger::new(ProcessingMode::new(mode, DirectionMode::heads_only()));
    let head = Received::Headers { end_of_stream: false };
    ledger.receive(Direction::Request, head).expect("the first");
    let Owes::Headers(pen) = ledger.owes(Direction::Request) else { panic!("the head is owed") };
    drop(pen.answer(HeaderMutation::new()));
    ledger
}

/// An echo in memory: what comes is decoded, answered, encoded, and written vectored. Answers how
/// many body bytes went through.
fn echo(reads: &[Bytes], mode: DirectionMode, decoder: &mut Decoder, ledger: &mut Ledger) -> u64 {
    let streamed = mode == DirectionMode::streamed();
    let (mut bodies, mut seen, mut body) = (0, 0, BodyBuf::new());
    for read in reads {
        let range = read.as_ptr_range();
        decoder.push(read.clone());
        while let Some(event) = decoder.next().expect("a good message") {
            match event {
                Event::BodyPiece { bytes, .. } => {
                    assert!(range.contains(&bytes.as_ptr()), "a slice of what was read");
                    seen += bytes.len() as u64;
                    if !streamed {
                        body.push(bytes);
                    }
                }
                Event::BodyEnd { body_bytes, envelope, .. } => {
                    assert!(envelope.is_none(), "empty metadata costs nothing");
                    bodies += body_bytes;
                    let received = Received::Body { end_of_stream: false };
                    ledger.receive(Direction::Request, received).expect("it may come");
                }
                other => panic!("{other:?}"),
            }
            let reply = match ledger.owes(Direction::Request) {
                Owes::Streamed(pen) => Some(pen.unchanged()),
                Owes::Duplex(pen) => pen.send(core::mem::take(&mut body)),
                _ => None,
            };
            if let Some(reply) = reply {
                assert_eq!(body.copied_bytes(), 0);
                let mut frame = encode(reply).expect("a short reply");
                while frame.has_remaining() {
                    let mut slices = [std::io::IoSlice::new(b""); 8];
                    let n = frame.chunks_vectored(&mut slices);
                    let len: usize = slices[..n].iter().map(|slice| slice.len()).sum();
                    frame.advance(len);
                }
            }
        }
    }
    assert_eq!(seen, bodies);
    bodies
}

/// Envoy's DATA frames have 16,384 bytes at most, so that a chunk of that size spans two.
#[test]
fn t16_an_echo_of_chunks_allocates_nothing_and_copies_nothing() {
    for mode in [DirectionMode::full_duplex(), DirectionMode::streamed()] {
        for (len, piece) in
            [(16_384, 16_384), (16_384, 8_192), (1, 16_384), (200, 7), (70_000, 16_384)]
        {
            let reads = reads(len, piece);
            let (mut decoder, mut ledger) = (Decoder::new(WireLimits::new()), under_way(mode));
            let mut bodies = 0;
            let n = allocations(|| bodies = echo(&reads, mode, &mut decoder, &mut ledger));
            assert_eq!(bodies, (MESSAGES * len) as u64);
            assert_eq!(n, 0, "{MESSAGES} messages of {len} in reads of {piece}, {mode:?}");
        }
    }
}

/// Many frames in one read, as h2 hands them on: pieces of both ends of it.
#[test]
fn t16_pushing_before_reading_allocates_a_queue_once() {
    let reads = reads(16_384, 16_384);
    let mut decoder = Decoder::new(WireLimits::new());
    let mut all = || {
        for window in reads.chunks(4) {
            window.iter().for_each(|read| decoder.push(read.clone()));
            while decoder.next().expect("good messages").is_some() {}
        }
    };
    all();
    assert_eq!(allocations(all), 0);
}
