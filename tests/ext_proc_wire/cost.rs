//! T16: what the codec allocates and copies for a body, driven from memory. Nothing.

use bytes::{Buf, Bytes};
use tidegate::BodyBuf;
use tidegate::exchange::Direction;
use tidegate::ext_proc::automaton::{Ledger, Owes, Received};
use tidegate::ext_proc::mode::{DirectionMode, ProcessingMode};
use tidegate::ext_proc::wire::{Decoder, Event, HeaderMutation, Reply, WireLimits, encode};

use crate::counting::{allocations, live_bytes};
use crate::messages::{message_frame, request_body, request_headers};

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

/// What a reply costs until its frame is dropped: allocations while it is encoded, and bytes that
/// the frame holds then.
fn cost(reply: impl FnOnce() -> Reply) -> (u64, usize, usize) {
    let before = live_bytes();
    let reply = reply();
    let mut frame = None;
    let n = allocations(|| frame = encode(reply).ok());
    let held = usize::try_from(live_bytes() - before).expect("nothing else was freed");
    let frame = frame.expect("a short reply");
    (n, held, frame.remaining())
}

fn head_answer(mutation: HeaderMutation) -> Reply {
    let mode = ProcessingMode::both(DirectionMode::heads_only());
    let mut ledger = Ledger::new(mode);
    let head = Received::Headers { end_of_stream: false };
    ledger.receive(Direction::Request, head).expect("the first");
    let Owes::Headers(pen) = ledger.owes(Direction::Request) else { panic!("the head is owed") };
    pen.answer(mutation)
}

fn immediate_answer(mutation: HeaderMutation, details: usize) -> Reply {
    let mode = ProcessingMode::both(DirectionMode::heads_only());
    let mut ledger = Ledger::new(mode);
    let pen = ledger.immediate().expect("nothing went out");
    let details = Bytes::from(vec![b'd'; details]);
    pen.answer(http::StatusCode::FORBIDDEN, mutation, BodyBuf::new(), Some(7), details)
}

/// How much room a reply has is reckoned before it is written: enough, so that it is written once,
/// and little more than it takes.
#[test]
fn a_reply_with_a_mutation_is_written_once_into_little_more_than_it_needs() {
    // Of a field, besides its name and value; of the rest; and what `Bytes` shares a segment by.
    const FIELD: usize = 32;
    const REST: usize = 64 + 64;
    let (once, ..) = cost(|| {
        let mut one = HeaderMutation::new();
        one.remove("a");
        head_answer(one)
    });
    for (name, value) in [(1, 0), (50, 1), (1, 50), (50, 50), (200, 3), (3, 5_000)] {
        for fields in [1, 2, 9] {
            let mutation = |removes: bool| {
                let mut mutation = HeaderMutation::new();
                for _ in 0..fields {
                    let (name, value) = (vec![b'n'; name], vec![b'v'; value]);
                    if removes {
                        mutation.remove(name);
                    } else {
                        mutation.append(name, value);
                    }
                }
                mutation
            };
            for removes in [false, true] {
                let costs = [
                    cost(|| head_answer(mutation(removes))),
                    cost(|| immediate_answer(mutation(removes), 0)),
                    cost(|| immediate_answer(mutation(removes), 700)),
                ];
                for (n, held, len) in costs {
                    let which = format!("{fields} of {name} and {value}, removed: {removes}");
                    assert_eq!(n, once, "{which}");
                    assert!(held <= len + fields * FIELD + REST, "{held} for {len}: {which}");
                }
            }
        }
    }
}

/// Room for the fields of a head is made before they are seen, by its length.
#[test]
fn a_head_costs_as_many_allocations_with_twenty_fields_as_with_two() {
    let names = [
        ":method", "accept", "age", "allow", "cookie", "date", "dnt", "etag", "expect", "from",
        "host", "link", "origin", "pragma", "range", "referer", "server", "te", "trailer", "via",
    ];
    let head = |fields: usize| {
        let value = "v".repeat(28);
        let pairs: Vec<(&str, &str)> =
            names[..fields].iter().map(|&name| (name, &*value)).collect();
        let bytes = message_frame(&request_headers(&pairs, false));
        let mut decoder = Decoder::new(WireLimits::new());
        decoder.push(bytes);
        let (before, mut event) = (live_bytes(), None);
        let n = allocations(|| event = decoder.next().expect("a good head"));
        let held = live_bytes() - before;
        let Some(Event::Headers { section, .. }) = event else { panic!("a head") };
        assert_eq!(section.fields.len() + section.pseudo.len(), fields);
        (n, held)
    };
    let (with_two, held) = head(2);
    assert!(held < 3 * 1024, "{held} bytes for two fields");
    for fields in 3..=names.len() {
        assert_eq!(head(fields).0, with_two, "{fields} fields");
    }
}
