//! A chunk from task to task: on one thread with room for 16 chunks and for 1 (T5), and across
//! threads (T6), beside a floor and beside the channels that people use today. Compare within one
//! run only.

use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{Criterion, criterion_group, criterion_main};

mod kit;
#[cfg(feature = "comparisons")]
#[path = "peers/pipe.rs"]
mod peers;
#[path = "rows/pipe.rs"]
mod rows;

use kit::Case;
use rows::{
    CHUNK_BYTES, Counted, FLOOR_NOTE, OURS, Script, Source, Steady, Way, across_threads, floor,
    on_one_thread,
};

/// Chunks of one message on one thread.
const CHUNKS: u64 = 1600;

/// Chunks of one message across threads: enough to make the threads' start small.
const CHUNKS_ACROSS: u64 = 10_000;

fn ways() -> impl Iterator<Item = &'static Way> {
    #[cfg(feature = "comparisons")]
    let peers = peers::WAYS;
    #[cfg(not(feature = "comparisons"))]
    let peers: &[Way] = &[];
    [&OURS].into_iter().chain(peers)
}

fn one_thread(c: &mut Criterion) {
    for room in [16, 1] {
        for (kind, source) in
            [("static", Source::Static), ("shared", Source::shared()), ("fresh", fresh())]
        {
            if kind != "static" && !cfg!(feature = "comparisons") {
                continue;
            }
            let case = case(&format!("room_{room}/{kind}"), CHUNKS);
            let steady = || Steady { source: source.clone(), chunks: CHUNKS };
            case.row(c, "floor", FLOOR_NOTE, || {
                let script = Script::new(50, 100);
                script.expect(&on_one_thread(floor(room, script.clone())));
                || arrived(on_one_thread(floor(room, steady())), CHUNKS)
            });
            for way in ways() {
                case.row(c, way.name, way.note, || {
                    let script = Script::new(50, 100);
                    script.expect(&on_one_thread((way.kept)(room, script.clone())));
                    || arrived(on_one_thread((way.counted)(room, steady())), CHUNKS)
                });
            }
        }
    }
}

/// The time includes starting and joining a thread for each message. There is no floor that is
/// worth its name: what costs is the wake of the other thread.
fn two_threads(c: &mut Criterion) {
    for room in [16, 64] {
        let case = case(&format!("across_threads_room_{room}"), CHUNKS_ACROSS);
        for way in ways() {
            let (messages, wakes) = (AtomicU64::new(0), AtomicU64::new(0));
            case.row(c, way.name, way.note, || {
                let script = Script::new(50, 100);
                script.expect(&across_threads((way.kept)(room, script.clone())).0);
                || {
                    let steady = Steady { source: Source::Static, chunks: CHUNKS_ACROSS };
                    let (counted, _, woken) = across_threads((way.counted)(room, steady));
                    arrived(counted, CHUNKS_ACROSS);
                    messages.fetch_add(1, Ordering::Relaxed);
                    wakes.fetch_add(woken, Ordering::Relaxed);
                }
            });
            let chunks = messages.into_inner() * CHUNKS_ACROSS;
            if chunks > 0 {
                let each = wakes.into_inner() as f64 / chunks as f64;
                println!("{}/{}: {each:.3} wakes a chunk", case.name, way.name);
            }
        }
    }
}

fn fresh() -> Source {
    Source::fresh(CHUNK_BYTES)
}

fn case(name: &str, chunks: u64) -> Case {
    let bytes = chunks * CHUNK_BYTES as u64;
    Case { name: format!("pipe/{name}"), units: chunks, unit: "chunk", bytes }
}

#[track_caller]
fn arrived(counted: Counted, chunks: u64) {
    assert_eq!(counted, Counted { bytes: chunks * CHUNK_BYTES as u64, trailers: 1 });
}

criterion_group! {
    name = benches;
    config = kit::config();
    targets = one_thread, two_threads
}
criterion_main!(benches);
