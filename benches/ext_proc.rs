//! External processing without sockets: whole gRPC streams from memory through our service, beside
//! a floor that knows everything before, and beside tonic with published stubs. Compare within one
//! run only.
//!
//! `benches/ext_proc/` (a package of its own) has the same behind a real Envoy, where HTTP/2 and
//! the kernel count too.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};

mod kit;
#[path = "../tests/kit/ext_proc/mod.rs"]
mod messages;
#[cfg(feature = "comparisons")]
#[path = "peers/tonic.rs"]
mod peers;
#[path = "rows/ext_proc.rs"]
mod rows;
#[path = "rows/source.rs"]
mod source;

use kit::Case;
use rows::{Floor, Mode, Sent, decode, processor, through, walk};
use source::SIZES;

/// Body messages of one stream.
const CHUNKS: usize = 64;

fn sent(mode: Mode, bytes: usize) -> Sent {
    let chunks = if mode == Mode::Small { 1 } else { CHUNKS };
    Sent::new(mode, &source::Script::new(chunks, bytes).chunks)
}

/// As the service has it: on one thread.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// What becomes of a piece that is written.
fn pass(piece: &[u8]) {
    black_box(piece.len());
}

fn streams(c: &mut Criterion) {
    let modes = [
        ("duplex", Mode::Duplex, "chunk"),
        ("streamed", Mode::Streamed, "chunk"),
        ("buffered", Mode::Buffered, "body"),
        ("small", Mode::Small, "message"),
    ];
    for (name, mode, unit) in modes {
        for (size, bytes) in SIZES {
            let usual = match mode {
                Mode::Duplex => true,
                Mode::Streamed | Mode::Buffered => size == "16KiB",
                Mode::Small => size == "1KiB",
            };
            if !usual && (mode == Mode::Small || !cfg!(feature = "comparisons")) {
                continue;
            }
            let sent = sent(mode, bytes);
            let case = Case {
                name: format!("ext_proc/{name}/{size}"),
                units: sent.bodies(),
                unit,
                bytes: sent.body_bytes(),
            };
            stream_rows(c, &case, mode, &sent);
        }
    }
}

fn stream_rows(c: &mut Criterion, case: &Case, mode: Mode, sent: &Sent) {
    let note = "heads that are there already and slices of what was read, by somebody who knows \
                what will come: nothing is read, nothing can go wrong";
    case.row(c, "floor", note, || {
        let floor = Floor::new(sent);
        let mut wire = Vec::new();
        floor.carry(&sent.frames, |piece| wire.extend_from_slice(piece));
        sent.check(&wire);
        move || floor.carry(&sent.frames, pass)
    });
    let note = "the service as it is mounted, one filter that counts, without HTTP/2";
    case.row(c, "tidegate", note, || {
        let runtime = runtime();
        let mut processor = processor(mode, sent.body_bytes());
        let mut wire = Vec::new();
        runtime.block_on(through(&mut processor, sent, |piece| wire.extend_from_slice(piece)));
        sent.check(&wire);
        move || {
            runtime.block_on(through(&mut processor, sent, pass));
        }
    });
    #[cfg(feature = "comparisons")]
    for (name, place, note) in [
        (
            "tonic",
            peers::Place::InPlace,
            "tonic's service on published stubs (envoy-types), answering where it is polled: the \
             least that tonic can cost. No filter, no limits but a message's",
        ),
        (
            "tonic_task",
            peers::Place::Task,
            "the same with a task and a channel of 16 for the stream, as tonic's examples have it",
        ),
    ] {
        case.row(c, name, note, || {
            let runtime = runtime();
            let mut server = peers::server(mode, place);
            let mut wire = Vec::new();
            let keep = |piece: &[u8]| wire.extend_from_slice(piece);
            runtime.block_on(peers::through(&mut server, sent, keep));
            sent.check(&wire);
            move || {
                runtime.block_on(peers::through(&mut server, sent, pass));
            }
        });
    }
}

/// Reads frames, and gives out the bytes of bodies.
type Read = fn(&[bytes::Bytes], &mut dyn FnMut(&[u8]));

/// Reading only: from frames of HTTP/2 to the bytes of bodies.
fn reading(c: &mut Criterion) {
    for (size, bytes) in SIZES {
        if size != "16KiB" && !cfg!(feature = "comparisons") {
            continue;
        }
        let sent = sent(Mode::Duplex, bytes);
        let case = Case {
            name: format!("ext_proc/decode/{size}"),
            units: CHUNKS as u64,
            unit: "chunk",
            bytes: sent.body_bytes(),
        };
        let wire = bytes::Bytes::from(sent.frames.concat());
        let note = "from prefix to prefix, over what lies in one piece: no message is looked into";
        case.row(c, "floor", note, || || walk(&wire, pass));
        let check = |read: Read| {
            let mut bodies = Vec::new();
            read(&sent.frames, &mut |piece| bodies.extend_from_slice(piece));
            assert!(bodies == source::Script::new(CHUNKS, bytes).chunks.concat(), "every byte");
        };
        let note = "our decoder: bodies are slices of what was read";
        case.row(c, "tidegate", note, || {
            check(|frames, out| decode(frames, out));
            || decode(&sent.frames, pass)
        });
        #[cfg(feature = "comparisons")]
        {
            let note = "prost on published stubs, from a buffer that frames are gathered in, as \
                        tonic does it";
            case.row(c, "prost", note, || {
                check(|frames, out| peers::decode(frames, out));
                || peers::decode(&sent.frames, pass)
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = kit::config();
    targets = streams, reading
}
criterion_main!(benches);
