//! The body buffer (T7) beside a plain `VecDeque<Bytes>`, the least that a chain of segments can
//! be, and beside the chained buffers that people use. Compare within one run only.

use std::collections::VecDeque;
use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use tidegate::buf::BodyBuf;

mod kit;
#[cfg(feature = "comparisons")]
#[path = "peers/buf.rs"]
mod peers;
#[path = "rows/buf.rs"]
mod rows;

use kit::Case;
use rows::{CHUNK_BYTES, Chained, Chains, Ours, SIZES, SOURCES, Script, Source, Work, letters};

/// How many chunks wait at a time.
const WINDOW: usize = 64;

/// One kind of chain.
struct Way {
    name: &'static str,
    note: &'static str,
    turns: fn(Work, Source) -> Box<dyn FnMut()>,
    whole: fn(Work, Script) -> Vec<u8>,
}

const fn way<C: Chained>(name: &'static str, note: &'static str) -> Way {
    Way {
        name,
        note,
        turns: |work, source| {
            let mut chains = Chains::<C>::new();
            Box::new(move || chains.turn(work, &source))
        },
        whole: |work, script| Chains::<C>::new().whole(work, script),
    }
}

const OWN: [Way; 2] = [
    way::<VecDeque<Bytes>>(
        "floor",
        "`VecDeque<Bytes>`: it keeps no length, and nothing keeps its order",
    ),
    way::<Ours>("tidegate", "`BodyBuf`: a length, and segments that stay in order"),
];

fn ways() -> impl Iterator<Item = &'static Way> {
    #[cfg(feature = "comparisons")]
    let peers = peers::WAYS;
    #[cfg(not(feature = "comparisons"))]
    let peers: &[Way] = &[];
    const { &OWN }.iter().chain(peers)
}

fn rows(c: &mut Criterion, case: &Case, work: Work, source: &Source) {
    for way in ways() {
        case.row(c, way.name, way.note, || {
            let script = Script::new(WINDOW, source.chunk_bytes());
            assert!((way.whole)(work, script.clone()) == script.chunks.concat(), "all in order");
            (way.turns)(work, source.clone())
        });
    }
}

fn chunks(c: &mut Criterion) {
    let works = [
        ("push_drain_64", Work::Drain(WINDOW)),
        ("push_hand_over_drain_64", Work::HandOver(WINDOW)),
        ("push_pop_1", Work::Drain(1)),
    ];
    for (size, bytes) in SIZES {
        for (kind, source) in SOURCES {
            for (name, work) in works {
                let usual = bytes == CHUNK_BYTES && (kind == "static" || name == "push_drain_64");
                if !usual && !cfg!(feature = "comparisons") {
                    continue;
                }
                let (Work::Drain(units) | Work::HandOver(units)) = work else { continue };
                let name = format!("buf/{name}/{size}/{kind}");
                let bytes = (units * bytes) as u64;
                let case = Case { name, units: units as u64, unit: "chunk", bytes };
                rows(c, &case, work, &source(case.bytes as usize / units));
            }
        }
    }
}

/// Cuts at offsets that no segment ends at, and within one segment (at most 30 ns).
fn cuts(c: &mut Criterion) {
    // A second reference, so that the allocation is shared before the first split.
    for (kind, source) in [("static", Source::Static), ("shared", Source::shared())] {
        let total = WINDOW * CHUNK_BYTES;
        let bytes = 5_001;
        let name = format!("buf/records_of_5001B/16KiB/{kind}");
        let units = (total / bytes) as u64;
        let case = Case { name, units, unit: "record", bytes: total as u64 };
        rows(c, &case, Work::Records { chunks: WINDOW, bytes }, &source);
        let bytes = 100;
        let name = format!("buf/frames_of_100B/16KiB/{kind}");
        let units = (CHUNK_BYTES / bytes) as u64;
        let case = Case { name, units, unit: "frame", bytes: CHUNK_BYTES as u64 };
        rows(c, &case, Work::Frames { bytes }, &source);
    }
}

/// Chunks of 100 bytes come to rest and are released 32 at a time: server-sent events behind a
/// holder.
fn pack(c: &mut Criterion) {
    const CHUNKS: usize = 32;
    let case = Case {
        name: "buf/rest_release_32/100B".into(),
        units: CHUNKS as u64,
        unit: "chunk",
        bytes: CHUNKS as u64 * 100,
    };
    let note = "`VecDeque<Bytes>`, which keeps each as a segment: 32 bytes each while they wait";
    case.row(c, "floor", note, || {
        let mut floor = Chains::<VecDeque<Bytes>>::new();
        move || floor.turn(Work::Drain(CHUNKS), &Source::fixed(100))
    });
    let note = "`BodyBuf`, which packs small segments that rest: their bytes are copied once";
    case.row(c, "tidegate", note, || {
        let script = Script::new(CHUNKS, 100);
        let mut buf = BodyBuf::new();
        for chunk in &script.chunks {
            buf.push_at_rest(chunk.clone());
        }
        assert!(buf.to_bytes() == script.chunks.concat(), "all in order");
        let mut buf = BodyBuf::new();
        move || {
            for _ in 0..CHUNKS {
                buf.push_at_rest(black_box(Source::fixed(100).next()));
            }
            while let Some(chunk) = buf.pop_front() {
                black_box(chunk);
            }
        }
    });
}

/// A needle of 20 bytes that is not there, in 1 MiB: a scanner over what it holds.
fn find(c: &mut Criterion) {
    const NEEDLE: &[u8] = b"--not in the body--";
    let flat = letters(CHUNK_BYTES).repeat(WINDOW);
    let case = |name: &str| Case {
        name: format!("buf/find_in_1MiB/{name}"),
        units: 1,
        unit: "search",
        bytes: (WINDOW * CHUNK_BYTES) as u64,
    };
    let finder = memchr::memmem::Finder::new(NEEDLE);
    for (name, size) in [("16KiB", CHUNK_BYTES), ("512B", 512), ("16B", 16)] {
        let case = case(name);
        let note = "memchr's `memmem` on one contiguous slice: no borders";
        case.row(c, "floor", note, || || assert_eq!(finder.find(black_box(&flat)), None));
        let note = "`BodyBuf::find` over segments of that size";
        case.row(c, "tidegate", note, || {
            let part = Bytes::from_static(letters(size));
            let mut buf: BodyBuf = (0..flat.len() / size).map(|_| part.clone()).collect();
            let at = buf.len() - 7;
            buf.replace(at..at, Bytes::from_static(NEEDLE));
            assert_eq!(buf.find(NEEDLE, 0), Some(at));
            let buf: BodyBuf = (0..flat.len() / size).map(|_| part.clone()).collect();
            move || assert_eq!(black_box(&buf).find(NEEDLE, 0), None)
        });
    }
}

criterion_group! {
    name = benches;
    config = kit::config();
    targets = chunks, cuts, pack, find
}
criterion_main!(benches);
