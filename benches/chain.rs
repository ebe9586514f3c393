//! A chunk through a chain of filters that pass it (T1, T2), that hold it (T9), beside the floor
//! and beside what people use today.
//!
//! Each row says what it imitates and where it is unfair. Compare within one run only, as ratios to
//! the floor.

use criterion::{Criterion, criterion_group, criterion_main};

mod kit;
#[cfg(feature = "comparisons")]
#[path = "peers/chain.rs"]
mod peers;
#[path = "rows/chain.rs"]
mod rows;

use kit::Case;
use rows::{CHUNK_BYTES, Carry, Floor, Merged, Message, SIZES, SOURCES, Script, Source};

/// Chunks of one turn.
const CHUNKS: u64 = 320;

/// Turns chunks through so many filters, as often as it is told to.
type Turn = Box<dyn FnMut(u64)>;

/// One way of carrying chunks through filters.
struct Way {
    name: &'static str,
    note: &'static str,
    /// An endless message: filters, source.
    endless: fn(usize, Source) -> Turn,
    /// A message with an end.
    whole: fn(usize, Script) -> Message,
}

const FLOOR: Way = Way {
    name: "floor",
    note: "a virtual call a filter on the chunk where it lies; no holding, no end, no trailers, no \
           limits: unfair to the chain on purpose",
    endless: |filters, source| {
        let mut floor = Floor::new(filters, source);
        Box::new(move |chunks| floor.run(chunks))
    },
    whole: Floor::whole,
};

const MERGED: Way = Way {
    name: "floor_merged",
    note: "the same with filters that are known when the program is built, merged by the compiler: \
           nothing that is chosen at run time can have it",
    endless: |filters, source| match filters {
        0 => merged::<0>(source),
        1 => merged::<1>(source),
        4 => merged::<4>(source),
        8 => merged::<8>(source),
        16 => merged::<16>(source),
        _ => panic!("{filters} filters are not built in"),
    },
    whole: |filters, script| match filters {
        0 => Merged::<0>::whole(script),
        1 => Merged::<1>::whole(script),
        4 => Merged::<4>::whole(script),
        8 => Merged::<8>::whole(script),
        16 => Merged::<16>::whole(script),
        _ => panic!("{filters} filters are not built in"),
    },
};

const OURS: Way = Way {
    name: "tidegate",
    note: "loggers and meters that count and pass, with all that the engine is: holding, ends, \
           trailers, limits, and the checks that an edge makes between chunks",
    endless: |filters, source| {
        let mut carry = Carry::passing(filters, source);
        Box::new(move |chunks| carry.run(chunks))
    },
    whole: |filters, script| Carry::passing(filters, Source::Static).whole(script),
};

fn merged<const N: usize>(source: Source) -> Turn {
    let mut merged = Merged::<N>::new(source);
    Box::new(move |chunks| merged.run(chunks))
}

fn ways() -> impl Iterator<Item = &'static Way> {
    #[cfg(feature = "comparisons")]
    let peers = peers::WAYS;
    #[cfg(not(feature = "comparisons"))]
    let peers: &[Way] = &[];
    [&FLOOR, &MERGED, &OURS].into_iter().chain(peers)
}

/// Sizes in bytes and numbers of filters with a source: all of them beside peers, else those along
/// the edges.
fn is_wanted(bytes: usize, source: &str, filters: usize) -> bool {
    let usual = bytes == CHUNK_BYTES;
    cfg!(feature = "comparisons")
        || (usual && (source == "static" || matches!(filters, 0 | 8)))
        || (source == "static" && filters == 8)
}

fn pass(c: &mut Criterion) {
    for (size, bytes) in SIZES {
        for (kind, source) in SOURCES {
            for filters in [0, 1, 4, 8, 16] {
                if !is_wanted(bytes, kind, filters) {
                    continue;
                }
                let case = case(&format!("{size}/{kind}/{filters}"), bytes);
                for way in ways() {
                    case.row(c, way.name, way.note, || {
                        let script = Script::new(5, bytes);
                        script.expect(&(way.whole)(filters, script.clone()));
                        let mut turn = (way.endless)(filters, source(bytes));
                        move || turn(CHUNKS)
                    });
                }
            }
        }
    }
}

fn case(name: &str, bytes: usize) -> Case {
    let name = format!("chain/{name}");
    Case { name, units: CHUNKS, unit: "chunk", bytes: CHUNKS * bytes as u64 }
}

/// What no peer has: filters that want no data, and filters that hold.
fn engine(c: &mut Criterion) {
    type Make = fn(Source) -> Carry;
    let rows: [(&str, usize, &str, Make); 4] = [
        (
            "uninterested_8",
            0,
            "8 filters of heads, routing and the like: the engine leaves them \
          out. The floor has none",
            |source| Carry::uninterested(8, source),
        ),
        (
            "hold_release_alone",
            1,
            "an inspector that waits for an answer to each chunk. The floor \
          is one call, and holds nothing",
            |source| Carry::holding(0, 1, source),
        ),
        (
            "hold_release_among_7",
            8,
            "the same among 7 filters that pass. The floor is 8 calls, and \
          holds nothing",
            |source| Carry::holding(7, 1, source),
        ),
        (
            "hold_4_release",
            1,
            "an inspector that answers every fourth chunk. The floor is one \
          call, and holds nothing",
            |source| Carry::holding(0, 4, source),
        ),
    ];
    let sources = if cfg!(feature = "comparisons") { &SOURCES[..2] } else { &SOURCES[..1] };
    for (kind, source) in sources {
        for (name, calls, note, make) in rows {
            let case = case(&format!("{name}/16KiB/{kind}"), CHUNK_BYTES);
            case.row(c, FLOOR.name, FLOOR.note, || {
                let mut floor = Floor::new(calls, source(CHUNK_BYTES));
                move || floor.run(CHUNKS)
            });
            case.row(c, "tidegate", note, || {
                let script = Script::new(8, CHUNK_BYTES);
                script.expect(&make(Source::Static).whole(script.clone()));
                let mut carry = make(source(CHUNK_BYTES));
                move || carry.run(CHUNKS)
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = kit::config();
    targets = pass, engine
}
criterion_main!(benches);
